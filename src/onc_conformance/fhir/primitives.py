"""The forms of FHIR's primitive types."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

_YEAR = r"(?!0000)\d{4}"
_MONTH = r"(0[1-9]|1[0-2])"
_DAY = r"(0[1-9]|[12]\d|3[01])"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_ZONE = r"(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"

FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "date": (re.compile(rf"{_YEAR}(-{_MONTH}(-{_DAY})?)?"), "a date as YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": (
        re.compile(rf"{_YEAR}(-{_MONTH}(-{_DAY}(T{_CLOCK}{_ZONE})?)?)?"),
        "a date, or a date and time with seconds and time zone",
    ),
    "instant": (re.compile(rf"{_YEAR}-{_MONTH}-{_DAY}T{_CLOCK}{_ZONE}"), "a date and time with seconds and time zone"),
    "time": (re.compile(_CLOCK), "a time as hh:mm:ss"),
    "id": (re.compile(r"[A-Za-z0-9\-.]{1,64}"), "1 to 64 letters, digits, hyphens or dots"),
    "code": (re.compile(r"[^\s]+( [^\s]+)*"), "a code without leading, trailing or doubled blanks"),
    "uri": (re.compile(r"\S+"), "a URI without blanks"),
    "url": (re.compile(r"\S+"), "a URL without blanks"),
    "canonical": (re.compile(r"\S+"), "a canonical URL without blanks"),
    "oid": (re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+"), "urn:oid: and an OID"),
    "uuid": (
        re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "urn:uuid: and a UUID",
    ),
    "base64Binary": (re.compile(r"\s*([0-9A-Za-z+/]\s*){4,}|"), "base64"),
}
_TEXT = ("string", "markdown", "xhtml")
_BASE64 = re.compile(r"[0-9A-Za-z+/]*={0,2}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MOST = 1024 * 1024
PRIMITIVES = frozenset({*FORMS, *_TEXT, "boolean", "integer", "positiveInt", "unsignedInt", "decimal"})


def objection(kind: str, value: Any) -> str | None:
    """What a value of a primitive type should be, in words, where it is not; None where it is."""
    if isinstance(value, str):
        return _of_text(kind, value) if len(value) < 200 else _text(kind, value)
    return _NUMBERS[kind](value) if kind in _NUMBERS else "a JSON string"


@lru_cache(maxsize=8192)  # ids, of which no two are alike, would fill any
def _of_text(kind: str, value: str) -> str | None:
    return _text(kind, value)


def _text(kind: str, value: str) -> str | None:
    if kind in _NUMBERS:
        return "a JSON boolean" if kind == "boolean" else "a JSON number"
    if not value:
        return "at least one character"
    if kind in _TEXT:
        if kind != "xhtml" and not value.strip():
            return "text that is not only blanks"
        return (
            f"at most {_MOST} characters, no control characters"
            if _CONTROLS.search(value) or len(value) > _MOST
            else None
        )
    if kind == "base64Binary":
        bare = "".join(value.split())
        return None if len(bare) % 4 == 0 and _BASE64.fullmatch(bare) else "base64"
    form, words = FORMS[kind]
    if not form.fullmatch(value):
        return words
    return None if kind not in ("date", "dateTime", "instant") or _in_calendar(value) else "a day of the calendar"


def _in_calendar(value: str) -> bool:
    if len(value) < 10:
        return True
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _whole(least: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and max(least, -(2**31)) <= value < 2**31
        return None if fits else "a whole number of 32 bits" if least < 0 else f"a whole number from {least}"

    return check


def _decimal(value: Any) -> str | None:
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "a JSON number"


_NUMBERS: dict[str, Callable[[Any], str | None]] = {
    "boolean": _boolean,
    "integer": _whole(-(2**31)),
    "positiveInt": _whole(1),
    "unsignedInt": _whole(0),
    "decimal": _decimal,
}
