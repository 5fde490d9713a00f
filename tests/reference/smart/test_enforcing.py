"""Scopes at the doors of the FHIR server."""

import pytest
from tests.reference.fhir import outcome

LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


class Answer:
    """A test answer with the face of a requests one."""

    def __init__(self, answer) -> None:
        self.status_code, self.json = answer.status_code, lambda: answer.json


def token(app, browser, scope):
    return app.tokens(browser, scope=scope)


def refused(answer):
    assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
    return outcome(Answer(answer))


def test_a_scope_opens_its_type_alone(app, browser):
    told = token(app, browser, "patient/Condition.rs")["access_token"]
    assert app.get("Condition", told).json["total"] > 0
    for path in ("Observation", "Patient", "DocumentReference", "DocumentReference/$docref?patient=1", "Binary/1"):
        assert refused(app.get(path, told)) == (403, "forbidden")


@pytest.mark.parametrize(("right", "search", "read"), [("r", 403, 200), ("s", 200, 403), ("rs", 200, 200)])
def test_reading_and_searching_are_two_rights(app, browser, right, search, read):
    whole = token(app, browser, "patient/Condition.rs")["access_token"]
    issued = app.get("Condition", whole).json["entry"][0]["resource"]["id"]
    told = token(app, browser, f"patient/Condition.{right}")["access_token"]
    assert app.get("Condition", told).status_code == search
    assert app.get(f"Condition/{issued}", told).status_code == read


def test_a_granular_scope_opens_its_category_alone(app, browser):
    whole = token(app, browser, "patient/Observation.rs")["access_token"]
    told = token(app, browser, f"patient/Observation.rs?category={LAB}")["access_token"]
    rows = [entry["resource"] for entry in app.get("Observation?_count=200", whole).json["entry"]]
    laboratory = [row["id"] for row in rows if row["category"][0]["coding"][0]["code"] == "laboratory"]
    seen = app.get("Observation?_count=200", told).json
    assert [entry["resource"]["id"] for entry in seen["entry"]] == laboratory
    assert 0 < len(laboratory) < len(rows)
    for row in rows:
        assert app.get(f"Observation/{row['id']}", told).status_code == (200 if row["id"] in laboratory else 403)
    none = app.get("Observation?category=vital-signs", told)
    assert (none.status_code, none.json["total"]) == (200, 0)


def test_what_comes_along_needs_its_own_scope(app, browser):
    query = "MedicationRequest?_include=MedicationRequest:medication&_revinclude=Provenance:target"
    whole = token(app, browser, "patient/*.rs")["access_token"]
    kinds = {entry["resource"]["resourceType"] for entry in app.get(query, whole).json["entry"]}
    assert "Provenance" in kinds
    narrow = token(app, browser, "patient/MedicationRequest.rs")["access_token"]
    kinds = {entry["resource"]["resourceType"] for entry in app.get(query, narrow).json["entry"]}
    assert kinds == {"MedicationRequest"}


def test_a_patient_sees_nobody_else_whatever_the_level(ehr, app, browser):
    other = next(one["id"] for one in ehr._fhir.records.of_type("Patient") if one["id"] != ehr.env["FHIR_PATIENT"])
    told = token(app, browser, "user/*.rs")["access_token"]
    assert app.get(f"Patient/{ehr.env['FHIR_PATIENT']}", told).status_code == 200
    assert app.get(f"Patient/{other}", told).status_code == 403
    assert app.get(f"Condition?patient={other}", told).status_code == 403


@pytest.mark.parametrize("bearer", ["SMART_EXPIRED_TOKEN", "invented"])
def test_a_bad_token_is_told_so(ehr, app, bearer):
    answer = app.get("Condition", ehr.env.get(bearer, bearer))
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]
