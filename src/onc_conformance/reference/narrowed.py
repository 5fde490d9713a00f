"""Charts narrowed to a window of days, and what can go wrong with that."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from onc_conformance.reference.charts import Chart, Fact, days_of
from onc_conformance.reference.falsified import in_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from onc_conformance.reference.people import Window


def _month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _leap_day(day: date) -> bool:
    return (day.month, day.day) == (2, 29)


def _year_end(day: date) -> bool:
    return (day.month, day.day) == (12, 31)


_LOST: dict[str, Callable[[date], bool]] = {
    "window-month-end-lost": _month_end,
    "window-leap-day-lost": _leap_day,
    "window-year-end-lost": _year_end,
}
FAULTS = frozenset({*_LOST, "window-partial-date-lost", "window-in-utc", "window-empty-whole", "window-by-encounter"})


def narrowed(chart: Chart, window: Window | None, faults: Collection[str] = frozenset()) -> Chart:
    """The facts that state a date in the window; all without a window."""
    if window is None:
        return chart
    first, last = window
    if "window-in-utc" in faults:
        return chart.only(fact for fact in chart.facts if _in_utc(fact).stated(first, last))
    if "window-by-encounter" in faults:
        visits = {fact.encounter for fact in chart.of("encounters") if _lasted(fact, window)}
        return chart.only(
            fact for fact in chart.facts if (fact.encounter in visits if fact.encounter else fact.stated(first, last))
        )
    shown = chart.within(first, last)
    if "window-partial-date-lost" in faults:
        shown = shown.only(fact for fact in shown.facts if all(len(text) >= 10 for text in fact.dates))
    for fault in set(_LOST) & set(faults):
        shown = shown.only(fact for fact in shown.facts if not any(map(_LOST[fault], _days(fact))))
    return chart if "window-empty-whole" in faults and not shown.facts else shown


def _lasted(visit: Fact, window: Window) -> bool:
    """Whether a visit or stay was going on in the window."""
    begun, ended = visit.text("start") or visit.text("date"), visit.text("end") or visit.text("start")
    first, last = window
    if not begun:
        return False
    return (last is None or days_of(begun)[0] <= last) and (first is None or first <= days_of(ended or begun)[1])


def _days(fact: Fact) -> list[date]:
    return [days_of(text)[0] for text in fact.dates if len(text) >= 10]


def _in_utc(fact: Fact) -> Fact:
    moved = {key: in_utc(fact.values[key]) for key in ("date", "start", "end") if fact.values.get(key)}
    return Fact(fact.kind, fact.number, {**fact.values, **moved})
