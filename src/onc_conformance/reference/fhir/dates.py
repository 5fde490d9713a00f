"""Dates as FHIR searches compare them: spans of time, in the zone they were written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SHAPE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?"
)
# Clocks as they were read: what zone they go by is kept beside them
_FIRST, _LAST = datetime.min, datetime.max  # noqa: DTZ901
COMPARATORS = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time by the clock it was written from; without a zone it is by anybody's clock."""

    clock: datetime
    offset: timedelta | None

    def before(self, other: Moment) -> bool:
        """Where only one knows its zone, the other is taken to mean the same."""
        if self.offset is not None and other.offset is not None:
            return self.clock - self.offset < other.clock - other.offset
        return self.clock < other.clock


_EVER = (Moment(_FIRST, None), Moment(_LAST, None))


@dataclass(frozen=True, slots=True)
class Span:
    """From `first`, included, to `last`, excluded."""

    first: Moment
    last: Moment


def span(text: str) -> Span:
    """What a date of any precision covers. ValueError if it is none."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    part = {name: int(value) for name, value in match.groupdict().items() if value and name != "zone"}
    first = datetime(  # noqa: DTZ001
        part["year"],
        part.get("month", 1),
        part.get("day", 1),
        part.get("hour", 0),
        part.get("minute", 0),
        part.get("second", 0),
    )
    offset = _offset(match["zone"])
    if "month" not in part:
        last = first.replace(year=first.year + 1) if first.year < 9999 else _LAST
    elif "day" not in part:
        last = (first + timedelta(days=32)).replace(day=1)
    elif "hour" not in part:
        last = first + timedelta(days=1)
    else:
        last = first + (timedelta(seconds=1) if "second" in part else timedelta(minutes=1))
    return Span(Moment(first, offset), Moment(last, offset))


def spans(value: object) -> list[Span]:
    """What an element of type date, dateTime, instant or Period covers; nothing if it is none of these."""
    try:
        if isinstance(value, str):
            return [span(value)]
        if isinstance(value, dict) and ("start" in value or "end" in value):
            first = span(value["start"]).first if "start" in value else _EVER[0]
            last = span(value["end"]).last if "end" in value else _EVER[1]
            return [Span(first, last)]
    except ValueError:
        return []
    return []


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _within(found: Span, asked: Span) -> bool:
    return not found.first.before(asked.first) and not asked.last.before(found.last)


def _later(found: Span, asked: Span) -> bool:
    return asked.last.before(found.last)


def _earlier(found: Span, asked: Span) -> bool:
    return found.first.before(asked.first)


FITS: dict[str, Callable[[Span, Span], bool]] = {
    "eq": _within,
    "ne": lambda found, asked: not _within(found, asked),
    "gt": _later,
    "lt": _earlier,
    "ge": lambda found, asked: _later(found, asked) or _within(found, asked),
    "le": lambda found, asked: _earlier(found, asked) or _within(found, asked),
    "sa": lambda found, asked: not found.first.before(asked.last),
    "eb": lambda found, asked: not asked.first.before(found.last),
}
"""Whether what was found fits what was asked, by comparator."""
