"""Units by UCUM's grammar."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance import suite
from onc_conformance.vocabulary import ucum

TABLE = json.loads((suite.schemas() / "vocabulary" / "ucum.json").read_text(encoding="utf-8"))
atoms = st.sampled_from(TABLE["plain"]) | st.builds(
    str.__add__, st.sampled_from(["", *TABLE["prefixes"]]), st.sampled_from(TABLE["metric"])
)
annotations = st.builds("{{{}}}".format, st.text("ABCxyz019 _/.#'".replace(" ", ""), max_size=8))
simple = st.builds(
    lambda atom, exponent, note: atom + exponent + note,
    atoms,
    st.sampled_from(["", "2", "-1", "+3"]),
    st.just("") | annotations,
)
components = simple | annotations | st.integers(1, 999).map(str)
units = st.recursive(
    components,
    lambda inner: st.builds("{}{}{}".format, inner, st.sampled_from("./"), inner) | inner.map("({})".format),
    max_leaves=6,
)


@given(units.filter(lambda unit: len(unit) <= ucum.MAX_UNIT))
def test_what_the_grammar_makes_is_a_unit(unit):
    assert ucum.is_unit(unit)
    assert ucum.is_unit("/" + unit) or len(unit) == ucum.MAX_UNIT


@given(units, st.sampled_from(["..", "//", "()", "}", "{", " ", "é", "^^"]))
def test_no_unit_survives_rubbish_at_its_end(unit, rubbish):
    assert not ucum.is_unit(unit + rubbish)


@given(st.text(max_size=300) | st.text("()./{}[]'m*10^-+%", max_size=300))
def test_any_text_gets_an_answer(text):
    assert ucum.is_unit(text) in {True, False}


@pytest.mark.parametrize(
    "unit",
    ["mg/dL", "mm[Hg]", "10*3/uL", "10^9/L", "kg/m2", "/min", "{beats}/min", "[in_i]", "[lb_av]", "Cel", "[degF]", "%",
     "1", "mL/min/{1.73_m2}", "10*6.[CFU]/L", "U/(12.h)", "[iU]/mL", "m[IU]/L", "mg{creat}/(24.h)", "[pH]", "g%", "a",
     "B[10.nV]", "m/s2", "m.s-2", "((m))", "{tablet}", "ug{FEU}/mL", "[in_i'H2O]", "10.uN.s/(cm5.m2)"],
)  # fmt: skip
def test_units_that_are_written(unit):
    assert ucum.is_unit(unit)


@pytest.mark.parametrize(
    "unit",
    ["", "/", "mcg", "in", "lbs", "units", "unit", "cel", "10+3/ul", "mg/actuat", "mg / dL", "mg/", "(m", "m)", "m//s",
     "2.54cm", "null", "pH/", "mm Hg", "mmHg", "beats/min", "°C", "{a{b}}", "k10*", "m²", "m" * 300],
)  # fmt: skip
def test_units_that_are_none(unit):
    assert not ucum.is_unit(unit)


def test_depth_ends_at_the_length():
    assert not ucum.is_unit("(" * 100_000)
    assert ucum.is_unit("(" * 127 + "m" + ")" * 127)
