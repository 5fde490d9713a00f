"""The data under schemas/vocabulary: a JSON object per line, of which only the lines asked for are ever decoded."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from onc_conformance import suite

_KEY = '{"oid":"'


class Lines:
    """A file of lines that begin with their OID."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        self._raw = {line[len(_KEY) : line.index('"', len(_KEY))]: line for line in text.splitlines()}
        self._decoded: dict[str, dict[str, Any]] = {}

    def __contains__(self, oid: str) -> bool:
        return oid in self._raw

    def __iter__(self) -> Any:
        return iter(self._raw)

    def get(self, oid: str) -> dict[str, Any] | None:
        """The line of this OID, decoded once."""
        if oid not in self._raw:
            return None
        if oid not in self._decoded:
            self._decoded[oid] = json.loads(self._raw[oid])
        return self._decoded[oid]


@cache
def lines(name: str) -> Lines:
    """`value-sets` or `codes`."""
    return Lines(suite.schemas() / "vocabulary" / f"{name}.jsonl")


@cache
def facts(name: str) -> dict[str, Any]:
    """A small table of facts, `schemas/vocabulary/NAME.json`; its lists of names are sets."""
    table = json.loads((suite.schemas() / "vocabulary" / f"{name}.json").read_text(encoding="utf-8"))
    return {key: frozenset(value) if isinstance(value, list) else value for key, value in table.items()}
