"""FHIR's dates as spans of time, and how the prefixes of a search compare them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

_FORM = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?")
_ANYWHERE = (timedelta(0), timedelta(hours=14), timedelta(hours=-14))
"""Where on earth a day without a time zone may be meant."""
PREFIXES = ("eq", "ne", "gt", "ge", "lt", "le", "sa", "eb")


@dataclass(frozen=True, slots=True)
class Span:
    """From the first moment to the one after the last; None where it is open."""

    start: datetime | None
    end: datetime | None
    zoned: bool
    """Whether a time zone says which moments these are."""

    def moved(self, by: timedelta) -> Span:
        """The same span seen from elsewhere."""
        return Span(self.start + by if self.start else None, self.end + by if self.end else None, self.zoned)


def span(text: Any) -> Span | None:
    """The span a date, dateTime or instant names; None for what is none."""
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    try:
        if hour is None:
            first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
            return Span(first, _after(first, month, day), zoned=False)
        told = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or 'Z'}"
        start = datetime.fromisoformat(told).astimezone(UTC)
        return Span(start, start + timedelta(seconds=1 if second else 60), zoned=zone is not None)
    except (ValueError, OverflowError):
        return None


def spans(value: Any) -> list[Span]:
    """The span of a date or of a Period; none for anything else."""
    if isinstance(value, dict):
        start, end = span(value.get("start")), span(value.get("end"))
        if start is None and end is None:
            return []
        zoned = all(each.zoned for each in (start, end) if each)
        return [Span(start.start if start else None, end.end if end else None, zoned)]
    found = span(value)
    return [found] if found else []


def compares(prefix: str, found: Span, asked: Span) -> bool | None:
    """Whether what was found is what was asked for; None where it depends on a time zone that nobody tells.

    Nor is told what a day is to a moment that may be within it: servers differ in good faith.
    """
    places = (timedelta(0),) if found.zoned == asked.zoned else _ANYWHERE
    if asked.zoned and not found.zoned and any(_overlap(found.moved(by), asked) for by in places):
        return None
    answers = {_compares(prefix, found.moved(by), asked) for by in places}
    return answers.pop() if len(answers) == 1 else None


def any_compares(prefix: str, found: Iterable[Span], asked: Span) -> bool | None:
    """The same for several, one of which is enough."""
    answers = {compares(prefix, each, asked) for each in found}
    if True in answers:
        return True
    return None if None in answers else False


def _overlap(one: Span, other: Span) -> bool:
    least, most = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return (one.start or least) < (other.end or most) and (other.start or least) < (one.end or most)


def _compares(prefix: str, found: Span, asked: Span) -> bool:
    least, most = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    start, end = found.start or least, found.end or most
    first, last = asked.start or least, asked.end or most
    within = first <= start and end <= last
    match prefix:
        case "gt":
            return end > last
        case "ge":
            return end > last or within
        case "lt":
            return start < first
        case "le":
            return start < first or within
        case "sa":
            return start >= last
        case "eb":
            return end <= first
        case "ne":
            return not within
    return within


def _after(first: datetime, month: str | None, day: str | None) -> datetime:
    if day:
        return first + timedelta(days=1)
    if month:
        return datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
    return datetime(first.year + 1, 1, 1, tzinfo=UTC)


def shifted(text: str, days: int) -> str:
    """The day of a date some days away, as it is written in a search."""
    return (date.fromisoformat(text[:10]) + timedelta(days=days)).isoformat()
