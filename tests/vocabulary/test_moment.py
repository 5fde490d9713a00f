"""HL7 timestamps: what names a moment and what cannot."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance.vocabulary import moment

FORMS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@given(st.text("0123456789", min_size=1, max_size=16))
def test_digits_are_a_moment_where_the_calendar_of_python_says_so(text):
    form = FORMS.get(len(text))
    try:
        datetime.strptime(text, form) if form else None  # noqa: DTZ007 - no zone is meant
        possible = form is not None
    except ValueError:
        possible = False
    assert (moment.objection(text) is None) is possible


@given(st.datetimes(), st.sampled_from(sorted(FORMS)), st.sampled_from(["", "-0500", "+0000", "+1400", "-0330"]))
def test_every_moment_can_be_written(when, digits, zone):
    text = f"{when:%Y%m%d%H%M%S}".zfill(14)[:digits] + zone
    assert moment.objection(text) is None
    assert moment.precision(text) == {4: "year", 6: "month", 8: "day", 10: "hour", 12: "minute", 14: "second"}[digits]


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text):
    assert moment.objection(text) is None or isinstance(moment.objection(text), str)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("20230229", "no day 29"), ("20231301", "no month 13"), ("00000101", "no year 0"), ("202301012400", "no hour 24"),
     ("20230101120060", "end at 59"), ("202301011260", "end at 59"), ("202301011200-5000", "no zone"),
     ("202301011200-0560", "no zone"), ("202301011200+1430", "no zone"), ("202301011200-05", "zone -05"),
     ("2023010", "it is not"), ("2023-01-01", "it is not"), ("202301011200*0500", "it is not"), ("", "it is not"),
     ("20230101120000.", "it is not"), ("202301011200Z", "it is not")],
)  # fmt: skip
def test_what_is_impossible_is_said(value, reason):
    assert reason in moment.objection(value)


@pytest.mark.parametrize(
    "value", ["20240229", "2015", "201506", "20150622103000.123-0500", "19000101", "201506221030+0545"]
)
def test_what_is_possible(value):
    assert moment.objection(value) is None
