"""Facts as resources tell them: what is contained, what is silent, what is garbage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onc_conformance.fhir import facts
from onc_conformance.fhir.bundle import Bundle
from onc_conformance.fhir.told import told

LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
VITAL = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]


def read(*resources):
    return told(Bundle({"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}))


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


def observation(**other):
    return {"resourceType": "Observation", "id": "o", "status": "final", "category": VITAL, **other}


def test_a_drug_that_is_contained_is_the_drug_of_the_prescription():
    request = {
        "resourceType": "MedicationRequest", "id": "m", "status": "active",
        "contained": [{"resourceType": "Medication", "id": "drug", "code": coded(RXNORM, "197361")}],
        "medicationReference": {"reference": "#drug"},
    }  # fmt: skip
    [one] = read(request)
    assert (one.kind, one.codes[0].code, one.place) == ("medications", "197361", "MedicationRequest/m")


def test_who_only_says_why_a_value_is_absent_tells_no_fact():
    absent = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")
    assert read(observation(code=coded(LOINC, "8302-2"), dataAbsentReason=absent)) == []
    quantity = {"value": 80, "unit": "mmHg", "code": "mm[Hg]"}
    halves = [
        {"code": coded(LOINC, "8480-6"), "dataAbsentReason": absent},
        {"code": coded(LOINC, "8462-4"), "valueQuantity": quantity},
    ]
    [one] = read(observation(code=coded(LOINC, "85354-9"), component=halves, effectiveDateTime="2020-01-02"))
    assert (one.codes[0].code, one.value, one.unit, str(one.date)) == ("8462-4", "80", "mm[Hg]", "2020-01-02")


def test_what_was_not_given_is_told_as_that():
    shot = {
        "resourceType": "Immunization",
        "id": "i",
        "status": "not-done",
        "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "33"),
    }
    assert [one.negated for one in read(shot)] == [True]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "code", "system", "value", "unit", "reference", "low", "text", "frequency", "family"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", sorted({row["resource"] for row in facts.table()}))
@settings(max_examples=40)
@given(data=st.data())
def test_garbage_is_read_without_harm(kind, data):
    rows = [row for row in facts.table() if row["resource"] == kind]
    paths = [path for row in rows for key in ("code", "date", "start", "end", "text") for path in row.get(key, ())]
    paths += [path for row in rows for detail in row.get("details", {}).values() for path in detail["path"]]
    paths += ["category", "status", "encounter", "component", "verificationStatus", "contained", "participant"]
    resource = {"resourceType": kind, "id": "x", "category": VITAL}
    for path in data.draw(st.lists(st.sampled_from(paths), max_size=6)):
        at = resource
        *around, last = path.split(".")
        for name in around:
            at = at.setdefault(name, {}) if isinstance(at.get(name, {}), dict) else {}
        at[last] = data.draw(_ANY)
    for one in read(resource):
        assert str(one)
        assert all(isinstance(one.detail(name), tuple) for name in one.manners)
