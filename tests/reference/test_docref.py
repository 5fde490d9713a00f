import base64
import stat
import time
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey
from lxml import etree
from tests.reference.clients import PATIENTS, DocRefClient, docref

import requests
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.settings import Settings

FHIR = {"Accept": "application/fhir+json"}
CDA = {"c": "urn:hl7-org:v3"}


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "two.toml"
    path.write_text(PATIENTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ehr(patients):
    with ReferenceEHR(patients=[patients]) as running:
        yield running


@pytest.fixture(scope="module")
def client(ehr):
    return docref(ehr)


def token(ehr, signed=None, **changed):
    return DocRefClient(ehr).ask(signed, **changed)


def assertion(ehr, *key, **changed):
    return DocRefClient(ehr).assertion(*key, **changed)


def problems(data):
    document = etree.fromstring(data)
    path = "//c:observation[c:templateId/@root='2.16.840.1.113883.10.20.22.4.4']/c:value/@displayName"
    return document.xpath(path, namespaces=CDA)


def test_its_smart_configuration_says_how_to_log_in(ehr):
    told = DocRefClient(ehr).configuration()
    assert told["token_endpoint"] == f"{ehr.url}/auth/token"
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert "client-confidential-asymmetric" in told["capabilities"]


def test_a_signed_assertion_buys_a_token(ehr):
    answer = token(ehr)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert {**answer.json(), "access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "system/Patient.rs system/DocumentReference.rs system/Binary.rs",
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iss": "another"}, "client id"),
        ({"sub": None}, "client id"),
        ({"aud": "http://elsewhere.example/token"}, "token endpoint"),
        ({"exp": int(time.time()) - 10}, "exp"),
        ({"exp": int(time.time()) + 86_400}, "exp"),  # more than is allowed, however long the tests before took
        ({"exp": None}, "exp"),
        ({"jti": None}, "jti"),
    ],
)
def test_an_assertion_that_claims_something_else_is_refused(ehr, changed, said):
    answer = token(ehr, assertion(ehr, **changed))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert said in answer.json()["error_description"]


def test_a_forged_a_broken_and_a_missing_assertion_are_refused(ehr):
    forged = assertion(ehr, RSAKey.generate_key(2048, private=True))
    for signed in (forged, "no.jwt", " "):
        assert token(ehr, signed).status_code == 401


def test_an_assertion_is_good_once(ehr):
    signed = assertion(ehr)
    assert token(ehr, signed).status_code == 200
    answer = token(ehr, signed)
    assert (answer.status_code, "used before" in answer.json()["error_description"]) == (401, True)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "saml"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "system/Patient.rs launch"}, "invalid_scope"),
    ],
)
def test_a_request_for_something_else_has_the_error_of_oauth(ehr, changed, error):
    answer = token(ehr, **changed)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_elliptic_keys_do_as_well(patients):
    with ReferenceEHR(patients=[patients], settings=Settings(docref_algorithm="ES384")) as ehr:
        assert isinstance(DocRefClient(ehr).key, ECKey)
        assert token(ehr, assertion(ehr, alg="ES384")).status_code == 200


def test_the_key_is_its_owners_alone_and_gone_at_the_end(patients, tmp_path):
    with ReferenceEHR(patients=[patients]) as ehr:
        first = Path(ehr.env["DOCREF_JWK_FILE"])
        assert stat.S_IMODE(first.stat().st_mode) == 0o600
        assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
        ehr.place_files(tmp_path / "env")
        assert ehr.env["DOCREF_JWK_FILE"] == str(tmp_path / "env.docref.jwk")
        assert not first.exists()
        assert token(ehr).status_code == 200
    assert list(tmp_path.iterdir()) == []
    assert not first.parent.exists()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"family": "Newman", "given": "Alice", "birthdate": "1970-05-01"}, 1),
        ({"family": "newm"}, 1),
        ({"given": "jones"}, 1),
        ({"family": "Newman", "birthdate": "1970-05-02"}, 0),
        ({"birthdate": "eq1980"}, 1),
        ({"family": "Nobody"}, 0),
    ],
)
def test_patients_are_found_by_name_and_birth_date(client, query, found):
    bundle = client.get("Patient", **query).json()
    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", found)
    assert len(bundle.get("entry", ())) == found


def test_a_patient_is_the_same_by_search_and_by_id(client):
    entry = client.get("Patient", family="Newman").json()["entry"][0]
    assert client.get(entry["fullUrl"]).json() == entry["resource"]
    name = {"use": "official", "family": "Newman", "given": ["Alice", "Jones"], "prefix": ["Ms."]}
    assert entry["resource"]["name"] == [name]
    assert (entry["resource"]["gender"], entry["resource"]["birthDate"]) == ("female", "1970-05-01")
    assert client.ids(_id=entry["resource"]["id"]) == [entry["resource"]["id"]]


def test_the_reference_leads_to_the_document_in_both_forms(client):
    patient = client.ids(family="Newman")[0]
    bundle = client.get("DocumentReference/$docref", patient=patient).json()
    (entry,) = bundle["entry"]
    reference = entry["resource"]
    assert reference["subject"] == {"reference": f"Patient/{patient}"}
    attachment = reference["content"][0]["attachment"]
    assert attachment["contentType"] == "application/xml"
    resource = client.get(attachment["url"])
    assert resource.headers["Content-Type"] == "application/fhir+json"
    raw = client.get(attachment["url"], {"Accept": "application/xml"})
    assert raw.headers["Content-Type"] == "application/xml"
    assert base64.b64decode(resource.json()["data"]) == raw.content
    assert "Severe hypothyroidism" in problems(raw.content)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2015-06-22", "2015-06-22"),
        ("2015-06-22T00:00:00Z", "2015-06-22T00:00:00Z"),
        ("2015-06-22T23:59:00.000-05:00", "2015-06-22"),
    ],
)
def test_a_window_is_of_days_whatever_the_time(client, start, end):
    patient = client.ids(family="Newman")[0]
    assert problems(client.document(patient=patient, start=start, end=end)) == ["Severe hypothyroidism"]


def test_bounds_may_be_open_or_months(client):
    patient = client.ids(family="Newman")[0]
    assert problems(client.document(patient=patient, start="2015-06-23")) == ["Fever"]
    assert problems(client.document(patient=patient, end="2011-10-05")) == ["Essential hypertension"]
    assert len(problems(client.document(patient=patient, start="2015-06", end="2015-06"))) == 2


def test_the_operation_may_be_posted(client):
    patient = client.ids(family="Newman")[0]
    url = f"{client.base}/DocumentReference/$docref"
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "patient", "valueId": patient}, {"name": "start", "valueDate": "2016-03-01"}],
    }
    posted = requests.post(url, json=parameters, headers=client.headers, timeout=5).json()
    form = requests.post(
        url, data={"patient": patient, "start": "2016-03-01"}, headers=client.headers, timeout=5
    ).json()
    assert posted["entry"] == form["entry"]
    assert posted["entry"][0]["resource"]["context"] == {"period": {"start": "2016-03-01"}}


def test_of_other_types_there_are_no_documents(client):
    patient = client.ids(family="Newman")[0]
    assert (
        client.get("DocumentReference/$docref", patient=patient, type="http://loinc.org|34133-9").json()["total"] == 1
    )
    assert client.get("DocumentReference/$docref", patient=patient, type="11488-4").json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("Patient", {}, 400),
        ("Patient", {"birthdate": "01/05/1970"}, 400),
        ("Patient/12345", {}, 404),
        ("DocumentReference/$docref", {}, 400),
        ("DocumentReference/$docref", {"patient": "12345"}, 404),
        ("DocumentReference/$docref", {"patient": "NEWMAN", "start": "06/22/2015"}, 400),
        ("DocumentReference/$docref", {"patient": "NEWMAN", "start": "2015-02-30"}, 400),
        ("DocumentReference/$docref", {"patient": "NEWMAN", "start": "2015-06-23", "end": "2015-06-22"}, 400),
        ("Binary/12345", {}, 404),
    ],
)
def test_a_bad_request_is_answered_with_an_operation_outcome(client, path, query, status):
    if query.get("patient") == "NEWMAN":
        query = query | {"patient": client.ids(family="Newman")[0]}
    answer = client.get(path, **query)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer 0000", "Basic dXNlcjpwYXNz", None])
def test_without_a_good_token_nothing_is_told(ehr, client, authorization):
    if authorization is None:
        authorization = f"Bearer {ehr.env['DOCREF_EXPIRED_TOKEN']}"
    url = client.url(patient=client.ids(family="Newman")[0])
    for path in ("Patient?family=Newman", "Patient/1", "DocumentReference/$docref?patient=1", url):
        answer = client.get(path, {"Authorization": authorization})
        assert answer.status_code == 401
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_two_patients_have_documents_of_their_own(client):
    ids = [client.ids(family=name)[0] for name in ("Newman", "Bates")]
    texts = [" ".join(problems(client.document(patient=one))) for one in ids]
    assert "hypothyroidism" in texts[0]
    assert "Metabolic" in texts[1]


def test_a_range_is_answered_with_one_document_where_it_is_set_to(patients):
    with ReferenceEHR(patients=[patients], settings=Settings(docref_by_year=False)) as ehr:
        client = docref(ehr)
        patient = client.ids(family="Newman")[0]
        query = {"patient": patient, "start": "2011-10-05", "end": "2015-06-23"}
        assert client.get("DocumentReference/$docref", **query).json()["total"] == 1
        assert len(problems(client.document(**query))) == 3


def test_a_range_may_be_answered_with_a_document_for_each_year_a_page_each(patients):
    with ReferenceEHR(patients=[patients]) as ehr:
        client = docref(ehr)
        patient = client.ids(family="Newman")[0]
        page = client.get("DocumentReference/$docref", patient=patient, start="2011-10-05", end="2015-06-23").json()
        assert page["total"] == 3
        found = []
        while page:
            (entry,) = page["entry"]
            data = client.get(entry["resource"]["content"][0]["attachment"]["url"]).json()["data"]
            found.append(problems(base64.b64decode(data)))
            onward = [link["url"] for link in page["link"] if link["relation"] == "next"]
            page = client.get(onward[0]).json() if onward else None
        assert found == [["Essential hypertension"], [], ["Severe hypothyroidism", "Fever"]]
        beyond = client.get("DocumentReference/$docref", patient=patient, start="2011-10-05", page="9")
        assert beyond.status_code == 400
        assert client.get("DocumentReference/$docref", patient=patient).json()["total"] == 1
