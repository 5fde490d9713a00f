"""What kind of answer an answer is: one of the described refusals, ok, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.targets.reading import Reading, compiled

if TYPE_CHECKING:
    from onc_conformance.targets.models import Conditions, Description


def classify(description: Description, reading: Reading) -> str:
    """The class of the first [[error]] that fits; else `ok`; else `unclassified`."""
    for error in description.error:
        if fits(error, reading):
            return error.class_
    if description.ok:
        return "ok" if any(fits(conditions, reading) for conditions in description.ok) else "unclassified"
    status = reading.exchange.status or 0
    return "ok" if 200 <= status < 300 else "unclassified"


def fits(conditions: Conditions, reading: Reading) -> bool:
    """Whether all conditions hold."""
    if conditions.status is not None and reading.exchange.status not in conditions.status:
        return False
    if conditions.text is not None and not _text_fits(conditions.text, reading.text):
        return False
    return (
        all(_fits(pattern, reading.headers(name)) for name, pattern in conditions.header.items())
        and all(_fits(pattern, reading.json_values(path)) for path, pattern in conditions.json_.items())
        and all(_fits(pattern, reading.xml_values(path)) for path, pattern in conditions.xml.items())
        and all(_found(place, reading) for place in conditions.present)
        and not any(_found(place, reading) for place in conditions.absent)
    )


def _fits(pattern: str, values: list[str]) -> bool:
    """Whether one value matches; with `!`, whether there are values and none does."""
    regex = compiled(pattern)
    if regex is None:
        return pattern in values
    if pattern.startswith("!"):
        return bool(values) and not any(regex.search(value) for value in values)
    return any(regex.search(value) for value in values)


def _text_fits(pattern: str, text: str) -> bool:
    return _fits(pattern, [text]) if compiled(pattern) else pattern in text


def _found(place: str, reading: Reading) -> bool:
    if place.startswith("$"):
        return bool(reading.json_values(place))
    if place.startswith("/"):
        return bool(reading.xml_values(place))
    return bool(reading.headers(place))
