"""Scopes: what each opens, what is offered, what goes beyond."""

import pytest

from onc_conformance.reference.smart import scopes
from onc_conformance.reference.smart.scopes import parsed

LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
VITALS = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@pytest.mark.parametrize(
    ("text", "right", "opens"),
    [
        ("patient/Condition.rs", "r", True),
        ("patient/Condition.r", "s", False),
        ("patient/Condition.s", "r", False),
        ("patient/Condition.s", "", True),
        ("patient/*.read", "s", True),
        ("user/Condition.cud", "", False),
        ("user/Observation.rs", "r", False),
        ("system/*.cruds", "r", True),
    ],
)
def test_a_scope_opens_its_type_for_its_rights(text, right, opens):
    assert parsed(text).opens("Condition", right) is opens
    assert str(parsed(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "launch",
        "patient/Condition",
        "patient/condition.rs",
        "patient/Condition.sr",
        "patient/Condition.rr",
        "patient/Condition.",
        "group/Condition.rs",
        "patient/Condition.rs?",
        "patient/Condition.rs?status=active",
        "patient/Condition.rs?category=",
        "patient/Condition.read?category=a",
        "patient/Patient.rs?category=a",
        "patient/*.rs?category=a",
        " patient/Condition.rs",
        "patient/" + "A" * 50_000 + ".rs",
        "patient/Condition.rs?category=" + "a" * 50_000,
    ],
)
def test_what_is_in_no_form_of_smart_opens_nothing(text):
    assert parsed(text) is None


def test_a_granular_scope_fits_resources_of_its_categories():
    scope = parsed(f"patient/Observation.rs?category={LAB}&category=vital-signs")
    laboratory = {"category": [{"coding": [{"system": LAB.partition("|")[0], "code": "laboratory"}]}]}
    assert scope.fits(laboratory)
    assert scope.fits({"category": [{"coding": [{"code": "vital-signs"}]}]})
    for other in (
        {},
        {"category": "laboratory"},
        {"category": ["x"]},
        {"category": [{"coding": [{"code": "survey"}]}]},
    ):
        assert not scope.fits(other)
    assert not scope.fits({"category": [{"coding": [{"system": "urn:other", "code": "laboratory"}]}]})


@pytest.mark.parametrize(
    ("asked", "granted", "beyond"),
    [
        ("patient/Condition.r", "patient/*.rs", False),
        ("patient/Condition.read", "patient/Condition.rs", False),
        ("patient/Condition.cruds", "patient/Condition.rs", True),
        ("user/Condition.r", "patient/*.rs", True),
        (f"patient/Observation.rs?category={LAB}", "patient/Observation.rs", False),
        ("patient/Observation.rs", f"patient/Observation.rs?category={LAB}", True),
        (f"patient/Observation.rs?category={VITALS}", f"patient/Observation.rs?category={LAB}", True),
        ("launch/patient", "launch/patient", False),
        ("openid", "patient/*.rs", True),
        ("nonsense", "patient/*.rs", True),
    ],
)
def test_what_goes_beyond_a_grant(asked, granted, beyond):
    assert scopes.beyond([asked], [granted]) == ([asked] if beyond else [])


def test_offered_is_what_can_be_read_and_searched():
    asked = (
        "launch/patient offline_access nonsense patient/Condition.cruds patient/*.* user/Patient.c patient/Slot.rs "
        "system/*.rs user/Observation.s"
    )
    assert scopes.offered(asked.split(), ["Condition", "Patient", "Observation"], ("patient", "user")) == (
        "launch/patient",
        "offline_access",
        "patient/Condition.rs",
        "patient/*.read",
        "user/Observation.s",
    )


def test_conditions_and_observations_can_be_narrowed():
    assert f"patient/Observation.rs?category={LAB}" in scopes.narrower("patient/Observation.rs")
    assert len(scopes.narrower("user/Condition.s")) == 3
    for whole in ("patient/Patient.rs", "patient/Condition.read", "patient/*.rs", "openid"):
        assert scopes.narrower(whole) == ()
    assert scopes.narrower(f"patient/Observation.rs?category={LAB}") == ()
