"""Patients files written: the records the reference EHR holds, each with the login its patient has on EHR Your Way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.charted import ChartedPerson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onc_conformance.reference.people import Person

_FIRST = ("id", "title", "setting", "vars", "name", "birth_date", "sex")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def suffix(place: int) -> str:
    """What the names of environment variables end in for the patient in that place, counted from 0."""
    return f"_{place + 1}" if place else ""


def written(persons: Iterable[Person]) -> str:
    """TOML, one `[[patient]]` each; of charts made of real documents, demographics only."""
    lines: list[str] = []
    for place, person in enumerate(persons):
        table = dict(person.chart.person) if isinstance(person, ChartedPerson) else _demographics(person)
        own = {name: value for name, value in table.pop("vars", {}).items() if name not in {"EYW_ID", "EYW_PASS"}}
        if place:
            own |= {name: f"{{env.{name}{suffix(place)}}}" for name in ("EYW_ID", "EYW_PASS")}
        if own:
            table["vars"] = own
        known = {name: table[name] for name in _FIRST if name in table}
        lines += ["[[patient]]", *_keys(known | dict(sorted(table.items()))), ""]
        for fact in person.chart.facts if isinstance(person, ChartedPerson) else ():
            lines += [f"[[patient.{fact.kind}]]", *_keys(fact.values), ""]
    return "\n".join(lines)


def _demographics(person: Person) -> dict[str, Any]:
    who = person.demographics
    name = {"family": who.family, "given": list(who.given), "prefix": who.prefix, "suffix": who.suffix}
    return {
        "id": person.key,
        "title": f"{who.given[0]} {who.family}: from stored documents",
        "name": {part: value for part, value in name.items() if value},
        "birth_date": who.birth_date,
        "sex": who.sex,
    }


def _keys(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if value is not None:
            yield f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_keys(value)) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value if item is not None) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    # A JSON string is a TOML string, but for the one control character JSON lets through.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
