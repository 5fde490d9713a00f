"""Taking values out of an answer: rows filtered, sorted and picked."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any

from lxml import etree

from onc_conformance.moments import Days, iso
from onc_conformance.targets.paths import field_path, row_path, scalar, xml_text
from onc_conformance.targets.reading import Reading, compiled
from onc_conformance.targets.templates import Lookup, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from onc_conformance.targets.steps import Capture, DocumentPlace, Extraction

PAT_ID = "pat_id"
"""The capture that is the patient's id; an answer without one found the patient all the same."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")


class NothingCaptured(Exception):  # noqa: N818 - names what is the case
    """What was looked for is not there, or is there too often; `kind` is the class of the answer then."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


def capture(name: str, place: Capture, reading: Reading, lookup: Lookup, window: Days | None) -> str | list[str] | None:
    """The captured text, or list for pick = "all"; None where nothing is there and nothing need be."""
    values = _rows(place, reading, lookup, window) if place.where or place.between or place.sort else None
    if values is None:
        values = [_as_text(item) for item in _values(place, reading)]
    return _picked(name, place, values)


def documents(place: DocumentPlace, reading: Reading) -> list[bytes | str]:
    """The raw documents in an answer, still wrapped; for the whole body its very bytes."""
    if place.from_ == "text" and place.path is None:
        found: list[Any] = [reading.exchange.response_body] if reading.exchange.response_body.strip() else []
    else:
        found = [item for value in _values(place, reading) if (item := _text_alone(value)) not in ("", None)]
    if not found and place.required:
        where = place.path or f"the {place.from_} body"
        raise NothingCaptured("unclassified", f"the answer has no document at {where}")
    if place.pick == "only" and len(found) > 1:
        raise NothingCaptured("ambiguous", f"{len(found)} documents at {place.path}, expected one")
    return [_serialised(item) for item in (found if place.pick == "all" else found[:1])]


def _values(place: Extraction, reading: Reading) -> list[Any]:
    path = place.path
    if place.from_ == "status":
        return [str(reading.exchange.status)]
    if place.from_ == "xml":
        return reading.xml_found(path)
    if place.from_ == "text":
        return _in_text(path, reading.text)
    finders: Mapping[str, Callable[[str], list[str]]] = {
        "json": reading.json_values,
        "header": reading.headers,
        "cookie": reading.cookie_values,
    }
    return finders[place.from_](path or "")


def _in_text(path: str | None, text: str) -> list[str]:
    if path is None:
        return [text]
    pattern = compiled(path) or re.compile(re.escape(path))
    return [match.group(1 if pattern.groups else 0) or "" for match in pattern.finditer(text)]


def _rows(place: Capture, reading: Reading, lookup: Lookup, window: Days | None) -> list[str]:
    rows_path, value_path = row_path(place.path or "")
    rows = rows_path.findall(reading.json) if reading.json is not None else []
    wanted = {name: _wanted(pattern, lookup) for name, pattern in place.where.items()}
    rows = [row for row in rows if all(test(_field(row, name)) for name, test in wanted.items())]
    if place.between and window:
        rows = [row for row in rows if any(_inside(text, window) for text in _field(row, place.between or ""))]
    if place.sort:
        name = place.sort.removeprefix("-")
        as_numbers = all(text.isdigit() for row in rows for text in _field(row, name))
        rows.sort(
            key=lambda row: [text.zfill(32) if as_numbers else text for text in _field(row, name)],
            reverse=place.sort.startswith("-"),
        )
    found = [[text for value in value_path.findall(row) if (text := scalar(value)) is not None] for row in rows]
    return [text for texts in found for text in texts or [""]]


def _field(row: Any, name: str) -> list[str]:
    values = field_path(name).findall(row) if isinstance(row, (dict, list)) else []
    return [text for value in values if (text := scalar(value)) is not None]


def _wanted(pattern: str, lookup: Lookup) -> Callable[[list[str]], bool]:
    """A test of a field's values: equal but for case (accents count), or matching the regex."""
    if compiled(pattern):
        rendered = parse(pattern).render(lookup, quoting=re.escape)
        regex = compiled(rendered) or re.compile(re.escape(rendered))
        insensitive = re.compile(regex.pattern, regex.flags | re.IGNORECASE)
        negated = pattern.startswith("!")
        return lambda values: bool(values) and any(map(insensitive.search, values)) != negated
    folded = _folded(parse(pattern).render(lookup))
    return lambda values: any(_folded(value) == folded for value in values)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()


def _inside(text: str, window: Days) -> bool:
    """Whether the calendar day a text starts with is in the window; a text without one is in none."""
    match = _DAY.match(text.strip())
    if match is None:
        return False
    digits = match.group().replace("-", "")
    days = iso(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    return days is not None and days.first != date.min and days.overlaps(window)


def _picked(name: str, place: Capture, values: list[str]) -> str | list[str] | None:
    if name != PAT_ID or place.pick != "only":
        values = [value for value in values if value]
    if place.pick == "all":
        return list(dict.fromkeys(values))
    if place.pick == "only" and len(set(values)) > 1:
        raise NothingCaptured("ambiguous", f"{len(set(values))} candidates for {name}, expected one")
    if values:
        return values[0]
    if place.pick == "only":
        raise NothingCaptured("no_match", f"nothing found for {name}")
    if not place.required:
        return None
    if name == PAT_ID:
        return ""
    if place.from_ == "json" and "[*]" in (place.path or ""):
        raise NothingCaptured("no_data", f"nothing found for {name} at {place.path}")
    raise NothingCaptured("unclassified", f"the answer has no {name} at {place.path or place.from_}")


def _as_text(item: Any) -> str:
    return item if isinstance(item, str) else xml_text(item)


def _text_alone(item: Any) -> Any:
    """The text of an element that holds nothing else: a document in it is wrapped, in base64 or escaped."""
    return xml_text(item) if etree.iselement(item) and len(item) == 0 and item.text else item


def _serialised(item: Any) -> bytes | str:
    if hasattr(item, "itertext"):
        return etree.tostring(item, encoding="UTF-8", xml_declaration=False, with_tail=False)
    return item if isinstance(item, bytes) else str(item)
