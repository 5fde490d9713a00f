"""Search parameters: what finds a resource, and what must not."""

import pytest

from onc_conformance.fhirwork import parameters
from onc_conformance.fhirwork.asking import local
from onc_conformance.fhirwork.chart import referring, whose

CONDITION = {
    "resourceType": "Condition",
    "id": "c1",
    "category": [{"coding": [{"system": "urn:s", "code": "a"}]}, {"coding": [{"code": "b"}]}],
    "onsetPeriod": {"start": "2019-01-01", "end": "2019-02-01"},
    "subject": {"reference": "http://ehr.example/fhir/Patient/p1"},
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": "2018-07-01"}
    ],
}


@pytest.mark.parametrize(
    ("name", "how", "asked", "expected"),
    [
        ("category", "token", "a", True),
        ("category", "token", "urn:s|a", True),
        ("category", "token", "urn:other|a", False),
        ("category", "token", "urn:any|b", None),
        ("category", "token", "c", False),
        ("category", "token", "c,b", True),
        ("onset-date", "date", "gt2019-01-15", True),
        ("onset-date", "date", "2018", False),
        ("asserted-date", "date", "ge2018-07-01", True),
        ("asserted-date", "date", "nonsense", None),
    ],
)
def test_a_value_finds_what_it_means(name, how, asked, expected):
    assert parameters.matches(CONDITION, name, how, asked) is expected


def test_a_sample_finds_its_resource():
    value = parameters.sample(CONDITION, "category", "token")
    assert value == "urn:s|a"
    assert parameters.matches(CONDITION, "category", "token", value)


def test_a_name_is_found_by_its_beginning():
    patient = {"resourceType": "Patient", "name": [{"family": "Finch", "given": ["Ida"]}]}
    assert parameters.matches(patient, "name", "string", "fin")
    assert not parameters.matches(patient, "name", "string", "inch")


def test_a_resource_says_whose_it_is():
    assert whose(CONDITION) == "p1"
    assert whose({"resourceType": "Patient", "id": "p2"}) == "p2"
    assert whose({"resourceType": "Organization", "id": "o"}) is None


def test_references_are_told_with_their_places():
    assert list(referring(CONDITION, "Condition")) == [("Condition.subject", "http://ehr.example/fhir/Patient/p1")]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/p1", "Patient/p1"),
        ("http://ehr.example/fhir/Patient/p1/_history/2", "Patient/p1"),
        ("http://elsewhere.example/Patient/p1", None),
        ("#inner", None),
        ("urn:uuid:0", None),
        ("HTTP://EHR.example:80/fhir/Patient/p1", "Patient/p1"),
        ("https://ehr.example/fhir/Patient/p1", None),
        ("http://ehr.example/fhir2/Patient/p1", None),
        ("http://[nowhere/Patient/p1", None),
    ],
)
def test_only_references_to_this_server_are_followed(reference, expected):
    assert local(reference, "http://ehr.example/fhir") == expected
