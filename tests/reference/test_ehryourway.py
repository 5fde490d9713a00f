import hashlib
import json
import time
import uuid

import pytest
from lxml import etree
from tests.reference.clients import PATIENTS, EhrYourWayClient, ehryourway

import requests
from onc_conformance.reference import ReferenceEHR, Settings

V3 = "{urn:hl7-org:v3}"
DOCUMENTED = """
Patient Name|Preferred Language|Date of Birth|Care Team Member(s)|Smoking Status|Health Concerns|Plan of Treatment
Medication Allergies|Vital Signs|Implantable Device(s)|Reason For Visit|Refer to Consultant(s)|Functional Status
Cognitive Status|History And Physical Exam|Procedure Note|Progress Note|Laboratory Report Narrative|Consultation Note
Discharge Summary Note|Imaging Narrative|Pathology Report Narrative
"""
FROM_ONC = """
Sex|Race|Ethnicity|Problems|Medications|Laboratory Tests|Laboratory Values/Results|Laboratory Value(s)/Result(s)
Procedures|Immunizations|Goals|Assessment and Plan of Treatment
"""


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "two.toml"
    path.write_text(PATIENTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ehr(patients):
    with ReferenceEHR(patients=[patients]) as running:
        yield running


@pytest.fixture
def client(ehr):
    return ehryourway(ehr)


@pytest.fixture
def other(ehr):
    return ehryourway(ehr, "_2")


def xml(answer):
    assert answer.status_code == 200
    assert answer.json()["ValidationStatus"] == "Success", answer.json()["ValidationMessages"]
    return etree.fromstring(answer.json()["PatientUSCDIAsXml"].encode())


def said(answer):
    return " ".join(xml(answer).itertext())


def refused(answer, status):
    assert answer.status_code == status
    body = answer.json()
    payload = ("PatientUSCDIAsXml", "PatientUSCDIAsReadableFormat", "JSONFormat")
    assert {name: body[name] for name in payload} == dict.fromkeys(payload)
    assert body["ValidationStatus"] == "Failed"
    return body["ValidationMessages"]


# --- login


def test_a_login_is_answered_with_a_reference_number(client):
    answer = client.login()
    assert answer["ReferenceNumber"].isdecimal()
    assert len(answer.pop("ReferenceNumber")) == 16
    assert answer == {"ClientId": client.client_id, "ValidationMessages": None, "ValidationStatus": "Success"}


def test_a_wrong_password_is_answered_in_the_documented_shape(client):
    client.password += "x"
    assert client.login() == {
        "ClientId": client.client_id,
        "ValidationMessages": "Client Login Failed",
        "ValidationStatus": "Failed",
    }


def test_a_reference_number_selects_the_patient_once(client):
    reference = client.login()["ReferenceNumber"]
    first = client.authenticate(reference).json()
    assert uuid.UUID(first["AccessToken"])
    assert first["ValidationStatus"] == "Success"
    assert time.strptime(first["accessTokenExpiryDT"], "%Y-%m-%dT%H:%M:%S")
    assert "Alic" in first["ExternalPatientId"]
    assert "05011970" in first["ExternalPatientId"]
    assert client.authenticate(reference).json() == {
        "ClientId": client.client_id,
        "ReferenceNumber": reference,
        "Inner Exception": "Could not locate Access Token",
        "ValidationMessages": "Validation of Reference Number Failed.",
        "ValidationStatus": "Failed",
    }


def test_a_reference_number_is_for_its_own_client(client, other):
    reference = other.login()["ReferenceNumber"]
    assert client.authenticate(reference).json()["ValidationStatus"] == "Failed"
    assert other.authenticate(reference).json()["ValidationStatus"] == "Success"


def test_a_reference_number_has_to_be_used_in_time(patients):
    with ReferenceEHR(patients=[patients], settings=Settings(reference_number_life=0.05)) as ehr:
        client = EhrYourWayClient(ehr.env["EYW_BASE"], ehr.env["EYW_ID"], ehr.env["EYW_PASS"])
        reference = client.login()["ReferenceNumber"]
        time.sleep(0.1)
        assert client.authenticate(reference).json()["ValidationStatus"] == "Failed"


# --- all data


def test_all_data_are_one_document_of_the_own_patient(client, other):
    assert xml(client.all_data()).tag == f"{V3}ClinicalDocument"
    assert "hypothyroidism" in said(client.all_data())
    assert "Metabolic syndrome" in said(other.all_data())
    assert "hypothyroidism" not in said(other.all_data())


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_the_access_type_says_in_how_many_forms(client, kind):
    answer = client.all_data(ClinicalDataAccessType=kind).json()
    readable = requests.get(answer["PatientUSCDIAsReadableFormat"], timeout=5)
    assert readable.headers["Content-Type"] == "text/xml"
    assert etree.fromstring(readable.content).tag == f"{V3}ClinicalDocument"
    assert (answer["PatientUSCDIAsXml"] is not None) == (kind > 1)
    assert (answer["JSONFormat"] is not None) == (kind == 3)
    if kind == 3:
        assert json.loads(answer["JSONFormat"])["name"] == "ClinicalDocument"


def test_a_readable_copy_that_was_never_made_is_not_found(client):
    answer = requests.get(f"{client.base}/EMR_Web_WCF_ClinicalManagement/temp/{'0' * 32}.xml", timeout=5)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("first", "last", "present", "absent"),
    [
        ("06/22/2015", "06/22/2015", ["hypothyroidism", "Body height"], ["hypertension", "Fever", "Influenza"]),
        ("06/22/2015", "06/23/2015", ["hypothyroidism", "Fever"], ["hypertension", "Influenza"]),
        ("01/01/1999", "12/31/1999", ["Newman"], ["hypertension", "Fever", "Influenza"]),
    ],
)
def test_dates_narrow_the_document_both_ends_included(client, first, last, present, absent):
    text = said(client.all_data(FromDate=first, ToDate=last))
    assert all(word in text for word in present)
    assert not any(word in text for word in absent)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"FromDate": "06/22/2015"}, "together"),
        ({"ToDate": "06/22/2015", "FromDate": ""}, "together"),
        ({"FromDate": "06/23/2015", "ToDate": "06/22/2015"}, "later"),
        ({"FromDate": "2015-06-22", "ToDate": "2015-06-23"}, "MM/DD/YYYY"),
        ({"ClinicalDataAccessType": 4}, "AccessType"),
        ({"ClinicalDataAccessType": [2]}, "AccessType"),
        ({"Sections": []}, "Sections"),
        ({"Sections": ["Problems"]}, "all"),
        ({"Sections": "all"}, "Sections"),
        ({"ExternalPatientId": "448Nobody050119703406"}, "ExternalPatientId"),
        ({"ExternalPatientId": ""}, "ExternalPatientId"),
    ],
)
def test_what_makes_no_sense_fails_with_a_message(client, change, complaint):
    assert complaint in refused(client.all_data(**change), 200)


def test_another_patients_id_is_refused_with_this_token(client, other):
    client.patient = other.patient
    assert "ExternalPatientId" in refused(client.all_data(), 200)
    assert "ExternalPatientId" in refused(client.category("Problems"), 200)


# --- categories


@pytest.mark.parametrize("name", [name for name in (DOCUMENTED + FROM_ONC).replace("\n", "|").split("|") if name])
def test_every_documented_category_is_answered_with_a_document(client, name):
    assert xml(client.category(name)).tag == f"{V3}ClinicalDocument"


def test_a_category_is_a_document_with_that_section_alone(client):
    sections = [code.get("code") for code in xml(client.category("Problems")).iterfind(f".//{V3}section/{V3}code")]
    assert sections == ["11450-4"]
    text = said(client.category("Problems", "Vital Signs", FromDate="06/22/2015", ToDate="06/22/2015"))
    assert "hypothyroidism" in text
    assert "Body height" in text
    assert "Fever" not in text


def test_one_kind_of_note_comes_without_the_others(client):
    assert "Consulted about fever" in said(client.category("Consultation Note"))
    assert "Fever is gone" not in said(client.category("Consultation Note"))


@pytest.mark.parametrize("name", ["Horoscope", "all", ""])
def test_an_unknown_category_fails(client, name):
    assert "not a category" in refused(client.category(name), 200)


# --- signatures


@pytest.mark.parametrize("kind", ["application/json", "text/json; charset=utf-8", "text/plain"])
def test_three_content_types_are_accepted(client, kind):
    assert xml(client.signed("GetClinicalData", client.body(["all"]), kind=kind)) is not None


def test_repeated_slashes_count_as_one(client):
    assert xml(client.signed("GetClinicalData", client.body(["all"]), slashes="//")) is not None


def test_a_nonce_header_must_repeat_the_parameter(client):
    body = client.body(["all"])
    nonce = str(uuid.uuid4())
    good = client.signed("GetClinicalData", body, parameters={"nonce": nonce}, headers={"nonce": nonce})
    assert good.json()["ValidationStatus"] == "Success"
    refused(client.signed("GetClinicalData", body, headers={"nonce": nonce}), 401)


def test_a_replayed_nonce_is_refused(client):
    nonce = {"nonce": str(uuid.uuid4())}
    assert client.signed("GetClinicalData", client.body(["all"]), parameters=nonce).json()["PatientUSCDIAsXml"]
    assert "nonce" in refused(client.signed("GetClinicalData", client.body(["all"]), parameters=nonce), 401)


def test_a_forged_signature_is_refused(client):
    answer = client.signed("GetClinicalData", client.body(["all"]), key=b"guessed")
    assert "does not match" in refused(answer, 401)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        (lambda password: hashlib.sha256(password).hexdigest().upper().encode(), "upper-case"),
        (lambda password: hashlib.sha256(password).digest(), "bytes"),
        (lambda password: password, "password itself"),
    ],
)
def test_a_usual_mistake_with_the_key_is_named(client, key, hint):
    answer = client.signed("GetClinicalData", client.body(["all"]), key=key(client.password.encode()))
    assert hint in refused(answer, 401)


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {"Authorization": ""}},
        {"headers": {"digest": "0" * 64}},
        {"parameters": {"keyId": "Somebody"}},
        {"parameters": {"accessToken": "81196298-0585-4438-9494-64ddd8015cd6"}},
        {"parameters": {"headers": "date"}},
        {"stamp": 1531412432},
    ],
)
def test_a_request_that_is_not_signed_as_documented_is_refused(client, wrong):
    refused(client.signed("GetClinicalData", client.body(["all"]), **wrong), 401)


def test_indian_local_time_taken_for_utc_can_be_allowed(patients, client):
    ahead = time.time() + 19800
    refused(client.signed("GetClinicalData", client.body(["all"]), stamp=ahead), 401)
    with ReferenceEHR(patients=[patients], settings=Settings(accepts_local_timestamps=True)) as ehr:
        lenient = ehryourway(ehr)
        assert xml(lenient.signed("GetClinicalData", lenient.body(["all"]), stamp=ahead)) is not None


@pytest.mark.parametrize("token", ["", "81196298-0585-4438-9494-64ddd8015cd6", "{env.EYW_EXPIRED_TOKEN}"])
def test_a_token_that_is_missing_unknown_or_expired_is_refused(ehr, client, token):
    client.token = token.replace("{env.EYW_EXPIRED_TOKEN}", ehr.env["EYW_EXPIRED_TOKEN"])
    assert "token" in refused(client.all_data(), 401)


def test_a_token_of_somebody_else_is_refused(client, other):
    client.token = other.token
    assert "token" in refused(client.all_data(), 401)


def test_even_these_failures_can_have_status_200(patients):
    with ReferenceEHR(patients=[patients], settings=Settings(failures_are_200=True)) as ehr:
        client = ehryourway(ehr)
        client.token = "unknown"
        assert "token" in refused(client.all_data(), 200)


def test_what_is_no_json_object_is_nobodys_request(ehr):
    for content in (b"", b"[1]", b"{"):
        answer = requests.post(
            f"{ehr.env['EYW_BASE']}/EHRAuthenticationServer/api/web/ClientLogin",
            data=content,
            headers={"Content-Type": "application/json"},
            timeout=5,
        )
        assert answer.json()["ValidationStatus"] == "Failed"
