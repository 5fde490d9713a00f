"""Patients files written: tables in the form of docs/records.md, as TOML that loads again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onc_conformance.record.classes import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Table = Mapping[str, Any]
"""One patient as a patients file has it."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FIRST = ("id", "title", "setting", "vars", "name", "birth_date", "sex")


def toml(patients: Iterable[Table], head: Iterable[str] = ()) -> str:
    """TOML, one `[[patient]]` each; `head` are lines of a comment before the first."""
    lines = [f"# {line}".rstrip() for line in head]
    for patient in patients:
        who = {name: value for name, value in patient.items() if name not in KINDS}
        ordered = {name: who[name] for name in _FIRST if name in who} | who
        lines += ["", "[[patient]]", *_keys(ordered)]
        for kind in KINDS:
            for fact in patient.get(kind, ()):
                lines += ["", f"[[patient.{kind}]]", *_keys(fact)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _keys(table: Table) -> Iterator[str]:
    for key, value in table.items():
        if value not in (None, [], {}):
            yield f"{key if _BARE.fullmatch(key) else _value(key)} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_keys(value)) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    # A JSON string is a TOML string, but for the one control character JSON lets through
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
