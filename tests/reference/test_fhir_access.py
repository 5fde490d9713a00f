"""Whose data a token of the FHIR server is good for, and of which types."""

import base64

import pytest
from tests.reference.clients import DocRefClient, in_process
from tests.reference.fhir import FhirClient, outcome

from onc_conformance.reference import ReferenceEHR


@pytest.fixture(scope="module")
def ehr():
    with ReferenceEHR() as running:
        yield running


@pytest.fixture(scope="module")
def client(ehr):
    return FhirClient(ehr)


@pytest.fixture(scope="module")
def own(ehr):
    return FhirClient(ehr, "FHIR_PATIENT_TOKEN")


@pytest.fixture(scope="module")
def other(client):
    """Somebody else's id."""
    return next(one["id"] for one in client.found("Patient", family="Larson"))


def system_client(ehr, scope):
    """A client with a token of SMART Backend Services."""
    docref = DocRefClient(ehr, in_process(ehr))
    return FhirClient(ehr, docref.ask(scope=scope).json()["access_token"])


@pytest.mark.parametrize("token", ["", "FHIR_EXPIRED_TOKEN", "nonsense"])
def test_without_a_good_token_nothing_is_told(ehr, token):
    client = FhirClient(ehr, token)
    for path in (f"Patient/{client.patient}", f"Condition?patient={client.patient}", "Practitioner", "Slot"):
        answer = client.get(path)
        assert outcome(answer) == (401, "login")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("metadata").status_code == 200


def test_a_patients_token_is_good_for_that_patient_alone(client, own, other):
    assert own.mine("Condition") == client.mine("Condition")
    assert own.found("Condition") == client.mine("Condition")
    assert outcome(own.get("Condition", patient=other)) == (403, "forbidden")
    assert outcome(own.get("Condition", patient=f"{own.patient},{other}")) == (403, "forbidden")
    foreign = client.found("Condition", patient=other)[0]["id"]
    assert outcome(own.get(f"Condition/{foreign}")) == (403, "forbidden")
    assert outcome(own.get(f"Patient/{other}")) == (403, "forbidden")
    assert own.found("Condition", _id=foreign) == []
    assert [one["id"] for one in own.found("Patient", name="a,e,i,o,l,n")] == [own.patient]
    assert own.get("Practitioner", name="imogen").json()["total"] == 1


def test_a_patients_token_opens_that_patients_documents_alone(client, own, other):
    for whose, status in ((own.patient, 200), (other, 403)):
        document = client.found("DocumentReference", patient=whose)[0]
        url = document["content"][0]["attachment"]["url"]
        assert own.get(url).status_code == status
        assert own.get("DocumentReference/$docref", patient=whose).status_code == status
        made = client.bundle("DocumentReference/$docref", patient=whose)["entry"][0]["resource"]
        assert own.get(made["content"][0]["attachment"]["url"]).status_code == status
    assert own.found("Medication", _id="0") == []


@pytest.mark.parametrize("scope", ["system/*.rs", "system/Patient.rs system/Condition.rs system/Provenance.rs"])
def test_a_system_token_is_good_for_everybody(ehr, client, other, scope):
    system = system_client(ehr, scope)
    for patient in (client.patient, other):
        assert system.found("Condition", patient=patient) == client.found("Condition", patient=patient)


def test_scopes_are_of_types(ehr, client):
    system = system_client(ehr, "system/Patient.rs system/Condition.rs")
    assert outcome(system.get("Observation", patient=client.patient)) == (403, "forbidden")
    assert outcome(system.get("DocumentReference/$docref", patient=client.patient)) == (403, "forbidden")
    along = system.found("Condition", mode="include", patient=client.patient, _revinclude="Provenance:target")
    assert along == []
    refused = DocRefClient(ehr, in_process(ehr)).ask(scope="system/Slot.rs")
    assert refused.json()["error"] == "invalid_scope"


def test_the_id_asked_for_decides_whose_data_come(client, other):
    for patient in (client.patient, other):
        for kind in ("Condition", "Observation", "Encounter", "MedicationRequest"):
            found = client.found(kind, patient=patient, _count=200)
            assert {one["subject"]["reference"] for one in found} == {f"Patient/{patient}"}


def test_a_file_comes_as_it_is_or_as_a_resource(client):
    document = client.mine("DocumentReference")[0]
    attachment = document["content"][0]["attachment"]
    assert attachment["url"].startswith(f"{client.base}/Binary/")
    plain = client.get(attachment["url"], {"Accept": "*/*"})
    assert (plain.headers["Content-Type"], plain.text[:10]) == ("text/plain; charset=utf-8", "Feels well")
    binary = client.get(attachment["url"]).json()
    assert base64.b64decode(binary["data"]).decode() == plain.text


def test_references_and_documents_share_the_patients_ids(client):
    bundle = client.bundle("DocumentReference/$docref", patient=client.patient)
    reference = bundle["entry"][0]["resource"]["subject"]["reference"]
    assert client.get(reference).json()["name"][0]["family"] == "Newman"
