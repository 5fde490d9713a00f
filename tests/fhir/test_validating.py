"""One resource before every judge of FHIR."""

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onc_conformance import fhir
from onc_conformance.findings import SUPPRESSED, Layer, Severity, UsageError

_SPEC = importlib.util.spec_from_file_location("fhir_resources", Path(__file__).with_name("resources.py"))
made = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(made)


def judged(resource, *profiles, version="6.1.0", **how):
    found = fhir.validate(resource, fhir.load(version), profiles or None, **how)
    return [(each.rule, each.path) for each in found if each.severity is Severity.ERROR]


def found(resource, rule, **how):
    [one] = [
        each for each in fhir.validate(resource, fhir.load(how.pop("version", "6.1.0")), **how) if each.rule == rule
    ]
    return one


def test_what_keeps_to_the_guide_is_not_objected_to():
    assert judged(made.patient(extension=[made.race("2106-3")])) == []
    assert judged(made.blood_pressure()) == []


def test_the_profiles_that_fit_are_those_of_code_and_category():
    guide = fhir.load()
    assert [each.id for each in fhir.profiles(made.blood_pressure(), guide)] == [
        "us-core-blood-pressure",
        "us-core-vital-signs",
    ]
    assert [each.id for each in fhir.profiles(made.patient(), guide)] == ["us-core-patient"]


def test_a_finding_names_place_profile_expected_and_found():
    resource = made.patient()
    del resource["gender"]
    one = found(resource, "us-core-patient#Patient.gender")
    assert (one.layer, one.path, one.expected, one.found) == (Layer.TEMPLATE, "Patient.gender", "at least 1", "0")
    assert "US Core Patient Profile" in one.message
    assert one.hint == "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"gender": "f"}, ("FHIR-BINDING", "Patient.gender")),
        ({"birthDate": "2024-02-30"}, ("FHIR-FORMAT", "Patient.birthDate")),
        ({"active": "true"}, ("FHIR-FORMAT", "Patient.active")),
        ({"name": {"family": "Lee"}}, ("FHIR-CARDINALITY", "Patient.name")),
        ({"birthDate": ["2024"]}, ("FHIR-CARDINALITY", "Patient.birthDate")),
        ({"eyes": "blue"}, ("FHIR-UNKNOWN", "Patient.eyes")),
        ({"contact": [{"relationship": [{"text": "x"}]}]}, ("pat-1", "Patient.contact[0]")),
        ({"deceasedBoolean": True, "deceasedDateTime": "2024"}, ("FHIR-CHOICE", "Patient.deceased")),
        ({"managingOrganization": {"reference": "Patient/1"}}, ("FHIR-REFERENCE", "Patient.managingOrganization")),
        ({"managingOrganization": {"reference": "#o"}}, ("ref-1", "Patient.managingOrganization.reference")),
        ({"telecom": []}, ("ele-1", "Patient.telecom")),
        ({"photo": [{}]}, ("ele-1", "Patient.photo[0]")),
        ({"text": {"status": "generated", "div": "<div>x</div>"}}, ("txt-1", "Patient.text.div")),
        ({"contained": [{"resourceType": "Organization", "id": "o", "name": "O"}]}, ("dom-3", "Patient.contained[0]")),
        ({"extension": [{"url": "http://x.y/z"}]}, ("ext-1", "Patient.extension[0]")),
        ({"name": [{"use": "usual"}]}, ("us-core-6", "Patient.name[0]")),
        (
            {"maritalStatus": {"coding": [{"system": "http://loinc.org", "code": "1-1"}]}},
            ("FHIR-CODE", "Patient.maritalStatus.coding[0].code"),
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_objected_to_where_it_is_wrong(change, expected):
    assert expected in judged(made.patient(**change))


def test_a_code_of_another_version_of_the_guide_is_told_as_such():
    category = {
        "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category",
        "code": "care-experience-preference",
    }
    resource = made.blood_pressure()
    resource["category"].append({"coding": [category]})
    (told,) = [each for each in fhir.validate(resource, fhir.load("6.1.0")) if each.rule == "FHIR-CODE"]
    assert told.severity is Severity.WARNING
    assert "US Core 7.0.0" in told.message
    assert not [each for each in fhir.validate(resource, fhir.load("7.0.0")) if each.rule == "FHIR-CODE"]


def test_a_slice_is_counted_and_its_values_are_held_to_it():
    resource = made.blood_pressure()
    resource["component"][0]["valueQuantity"]["code"] = "kPa"
    assert judged(resource) == [
        (
            "us-core-blood-pressure#Observation.component:systolic.value[x].code",
            "Observation.component[0].value.ofType(Quantity).code",
        )
    ]  # fmt: skip
    del resource["component"][0]
    rules = [rule for rule, _ in judged(resource)]
    assert rules == [
        "us-core-blood-pressure#Observation.component",
        "us-core-blood-pressure#Observation.component:systolic",
    ]


def test_an_extension_of_the_guide_is_held_to_its_definition_wherever_it_stands():
    assert judged(made.patient(extension=[made.race("NOT_A_CODE")])) != []
    several = made.patient(extension=[made.race("ASKU", "2106-3")])
    assert ("us-core-23", "Patient.extension[0]") in judged(several, version="7.0.0")
    place = "us-core-race#Extension"
    assert (place, "Observation.extension[0]") in judged(made.blood_pressure(extension=[made.race("2106-3")]))


def test_a_binding_that_may_be_extended_warns_and_one_that_is_not_listed_is_counted():
    language = {"language": {"coding": [{"system": "http://example.org", "code": "x"}]}}
    one = found(made.patient(communication=[language]), "us-core-patient#Patient.communication.language")
    assert one.severity is Severity.WARNING
    condition = {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]}
    resource = {"resourceType": "Condition", "code": condition, "subject": {"reference": "Patient/ann"}}
    assert found(resource, "VOC-NOT-JUDGED", profiles=["us-core-condition-encounter-diagnosis"]).found == "1"


def test_a_rule_that_is_wrong_as_published_is_set_aside_and_counted():
    ndc = {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "49281-0400-10"}]}
    resource = {
        "resourceType": "Immunization", "status": "completed", "vaccineCode": ndc, "primarySource": True,
        "patient": {"reference": "Patient/ann"}, "occurrenceDateTime": "2024-01-01",
    }  # fmt: skip
    one = found(resource, SUPPRESSED)
    assert (one.severity, one.found) == (Severity.INFO, "1")
    assert judged(resource) == []


def test_each_resource_of_a_bundle_is_judged_and_references_are_followed_when_asked():
    bundle = {
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": "http://x.y/Observation/bp", "resource": made.blood_pressure(status="done")}],
    }  # fmt: skip
    assert judged(bundle) == [("FHIR-BINDING", "Bundle.entry[0].resource.status")]
    resolve = fhir.within(bundle)
    assert ("FHIR-UNRESOLVED", "Bundle.entry[0].resource.subject.reference") in judged(bundle, resolve=resolve)
    bundle["entry"].append({"fullUrl": "http://x.y/Patient/ann", "resource": made.patient()})
    assert judged(bundle, resolve=fhir.within(bundle)) == [("FHIR-BINDING", "Bundle.entry[0].resource.status")]


@pytest.mark.parametrize("told", [None, 1, "x", [], {}, {"resourceType": "Klingon"}, {"resourceType": ["Patient"]}])
def test_what_is_no_resource_is_said_to_be_none(told):
    assert [rule for rule, _ in judged(told)] == ["FHIR-RESOURCE"]


def test_a_profile_the_guide_does_not_have_is_a_usage_error_and_a_name_of_one_a_warning():
    with pytest.raises(UsageError, match="no profile"):
        fhir.validate(made.patient(), fhir.load(), ["nothing"])
    strange = made.patient(meta={"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-person"]})
    assert found(strange, "FHIR-PROFILE").severity is Severity.WARNING


_NULL = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"


@pytest.mark.parametrize("version", ["6.1.0", "7.0.0", "8.0.0"])
@pytest.mark.parametrize("kind", ["race", "ethnicity"])
def test_who_is_asked_and_does_not_say_may_be_told_so(version, kind):
    def told(system, code):
        extension = made.race()
        extension["url"] = extension["url"].replace("race", kind)
        extension["extension"].insert(0, {"url": "ombCategory", "valueCoding": {"system": system, "code": code}})
        return {rule for rule, _ in judged(made.patient(extension=[extension]), version=version)}

    assert told(_NULL, "UNK") == told(_NULL, "ASKU") == set()
    place = f"us-core-{kind}#Extension.extension:ombCategory.value[x]"
    assert told(_NULL, "OTH") == told("urn:oid:2.16.840.1.113883.6.238", "1004-1") == {place}


@pytest.mark.parametrize(
    ("version", "able"),
    [("3.1.1", "F M UNK"), ("6.1.0", "F M UNK ASKU OTH"), ("7.0.0", "F M UNK"), ("8.0.0", "F M UNK")],
)
def test_a_sex_at_birth_that_is_not_known_may_be_told_so(version, able):
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
    codes = ("F", "M", "UNK", "ASKU", "OTH", "NASK")
    told = {code: made.patient(extension=[{"url": url, "valueCode": code}]) for code in codes}
    fine = [code for code, patient in told.items() if not judged(patient, version=version)]
    assert fine == able.split()


_KEYS = st.sampled_from(
    ["id", "extension", "url", "code", "coding", "system", "value", "reference", "text", "div", "x"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(_KEYS, each, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.data())
def test_whatever_stands_anywhere_is_judged_and_never_breaks_the_judge(data):
    resource = data.draw(st.sampled_from([made.patient(extension=[made.race("2106-3")]), made.blood_pressure()]))
    value = json.loads(json.dumps(resource))
    place = value
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        deeper = [key for key in keys if isinstance(place[key], (dict, list)) and place[key]]
        if not deeper:
            break
        place = place[data.draw(st.sampled_from(deeper))]
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
    place[key] = data.draw(_JSON)
    for version in fhir.versions():
        for each in fhir.validate(value, fhir.load(version)):
            assert "\n" not in str(each)
