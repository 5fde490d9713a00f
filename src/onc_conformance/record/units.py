"""Units of measurement, as far as telling needs it whether two quantities are the same (schemas/units.toml)."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from onc_conformance import suite

ROUNDING = 0.006
"""How far a converted quantity may be off, as a part of it: other units are told with few digits."""


def same(one: str | None, other: str | None) -> bool:
    """Whether both are spellings of one unit, or of equal ones; no unit, `1` and an annotation count things alike."""
    mine, theirs = plain(one), plain(other)
    return mine == theirs or (_factor(mine) is not None and _scale(mine) == _scale(theirs))


def converted(value: float, unit: str | None, into: str | None) -> float | None:
    """The quantity in another unit, or None where the units do not measure the same."""
    mine, theirs = _scale(plain(unit)), _scale(plain(into))
    if mine is None or theirs is None or mine[0] != theirs[0]:
        return None
    _, factor, offset = mine
    _, other, other_offset = theirs
    return (value - offset) * factor / other + other_offset


def every(value: float, unit: str | None) -> list[float]:
    """The quantity in every other unit that measures the same."""
    scale = _scale(plain(unit))
    others = _tables()[scale[0]] if scale else {}
    found = (converted(value, unit, other) for other in others if other != "offset")
    return [each for each in found if each is not None]


@cache
def plain(unit: str | None) -> str:
    """The UCUM unit meant, however it is spelled; nothing for things counted."""
    text = (unit or "").strip()
    if text == "1" or (text.startswith("{") and text.endswith("}")):
        return ""
    return _spelled().get(text.casefold(), text)


def _factor(unit: str) -> float | None:
    scale = _scale(unit)
    return scale[1] if scale else None


@cache
def _scale(unit: str) -> tuple[str, float, float] | None:
    """Dimension, factor, offset."""
    for dimension, units in _tables().items():
        if dimension != "spelled" and unit in units and unit != "offset":
            return dimension, float(units[unit]), float(units.get("offset", {}).get(unit, 0.0))
    return None


@cache
def _spelled() -> dict[str, str]:
    tables = _tables()
    known = {unit for name, units in tables.items() if name != "spelled" for unit in units if unit != "offset"}
    own = {unit.casefold(): unit for unit in (*known, *tables["spelled"])}
    return own | {each: unit for unit, others in tables["spelled"].items() for each in others}


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads((suite.schemas() / "units.toml").read_text(encoding="utf-8"))
