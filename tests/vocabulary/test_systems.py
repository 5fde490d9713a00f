"""Code systems: forms, check digits, small tables, names."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance import suite, vocabulary
from onc_conformance.vocabulary import Answer, contacts, identifiers, names, systems

SNOMED, LOINC, RXNORM, CVX = (
    "2.16.840.1.113883.6.96",
    "2.16.840.1.113883.6.1",
    "2.16.840.1.113883.6.88",
    "2.16.840.1.113883.12.292",
)
GENDER, STATUS, CPT = "2.16.840.1.113883.5.1", "2.16.840.1.113883.5.14", "2.16.840.1.113883.6.12"


@pytest.mark.parametrize(
    ("system", "code", "answer"),
    [
        (LOINC, "8480-6", "in"),
        (LOINC, "8480-7", "not_in"),
        (LOINC, "8480", "not_in"),
        (LOINC, "99999-5", "unknown_here"),
        (LOINC, "LA33-6", "unknown_here"),
        (LOINC, "", "not_in"),
        (SNOMED, "77176002", "in"),
        (SNOMED, "77176003", "not_in"),
        (SNOMED, "22298006", "unknown_here"),
        (RXNORM, "309362", "unknown_here"),
        (RXNORM, "0309362", "not_in"),
        (CVX, "08", "in"),
        (CVX, "x", "not_in"),
        (CVX, "300", "unknown_here"),
        (GENDER, "M", "in"),
        (GENDER, "X", "not_in"),
        (STATUS, "completed", "in"),
        (STATUS, "final", "not_in"),
        ("2.16.840.1.113883.6.90", "E11.9", "unknown_here"),
        ("2.16.840.1.113883.6.90", "E11.99999", "not_in"),
        ("2.16.840.1.113883.6.4", "0DTJ4ZZ", "unknown_here"),
        ("2.16.840.1.113883.6.4", "0DTI4ZZ", "not_in"),
        (CPT, "99213", "unknown_here"),
        (CPT, "9921", "not_in"),
        ("2.16.840.1.113883.6.69", "0002-8215-01", "unknown_here"),
        ("2.16.840.1.113883.6.69", "2-8215", "not_in"),
        ("2.16.840.1.113883.4.9", "R16CO5Y76E", "unknown_here"),
        ("2.16.840.1.113883.4.9", "aspirin", "not_in"),
        ("2.16.840.1.113883.6.101", "207Q00000X", "in"),
        ("2.16.840.1.113883.6.101", "Doctor", "not_in"),
        ("2.16.840.1.113883.6.238", "2106-3", "in"),
        ("2.16.840.1.113883.6.238", "2106-4", "not_in"),
        ("2.16.840.1.113883.6.8", "mg/dL", "in"),
        ("2.16.840.1.113883.6.8", "mcg", "not_in"),
        ("2.16.840.1.113883.6.121", "en-US", "in"),
        ("2.16.840.1.113883.6.121", "xx", "not_in"),
        ("1.2.3.4", "anything", "unknown_here"),
        ("no oid", "anything", "unknown_here"),
    ],
)
def test_whether_a_code_exists(system, code, answer):
    assert vocabulary.known(system, code) == answer


@given(st.sampled_from(sorted(systems.systems())), st.text(max_size=40))
def test_any_text_gets_an_answer(system, code):
    answer = vocabulary.known(system, code)
    assert answer in Answer
    if vocabulary.objection(system, code):
        assert answer is Answer.NOT_IN


@pytest.mark.parametrize("system", sorted(systems.systems()))
def test_no_system_takes_a_code_without_end(system):
    if systems.systems()[system].shape or systems.systems()[system].check:
        assert vocabulary.objection(system, "9" * 9_000) is not None


def test_no_table_of_codes_we_may_not_list():
    tables = (suite.schemas() / "vocabulary" / "codes.jsonl").read_text(encoding="utf-8").splitlines()
    listed = {json.loads(line)["oid"]: json.loads(line)["codes"] for line in tables}
    assert not {CPT, "2.16.840.1.113883.6.13"} & listed.keys()
    assert set(listed["2.16.840.1.113883.6.101"].values()) == {""}
    sets = (suite.schemas() / "vocabulary" / "value-sets.jsonl").read_text(encoding="utf-8")
    assert all(CPT not in json.loads(line)["codes"] for line in sets.splitlines())


def test_systems_are_known_by_uri_and_by_name():
    assert vocabulary.by_uri("http://loinc.org") == LOINC
    assert vocabulary.by_uri("urn:oid:1.2.3") == "1.2.3"
    assert vocabulary.by_uri("http://example.org") is None
    assert systems.named("snomed-ct") == systems.named("SNOMED        CT") == {SNOMED}
    assert len(systems.named("ICD10")) == 2
    assert systems.named("ISC-NoCodeSystem") == frozenset()
    assert vocabulary.title("2.16.840.1.113883.6.59") == "CVX"
    assert vocabulary.title("1.2.3") == "1.2.3"


def test_displays():
    assert vocabulary.display(LOINC, "8480-6") == "Systolic blood pressure"
    assert vocabulary.display(LOINC, "99999-5") is None
    assert vocabulary.display("2.16.840.1.113883.6.101", "207Q00000X") is None


@pytest.mark.parametrize(
    ("given_name", "known"),
    [
        ("Never smoker", "Never smoked tobacco (finding)"),
        ("SYSTOLIC BLOOD PRESSURE", "Systolic blood pressure"),
        ("BP Sys", "Systolic blood pressure"),
        ("HR", "Heart rate"),
        ("Ht", "Body height"),
        ("", "Body height"),
        ("Disease", "Disease (disorder)"),
        ("Hispanic", "Hispanic or Latino"),
        ("Problem list", "Problem list - Reported"),
    ],
)
def test_names_of_one_thing(given_name, known):
    assert not names.disagree(given_name, known)


@pytest.mark.parametrize(
    ("given_name", "known"),
    [
        ("Complaint", "Diagnosis"),
        ("Body weight", "Heart rate"),
        ("Tetanus toxoid", "adenovirus vaccine"),
        ("completed", "Active (qualifier value)"),
        ("Asian", "White"),
    ],
)
def test_names_of_two_things(given_name, known):
    assert names.disagree(given_name, known)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_name_never_disagrees_with_itself(one, other):
    assert not names.disagree(one, one)
    assert names.disagree(one, other) in {True, False}


def test_identifiers():
    assert all(map(identifiers.oid, ["2.16.840.1.113883", "1.39.0", "2.999", "1"]))
    assert not any(map(identifiers.oid, ["3.1", "1.40", "2.01", "2..1", "2.1.", "", "a", "2." * 400 + "1"]))
    assert identifiers.root("6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11")
    assert identifiers.root("MDHT")
    assert not identifiers.root("6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7axy")


@pytest.mark.parametrize(
    "value",
    [
        "tel:+1(555)555-2003",
        "tel: (555)555-1212",
        "mailto:a@b.org",
        "https://example.org/x",
        "tel:555-1212;ext=9",
        "fax:+15555551212",
        "tel:5555551212 x12",
        "TEL:5551212",
    ],
)
def test_telecoms(value):
    assert contacts.telecom(value) is None


@pytest.mark.parametrize(
    "value", ["555-1212", "tel:", "tel:unknown", "mailto:nobody", "gopher:x", "", "tel:tel:+1555", "mailto:a b@c.org"]
)
def test_no_telecoms(value):
    assert contacts.telecom(value)


@given(st.text(max_size=80))
def test_any_contact_gets_an_answer(text):
    assert contacts.telecom(text) is None or isinstance(contacts.telecom(text), str)
    assert contacts.state(text) in {True, False}
    assert contacts.postal_code(text) in {True, False}


def test_addresses():
    assert contacts.state("OR")
    assert not contacts.state("Oregon")
    assert all(map(contacts.postal_code, ["97005", "97005-1234", "970051234"]))
    assert not any(map(contacts.postal_code, ["9700", "97005-", "00000", "ABCDE", "97005-123"]))
