"""What a fact says beyond its code and date, element by element: dose, route, status, reaction, range, and so on."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import moments, suite
from onc_conformance.record import units
from onc_conformance.record.contacts import Postal, apart, postal, same_number, written_postal, written_telecom
from onc_conformance.record.facts import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from onc_conformance.moments import Days
    from onc_conformance.record.codes import Code
    from onc_conformance.record.facts import Fact

_DASH = re.compile(r"(?<=\d)\s*[-\u2013]\s*(?=\d)")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an answer says of one element, in whatever format it came."""

    element: object | None = None
    """Where it stands."""
    codes: tuple[Code, ...] = ()
    text: str = ""
    value: str | None = None
    unit: str | None = None
    low: str | None = None
    high: str | None = None
    days: Days | None = None
    address: Postal | None = None

    def __str__(self) -> str:
        if self.days:
            return f"{self.days} {self.text}".strip()
        if self.address:
            return str(self.address)
        if self.codes:
            return str(self.codes[0])
        if self.value is not None:
            times = f", repeat {self.low}" if self.low else ""
            return f"{self.value} {self.unit or ''}".strip() + times
        if self.low is not None or self.high is not None:
            return f"{self.low or '…'} to {self.high or '…'} {self.unit or ''}".strip()
        return self.text or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One element of a fact that is not as the record has it."""

    what: str
    """The element: a key of the record, or `date`, `end`, `value`, `unit`, `text`."""
    expected: str
    found: str = "none"
    element: object | None = None
    """Where the other thing stands; None where nothing does."""
    absent: bool = False
    grave: bool = True
    """Whether it changes what is said; a value told in another unit does not."""


def compared(fact: Fact, names: Mapping[str, str], detail: Callable[[str], Sequence[Said]]) -> Iterator[Difference]:
    """Differences in those elements that the record states, of the `names` (element: how it is compared) there are.

    Of an element told several times one has to be as the record has it.
    """
    for name, manner in names.items():
        expected = fact.attributes.get(_MEANT.get(name, name))
        if expected is None or expected in ("", {}, []):
            continue
        alike, spoken = _MANNERS[manner]
        said = detail(name)
        if name in _MEANT and not said:
            continue
        further = fact.attributes.get(f"{name}_also") or ()
        all_of = expected if isinstance(expected, list) else [expected]
        if not all(any(alike(wanted, each, fact) for wanted in (one, *further) for each in said) for one in all_of):
            yield Difference(
                what=name,
                expected=spoken(expected, fact),
                found=", ".join(dict.fromkeys(map(str, said))) or "none",
                element=said[0].element if said else None,
                absent=not said,
            )


def as_written(manner: str, said: Said) -> Any:
    """What is said of an element as a record would have it, or None where a record could not say it."""
    code = next(iter(said.codes), None)
    if manner == "code" or (manner == "reason" and code):
        return {"system": code.system, "code": code.code, "display": code.display} if code else None
    if manner == "quantity":
        return {"value": said.value, "unit": said.unit or ""} if number(said.value) is not None else None
    if manner == "range":
        ends = {"low": number(said.low), "high": number(said.high), "text": said.text}
        return {key: value for key, value in ends.items() if value not in (None, "")} or None
    if manner in {"status", "letters"}:
        return code.code if code else said.text or said.value
    if manner == "flag":
        return True
    if manner == "address":
        return said.address and written_postal(said.address)
    if manner == "fill":
        repeat = number(said.low)
        counted = None if repeat is None else int(repeat)
        return {"status": said.text or None, "repeat": counted, "quantity": number(said.value)}
    if manner == "telecoms":
        return [written_telecom(said.text)]
    return said.text if manner in {"text", "identifier", "reason"} else None


def number(value: object) -> float | None:
    """A finite number however it is written, or None."""
    try:
        found = float(str(value).strip().replace(",", ""))
    except ValueError:
        return None
    return round(found, 9) if math.isfinite(found) else None


def written(value: object) -> str:
    """A number without a fraction that says nothing; anything else as it is."""
    return (
        f"{value:g}" if isinstance(value, float) and abs(value) < 1e15 and float(f"{value:g}") == value else str(value)
    )


def same_words(one: str, other: str) -> bool:
    """Whether one text says the other, however it is set."""
    mine, theirs = plain(one), plain(other)
    if not mine or not theirs:
        return one.strip() == other.strip()
    return f" {mine} " in f" {theirs} " or f" {theirs} " in f" {mine} "


def _same_code(expected: Any, said: Said, _: Fact) -> bool:
    code = (expected["system"], expected["code"])
    if said.codes:
        return code in {(each.system, each.code) for each in said.codes}
    return bool(said.text and expected.get("display")) and same_words(said.text, expected["display"])


def _spoken_code(expected: Any, _: Fact) -> str:
    code = f"{expected['system']} {expected['code']}"
    return f"{expected['display']} ({code})" if expected.get("display") else code


def _same_quantity(expected: Any, said: Said, _: Fact) -> bool:
    mine, theirs = number(expected["value"]), number(said.value)
    if mine is None or theirs is None:
        return False
    unit = expected.get("unit")
    if not unit or units.same(unit, said.unit):
        return mine == theirs
    converted = units.converted(theirs, said.unit, unit)
    return converted is not None and math.isclose(converted, mine, rel_tol=units.ROUNDING)


def _spoken_quantity(expected: Any, _: Fact) -> str:
    return f"{written(expected['value'])} {expected.get('unit', '')}".strip()


def _same_range(expected: Any, said: Said, fact: Fact) -> bool:
    """By its bounds, wherever they are written, or by its words."""
    told = _bounds_in(said.text)
    if expected.get("low") is None and expected.get("high") is None:
        wanted = expected.get("text") or ""
        bounds = [number(end) for end in (said.low, said.high) if end is not None]
        return same_words(wanted, said.text) or (bool(bounds) and bounds == _bounds_in(wanted))
    if said.low is None and said.high is None:
        return all(number(expected[end]) in told for end in ("low", "high") if expected.get(end) is not None)
    unit = fact.attributes.get("unit")
    if said.unit and unit and not units.same(said.unit, unit):
        return False
    ends = {"low": said.low, "high": said.high}
    return all(
        number(ends[end]) == number(expected[end])
        or (end == "low" and ends[end] is None and number(expected[end]) == 0)  # nothing measured is below nothing
        for end in ("low", "high")
        if expected.get(end) is not None
    )


def _bounds_in(text: str) -> list[float | None]:
    return [number(each) for each in _NUMBER.findall(_DASH.sub(" ", text))]


def _spoken_range(expected: Any, _: Fact) -> str:
    low, high = expected.get("low"), expected.get("high")
    if low is None and high is None:
        return str(expected.get("text") or "")
    return f"{'…' if low is None else written(low)} to {'…' if high is None else written(high)}"


def _same_status(expected: Any, said: Said, _: Fact) -> bool:
    wanted = meaning(str(expected))
    told = [*(code.code for code in said.codes), said.text]
    return any(wanted & meaning(each) for each in told if each)


def _same_concern(expected: Any, said: Said, _: Fact) -> bool:
    """What is active is still a concern; what is over may be one."""
    return "active" not in meaning(str(expected)) or "active" in meaning(said.text)


def _same_letters(expected: Any, said: Said, _: Fact) -> bool:
    """Identifiers, lot numbers, codes without a system."""
    told = [*(code.code for code in said.codes), said.text, said.value or ""]
    return any("".join(str(expected).split()).casefold() == "".join(each.split()).casefold() for each in told)


def _same_text(expected: Any, said: Said, _: Fact) -> bool:
    return same_words(str(expected), said.text)


def _same_flag(expected: Any, _: Said, __: Fact) -> bool:
    return bool(expected)


def _same_moment(expected: Any, said: Said, _: Fact) -> bool:
    days = moments.iso(str(expected))
    return bool(days and said.days and days.overlaps(said.days) and not said.days.is_wider(days))


def _same_provenance(expected: Any, said: Said, fact: Fact) -> bool:
    told = plain(said.text)
    names = (expected.get("author"), expected.get("organization"))
    if not all(plain(each) in told for each in names if each):
        return False
    return not expected.get("time") or _same_moment(expected["time"], said, fact)


def _spoken_provenance(expected: Any, _: Fact) -> str:
    return ", ".join(str(each) for each in map(expected.get, ("time", "author", "organization")) if each)


def _same_telecom(expected: Any, said: Said, _: Fact) -> bool:
    return same_number(expected, said.text)


def _spoken_telecoms(expected: Any, _: Fact) -> str:
    return ", ".join(str(each["value"]) for each in expected)


def _same_address(expected: Any, said: Said, _: Fact) -> bool:
    """Where a place or a person beside the patient is; for what that address is used is no matter."""
    wrong = apart(postal(expected), said.address) if said.address else [("address", "", "")]
    return all(part == "use" for part, _, _ in wrong)


def _spoken_address(expected: Any, _: Fact) -> str:
    return str(postal(expected))


def _same_reason(expected: Any, said: Said, fact: Fact) -> bool:
    """A code by its code, words by the words of whatever is said."""
    if isinstance(expected, dict):
        return _same_code(expected, said, fact)
    spoken = (said.text, *(part for code in said.codes for part in (code.display, code.code)))
    return any(each and same_words(str(expected), each) for each in spoken)


def _spoken_reason(expected: Any, fact: Fact) -> str:
    return _spoken_code(expected, fact) if isinstance(expected, dict) else str(expected)


def _same_fill(expected: Any, said: Said, _: Fact) -> bool:
    """The quantity dispensed and the number of fills, as far as the record has them; its status by its meaning."""
    numbers = ((expected.get("quantity"), said.value), (expected.get("repeat"), said.low))
    if any(wanted is not None and number(wanted) != number(told) for wanted, told in numbers):
        return False
    return not expected.get("status") or bool(meaning(str(expected["status"])) & meaning(said.text))


def _spoken_fill(expected: Any, _: Fact) -> str:
    return ", ".join(f"{key} {written(value)}" for key, value in expected.items() if value not in {None, ""})


def _plainly(expected: Any, _: Fact) -> str:
    return str(expected)


def meaning(status: str) -> frozenset[str]:
    """The words a status may stand for; itself where it is none that is known."""
    return _statuses().get(status.strip().casefold().replace(" ", "-"), frozenset({status.strip().casefold()}))


@cache
def _statuses() -> dict[str, frozenset[str]]:
    content = tomllib.loads((suite.schemas() / "statuses.toml").read_text(encoding="utf-8"))
    return {name: frozenset(words) for name, words in content.items()}


_MEANT = {"concern_status": "status"}
"""Elements of an answer that are held against another key of the record."""
_MANNERS: dict[str, tuple[Callable[[Any, Said, Fact], bool], Callable[[Any, Fact], str]]] = {
    "code": (_same_code, _spoken_code),
    "quantity": (_same_quantity, _spoken_quantity),
    "range": (_same_range, _spoken_range),
    "status": (_same_status, _plainly),
    "concern": (_same_concern, _plainly),
    "letters": (_same_letters, _plainly),
    "identifier": (_same_letters, _plainly),
    "text": (_same_text, _plainly),
    "flag": (_same_flag, _plainly),
    "moment": (_same_moment, _plainly),
    "provenance": (_same_provenance, _spoken_provenance),
    "telecoms": (_same_telecom, _spoken_telecoms),
    "fill": (_same_fill, _spoken_fill),
    "address": (_same_address, _spoken_address),
    "reason": (_same_reason, _spoken_reason),
    "part": (_same_letters, _plainly),
}
"""How elements are compared, and how the record's side of a difference is spoken."""
