"""What of a derived table is kept, where an older release of its templates is meant than the file is of."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

Key = tuple[str, str | None]


def select(table: dict[str, Any], taken: Container[Key] = (), before: str = "9999") -> dict[str, Any]:
    """The table without templates taken already, or whose extension is not before a date; changes what it keeps."""
    table["templates"] = [
        each
        for each in table["templates"]
        if (each["root"], each.get("extension") or None) not in taken and each.get("extension", "") < before
    ]
    for each in table["templates"] if taken else ():
        _relax(each["blocks"], each.get("extension") or "")
        _disown(each)
    return table


def _relax(stated: Any, date: str) -> None:
    """Let a template ask for any release of a template that is younger than itself: it was there before the file."""
    if isinstance(stated, dict):
        if "template" in stated and stated.get("extension", "") > date:
            del stated["extension"]
        for each in stated.values():
            _relax(each, date)
    elif isinstance(stated, list):
        for each in stated:
            _relax(each, date)


def _disown(template: dict[str, Any]) -> None:
    """Leave out that an element declares a parent template beside its own: ONC's own samples do not."""
    for block in template["blocks"]:
        if "at" not in block:
            for key in block.keys() & {"rules", "own"}:
                block[key] = [fact for fact in block[key] if fact.get("template", template["root"]) == template["root"]]
