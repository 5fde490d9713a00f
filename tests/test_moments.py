"""Dates as intervals of days as written."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance.moments import Days, Standing, hl7, iso


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("201502", date(2015, 2, 1), date(2015, 2, 28)),
        ("201602", date(2016, 2, 1), date(2016, 2, 29)),
        ("20150622", date(2015, 6, 22), date(2015, 6, 22)),
        ("201506222330-0500", date(2015, 6, 22), date(2015, 6, 22)),
        ("20150622001000.000+1000", date(2015, 6, 22), date(2015, 6, 22)),
    ],
)
def test_an_hl7_time_names_the_days_as_written(text, first, last):
    assert hl7(text) == Days(first, last)


@pytest.mark.parametrize(
    "text", ["", "20151", "20151301", "20150230", "2015-06-22", "20150622-0500x", "unknown", "²⁰¹⁵"]
)
def test_what_is_no_hl7_time_is_none(text):
    assert hl7(text) is None


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("2015-12", date(2015, 12, 1), date(2015, 12, 31)),
        ("2015-06-22T23:30:00-05:00", date(2015, 6, 22), date(2015, 6, 22)),
        ("2016-02-29T00:10Z", date(2016, 2, 29), date(2016, 2, 29)),
    ],
)
def test_an_iso_time_names_the_days_as_written(text, first, last):
    assert iso(text) == Days(first, last)


@pytest.mark.parametrize("text", ["2015-13", "2015-02-30", "20150622", "2015-6-2", "2015-06-22T25", "yesterday"])
def test_what_is_no_iso_time_is_none(text):
    assert iso(text) is None


days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@given(days)
def test_both_notations_agree(day):
    assert hl7(day.strftime("%Y%m%d")) == iso(day.isoformat()) == Days(day, day)


@given(days, days, days)
def test_a_day_is_in_a_window_or_out_of_it(day, one, other):
    first, last = sorted((one, other))
    standing = Days(day, day).standing(Days(first, last))
    assert standing is (Standing.IN if first <= day <= last else Standing.OUT)


def test_a_span_across_a_bound_is_partly_in():
    assert Days(date(2015, 1, 1), date(2015, 12, 31)).standing(Days(date(2015, 6, 1), None)) is Standing.PARTLY
    assert Days(date(2015, 1, 1), None).standing(Days(date(2014, 1, 1), date(2016, 1, 1))) is Standing.PARTLY
    assert Days(None, None).standing(Days(None, None)) is Standing.IN
