"""HL7 and FHIR dates as intervals of calendar days, and the windows a request asks for.

ONC's date steps are about calendar dates (time was removed from them in March 2016), so a moment is the
local day or days it names as written: a time zone never moves it to another day.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

_HL7 = re.compile(
    r"^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.\d{1,4})?)?)?([+-]\d{4})?)?)?)?$", re.ASCII
)
_ISO = re.compile(
    r"^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$", re.ASCII
)


class Standing(StrEnum):
    """Where a moment stands to a window."""

    IN = "in"
    OUT = "out"
    PARTLY = "partly"


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as written, to the minute at least."""

    minutes: int
    """Since midnight."""
    second: int | None
    offset: int | None
    """Minutes ahead of UTC."""

    def __str__(self) -> str:
        second = "" if self.second is None else f":{self.second:02}"
        ahead = abs(self.offset or 0)
        zone = "" if self.offset is None else f"{'-' if self.offset < 0 else '+'}{ahead // 60:02}:{ahead % 60:02}"
        return f"{self.minutes // 60:02}:{self.minutes % 60:02}{second}{zone}"

    def agrees(self, other: Clock) -> bool:
        """Whether both may be the same time of the same day; zones count where both name one."""
        mine, theirs = self.minutes, other.minutes
        if self.offset is not None and other.offset is not None:
            mine, theirs = mine - self.offset, theirs - other.offset
        seconds = (self.second, other.second)
        return mine == theirs and (None in seconds or self.second == other.second)


@dataclass(frozen=True, slots=True)
class Days:
    """All days from `first` to `last`, both included; None is open."""

    first: date | None
    last: date | None
    clock: Clock | None = field(default=None, compare=False)
    """The time of day, where one was written; it takes no part in the rules of dates."""

    def __str__(self) -> str:
        if self.first == self.last and self.first:
            return self.first.isoformat()
        return f"{self.first or '…'} to {self.last or '…'}"

    def overlaps(self, other: Days) -> bool:
        """Whether one day at least is in both."""
        starts_in_time = self.first is None or other.last is None or self.first <= other.last
        ends_in_time = self.last is None or other.first is None or other.first <= self.last
        return starts_in_time and ends_in_time

    def is_wider(self, other: Days) -> bool:
        """Whether it names days that the other does not: a date less precise than it should be."""
        earlier = other.first is not None and (self.first is None or self.first < other.first)
        return earlier or (other.last is not None and (self.last is None or self.last > other.last))

    def standing(self, window: Days) -> Standing:
        """IN if every day is in `window`, OUT if none is, PARTLY otherwise."""
        if not self.overlaps(window):
            return Standing.OUT
        begins = window.first is None or (self.first is not None and self.first >= window.first)
        ends = window.last is None or (self.last is not None and self.last <= window.last)
        return Standing.IN if begins and ends else Standing.PARTLY


def _days(year: str, month: str | None, day: str | None) -> Days | None:
    try:
        if month is None:
            return Days(date(int(year), 1, 1), date(int(year), 12, 31))
        if day is None:
            last = calendar.monthrange(int(year), int(month))[1]
            return Days(date(int(year), int(month), 1), date(int(year), int(month), last))
        exact = date(int(year), int(month), int(day))
    except (ValueError, calendar.IllegalMonthError):
        return None
    return Days(exact, exact)


def hl7(text: str) -> Days | None:
    """The days an HL7 TS names (`YYYY[MM[DD[HH[MM[SS[.S]]]]]][±ZZZZ]`), or None if it is no such thing."""
    match = _HL7.match(text.strip())
    return _read(match) if match else None


def iso(text: str) -> Days | None:
    """The days a FHIR date or dateTime names (`YYYY[-MM[-DD[THH:MM[:SS][zone]]]]`), or None."""
    match = _ISO.match(text.strip())
    return _read(match) if match else None


def written(days: Days) -> str:
    """ISO, as precise as the days are: the year, the month or the day of a date; an open span is nothing."""
    if days.first is None or days.last is None:
        return ""
    if days.first == days.last:
        clock = days.clock
        # a time of day without a zone is none that may be written
        return f"{days.first.isoformat()}{f'T{clock}' if clock and clock.offset is not None else ''}"
    year, month = days.first.strftime("%Y"), days.first.strftime("%Y-%m")
    return next((text for text in (month, year) if iso(text) == days), "")


def _read(match: re.Match[str]) -> Days | None:
    year, month, day, hour, minute, second, zone = match.groups()
    days = _days(year, month, day)
    if days is None or minute is None or int(hour) > 23 or int(minute) > 59:
        return days
    return Days(
        days.first, days.last, Clock(int(hour) * 60 + int(minute), int(second) if second else None, _offset(zone))
    )


def _offset(zone: str | None) -> int | None:
    if not zone:
        return None
    if zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone[0] == "-" else 1)
