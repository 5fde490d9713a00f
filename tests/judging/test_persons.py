"""What a FHIR Patient says of the person, held against the record."""

from dataclasses import replace

import pytest

from onc_conformance import record
from onc_conformance.judging import persons

CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
OMB = "urn:oid:2.16.840.1.113883.6.238"


def culture(name, *codes):
    parts = [{"url": "ombCategory", "valueCoding": {"system": OMB, "code": each}} for each in codes]
    return {"url": CORE + name, "extension": [*parts, {"url": "text", "valueString": "in words"}]}


PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [
        {"use": "official", "family": "Finch", "given": ["Ida", "May"], "suffix": ["Jr."]},
        {"use": "old", "family": "Wren", "given": ["Ida", "May"]},
    ],
    "gender": "female",
    "birthDate": "1970-01-01",
    "extension": [
        culture("race", "2106-3"), culture("ethnicity", "2186-5"), {"url": f"{CORE}birthsex", "valueCode": "F"},
    ],
    "communication": [
        {"language": {"coding": [{"code": "en"}]}},
        {"language": {"coding": [{"code": "da"}]}, "preferred": True},
    ],
    "maritalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"}],
    },
    "address": [
        {"use": "home", "line": ["1 Road"], "city": "Banks", "state": "OR", "postalCode": "97106", "country": "US"},
        {"use": "old", "line": ["2 Road"], "city": "Banks", "state": "OR", "period": {"end": "2012-05-01"}},
    ],
    "telecom": [{"system": "phone", "use": "home", "value": "+1-555-555-0100"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    file = tmp_path_factory.mktemp("persons") / "p.toml"
    file.write_text(
        """
[[patient]]
id = "finch"
title = "Ida Finch"
setting = "ambulatory"
name = { family = "Finch", given = ["Ida", "May"], suffix = "Jr.", previous = [{ family = "Wren", given = ["Ida"] }] }
birth_date = "1970-01-01"
sex = "female"
birth_sex = "F"
race = [{ code = "2106-3", display = "White" }]
ethnicity = { code = "2186-5", display = "Not Hispanic or Latino" }
language = "da"
marital_status = { code = "M", display = "Married" }
telecom = [{ system = "phone", use = "home", value = "+1-555-555-0100" }]
address = [
    { use = "home", line = ["1 Road"], city = "Banks", state = "OR", postal_code = "97106", country = "US" },
    { use = "home", line = ["2 Road"], city = "Banks", state = "OR", end = "2012-05-01" },
]
""",
        encoding="utf-8",
    )
    return record.load(file)[0]


def items(resource, expected):
    return [(each.item, each.absent) for each in persons.complaints(resource, expected)]


def test_a_patient_as_the_record_has_it_is_right(expected):
    assert items(PATIENT, expected) == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("gender", "male", ("sex", False)),
        ("gender", None, ("sex", True)),
        ("extension", [culture("race", "2028-9"), PATIENT["extension"][1]], ("race", False)),
        ("extension", [PATIENT["extension"][1]], ("race", True)),
        ("extension", [PATIENT["extension"][0]], ("ethnicity", True)),
        ("extension", [*PATIENT["extension"][:2], {"url": f"{CORE}birthsex", "valueCode": "M"}], ("birth sex", False)),
        ("extension", [*PATIENT["extension"][:2], {"url": f"{CORE}sex", "valueCode": "248153007"}], ("sex", False)),
        (
            "extension",
            [*PATIENT["extension"][:2], {"url": f"{CORE}sex", "valueCoding": {"code": "248153007"}}],
            ("sex", False),
        ),
        ("communication", [{"language": {"coding": [{"code": "fr"}]}}], ("preferred language", False)),
        ("communication", [], ("preferred language", True)),
        ("maritalStatus", {}, ("marital status", True)),
        ("telecom", [{"system": "phone", "use": "home", "value": "+1-555-555-0199"}], ("telecom", False)),
        ("name", PATIENT["name"][:1], ("patient name", False)),
    ],
)
def test_what_differs_is_told_apart_from_what_is_left_out(expected, name, value, told):
    resource = {key: each for key, each in (PATIENT | {name: value}).items() if each is not None}
    assert told in items(resource, expected)
    assert {item for item, _ in items(resource, expected)} == {told[0]}


def test_a_part_of_an_address_is_told_at_its_place(expected):
    moved = [PATIENT["address"][0] | {"city": "Astoria"}, PATIENT["address"][1]]
    (told,) = persons.complaints(PATIENT | {"address": moved}, expected)
    assert (told.path, told.complaint.expected, told.complaint.found) == ("address[0]", "Banks", "Astoria")
    assert [each.absent for each in persons.complaints(PATIENT | {"address": []}, expected)] == [True, True]


@pytest.mark.parametrize(
    ("deceased", "told"),
    [
        ({"deceasedDateTime": "2020-02-03T10:00:00Z"}, []),
        ({"deceasedDateTime": "2020"}, []),
        ({"deceasedDateTime": "2020-02-04"}, [("date of death", False)]),
        ({"deceasedBoolean": True}, [("date of death", False)]),
        ({}, [("date of death", True)]),
    ],
)
def test_a_death_is_told_with_its_day(expected, deceased, told):
    assert items(PATIENT | deceased, replace(expected, death_date="2020-02-03")) == told


def test_nonsense_is_no_crash(expected):
    odd = {
        "resourceType": "Patient",
        "name": "Finch",
        "address": [{"line": "1 Road"}],
        "extension": [{}],
        "telecom": {},
    }
    assert {item for item, _ in items(odd, expected)} >= {"patient name", "sex", "race"}
    assert items(odd, replace(expected, race=(), ethnicity=None)) != []


@pytest.mark.parametrize("code", ["UNK", "ASKU"])
def test_what_nobody_knows_may_be_left_out_and_not_told_otherwise(expected, code):
    unknown = record.Code("nullflavor", code, "")
    asked = replace(expected, race=(unknown,), ethnicity=unknown)
    assert items(PATIENT | {"extension": []}, asked) == []
    assert {item for item, _ in items(PATIENT, asked)} == {"race", "ethnicity"}
