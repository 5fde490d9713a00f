"""Elements of facts, compared one by one."""

import pytest

from onc_conformance import moments
from onc_conformance.record import Code, Fact, units
from onc_conformance.record.details import Said, as_written, compared
from onc_conformance.record.values import value_difference

SNOMED = {"system": "snomed", "code": "1", "display": "Hives"}


def fact(**what):
    return Fact(id="x", kind="medications", codes=(Code("rxnorm", "9"),), attributes=what)


def differs(manner, expected, said, **more):
    told = [] if said is None else [said]
    found = list(compared(fact(it=expected, **more), {"it": manner}, lambda _: told))
    return found[0] if found else None


@pytest.mark.parametrize(
    ("manner", "expected", "said"),
    [
        ("code", SNOMED, Said(codes=(Code("loinc", "7"), Code("snomed", "1")))),
        ("code", SNOMED, Said(text="hives")),
        ("quantity", {"value": 1.0, "unit": ""}, Said(value="1", unit="{tablet}")),
        ("quantity", {"value": 24.0, "unit": "h"}, Said(value="1", unit="d")),
        ("quantity", {"value": 5.0, "unit": "mg"}, Said(value="5.0", unit="mg")),
        ("range", {"low": 4.0, "high": 5.6}, Said(low="4", high="5.60")),
        ("range", {"low": 0.0, "high": 99.0}, Said(high="99")),
        ("range", {"low": 70.0, "high": 99.0}, Said(text="70-99 mg/dL")),
        ("range", {"text": "Neg"}, Said(text="NEG.")),
        ("range", {"text": "5.0 - 8.0"}, Said(low="5", high="8")),
        ("status", "resolved", Said(codes=(Code("snomed", "413322009"),))),
        ("status", "resolved", Said(text="completed")),
        ("status", "not_done", Said(text="not_done")),
        ("letters", "H", Said(codes=(Code("interpretation", "h"),))),
        ("letters", "LX 7", Said(text="lx7")),
        ("text", "Cedar Hollow", Said(text="Cedar Hollow, Family Health")),
        ("flag", True, Said(text="true")),
        ("telecoms", [{"system": "phone", "value": "+1-555-555-0271"}], Said(text="tel:+1(555)555-0271")),
        ("telecoms", [{"system": "phone", "value": "555.555.0271"}], Said(text="tel:+15555550271")),
        ("telecoms", [{"system": "email", "value": "Ida@example.org"}], Said(text="mailto:ida@example.org")),
        ("fill", {"quantity": 30.0, "repeat": 3}, Said(value="30", low="3", text="completed")),
        ("fill", {"status": "completed"}, Said(text="completed")),
        ("moment", "2015-06", Said(days=moments.hl7("20150622"))),
        (
            "provenance",
            {"time": "2015-06-22", "organization": "Cedar"},
            Said(text="A, Cedar", days=moments.hl7("20150622")),
        ),
    ],
)
def test_these_say_the_same(manner, expected, said):
    assert differs(manner, expected, said) is None


@pytest.mark.parametrize(
    ("manner", "expected", "said", "spoken", "found"),
    [
        ("code", SNOMED, Said(codes=(Code("snomed", "2", "Rash"),)), "Hives (snomed 1)", "Rash (snomed 2)"),
        ("code", SNOMED, None, "Hives (snomed 1)", "none"),
        (
            "telecoms",
            [{"system": "phone", "value": "1"}, {"system": "phone", "value": "2"}],
            Said(text="2"),
            "1, 2",
            "2",
        ),
        ("fill", {"quantity": 30.0, "repeat": 3}, Said(value="30", low="2"), "quantity 30, repeat 3", "30, repeat 2"),
        ("fill", {"quantity": 30.0}, Said(value="90"), "quantity 30", "90"),
        ("fill", {"status": "completed"}, Said(text="aborted"), "status completed", "aborted"),
        ("quantity", {"value": 1.0, "unit": "mg"}, Said(value="1", unit="g"), "1 mg", "1 g"),
        ("quantity", {"value": 1.0, "unit": ""}, Said(low="1", high="2"), "1", "1 to 2"),
        ("range", {"low": 4.0, "high": 5.6}, Said(low="4", high="6", unit="%"), "4 to 5.6", "4 to 6 %"),
        ("range", {"low": 4.0}, Said(text="up to 9"), "4 to …", "up to 9"),
        ("status", "active", Said(text="completed"), "active", "completed"),
        ("letters", "LX7", Said(text="LX8"), "LX7", "LX8"),
        ("text", "Cedar", Said(text="Elm"), "Cedar", "Elm"),
        ("moment", "2015-06-22", Said(days=moments.hl7("20150623")), "2015-06-22", "2015-06-23"),
        ("provenance", {"author": "Ida"}, Said(text="Bo"), "Ida", "Bo"),
    ],
)
def test_these_do_not(manner, expected, said, spoken, found):
    difference = differs(manner, expected, said)
    assert (difference.expected, difference.found, difference.absent) == (spoken, found, said is None)


def test_what_the_record_does_not_say_is_not_compared():
    assert list(compared(fact(it=None), {"it": "text", "other": "code"}, lambda _: [Said(text="x")])) == []


def test_further_codes_may_stand_for_an_element():
    told = [Said(codes=(Code("icd10cm", "J45"),))]
    also = [{"system": "icd10cm", "code": "J45"}]
    assert list(compared(fact(it=SNOMED, it_also=also), {"it": "code"}, lambda _: told)) == []


def test_a_range_in_another_unit_than_the_value_differs():
    assert differs("range", {"low": 4.0}, Said(low="4", unit="mmol/L"), unit="mg/dL").found == "4 to … mmol/L"


@pytest.mark.parametrize(
    ("value", "unit", "told", "told_unit", "what", "grave"),
    [
        (88.0, "mg/dL", "88", "mg/dL", None, None),
        (88.0, "mg/dL", "88.0", "MG/DL", None, None),
        (128.0, "mm[Hg]", "128", "mmHg", None, None),
        (4.5, "10*3/uL", "4.5", "10*9/L", None, None),
        (88.0, "mg/dL", "88", "mmol/L", "unit", True),
        (88.0, "mg/dL", "88", None, "unit", True),
        (177.0, "cm", "69.7", "[in_i]", "unit", False),
        (177.0, "cm", "177", "[in_i]", "unit", True),
        (37.0, "Cel", "98.6", "[degF]", "unit", False),
        (88.0, "mg/dL", "89", "mg/dL", "value", True),
        (88.0, "mg/dL", "88 mg/dL", None, None, None),
        (88.0, "mg/dL", "high", None, "value", True),
        (88.0, None, "88", "mg/dL", None, None),
        ("yellow", None, "Yellow (finding)", None, None, None),
        ("yellow", None, "red", None, "value", True),
        ("1+", None, "1+", None, None, None),
        ("1+", None, "2+", None, "value", True),
        (88.0, "mg/dL", None, None, "value", True),
        (None, None, "3", None, None, None),
    ],
)
def test_values_are_compared_with_their_units(value, unit, told, told_unit, what, grave):
    found = value_difference(fact(value=value, unit=unit), told, told_unit, ())
    assert (found and found.what, found and found.grave) == (what, grave)


def test_a_coded_value_is_compared_by_code():
    answer = {"system": "snomed", "code": "1", "display": "Never"}
    assert value_difference(fact(value=answer), "Never", None, (Code("snomed", "1"),)) is None
    assert value_difference(fact(value=answer), "never", None, ()) is None
    assert (
        value_difference(fact(value=answer), "Often", None, (Code("snomed", "2", "Often"),)).found == "Often (snomed 2)"
    )


def test_units_convert_only_within_what_they_measure():
    assert units.converted(1, "kg", "[lb_av]") == pytest.approx(2.20462, rel=1e-4)
    assert units.converted(98.6, "degF", "Cel") == pytest.approx(37.0)
    assert units.converted(1, "kg", "cm") is None
    assert units.converted(1, None, "cm") is None
    assert not units.same("mg", "g")
    assert units.same("1", None)


@pytest.mark.parametrize(
    ("manner", "said", "expected"),
    [
        ("code", Said(codes=(Code("snomed", "1", "Hives"),)), SNOMED),
        ("code", Said(text="Hives"), None),
        ("quantity", Said(value="2", unit="mg"), {"value": "2", "unit": "mg"}),
        ("range", Said(low="1", high=None), {"low": 1.0}),
        ("status", Said(text="active"), "active"),
        ("letters", Said(codes=(Code("x", "H"),)), "H"),
        ("text", Said(text="Cedar"), "Cedar"),
        ("flag", Said(text="true"), True),
        ("provenance", Said(text="Ida"), None),
    ],
)
def test_what_is_said_can_be_expected(manner, said, expected):
    assert as_written(manner, said) == expected
    assert expected is None or differs(manner, expected, said) is None
