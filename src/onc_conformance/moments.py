"""HL7 and FHIR dates as intervals of calendar days, and the windows a request asks for.

ONC's date steps are about calendar dates (time was removed from them in March 2016), so a moment is the
local day or days it names as written: a time zone never moves it to another day.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_HL7 = re.compile(r"^(\d{4})(?:(\d{2})(?:(\d{2})(?:\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,4})?)?)?(?:[+-]\d{4})?)?)?)?$")
_ISO = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?$")


class Standing(StrEnum):
    """Where a moment stands to a window."""

    IN = "in"
    OUT = "out"
    PARTLY = "partly"


@dataclass(frozen=True, slots=True)
class Days:
    """All days from `first` to `last`, both included; None is open."""

    first: date | None
    last: date | None

    def __str__(self) -> str:
        if self.first == self.last and self.first:
            return self.first.isoformat()
        return f"{self.first or '…'} to {self.last or '…'}"

    def overlaps(self, other: Days) -> bool:
        """Whether one day at least is in both."""
        starts_in_time = self.first is None or other.last is None or self.first <= other.last
        ends_in_time = self.last is None or other.first is None or other.first <= self.last
        return starts_in_time and ends_in_time

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
    return _days(*match.groups()) if match else None


def iso(text: str) -> Days | None:
    """The days a FHIR date or dateTime names (`YYYY[-MM[-DD[THH:MM[:SS][zone]]]]`), or None."""
    match = _ISO.match(text.strip())
    return _days(*match.groups()) if match else None
