"""Windows worth asking for: chosen from a record so that a wrong answer shows.

Only days that a fact states exactly make a bound, so that a bound left out or moved by a day loses a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from onc_conformance.moments import Days
from onc_conformance.record import Fact, Record

DAY = timedelta(days=1)


def dated(record: Record, kinds: Collection[str] | None = None) -> list[Fact]:
    """The facts of `kinds` (of all, if None) that state a date and must come back."""
    return [
        fact
        for fact in record.facts
        if fact.stated
        and (kinds is None or fact.kind in kinds)
        and not (fact.optional or fact.visual or fact.no_information)
    ]


def exact_days(facts: Iterable[Fact]) -> list[date]:
    """Every day that one of `facts` states to the day, in order."""
    stated = {moment for fact in facts for moment in fact.stated}
    return sorted(moment.first for moment in stated if moment.first is not None and moment.first == moment.last)


def one_day(days: list[date]) -> Days | None:
    """The last day with data that is not the only one."""
    return Days(days[-1], days[-1]) if len(days) > 1 else None


def span(days: list[date]) -> Days | None:
    """From the first day with data to the last but one; of two days, to the eve of the second."""
    if len(days) < 2:
        return None
    return Days(days[0], days[-2] if len(days) > 2 else days[1] - DAY)


def day_before(days: list[date]) -> Days | None:
    """The day before the last one with data, if it has none itself."""
    return _bare_day(days, days[-1] - DAY) if days else None


def day_after(days: list[date]) -> Days | None:
    """The day after the first one with data, if it has none itself."""
    return _bare_day(days, days[0] + DAY) if days else None


def open_end(days: list[date]) -> Days | None:
    """From the second half of the days with data on."""
    return Days(days[len(days) // 2], None) if len(days) > 1 else None


def open_start(days: list[date]) -> Days | None:
    """Up to the first half of the days with data."""
    return Days(None, days[len(days) // 2 - 1]) if len(days) > 1 else None


def empty(days: list[date]) -> Days | None:
    """A month that ends a year before the first day with data."""
    return Days(days[0] - 395 * DAY, days[0] - 365 * DAY) if days else None


def reversed_bounds(days: list[date]) -> Days | None:
    """From the last day with data back to the first."""
    return Days(days[-1], days[0]) if len(days) > 1 else None


def _bare_day(days: list[date], day: date) -> Days | None:
    return None if day in days else Days(day, day)


BY_NAME: Mapping[str, Callable[[list[date]], Days | None]] = {
    "a day with data": one_day,
    "a range with data": span,
    "the day before a fact": day_before,
    "the day after a fact": day_after,
    "a range with an open end": open_end,
    "a range with an open start": open_start,
    "a window without data": empty,
    "a range with reversed bounds": reversed_bounds,
}
"""The windows under the names the features call them by."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A window at the edge of one fact."""

    fact: Fact
    name: str
    window: Days


def boundaries(record: Record) -> Iterator[Boundary]:
    """For each fact that states an exact day: that day, the days beside it, its own range, a window without it."""
    for fact in dated(record):
        days = exact_days([fact])
        if not days:
            continue
        first, last = days[0], days[-1]
        yield Boundary(fact, "the day itself", Days(last, last))
        yield Boundary(fact, "the day before", Days(first - DAY, first - DAY))
        yield Boundary(fact, "the day after", Days(last + DAY, last + DAY))
        yield Boundary(fact, "the exact range", Days(first, last))
        yield Boundary(fact, "a window without it", Days(last + DAY, last + 30 * DAY))
