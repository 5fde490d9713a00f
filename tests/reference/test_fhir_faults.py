"""Every fault of the FHIR server changes what it says, and nothing else, in what the server answers."""

import pytest
from tests.reference.clients import DocRefClient, in_process
from tests.reference.fhir import FhirClient

from onc_conformance.reference import ReferenceEHR, charts
from onc_conformance.reference.fhir import misbulk
from onc_conformance.reference.fhir.faults import HANDLERS

KINDS = (
    "AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device", "DocumentReference", "Encounter", "Goal",
    "Immunization", "MedicationRequest", "Observation", "Procedure",
)  # fmt: skip
PATIENTS = charts.bundled()[:1]


def probes(client):
    """What is asked, by name; the same of every server."""
    me, other = client.patient, client.other
    asked = {
        f"all {kind}": (kind, {"patient": me, "_count": "200"})
        for kind in KINDS
    } | {
        "typed patient": ("Goal", {"patient": f"Patient/{me}"}),
        "patient": ("Patient", {"name": "Newman"}),
        "whole family": ("Patient", {"family": "newman"}),
        "gender": ("Patient", {"name": "Newman", "gender": "male"}),
        "birthdate": ("Patient", {"name": "Newman", "birthdate": "1999"}),
        "by id": ("Goal", {"_id": client.goal}),
        "gt": ("Goal", {"patient": me, "target-date": "gt2018-01-01"}),
        "ge": ("Goal", {"patient": me, "target-date": "ge2018-05-02"}),
        "le": ("Goal", {"patient": me, "target-date": "le2012-10-05"}),
        "year": ("Goal", {"patient": me, "target-date": "2018"}),
        "two dates": ("Goal", {"patient": me, "target-date": ["gt2010", "lt2012"]}),
        "moment": ("DocumentReference", {"patient": me, "date": "gt2017-05-02T12:00:00Z"}),
        "name beside": ("Patient", {"name": "Nobody", "birthdate": "1970-03-14"}),
        "category": ("Condition", {"patient": me, "category": "health-concern"}),
        "code": ("Condition", {"patient": me, "code": "195967001"}),
        "status": ("Condition", {"patient": me, "clinical-status": "resolved"}),
        "intent": ("MedicationRequest", {"patient": me, "intent": "plan"}),
        "type": ("DocumentReference", {"patient": me, "type": "18842-5"}),
        "or": ("Condition", {"patient": me, "code": "195967001,59621000"}),
        "system": ("Condition", {"patient": me, "code": "http://loinc.org|195967001"}),
        "first page": ("Goal", {"patient": me, "_count": "1"}),
        "second page": ("Goal", {"patient": me, "_count": "1", "_page": "2"}),
        "revinclude": ("Goal", {"patient": me, "_revinclude": "Provenance:target"}),
        "include": ("MedicationRequest", {"patient": me, "_include": "MedicationRequest:medication"}),
        "other patient": ("Goal", {"patient": other}),
        "unknown patient": ("Goal", {"patient": "1"}),
        "bad date": ("Goal", {"patient": me, "target-date": "soon"}),
        "no patient": ("Goal", {}),
        "unknown id": ("Goal/1", {}),
        "read": (f"Goal/{client.goal}", {}),
        "read observation": (f"Observation/{client.observation}", {}),
        "read provenance": (f"Provenance/{client.provenance}", {}),
        "metadata": ("metadata", {}),
    }  # fmt: skip
    for name, (path, query) in asked.items():
        yield name, client.get(path, **query)
    yield "posted", client.post("Goal", {"patient": me, "target-date": "2018"})
    client.token, kept = client.narrow, client.token
    yield "foreign patient", client.get("Goal", patient=other)
    client.token = client.typed
    yield "foreign type", client.get("Observation", patient=me)
    client.token = "none"
    yield "no token", client.get("Goal", patient=me)
    client.token = kept


def gathered(fault=None):
    with ReferenceEHR(PATIENTS, faults=[fault] if fault else []) as ehr:
        client = FhirClient(ehr)
        for name, value in IDS.items():
            setattr(client, name, value)
        client.narrow = ehr.env["FHIR_PATIENT_TOKEN"]
        client.typed = DocRefClient(ehr, in_process(ehr)).ask(scope="system/Goal.rs").json()["access_token"]
        return {name: told(answer, ehr) for name, answer in probes(client)}


def told(answer, ehr):
    return (
        answer.status_code,
        answer.headers["Content-Type"],
        answer.text.replace(ehr.secure_url, "").replace(ehr.url, ""),
    )


IDS = {}


@pytest.fixture(scope="module")
def honest():
    with ReferenceEHR(PATIENTS) as ehr:
        client = FhirClient(ehr)
        IDS["goal"] = client.mine("Goal")[0]["id"]
        IDS["observation"] = client.mine("Observation", code="8302-2")[0]["id"]
        IDS["provenance"] = client.mine("Goal", mode="include", _revinclude="Provenance:target")[0]["id"]
        IDS["other"] = client.found("Patient", family="Larson")[0]["id"]
    return gathered()


EVERY_GOAL = {
    "all Goal", "typed patient", "by id", "gt", "ge", "le", "year", "two dates", "first page", "second page",
    "revinclude", "read", "posted", "other patient",
}  # fmt: skip
CONDITIONS = {"all Condition", "category", "code", "status", "or", "system"}
OBSERVATIONS = {"all Observation", "read observation"}
PATIENT = {"patient", "whole family"}
REQUESTS = {"all MedicationRequest", "include", "intent"}
DOCUMENTS = {"all DocumentReference", "type", "moment"}
READS = {"read", "read observation", "read provenance"}
REFUSED = {"unknown patient", "bad date", "no patient", "unknown id", "foreign patient", "foreign type", "no token"}
STATED = {"metadata"}
FOUND = {"all Condition", "all Observation"}
EXACTLY = {
    "fhir-comparator-ignored": {"gt", "ge", "le", "two dates", "moment"},
    "fhir-date-ignored": {"birthdate", "gt", "ge", "le", "year", "two dates", "posted", "moment"},
    "fhir-partial-date-padded": {"year", "posted"},
    "fhir-gt-as-lt": {"gt", "moment"},
    "fhir-le-as-lt": {"le"},
    "fhir-ge-as-gt": {"ge"},
    "fhir-second-date-ignored": {"two dates"},
    "fhir-moment-ignored": {"moment"},
    "fhir-moment-itself-after": {"moment"},
    "fhir-name-ignored-beside": {"gender", "birthdate", "name beside"},
    "fhir-name-by-letter-case": {"whole family"},
    "fhir-race-of-another": PATIENT,
    "fhir-telecom-missing": PATIENT,
    "fhir-subject-elsewhere": OBSERVATIONS,
    "fhir-observations-retracted": OBSERVATIONS,
    "fhir-second-code-unknown": OBSERVATIONS,
    "fhir-care-team-of-none": {"all CareTeam"},
    "fhir-attachment-hash-wrong": DOCUMENTS,
    "fhir-attachment-type-wrong": DOCUMENTS,
    "fhir-total-changes": {"second page"},
    "fhir-read-as-page": READS,
    "fhir-category-ignored": {"category"},
    "fhir-code-ignored": {"code", "or", "system"},
    "fhir-status-ignored": {"status"},
    "fhir-intent-ignored": {"intent"},
    "fhir-type-ignored": {"type"},
    "fhir-gender-ignored": {"gender"},
    "fhir-birthdate-ignored": {"birthdate"},
    "fhir-second-or-ignored": {"or"},
    "fhir-token-system-ignored": {"system"},
    "fhir-string-whole-only": {"whole family"},
    "fhir-patient-ignored": {"other patient"},
    "fhir-typed-patient-not-found": {"typed patient"},
    "fhir-id-search-empty": {"by id"},
    "fhir-read-another": READS,
    "fhir-read-fails": {"read observation"},
    "fhir-provenance-unreadable": {"read provenance"},
    "fhir-provenance-missing": {"revinclude"},
    "fhir-include-missing": {"include"},
    "fhir-conditions-empty": CONDITIONS - {"system"},
    "fhir-provenance-target-wrong": {"revinclude", "read provenance"},
    "fhir-subject-missing": OBSERVATIONS,
    "fhir-subject-of-another": OBSERVATIONS,
    "fhir-status-missing": OBSERVATIONS,
    "fhir-code-missing": CONDITIONS - {"system"},
    "fhir-identifier-missing": PATIENT,
    "fhir-recorded-missing": {"revinclude", "read provenance"},
    "fhir-description-missing": EVERY_GOAL - {"two dates"},
    "fhir-udi-missing": {"all Device"},
    "fhir-lot-not-on-label": {"all Device"},
    "fhir-dosage-missing": REQUESTS - {"intent"},
    "fhir-contained-missing": REQUESTS - {"intent"},
    "fhir-range-missing": {"all Observation"},
    "fhir-absent-reason-missing": {"all Observation"},
    "fhir-laboratory-slice-wrong": {"all Observation"},
    "fhir-pressure-slice-missing": {"all Observation"},
    "fhir-gender-unbound": PATIENT,
    "fhir-clinical-status-unbound": {"all AllergyIntolerance"},
    "fhir-problem-status-unbound": CONDITIONS - {"system"},
    "fhir-intent-unbound": REQUESTS - {"intent"},
    "fhir-smoking-status-unbound": {"all Observation"},
    "fhir-extensible-unjustified": {"all Immunization"},
    "fhir-code-system-misnamed": OBSERVATIONS,
    "fhir-condition-invariant": CONDITIONS - {"system", "category"},
    "fhir-observation-invariant": OBSERVATIONS,
    "fhir-name-invariant": PATIENT,
    "fhir-weight-unit-wrong": {"all Observation"},
    "fhir-hole-bindings-of-7.0.0": {"all Observation"},
    "fhir-issued-missing-in-3.1.1": {"all Observation"},
    "fhir-sex-of-another-type-in-8.0.0": PATIENT,
    "fhir-unit-system-missing": OBSERVATIONS,
    "fhir-birth-date-malformed": PATIENT,
    "fhir-date-impossible": OBSERVATIONS,
    "fhir-element-unknown": {"all Procedure"},
    "fhir-element-of-wrong-type": PATIENT,
    "fhir-element-repeated": EVERY_GOAL - {"two dates"},
    "fhir-race-text-missing": PATIENT,
    "fhir-hole-elements-of-6.1.0": PATIENT,
    "fhir-attachment-empty": DOCUMENTS,
    "fhir-attachment-dead": DOCUMENTS,
    "fhir-alone-vaccine": {"all Immunization"},
    "fhir-alone-left-out": {"all Immunization"},
    "fhir-alone-lot": {"all Immunization"},
    "fhir-alone-procedure": {"all Procedure"},
    "fhir-alone-value": OBSERVATIONS,
    "fhir-alone-unit": {"all Observation"},
    "fhir-alone-onset": CONDITIONS - {"system"},
    "fhir-alone-end": CONDITIONS - {"system", "category"},
    "fhir-alone-dose": REQUESTS - {"intent"},
    "fhir-paging-stops-early": {"first page"},
    "fhir-paging-loops": {"first page"},
    "fhir-second-page-empty": {"second page"},
    "fhir-total-of-page": {"first page", "second page"},
    "fhir-not-found-as-success": {"unknown patient", "unknown id"},
    "fhir-bad-request-as-failure": {"bad date", "no patient"},
    "fhir-empty-for-bad-parameter": {"bad date", "no patient"},
    "fhir-post-body-ignored": {"posted"},
    "fhir-unknown-patient-answered": {"unknown patient"},
    **dict.fromkeys(
        (fault for fault in HANDLERS if fault.startswith(("fhir-statement-", "smart-oauth-uris-"))), STATED
    ),
}
"""Exactly what changes."""
WIDELY = {
    "fhir-wrong-patient": FOUND | {"other patient"},
    "fhir-hole-other-patients": FOUND | {"other patient"},
    "fhir-every-second-dropped": FOUND,
    "fhir-last-dropped": FOUND,
    "fhir-row-too-many": {"gt", "ge", "le", "year", "two dates", "category", "code", "type", "or", "system"},
    "fhir-row-of-another-patient": FOUND | {"category"},
    "fhir-row-twice": FOUND | {"patient"},
    "fhir-old-data-lost": FOUND,
    "fhir-reference-unresolvable": FOUND | {"read observation"},
    "fhir-self-link-missing": FOUND | {"system"},
    "fhir-total-lies": FOUND | {"system"},
    "fhir-bundle-type-wrong": FOUND | {"system"},
    "fhir-full-url-wrong": FOUND,
    "fhir-search-mode-wrong": FOUND,
    "fhir-content-type-lies": FOUND | {"read", "metadata"},
    "fhir-entry-null": FOUND | {"category"},
    "fhir-partial-content": FOUND | {"system"},
    "fhir-json-cut-short": FOUND | {"read", "metadata"},
    "fhir-key-twice": FOUND | {"read", "metadata"},
}
"""What changes at least, of what is a success; how much more depends on the charts."""


@pytest.mark.parametrize("fault", [fault for fault in HANDLERS if fault not in misbulk.HANDLERS])
def test_a_fault_changes_what_it_says_and_nothing_else(honest, fault):
    faulty = gathered(fault)
    changed = {name for name, answer in honest.items() if faulty[name] != answer}
    if fault in EXACTLY:
        assert changed == EXACTLY[fault]
    else:
        assert changed >= WIDELY[fault]
        assert {honest[name][0] for name in changed} == {200}


def test_two_honest_servers_answer_alike(honest):
    assert gathered() == honest


def test_without_faults_everything_is_answered_or_refused_as_it_should_be(honest):
    statuses = {name: answer[0] for name, answer in honest.items()}
    assert {name for name, status in statuses.items() if status != 200} == REFUSED
    assert {statuses[name] for name in ("foreign patient", "foreign type")} == {403}
    assert {answer[1] for answer in honest.values()} == {"application/fhir+json"}
