"""How a window of days is put into a vendor's parameters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from onc_conformance.moments import Days
    from onc_conformance.targets.models import Dates


_NO_DAY = timedelta()
_BEYOND = {"gt": timedelta(-1), "sa": timedelta(-1), "lt": timedelta(1), "eb": timedelta(1)}
"""How far from a bound the day is that a prefix leaves out: windows hold both their ends."""


class CannotAsk(Exception):  # noqa: N818 - names what is the case
    """The API has no way to ask for this window; the reason is in the API's terms."""


def parameters(dates: Dates, window: Days | None) -> list[tuple[str, str]]:
    """Name and value of each date parameter; none without a window. CannotAsk where the API has no words for it."""
    if window is None or (window.first is None and window.last is None):
        return []
    if dates.style == "none":
        raise CannotAsk("the API takes no dates")
    if dates.bounds == "both_or_none" and None in (window.first, window.last):
        raise CannotAsk("the API takes both dates or neither, so it cannot be asked for a range open at one end")
    ends = [(dates.start, dates.prefixes[0], window.first), (dates.end, dates.prefixes[1], window.last)]
    if dates.style == "pair":
        return [(name, _written(day, dates)) for name, _, day in ends if day]
    if dates.single == "eq" and window.first == window.last and window.first:
        return [(dates.start, f"eq{_written(window.first, dates)}")]
    return [(name, prefix + _written(day + _BEYOND.get(prefix, _NO_DAY), dates)) for name, prefix, day in ends if day]


def _written(day: date, dates: Dates) -> str:
    return day.strftime(dates.format)
