"""What a narrative says of taking a medication, held against its entry: how much, and how often.

Only what is certain counts. A number of the drug's own name is its strength, and so is one that goes a whole number of
times into the dose.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from onc_conformance.judging.spoken import numbers_in
from onc_conformance.record import units
from onc_conformance.record.details import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onc_conformance.ccda import Found

_TAKEN = frozenset({"medications", "immunizations"})
_EVERY = re.compile(r"\bevery\s+(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]+)\b", re.IGNORECASE)
_TIMES = 10
"""So many tablets or vials may make a dose."""
_EQUAL = 0.011
"""How far an amount told in another unit may be off, as a part of it."""


def dose_told(text: str, entries: Sequence[Found]) -> tuple[str, str, str] | None:
    """Amounts in the unit of a dose, of which none is a dose of these entries."""
    doses = [(value, unit) for each in entries for value, unit in _stated(each, "dose") if units.plain(unit)]
    if not doses:
        return None
    told = [each for each in numbers_in(text) if any(units.same(each.unit, unit) for _, unit in doses)]
    if told:
        named = {told.value for each in entries for code in each.codes for told in numbers_in(code.display)}
        told = [each for each in told if each.value not in named]
    if not told or any(_fits(each.value, value, each.unit, unit) for each in told for value, unit in doses):
        return None
    value, unit = doses[0]
    return "its narrative tells another dose", f"{value:g} {unit}", str(told[0])


def interval_told(text: str, entries: Sequence[Found]) -> tuple[str, str, str] | None:
    """Intervals between doses, of which none is one of these entries."""
    stated = [pair for each in entries for pair in _stated(each, "every")]
    told = [(float(each["number"]), each["unit"]) for each in _EVERY.finditer(text)] if stated else []
    known = [(value, unit) for value, unit in told if units.converted(value, unit, "h") is not None]
    if not known or any(_same(one, other) for one in known for other in stated):
        return None
    (value, unit), (said, of) = stated[0], known[0]
    return "its narrative tells another frequency", f"every {value:g} {unit}", f"every {said:g} {of}"


def _stated(found: Found, what: str) -> Iterator[tuple[float, str]]:
    """Of an entry about something taken."""
    for said in found.detail(what) if found.kind in _TAKEN else ():
        if (value := number(said.value)) is not None:
            yield value, said.unit or ""


def _fits(told: float, dose: float, unit: str, of: str) -> bool:
    """Whether one is a whole number of times the other."""
    amount = units.converted(told, unit, of)
    amount = told if amount is None else amount
    if not amount or not dose:
        return amount == dose
    times = max(amount, dose) / min(amount, dose)
    return times <= _TIMES + 0.5 and abs(times - round(times)) <= _EQUAL * times


def _same(one: tuple[float, str], other: tuple[float, str]) -> bool:
    hours, wanted = (units.converted(value, unit, "h") for value, unit in (one, other))
    return hours is None or wanted is None or abs(hours - wanted) <= _EQUAL * wanted
