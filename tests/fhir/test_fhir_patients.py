"""US Core resources told in the form of a patients file."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from onc_conformance import record
from onc_conformance.fhir import patients

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def coded(system, code, display=""):
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def category(code):
    return [coded("http://terminology.hl7.org/CodeSystem/observation-category", code)]


PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "extension": [
        {"url": CORE + "race", "extension": [{"url": "ombCategory", "valueCoding": {
            "system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3", "display": "White"}}]},
        {"url": CORE + "birthsex", "valueCode": "F"},
    ],
    "name": [
        {"use": "old", "family": "Wren", "given": ["Ida"]},
        {"use": "official", "family": "Finch", "given": ["Ida", "May"], "suffix": ["Jr"]},
    ],
    "gender": "female",
    "birthDate": "1972-01-20",
    "communication": [{"language": {"coding": [{"code": "en"}]}, "preferred": True}],
    "telecom": [{"system": "phone", "use": "mobile", "value": "555"}, {"system": "fax", "value": "556"}],
    "address": [{"line": ["1 Short Street"], "city": "Forest Grove", "state": "OR", "postalCode": "97116"}],
}  # fmt: skip
RESOURCES = [
    {"resourceType": "Encounter", "id": "e", "type": [coded(SNOMED, "185349003")], "status": "finished",
     "period": {"start": "2018-04-10T10:00:00-07:00", "end": "2018-04-10T11:00:00-07:00"}},
    {"resourceType": "Condition", "id": "c", "code": coded(SNOMED, "59621000", "Hypertension"),
     "onsetDateTime": "2016-09-01", "encounter": {"reference": "Encounter/e"},
     "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")},
    {"resourceType": "Condition", "code": coded(SNOMED, "1"), "category": category("health-concern")},
    {"resourceType": "Condition", "code": coded(SNOMED, "2"),
     "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "entered-in-error")},
    {"resourceType": "Medication", "id": "m", "code": coded(RXNORM, "314076")},
    {"resourceType": "MedicationRequest", "status": "active", "medicationReference": {"reference": "Medication/m"},
     "authoredOn": "2018-04-10", "dosageInstruction": [{
         "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
         "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}]}]},
    {"resourceType": "Observation", "status": "final", "category": category("vital-signs"),
     "code": coded(LOINC, "85354-9"), "effectiveDateTime": "2018-04-10", "component": [
         {"code": coded(LOINC, "8480-6"), "valueQuantity": {"value": 128, "code": "mm[Hg]"}},
         {"code": coded(LOINC, "8462-4"), "valueQuantity": {"value": 80, "code": "mm[Hg]"}}]},
    {"resourceType": "Observation", "id": "g", "status": "final", "category": category("laboratory"),
     "code": coded(LOINC, "2345-7"), "effectiveDateTime": "2018-04-10T08:00:00.123456-07:00",
     "valueQuantity": {"value": 88, "unit": "mg/dL"},
     "referenceRange": [{"low": {"value": 65}, "high": {"value": 99}}]},
    {"resourceType": "DiagnosticReport", "status": "final", "code": coded(LOINC, "24321-2"),
     "result": [{"reference": "Observation/g"}]},
    {"resourceType": "Observation", "status": "final", "category": category("social-history"),
     "code": coded(LOINC, "72166-2"), "valueCodeableConcept": coded(SNOMED, "266919005")},
    {"resourceType": "Observation", "status": "final", "category": category("social-history"),
     "code": coded(LOINC, "11341-5"), "valueCodeableConcept": coded(SNOMED, "14679004")},
    {"resourceType": "Immunization", "status": "not-done", "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "140"),
     "occurrenceDateTime": "2018-04-10"},
    {"resourceType": "Practitioner", "id": "p", "name": [{"family": "Castellane", "given": ["Imogen"]}]},
    {"resourceType": "CareTeam", "status": "active", "participant": [
        {"role": [coded(SNOMED, "59058001")], "member": {"reference": "Practitioner/p"}},
        {"role": [coded(SNOMED, "116154003")], "member": {"reference": "Patient/1"}}]},
    {"resourceType": "Goal", "description": {"text": "Swim twice a week"}, "startDate": "2018-04-10",
     "target": [{"dueDate": "2018-12-31"}]},
    {"resourceType": "Procedure", "status": "entered-in-error", "code": coded(SNOMED, "3")},
    {"resourceType": "Binary", "id": "b"},
]  # fmt: skip


def bundle(*resources):
    return {"resourceType": "Bundle", "entry": [{"resource": copy.deepcopy(each)} for each in resources]}


@pytest.fixture
def ida():
    table = patients.patient(bundle(PATIENT, *RESOURCES))
    return record.of_tables([table], Path("bundle.json"))[0]


def test_the_patient_is_who_the_resource_says(ida):
    assert ida.id == "ida-finch"
    assert (ida.name.given, ida.name.suffix, ida.previous_names[0].family) == (("Ida", "May"), "Jr", "Wren")
    assert (ida.birth_date, ida.sex, ida.birth_sex, ida.language) == ("1972-01-20", "female", "F", "en")
    assert [each["value"] for each in ida.telecom] == ["555"]
    assert ida.race[0].code == "2106-3"


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("encounters", ["185349003"]),
        ("problems", ["59621000"]),
        ("health_concerns", ["1"]),
        ("medications", ["314076"]),
        ("vital_signs", ["8480-6", "8462-4"]),
        ("laboratory_results", ["2345-7"]),
        ("smoking_status", ["266919005"]),
        ("social_history", ["14679004"]),
        ("immunizations", ["140"]),
        ("procedures", []),
    ],
)
def test_a_resource_is_a_fact_of_its_class(ida, kind, codes):
    assert [fact.codes[0].code for fact in ida.of(kind)] == codes


def test_a_fact_says_what_its_resource_says(ida):
    [problem] = ida.of("problems")
    said = (str(problem.start), problem.attributes["status"], problem.encounter)
    assert said == ("2016-09-01", "active", "encounter-1")
    [medication] = ida.of("medications")
    assert medication.attributes["every"] == {"value": 0.5, "unit": "d"}
    assert medication.attributes["dose"] == {"value": 1.0, "unit": "tablet"}
    [glucose] = ida.of("laboratory_results")
    assert (glucose.attributes["value"], glucose.attributes["unit"]) == (88.0, "mg/dL")
    assert glucose.attributes["range"] == {"low": 65.0, "high": 99.0}
    assert glucose.attributes["panel"]["code"] == "24321-2"
    assert {str(fact.date) for fact in ida.of("vital_signs")} == {"2018-04-10"}
    assert ida.of("social_history")[0].attributes["kind"] == "occupation"
    assert ida.of("immunizations")[0].negated
    [goal] = ida.of("goals")
    assert (goal.text, goal.attributes["due"]) == ("Swim twice a week", "2018-12-31")


def test_the_patient_is_no_member_of_the_own_care_team(ida):
    [member] = ida.of("care_team")
    assert member.member.family == "Castellane"
    assert member.attributes["role"]["code"] == "59058001"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bundle(), "no Patient resource"),
        (bundle(PATIENT, PATIENT), "2 Patient resources"),
        (bundle({**PATIENT, "birthDate": "1972-02-30"}), "no birth date"),
        (bundle({**PATIENT, "name": [{"text": "Ida"}]}), "no name with family"),
    ],
)
def test_a_bundle_is_about_one_patient(content, said):
    with pytest.raises(ValueError, match=said):
        patients.patient(content)


def test_a_patient_alone_is_a_bundle_of_one():
    assert patients.patient(PATIENT)["id"] == "ida-finch"
