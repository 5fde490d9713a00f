"""The value of a result, a vital sign or an observation, and its unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from onc_conformance.record import units
from onc_conformance.record.details import Difference, number, same_words, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.record.codes import Code
    from onc_conformance.record.facts import Fact


def value_difference(fact: Fact, value: str | None, unit: str | None, codes: Sequence[Code]) -> Difference | None:
    """How a value told differs from the record's, if the record has one; told in another unit is not grave."""
    expected = fact.attributes.get("value")
    if expected is None or expected == "":
        return None
    if isinstance(expected, dict):
        return _coded(expected, value, codes)
    wanted = fact.attributes.get("unit")
    spoken, said = f"{written(expected)} {wanted or ''}".strip(), f"{value} {units.plain(unit)}".strip()
    if value is None:
        return Difference(what="value", expected=spoken, absent=True)
    mine, theirs = number(expected), number(value)
    if mine is None and theirs is None:
        return None if same_words(str(expected), value) else Difference(what="value", expected=spoken, found=said)
    if theirs is None:  # a number within words, as a laboratory may send it
        theirs, unit = _within_words(value, unit)
    if mine is None or theirs is None:
        return Difference(what="value", expected=spoken, found=said)
    if mine == theirs:
        same = not wanted or units.same(str(wanted), unit)
        return None if same else Difference(what="unit", expected=spoken, found=said)
    converted = units.converted(theirs, unit, wanted)
    if converted is not None and units.plain(unit) != units.plain(wanted):
        alike = math.isclose(converted, mine, rel_tol=units.ROUNDING)
        return Difference(what="unit", expected=spoken, found=said, grave=not alike)
    return Difference(what="value", expected=spoken, found=said)


def _coded(expected: dict[str, str], value: str | None, codes: Sequence[Code]) -> Difference | None:
    if (expected["system"], expected["code"]) in {(code.system, code.code) for code in codes}:
        return None
    if value and same_words(expected.get("display") or expected["code"], value):
        return None
    spoken = f"{expected.get('display', '')} ({expected['system']} {expected['code']})".strip()
    said = ", ".join(map(str, codes)) or value
    return Difference(what="value", expected=spoken, found=said or "none", absent=said is None)


def _within_words(value: str, unit: str | None) -> tuple[float | None, str | None]:
    first, _, rest = value.strip().partition(" ")
    return number(first), unit or rest or None
