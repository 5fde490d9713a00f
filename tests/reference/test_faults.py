"""Every fault changes what it says it changes, and nothing else, in what the APIs and the documentation answer."""

import json
import re

import pytest
from joserfc.jwk import RSAKey
from tests.reference.clients import PATIENTS, WebChartClient, docref, ehryourway, in_process, webchart

from onc_conformance.reference import ReferenceEHR, misshapen
from onc_conformance.reference.faults import CATALOGUE
from onc_conformance.reference.fhir.faults import HANDLERS

DAY = {"sdate": "2015-06-22", "edate": "2015-06-22"}
SPAN = {"sdate": "2014-05-10", "edate": "2015-06-22"}
EYW_DAY = {"FromDate": "06/22/2015", "ToDate": "06/22/2015"}
EYW_SPAN = {"FromDate": "05/10/2014", "ToDate": "06/22/2015"}
FORGED = RSAKey.generate_key(2048, private=True)
NOBODY = "00000000-0000-0000-0000-000000000000"
# What differs from one run to the next although nothing is wrong.
PASSING = {"AccessToken", "accessTokenExpiryDT", "ReferenceNumber", "PatientUSCDIAsReadableFormat"}

BOTH = {"webchart", "ehryourway"}
ALL = {*BOTH, "docref"}
DATED = {"category window", "document window"}
OF_CATEGORIES = {"category", "category window"}
OF_DOCUMENTS = {"document", "document window"}
CHANGES = {
    "select-wrong-patient": (ALL, {"select"}),
    "select-same-id": (ALL, {"select"}),
    "select-no-id": (ALL, {"select"}),
    "select-login-page": (ALL, {"select"}),
    "select-error-body": (ALL, {"select"}),
    "select-two-rows": ({"webchart", "docref"}, {"select"}),
    "select-id-not-accepted": (ALL, {"select"}),
    "id-ignored": (ALL, {"list", *OF_CATEGORIES, *OF_DOCUMENTS}),
    "unknown-id-answered": (ALL, {"unknown id"}),
    "foreign-id-answered": ({"ehryourway"}, {"foreign id"}),
    "token-not-checked": (ALL, {"false token", "expired token"}),
    "missing-token-accepted": (ALL, {"no token"}),
    "expired-token-accepted": (ALL, {"expired token"}),
    "signature-not-checked": ({"ehryourway", "docref"}, {"forged"}),
    "category-empty": (BOTH, OF_CATEGORIES),
    "category-drops-fact": (BOTH, {"category"}),
    "category-leaks-entry": (BOTH, OF_CATEGORIES),
    "category-login-page": (BOTH, OF_CATEGORIES),
    "category-error-body": (BOTH, OF_CATEGORIES),
    "category-wrong-patient": (BOTH, OF_CATEGORIES),
    "category-always-problems": (BOTH, OF_CATEGORIES),
    "category-race-wrong": ({"ehryourway"}, OF_CATEGORIES),
    "category-map-swapped": (BOTH, OF_CATEGORIES),
    "cache-without-patient": ({"webchart", "ehryourway", "docref"}, {"document"}),
    "encounter-missing": (ALL, OF_CATEGORIES | OF_DOCUMENTS),
    "encounter-newest-instead": ({"webchart"}, OF_CATEGORIES),
    "stream-dates-ignored": ({"webchart"}, {"document window"}),
    "second-ccd-dropped": ({"docref"}, {"document window"}),
    "page-two-missing": ({"docref"}, {"document window"}),
    "terms-behind-login": (ALL, {"documentation"}),
    "window-day-refused": (ALL, DATED),
    "window-range-refused": (ALL, DATED),
    "window-day-month-swapped": (ALL, DATED),
    "window-empty-whole": (ALL, DATED),
    "cache-without-dates": (ALL, DATED),
    "window-header-of-another": (ALL, DATED),
}
UNSEEN = {
    "page-two-foreign",
    "select-apostrophe-lost", "select-near-name", "select-namesakes-share-id",
    "foreign-token-accepted", "password-not-checked", "reference-not-checked", "used-reference-accepted",
    "category-second-part-empty", "category-result-altered", "category-udi-altered",
    "encounter-list-cut", "encounter-list-foreign", "equal-result-dropped", "partial-date-dropped",
    "smoking-status-altered", "window-open-ignored", "window-in-utc", "window-partial-date-lost",
    "window-month-end-lost", "window-leap-day-lost", "window-year-end-lost", "window-by-encounter",
}  # fmt: skip
"""Faults that show on other patients than these two, or in answers to other requests."""
AT_DATES = ("window", "day-early", "end-exclusive", "start-exclusive")


def expected(fault):
    if fault in UNSEEN:
        return set(), set()
    if fault in CHANGES:
        return CHANGES[fault]
    if fault.startswith("docs-"):
        return ALL, {"documentation"}
    at_dates = any(word in fault for word in AT_DATES)
    if fault.startswith("category-"):
        return BOTH, {"category window"} if at_dates else OF_CATEGORIES
    return ALL, {"document window"} if at_dates else OF_DOCUMENTS


def kept(answer):
    """What there is to notice in an answer: its status, the headers that matter, its body."""
    if isinstance(answer, tuple):
        return answer
    body = answer.content.decode("utf-8", errors="replace")
    body = re.sub(r"127\.0\.0\.1:\d+", "host", body)
    if body.startswith("{"):
        body = {name: value for name, value in json.loads(body).items() if name not in PASSING or value is None}
    return answer.status_code, [answer.headers.get(name) for name in ("Content-Type", "X-lg_status")], body


def webchart_answers(ehr, http, ids):
    """Answers by group; `ids` are those an honest system issued, as a client would have kept them."""
    client = webchart(ehr, http)
    false, absent, late = (WebChartClient(client.url, http) for _ in range(3))
    false.cookie, late.cookie = NOBODY, ehr.env["WC_EXPIRED_SID"]
    names = ("Problems", "Medications", "Immunizations", "Vital Signs", "Patient Name")
    yield "select", [client.query(f"GET/db/patients/LIKE_last_name={name}") for name in ("Newman", "Bates")]
    patient, visit, documents = ids["newman"]
    yield "category", [client.category(name, pat_id=patient) for name in names]
    yield "category", [client.category("Goals", encounter_id=visit)]
    yield "category window", [client.category(name, pat_id=patient, **DAY) for name in names]
    yield "category window", [client.category("Problems", pat_id=patient, **SPAN)]
    yield "category window", [client.category("Immunizations", pat_id=patient, **SPAN)]
    yield "document", [client.stream(documents[-1])]
    yield "document window", [client.stream(documents[-1], **DAY), client.stream(documents[-1], **SPAN)]
    patient, visit, documents = ids["bates"]
    yield "list", [client.query(f"GET/db/{table}/pat_id={patient}") for table in ("encounters", "documents")]
    yield "category", [client.category("Problems", pat_id=patient), client.category("Goals", encounter_id=visit)]
    yield "category window", [client.category("Problems", pat_id=patient, **DAY)]
    yield "document", [client.stream(documents[-1])]
    yield "document window", [client.stream(documents[-1], **SPAN)]
    yield (
        "unknown id",
        [
            client.category("Problems", pat_id="12345"),
            client.category("Goals", encounter_id="12345"),
            client.stream("12345"),
            client.query("GET/db/documents/pat_id=12345"),
        ],
    )
    patient = ids["newman"][0]
    for group, one in (("false token", false), ("no token", absent), ("expired token", late)):
        yield group, [one.query("GET/db/patients/"), one.category("Problems", pat_id=patient)]
    yield "documentation", pages(ehr, http, "WC_DOCS")


def ehryourway_answers(ehr, http, ids):
    client, second = (ehryourway(ehr, suffix, http) for suffix in ("", "_2"))
    yield "select", [client.select(), second.select()]
    clients = [client, second] if client.token and second.token else []
    for one, own in zip(clients, ids, strict=False):
        # The data calls are tried with what an honest selection would have returned.
        one.token, one.patient = grant(ehr, one), ids[own]
        yield "category", [one.category("Problems", "Medications", "Immunizations")]
        yield "category", [one.category("Vital Signs")]
        yield "category window", [one.category("Problems", "Vital Signs", "Immunizations", **EYW_DAY)]
        yield "category window", [one.category("Problems", "Immunizations", **EYW_SPAN)]
        yield "document window", [one.all_data(**EYW_DAY), one.all_data(**EYW_SPAN)]
        yield "document", [one.all_data()]
    if clients:
        yield "forged", [client.signed("GetClinicalDataByCategory", client.body(["Problems"]), key=b"guessed")]
        for group, changes in (
            ("unknown id", {"ExternalPatientId": "448Nobody050119703406"}),
            ("foreign id", {"ExternalPatientId": second.patient}),
            ("false token", {"AccessToken": NOBODY}),
            ("no token", {"AccessToken": ""}),
            ("expired token", {"AccessToken": ehr.env["EYW_EXPIRED_TOKEN"]}),
        ):
            body = client.body(["Problems"]) | changes
            yield group, [client.signed("GetClinicalDataByCategory", body)]
    yield "documentation", pages(ehr, http, "EYW_DOCS")


def docref_answers(ehr, http, ids):
    client = docref(ehr, http)
    forged = client.ask(client.assertion(FORGED))
    yield "forged", [(forged.status_code, "access_token" in forged.json())]
    yield "select", [client.get("Patient", family=name) for name in ("Newman", "Bates")]
    for patient in ids.values():
        yield "document", following(client, patient=patient)
        yield "document window", following(client, patient=patient, start=DAY["sdate"], end=DAY["edate"])
        yield "document window", following(client, patient=patient, start=SPAN["sdate"], end=SPAN["edate"])
    yield "unknown id", [client.get("DocumentReference/$docref", patient="12345"), client.get("Patient/12345")]
    for group, token in (("false token", NOBODY), ("no token", ""), ("expired token", ehr.env["DOCREF_EXPIRED_TOKEN"])):
        client.token = token
        yield group, [client.get("Patient", family="Newman")]
    yield "documentation", pages(ehr, http, "DOCREF_DOCS")


def following(client, **query):
    """The reference and, where it leads to one, the document."""
    reference = client.get("DocumentReference/$docref", **query)
    entries = reference.json().get("entry", ())
    urls = [entry["resource"]["content"][0]["attachment"]["url"] for entry in entries]
    return [reference, *(client.get(url) for url in urls)]


def grant(ehr, client):
    """A token for that patient, issued past the selection, whose faults are not what is looked at."""
    server = ehr._ehryourway
    holder = server.clients[client.client_id]
    return server._tokens.issue(type(server._tokens.holder(client.token))(holder, holder.person))


def pages(ehr, http, name):
    return [http.get(ehr.env[name] + more, timeout=5, allow_redirects=False) for more in ("", "/terms")]


def gathered(ehr, ids):
    found = {}
    http = in_process(ehr)
    for api, ask in (("webchart", webchart_answers), ("ehryourway", ehryourway_answers), ("docref", docref_answers)):
        for group, answers in ask(ehr, http, ids[api]):
            found.setdefault((api, group), []).extend(map(kept, answers))
    return found


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "two.toml"
    path.write_text(PATIENTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def honest(patients):
    """The ids an honest system issues, and all of its answers."""
    with ReferenceEHR(patients=[patients]) as ehr:
        client = webchart(ehr)
        ids = {"webchart": {}, "ehryourway": {}, "docref": {}}
        for key, name, suffix in (("newman", "Newman", ""), ("bates", "Bates", "_2")):
            patient = client.pat_id(name)
            visit = client.rows(f"GET/db/encounters/pat_id={patient}")[0]["encounter_id"]
            documents = [row["doc_id"] for row in client.rows(f"GET/db/documents/pat_id={patient}")]
            ids["webchart"][key] = (patient, visit, documents)
            ids["ehryourway"][key] = ehryourway(ehr, suffix).patient
            ids["docref"][key] = docref(ehr).ids(family=name)[0]
        return ids, gathered(ehr, ids)


def test_two_honest_systems_answer_alike(patients, honest):
    ids, answers = honest
    with ReferenceEHR(patients=[patients]) as ehr:
        assert gathered(ehr, ids) == answers


STANDARDIZED = {fault.id for fault in CATALOGUE if fault.criterion == "g10"}
ELSEWHERE = {fault.id for fault in CATALOGUE if fault.change} | set(misshapen.forms()) | set(HANDLERS) | STANDARDIZED
"""Those of content are in test_changes, of form in tests/faults/test_forms.py, of FHIR in test_fhir_faults, of the
list of service base addresses in test_published, of authorization in smart/test_faults, of exports in test_bulk."""


@pytest.mark.parametrize("fault", [fault.id for fault in CATALOGUE if fault.id not in ELSEWHERE])
def test_a_fault_changes_what_it_says_and_nothing_else(patients, honest, fault):
    ids, answers = honest
    with ReferenceEHR(patients=[patients], faults=[fault]) as ehr:
        faulty = gathered(ehr, ids)
    changed = {where for where, told in answers.items() if faulty.get(where, told) != told}
    apis, groups = expected(fault)
    assert {group for _, group in changed} <= groups
    assert {api for api, _ in changed} == apis


def rows(ehr, name):
    return webchart(ehr).rows(f"GET/db/patients/LIKE_last_name={name}")


def test_select_wrong_patient_keeps_the_name_and_returns_another_id(patients, honest):
    ids, _ = honest
    with ReferenceEHR(patients=[patients], faults=["select-wrong-patient"]) as ehr:
        row = rows(ehr, "Newman")[0]
        assert (row["last_name"], row["pat_id"]) == ("Newman", ids["webchart"]["bates"][0])
        client = ehryourway(ehr)
        assert client.patient == ids["ehryourway"]["bates"]
        assert "Metabolic syndrome" in client.all_data().text


def test_select_same_id_gives_everybody_the_first_patients_id_and_still_the_own_data(patients, honest):
    ids, _ = honest
    with ReferenceEHR(patients=[patients], faults=["select-same-id"]) as ehr:
        assert {rows(ehr, name)[0]["pat_id"] for name in ("Newman", "Bates")} == {ids["webchart"]["newman"][0]}
        client = ehryourway(ehr, "_2")
        assert client.patient == ids["ehryourway"]["newman"]
        assert "Metabolic syndrome" in client.all_data().text


def test_a_login_page_comes_with_a_good_status(patients):
    with ReferenceEHR(patients=[patients], faults=["category-login-page", "document-login-page"]) as ehr:
        client = webchart(ehr)
        newman = client.pat_id("Newman")
        doc_id = client.rows(f"GET/db/documents/pat_id={newman}")[0]["doc_id"]
        answers = [client.category("Vital Signs", pat_id=newman), client.stream(doc_id)]
        for answer in answers:
            assert (answer.status_code, answer.headers["X-lg_status"]) == (200, "success")
            assert "login_passwd" in answer.text
        assert ehryourway(ehr).category("Vital Signs").headers["Content-Type"].startswith("text/html")


def test_an_answer_to_an_unknown_id_is_somebodys_data(patients):
    with ReferenceEHR(patients=[patients], faults=["unknown-id-answered"]) as ehr:
        client = webchart(ehr)
        assert "hypothyroidism" in client.category("Problems", pat_id="12345").text
        assert "hypothyroidism" in client.stream("12345").text
        eyw = ehryourway(ehr)
        eyw.patient = "448Nobody050119703406"
        assert "hypothyroidism" in eyw.all_data().text


@pytest.mark.parametrize(
    ("fault", "token"),
    [("token-not-checked", NOBODY), ("missing-token-accepted", ""), ("expired-token-accepted", None)],
)
def test_without_a_good_token_the_data_come_all_the_same(patients, fault, token):
    with ReferenceEHR(patients=[patients], faults=[fault]) as ehr:
        client = webchart(ehr)
        newman = client.pat_id("Newman")
        client.cookie = ehr.env["WC_EXPIRED_SID"] if token is None else token
        assert "hypothyroidism" in client.category("Problems", pat_id=newman).text
        eyw = ehryourway(ehr)
        eyw.token = ehr.env["EYW_EXPIRED_TOKEN"] if token is None else token
        assert "hypothyroidism" in eyw.all_data().text


def test_the_media_type_is_wrong_and_the_content_right(patients):
    with ReferenceEHR(patients=[patients], faults=["document-wrong-media-type"]) as ehr:
        client = webchart(ehr)
        answer = client.stream(client.rows("GET/db/documents/limit=1")[0]["doc_id"])
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.text.startswith("<?xml")
        answer = ehryourway(ehr).all_data()
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.json()["ValidationStatus"] == "Success"


def test_a_truncated_document_lacks_its_last_200_bytes(patients, honest):
    ids, _ = honest
    doc_id = ids["webchart"]["newman"][2][0]
    with ReferenceEHR(patients=[patients]) as ehr:
        whole = webchart(ehr).stream(doc_id).content
    with ReferenceEHR(patients=[patients], faults=["document-truncated"]) as ehr:
        assert webchart(ehr).stream(doc_id).content == whole[:-200]


def test_a_server_error_is_one(patients):
    with ReferenceEHR(patients=[patients], faults=["document-server-error"]) as ehr:
        client = webchart(ehr)
        assert client.stream(client.rows("GET/db/documents/limit=1")[0]["doc_id"]).status_code == 500
        assert ehryourway(ehr).all_data().status_code == 500
