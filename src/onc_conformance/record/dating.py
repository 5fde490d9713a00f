"""The dates of a fact against those of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.moments import Days
from onc_conformance.record.details import Difference, meaning
from onc_conformance.record.seen import Likeness, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.record.facts import Fact


def days_alike(fact: Fact, seen: Seen) -> Likeness:
    """SAME, or what is wrong with the dates."""
    if not fact.stated:
        return Likeness.SAME
    if not seen.stated:
        return Likeness.UNDATED
    return _day(fact.date, seen) if fact.date else _interval(fact, seen)


def _day(day: Days, seen: Seen) -> Likeness:
    around = [Days(seen.start.first, seen.end.last)] if seen.start and seen.end else []
    hit = any(day.overlaps(days) for days in (*seen.stated, *around))
    return Likeness.SAME if hit else Likeness.OTHER_DAYS


def _interval(fact: Fact, seen: Seen) -> Likeness:
    begin, end = _bounds(seen)
    if fact.start and begin and not fact.start.overlaps(begin):
        return Likeness.OTHER_DAYS
    if fact.end and seen.end and not fact.end.overlaps(seen.end):
        return Likeness.OTHER_DAYS
    if fact.start and not begin and not (fact.end and seen.end):
        return Likeness.UNDATED
    return Likeness.NO_END if fact.end and not (end and fact.end.overlaps(end)) else Likeness.SAME


def _bounds(seen: Seen) -> tuple[Days | None, Days | None]:
    return seen.start or seen.date, seen.end or (None if seen.start else seen.date)


def date_differences(fact: Fact, seen: Seen) -> Iterator[Difference]:
    """Every date that is not as the record has it, to the precision the record declares."""
    like = days_alike(fact, seen)
    if like is Likeness.OTHER_DAYS:
        yield Difference(what="date", expected=when(fact), found=when(seen))
    elif like is Likeness.UNDATED:
        yield Difference(what="date", expected=when(fact), absent=True)
    elif like is Likeness.NO_END:
        yield Difference(what="end", expected=str(fact.end), absent=True)
    elif fact.date:
        told = next((days for days in seen.stated if days.overlaps(fact.date)), None)
        yield from _precision("date", fact.date, told)
    else:
        begin, end = _bounds(seen)
        if fact.start and not begin:
            yield Difference(what="start", expected=str(fact.start), absent=True)
        yield from _precision("start", fact.start, begin)
        yield from _precision("end", fact.end, end)
        if fact.start and not fact.end and seen.end and not seen.end.overlaps(fact.start):
            over = "active" in meaning(str(fact.attributes.get("status")))
            yield Difference(what="end", expected="none", found=str(seen.end), grave=over)


def _precision(what: str, expected: Days | None, told: Days | None) -> Iterator[Difference]:
    """A date less precise than the record's, or another time of the same day."""
    if expected is None or told is None:
        return
    if told.is_wider(expected):
        yield Difference(what=what, expected=str(expected), found=str(told))
    elif expected.clock and expected.first == expected.last:
        spoken = f"{expected} {expected.clock}"
        if told.clock is None:
            yield Difference(what=what, expected=spoken, found=str(told), grave=False)
        elif not expected.clock.agrees(told.clock):
            yield Difference(what=what, expected=spoken, found=f"{told} {told.clock}")


def when(fact: Fact | Seen) -> str:
    """The dates a fact states, for a person."""
    if fact.date:
        return str(fact.date)
    return (
        f"{fact.start or '…'} to {fact.end or '…'}" if fact.end else f"from {fact.start}" if fact.start else "no date"
    )
