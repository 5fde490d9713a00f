"""Value sets stated here: three answers, and none of them by chance."""

import json

import pytest

from onc_conformance import suite, vocabulary
from onc_conformance.vocabulary import Answer

GENDER, RACE, PROBLEM, LANGUAGE, UNITS = (
    "2.16.840.1.113883.1.11.1",
    "2.16.840.1.113883.1.11.14914",
    "2.16.840.1.113883.3.88.12.3221.7.4",
    "2.16.840.1.113883.1.11.11526",
    "2.16.840.1.113883.1.11.12839",
)
SNOMED, CDC = "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.238"
SETS = [
    json.loads(line)["oid"] for line in (suite.schemas() / "vocabulary" / "value-sets.jsonl").open(encoding="utf-8")
]


@pytest.mark.parametrize(
    ("value_set", "code", "system", "answer"),
    [
        (GENDER, "F", "2.16.840.1.113883.5.1", "in"),
        (GENDER, "F", None, "in"),
        (GENDER, "U", None, "not_in"),
        (GENDER, "F", "2.16.840.1.113883.5.2", "not_in"),
        (RACE, "2106-3", CDC, "in"),
        (RACE, "2106-3", "1.22.333", "not_in"),
        (PROBLEM, "38341003", SNOMED, "unknown_here"),
        (PROBLEM, "38341004", SNOMED, "not_in"),
        (PROBLEM, "I10", "2.16.840.1.113883.6.90", "not_in"),
        (LANGUAGE, "en-US", None, "in"),
        (LANGUAGE, "xx", None, "not_in"),
        (UNITS, "mg/dL", None, "in"),
        (UNITS, "mcg", None, "not_in"),
        ("1.2.3.4.5", "1", SNOMED, "not_in"),
        ("1.2.3.4.5", "1", None, "unknown_here"),
        ("2.16.840.1.113762.1.4.1010.6", "08", "2.16.840.1.113883.12.292", "in"),
        ("2.16.840.1.113762.1.4.1010.6", "08", "2.16.840.1.113883.6.59", "in"),
        ("2.16.840.1.113762.1.4.1010.6", "309", "2.16.840.1.113883.12.292", "unknown_here"),
        ("2.16.840.1.113883.3.88.12.80.63", "US", None, "in"),
        ("2.16.840.1.113883.3.88.12.80.63", "XX", None, "not_in"),
        ("2.16.840.1.113883.3.88.12.80.2", "97005", None, "in"),
        ("2.16.840.1.113883.3.88.12.80.2", "9700", None, "not_in"),
        ("2.16.840.1.113883.3.88.12.80.32", "99213", "2.16.840.1.113883.6.12", "unknown_here"),
    ],
)
def test_membership(value_set, code, system, answer):
    assert vocabulary.contains(value_set, code, system) == answer


@pytest.mark.parametrize("oid", SETS)
def test_what_a_set_lists_is_in_it_and_rubbish_in_no_closed_one(oid):
    known = vocabulary.value_set(oid)
    for system, codes in known.codes.items():
        assert all(known.contains(code, system) is Answer.IN for code in codes)
        if known.closed:
            assert known.contains("NOT_A_CODE", system) is Answer.NOT_IN


def test_a_set_is_known_by_what_fhir_calls_it():
    assert vocabulary.by_canonical("http://terminology.hl7.org/ValueSet/v3-AdministrativeGender|3.0.0") == GENDER
    assert vocabulary.by_canonical(f"http://cts.nlm.nih.gov/fhir/ValueSet/{PROBLEM}") == PROBLEM
    assert vocabulary.by_canonical("http://example.org/ValueSet/x") is None


def test_every_set_has_a_name():
    assert all(each.name for each in vocabulary.value_sets())
    assert {each.oid for each in vocabulary.value_sets()} == set(SETS)
