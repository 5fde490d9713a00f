"""Windows chosen so that a wrong answer shows."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from onc_conformance import windows
from onc_conformance.moments import Days
from onc_conformance.record import Fact

DAY = timedelta(days=1)
days = st.lists(st.dates(date(1950, 1, 1), date(2030, 1, 1)), min_size=2, max_size=12, unique=True).map(sorted)


def fact(**what):
    return Fact(id="x", kind="problems", **what)


def inside(window, some):
    return [day for day in some if Days(day, day).standing(window) == "in"]


@given(days)
def test_a_day_and_a_range_with_data_hold_some_facts_and_leave_some_out(some):
    for name in ("a day with data", "a range with data"):
        window = windows.BY_NAME[name](some)
        assert 0 < len(inside(window, some)) < len(some)


@given(days.filter(lambda some: len(some) > 2))
def test_both_bounds_of_a_range_are_days_with_data(some):
    window = windows.span(some)
    assert {window.first, window.last} <= set(some)


@given(days)
def test_a_window_moved_or_cut_by_a_day_loses_a_fact(some):
    window = windows.one_day(some)
    for moved in (Days(window.first - DAY, window.last - DAY), Days(window.first + DAY, window.last + DAY)):
        assert set(inside(moved, some)) != set(inside(window, some))


@given(days)
def test_windows_beside_the_facts_hold_none(some):
    for name in ("the day before a fact", "the day after a fact", "a window without data"):
        window = windows.BY_NAME[name](some)
        assert window is None or not inside(window, some)


@given(days)
def test_open_and_reversed_windows_are_what_they_are_called(some):
    assert windows.open_end(some).last is None
    assert windows.open_start(some).first is None
    assert 0 < len(inside(windows.open_start(some), some)) < len(some)
    assert windows.reversed_bounds(some).first > windows.reversed_bounds(some).last


def test_one_day_of_data_makes_no_window():
    only = [date(2020, 1, 1)]
    assert windows.one_day(only) is windows.span(only) is windows.reversed_bounds(only) is None
    assert all(choose([]) is None for choose in windows.BY_NAME.values())


def test_only_days_stated_to_the_day_make_a_bound():
    exact, year = Days(date(2015, 6, 1), date(2015, 6, 1)), Days(date(2014, 1, 1), date(2014, 12, 31))
    assert windows.exact_days([fact(date=exact), fact(start=year)]) == [date(2015, 6, 1)]
