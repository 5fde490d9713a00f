"""Numbers and dates as narratives write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DATES = re.compile(
    rf"(?<![\d.])(?:(?P<y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}})"
    rf"|(?P<a>\d{{1,2}})(?P<mark>[/.-])(?P<b>\d{{1,2}})(?P=mark)(?P<year>\d{{4}})"
    rf"|(?P<compact>(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:\d{{4,6}})?"
    rf"|(?P<name>{_MONTH})\.?\s+(?P<nd>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<ny>\d{{4}})"
    rf"|(?P<dd>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?P<dname>{_MONTH})\.?,?[\s-]+(?P<dy>\d{{4}}))(?!\d)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"(?<![\w./])(?P<number>[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?|[-+]?\.\d+)"
    r"\s*(?P<unit>[A-Za-z%\[/{\u00b0\u00b5][^\s,;()]*)?"
)
_TIMES = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b")
_BEFORE = re.compile(r"(?:[-<>=\u2013\u2264\u2265(]|\bto)\s*$", re.IGNORECASE)
_BEHIND = re.compile(r"\s*(?:[-\u2013]|to\b)\s*\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A number in a text, and what stands behind it."""

    value: float
    places: int
    """Digits behind the point."""
    unit: str
    alone: bool
    """Whether nothing else stands in the text."""
    bound: bool
    """Whether it is the end of a range, or compared with."""
    text: str

    def means(self, value: float) -> bool:
        """Whether it is the value, as far as it is written."""
        return abs(self.value - value) <= 0.51 * 10.0**-self.places

    def __str__(self) -> str:
        return self.text


def numbers_in(text: str) -> list[Told]:
    """Every number that is no part of a date, a code or a time of day."""
    rest = _TIMES.sub(" ", _DATES.sub(" ", text))
    found: list[Told] = []
    for match in _NUMBERS.finditer(rest):
        number = match["number"].replace(",", "")
        found.append(
            Told(
                value=float(number),
                places=len(number.partition(".")[2]),
                unit=(match["unit"] or "").rstrip("."),
                alone=match[0].strip() == rest.strip(),
                bound=bool(_BEFORE.search(rest, 0, match.start()) or _BEHIND.match(rest, match.end("number"))),
                text=match[0].strip(),
            )
        )
    return found


def dates_in(text: str) -> list[tuple[date, ...]]:
    """Every full date in a text; where day and month may be mistaken for each other, both readings of it."""
    return [readings for match in _DATES.finditer(text) if (readings := _readings(match))]


def _readings(match: re.Match[str]) -> tuple[date, ...]:
    part = match.groupdict()
    if part["y"]:
        tries = [(part["y"], part["m"], part["d"])]
    elif part["year"]:
        tries = [(part["year"], part["a"], part["b"]), (part["year"], part["b"], part["a"])]
    elif part["compact"]:
        tries = [(part["compact"][:4], part["compact"][4:6], part["compact"][6:8])]
    elif part["name"]:
        tries = [(part["ny"], _month(part["name"]), part["nd"])]
    else:
        tries = [(part["dy"], _month(part["dname"]), part["dd"])]
    return tuple(day for numbers in tries if (day := _day(*map(int, numbers))))


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
