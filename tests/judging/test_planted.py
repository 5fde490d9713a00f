"""Forty differences planted one at a time into the document of ONC's test patient Alice Newman: each is found."""

from __future__ import annotations

import pytest

from onc_conformance import judging, record, suite
from onc_conformance.findings import Severity
from onc_conformance.reference import ccd, charts
from onc_conformance.reference.changes import Change

ALICE = suite.schemas() / "patients" / "onc-uscdi-v3" / "alice-newman.toml"


def code(system, value, display="Something else"):
    return {"system": system, "code": value, "display": display}


def change(of, place=None, **what):
    return of, {**({} if place is None else {"at": place}), **what}


PLANTED = [
    # who she is
    (change("person", set={"name.given.1": "Jane"}), "patient_name: the given names differ", "patientRole"),
    (change("person", unset=["name.previous"]), "patient_name: a previous name is missing", "patientRole"),
    (change("person", unset=["race.1"]), "race: is missing", "patientRole"),
    (change("person", set={"ethnicity.code": "2135-2"}), "ethnicity: is missing", "patientRole"),
    (change("person", set={"language": "fr"}), "preferred_language: differs", "patientRole"),
    (change("person", set={"address.0.line.0": "1358, Amber Dr"}), "address: the street differs", "addr"),
    (change("person", set={"address.0.city": "Portland"}), "address: the city differs", "addr"),
    (change("person", set={"address.0.postal_code": "97007"}), "address: the postal code differs", "addr"),
    (change("person", unset=["telecom.1"]), "telecom: is missing", "patientRole"),
    (change("person", set={"telecom.0.use": "work"}), "telecom: the use of 555-777-1234 differs", "telecom"),
    # problems
    (change("problems", 0, shift=1), "problems: the date", "observation"),
    (change("problems", 1, set={"start": "2006"}), "problems: the start", "observation"),
    (change("problems", 0, set={"status": "resolved"}), "problems: the status", "value"),
    (change("problems", 4, set={"end": "2007-06-02"}), "problems: the date", "observation"),
    (change("problems", 3, drop=True), "problems: absent", "section"),
    (
        change("problems", add={"code": code("snomed", "161891005"), "start": "2015-06-22"}),
        "problems: not in",
        "observation",
    ),
    # medications
    (change("medications", 0, set={"dose.value": 2}), "medications: the dose", "doseQuantity"),
    (change("medications", 0, set={"every.value": 24}), "medications: the frequency", "period"),
    (change("medications", 0, set={"end": "2015-07-30"}), "medications: the date", "substanceAdministration"),
    (change("medications", 1, unset=["as_needed"]), "medications: the as needed", "substanceAdministration"),
    (change("medications", 1, set={"indication": code("snomed", "59621000")}), "medications: the indication", "value"),
    # allergies
    (
        change("medication_allergies", 0, set={"reaction": code("snomed", "422587007")}),
        "medication allergies: the reaction",
        "value",
    ),
    (
        change("medication_allergies", 1, set={"severity": code("snomed", "24484000")}),
        "medication allergies: the severity",
        "value",
    ),
    (change("medication_allergies", 1, unset=["severity"]), "medication allergies: the severity", "observation"),
    (change("medication_allergies", 0, shift=1), "medication allergies: the date", "observation"),
    # results and vital signs
    (change("laboratory_results", 0, set={"value": "RED"}), "laboratory values and results: the value", "observation"),
    (change("laboratory_results", 2, set={"value": 1.051}), "laboratory values and results: the value", "observation"),
    (change("laboratory_results", 4, set={"unit": "g/L"}), "laboratory values and results: the unit", "observation"),
    (
        change("laboratory_results", 3, set={"range.high": 9.0}),
        "laboratory values and results: the reference range",
        "observationRange",
    ),
    (change("laboratory_results", 6, shift=1), "laboratory values and results: the date", "observation"),
    (change("vital_signs", 0, set={"value": 171}), "vital signs: the value", "observation"),
    (change("vital_signs", 1, set={"unit": "[lb_av]"}), "vital signs: the unit", "observation"),
    (change("vital_signs", 4, drop=True), "vital signs: absent", "section"),
    (change("vital_signs", 4, repeat=True), "vital signs: not in", "observation"),
    # procedures, vaccines, visits, people
    (change("procedures", 0, shift=-1), "procedures: the date", "procedure"),
    (
        change("procedures", 0, set={"target_site": code("snomed", "9454009")}),
        "procedures: the target site",
        "targetSiteCode",
    ),
    (change("immunizations", 0, set={"lot": "3"}), "immunizations: the lot", "lotNumberText"),
    (change("immunizations", 0, set={"manufacturer": "Other"}), "immunizations: the manufacturer", "name"),
    (change("encounters", 0, set={"location": "Elsewhere"}), "encounters: the location", "name"),
    (change("care_team", 1, set={"role": code("snomed", "46255001")}), "care team members: the role", "functionCode"),
    # what somebody wrote, where somebody is, who pays
    (change("medications", 1, set={"instructions": "For a month"}), "medications: the instructions", "text"),
    (change("immunizations", 1, set={"reason": "Out of stock"}), "immunizations: the reason", "code"),
    (change("care_team", 1, set={"address.city": "Portland"}), "care team members: the address", "addr"),
    (change("encounters", 0, set={"address.line.0": "1 Other Street"}), "encounters: the address", "addr"),
    (change("procedures", 1, set={"address.state": "WA"}), "procedures: the address", "addr"),
    (change("coverage", 0, set={"payer_id": "1.2.3"}), "health insurance: the payer id", "id"),
    (change("coverage", 0, set={"subscriber_id": "888009336"}), "health insurance: the subscriber id", "id"),
    (change("coverage", 0, set={"telecom.0.value": "5555551516"}), "health insurance: the telecom", "telecom"),
    (
        change("referrals", 0, set={"indication": code("snomed", "59621000")}),
        "reason for referral: the indication",
        "value",
    ),
    (
        change("udi", 0, set={"code": code("snomed", "14106009")}),
        "unique device identifiers of implantable devices: the type",
        "participantRole",
    ),
    (change("udi", 0, shift=1), "unique device identifiers of implantable devices: the date", "participantRole"),
]


@pytest.fixture(scope="module")
def alice():
    [person] = record.load(ALICE)
    [chart] = charts.load([ALICE])
    return person, chart


def test_her_own_document_shows_no_difference(alice):
    person, chart = alice
    doc = judging.read(ccd.document(chart, document_id="1"))
    assert judging.whose(doc, person) == []
    assert judging.content([doc], person) == []


def test_there_are_forty():
    assert len(PLANTED) >= 40


@pytest.mark.parametrize(
    ("planted", "message", "place"), PLANTED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_planted_difference_is_found_in_its_place_and_nothing_else(alice, planted, message, place):
    person, chart = alice
    of, what = planted
    doc = judging.read(ccd.document(Change("document", of, what).apply(chart), document_id="1"))
    found = [each for each in judging.content([doc], person) if each.severity is Severity.ERROR]
    assert [each.message[: len(message)] for each in found] == [message]
    assert found[0].path.rpartition("/")[2].partition("[")[0] == place
    assert found[0].line
    assert found[0].expected
