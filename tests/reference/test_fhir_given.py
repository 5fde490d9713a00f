"""Bundles served in place of the EHR's own resources, and the statement of what is there."""

import json

import pytest
from tests.reference.fhir import FhirClient, outcome

from onc_conformance.cli import main
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.settings import Settings

PATIENT = {"resourceType": "Patient", "id": "one", "name": [{"family": "Given"}], "gender": "female"}
CONDITION = {
    "resourceType": "Condition",
    "id": "c1",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]},
    "subject": {"reference": "urn:uuid:1"},
    "onsetDateTime": "2020-02",
}
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "something"}}
REQUEST = {
    "resourceType": "MedicationRequest",
    "id": "r1",
    "intent": "order",
    "subject": {"reference": "Patient/one"},
    "medicationReference": {"reference": "urn:uuid:3"},
}
PROVENANCE = {"resourceType": "Provenance", "id": "p1", "target": [{"reference": "urn:uuid:2"}]}
SLOT = {"resourceType": "Slot", "id": "s1", "status": "free"}
TWO = {"resourceType": "Patient", "id": "two", "name": [{"family": "Other"}]}


def bundle(*resources):
    entries = [{"fullUrl": f"urn:uuid:{place}", "resource": one} for place, one in enumerate(resources, start=1)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.fixture(scope="module")
def ehr(tmp_path_factory):
    room = tmp_path_factory.mktemp("bundles")
    first, second = room / "first.json", room / "second.json"
    first.write_text(json.dumps(bundle(PATIENT, CONDITION, MEDICATION, REQUEST, PROVENANCE, SLOT)), encoding="utf-8")
    second.write_text(json.dumps({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": TWO}]}))
    with ReferenceEHR(fhir=[first, second]) as running:
        yield running


@pytest.fixture(scope="module")
def client(ehr):
    return FhirClient(ehr)


def test_what_is_given_is_what_there_is(client):
    assert client.patient == "one"
    assert [one["id"] for one in client.found("Patient", family="given,other")] == ["one", "two"]
    assert client.get("Slot/s1").json() == SLOT
    assert client.get("Patient/one").json() == PATIENT


def test_references_within_a_bundle_lead_to_what_it_holds(client):
    found = client.mine("Condition", **{"onset-date": "2020"})
    assert found == [CONDITION | {"subject": {"reference": "Patient/one"}}]
    along = client.mine("Condition", mode="include", _revinclude="Provenance:target")
    assert [one["id"] for one in along] == ["p1"]
    assert client.mine("MedicationRequest", mode="include", _include="MedicationRequest:medication") == [MEDICATION]


def test_what_is_wrong_with_a_given_resource_stays_wrong(tmp_path):
    note = {"resourceType": "DocumentReference", "id": "d1", "subject": {"reference": "Patient/one"}, "content": ["x"]}
    odd = {"resourceType": "Provenance", "id": "p2", "target": ["Patient/one", {"reference": 4}]}
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(bundle(PATIENT | {"meta": {"profile": [{}]}}, note, odd)), encoding="utf-8")
    with ReferenceEHR(fhir=[path]) as running:
        client = FhirClient(running)
        assert client.mine("DocumentReference", _revinclude="Provenance:target") == [note]
        assert client.get("Provenance/p2").json() == odd
        assert client.get("metadata").status_code == 200


def test_what_is_given_belongs_to_its_patient(ehr, client):
    own = FhirClient(ehr, "FHIR_PATIENT_TOKEN")
    assert own.get("Condition/c1").status_code == 200
    assert outcome(own.get("Patient/two")) == (403, "forbidden")
    assert client.found("Condition", patient="two") == []
    assert outcome(client.get("Condition", patient="three")) == (404, "not-found")


def test_the_statement_says_what_is_given(client):
    rest = client.bundle("metadata")["rest"][0]
    types = [one["type"] for one in rest["resource"]]
    assert types == ["Condition", "Group", "Medication", "MedicationRequest", "Patient", "Provenance", "Slot"]
    assert not any("supportedProfile" in one for one in rest["resource"])
    assert {one["type"] for one in rest["resource"] if "operation" in one} == {"Group", "Patient"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no FHIR Bundle"),
        ('{"resourceType": "Patient"}', "is no FHIR Bundle"),
        ('{"resourceType": "Bundle"}', "no entries"),
        ('{"resourceType": "Bundle", "entry": [{}]}', "entry 0: has no resource"),
        ('{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": 4, "id": "a"}}]}', "no type of resource"),
        ('{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]}', "without id"),
        (json.dumps(bundle(PATIENT, PATIENT)), "given before"),
        (json.dumps(bundle(PATIENT, PROVENANCE | {"target": "c1"})), "Provenance: target: expected a list"),
        (json.dumps(bundle(PATIENT | {"meta": []})), "Patient: meta: expected an object"),
        (json.dumps(bundle(SLOT)), "no Patient"),
    ],
)
def test_a_bad_bundle_ends_with_one_line(tmp_path, capsys, content, said):
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    assert main(["serve", "--fhir", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert "bad.json" in told.err
    assert told.err.count("\n") == 1


def test_a_missing_bundle_ends_with_one_line(tmp_path, capsys):
    assert main(["serve", "--fhir", str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


# --- the statement of its own resources


@pytest.mark.parametrize(("version", "more"), [("6.1.0", set()), ("7.0.0", {"us-core-average-blood-pressure"})])
def test_the_statement_is_of_the_version_it_follows(version, more):
    with ReferenceEHR(settings=Settings(us_core=version)) as ehr:
        statement = FhirClient(ehr, "").bundle("metadata")
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["instantiates"] == [
        f"http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server|{version}",
        "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data",
    ]
    resources = {one["type"]: one for one in statement["rest"][0]["resource"]}
    profiles = {one.rpartition("/")[2] for one in resources["Observation"]["supportedProfile"]}
    assert {"us-core-observation-lab", "us-core-blood-pressure", "pediatric-bmi-for-age"} | more <= profiles
    assert ("us-core-average-blood-pressure" in profiles) is bool(more)
    assert [one["name"] for one in resources["DocumentReference"]["operation"]] == ["docref"]
    assert resources["Condition"]["searchRevInclude"] == ["Provenance:target"]
    assert "searchParam" not in resources["Binary"]
    combinations = [
        "+".join(part["valueString"] for part in one["extension"]) for one in resources["Observation"]["extension"]
    ]
    assert "patient+category+date" in combinations


def test_every_type_and_parameter_stated_is_there():
    with ReferenceEHR() as ehr:
        client = FhirClient(ehr)
        for one in client.bundle("metadata")["rest"][0]["resource"]:
            for parameter in one.get("searchParam", ()):
                value = {"date": "ge1900", "reference": f"Patient/{client.patient}"}.get(parameter["type"], "a")
                query = {"patient": client.patient, parameter["name"]: value}
                answer = client.get(one["type"], {"Prefer": "handling=strict"}, **query) if "patient" in [
                    each["name"] for each in one["searchParam"]
                ] else client.get(one["type"], {"Prefer": "handling=strict"}, **{parameter["name"]: value})  # fmt: skip
                assert answer.status_code == 200, (one["type"], parameter, answer.text)
