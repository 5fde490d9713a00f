"""Resources say what the chart says."""

from collections import Counter

import pytest

from onc_conformance.reference import charts
from onc_conformance.reference.charted import ChartedPerson
from onc_conformance.reference.fhir import records
from onc_conformance.reference.people import People


@pytest.fixture(scope="module")
def people():
    return People([ChartedPerson(chart) for chart in charts.load(charts.bundled())])


@pytest.fixture(scope="module")
def found(people):
    return records.of_people(people, "http://localhost/fhir", "6.1.0")


@pytest.fixture(scope="module")
def of(people, found):
    """The resources of a type about a patient, by the chart's name."""
    issued = {person.key: people.number_of(person) for person in people.all}
    return lambda kind, key: found.of_patients(kind, [issued[key]])


def codes(resources, name="code"):
    return Counter(one[name]["coding"][0]["code"] for one in resources if "coding" in one[name])


def charted(people, key, kind):
    chart = next(person.chart for person in people.all if person.key == key)
    return Counter(fact.code().code for fact in chart.of(kind) if fact.code())


@pytest.mark.parametrize("key", ["newman", "larson", "wright", "boundary", "long"])
def test_every_coded_fact_is_a_resource(people, of, key):
    for kind, fact, name in (
        ("AllergyIntolerance", "medication_allergies", "code"),
        ("Immunization", "immunizations", "vaccineCode"),
        ("Device", "udi", "type"),
        ("Encounter", "encounters", "type"),
        ("Procedure", "procedures", "code"),
    ):
        resources = of(kind, key)
        if kind == "Procedure":
            resources = [one for one in resources if "focalDevice" not in one]
        if kind == "Encounter":
            resources = [one | {"type": one["type"][0]} for one in resources]
        assert codes(resources, name) == charted(people, key, fact), kind
    problems = [one for one in of("Condition", key) if one["category"][0]["coding"][0]["code"] == "problem-list-item"]
    assert codes(problems) == charted(people, key, "problems")
    lab = [one for one in of("Observation", key) if one["category"][0]["coding"][0]["code"] == "laboratory"]
    assert codes(lab) == charted(people, key, "laboratory_results")
    assert len(of("MedicationRequest", key)) == sum(charted(people, key, "medications").values())


def test_a_pressure_is_one_observation_of_two(people, of):
    pressures = [
        one for one in of("Observation", "newman") if one["code"].get("coding", [{}])[0].get("code") == "85354-9"
    ]
    values = [[part["valueQuantity"]["value"] for part in one["component"]] for one in pressures]
    assert values == [[124, 78], [152, 96], [134, 82]]
    assert {part["valueQuantity"]["code"] for one in pressures for part in one["component"]} == {"mm[Hg]"}


def test_an_unpaired_pressure_says_what_is_missing():
    code = {"system": "loinc", "code": "8480-6"}
    fact = charts.Fact("vital_signs", 1, {"code": code, "value": 120, "unit": "mm[Hg]", "date": "2020"})
    person = {"name": {"family": "Half", "given": ["A"]}, "birth_date": "1980", "sex": "male"}
    chart = charts.Chart(id="half", person=person, facts=(fact,))
    made = records.of_people(People([ChartedPerson(chart)]), "http://localhost/fhir", "6.1.0")
    (pressure,) = made.of_type("Observation")
    assert [("valueQuantity" in one, "dataAbsentReason" in one) for one in pressure["component"]] == [
        (True, False),
        (False, True),
    ]


def test_nothing_known_is_said_where_it_is_charted(of):
    allergies, problems = of("AllergyIntolerance", "sparse"), of("Condition", "sparse")
    assert [one["code"]["coding"][0]["code"] for one in of("AllergyIntolerance", "bates")] == ["716186003"]
    assert {one["subject"]["reference"] for one in problems} != set()
    assert allergies == []


def test_a_devices_udi_is_taken_apart(of):
    (device,) = of("Device", "larson")
    assert device["udiCarrier"][0]["deviceIdentifier"] == "00850000101012"
    assert device["udiCarrier"][0]["carrierHRF"] == "(01)00850000101012(17)180228(10)HP7731(21)0093-22"
    assert (device["expirationDate"], device["lotNumber"], device["serialNumber"]) == (
        "2018-02-28",
        "HP7731",
        "0093-22",
    )


def test_times_keep_their_zones_and_days_stay_days(of):
    dates = {one["effectiveDateTime"] for one in of("Observation", "newman") if "effectiveDateTime" in one}
    assert {"2017-05-02", "2015-06-22T07:30:00-07:00"} <= dates
    assert [one["occurrenceDateTime"] for one in of("Immunization", "newman")] == [
        "2011-10-05",
        "2014-10",
        "2017-05-02",
    ]


def test_race_unknown_and_unasked_are_said_as_nulls(of):
    for key, code in (("bates", "UNK"), ("sparse", "ASKU")):
        (patient,) = of("Patient", key)
        race = patient["extension"][0]["extension"]
        assert [one["valueCoding"]["code"] for one in race[:-1]] == [code]
        assert race[-1]["url"] == "text"
    (wright,) = of("Patient", "wright")
    assert [one["url"] for one in wright["extension"][0]["extension"]] == ["ombCategory", "detailed", "text"]


def test_every_resource_about_a_patient_has_its_origin(found):
    told = {one["target"][0]["reference"] for one in found.of_type("Provenance")}
    for kind in ("Patient", "Condition", "Observation", "DocumentReference", "Device", "Coverage", "ServiceRequest"):
        assert {f"{kind}/{one['id']}" for one in found.of_type(kind)} <= told
    agents = found.of_type("Provenance")[0]["agent"]
    assert [one["type"]["coding"][0]["code"] for one in agents] == ["author", "transmitter"]


def test_ids_are_the_same_the_next_time(people, found):
    again = records.of_people(people, "http://localhost/fhir", "6.1.0")
    for kind in found.kinds():
        assert again.of_type(kind) == found.of_type(kind)


def test_npis_have_their_check_digit(found):
    def luhn(digits):
        doubled = [int(one) * (2 if place % 2 else 1) for place, one in enumerate(reversed(digits))]
        return sum(one // 10 + one % 10 for one in doubled) % 10

    numbers = [one["identifier"][0]["value"] for one in found.of_type("Practitioner")]
    assert len(numbers) > 5
    assert {luhn(f"80840{one}") for one in numbers} == {0}
