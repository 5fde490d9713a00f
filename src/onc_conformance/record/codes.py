"""Codes, and the short names by which patients files and findings call their systems."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from onc_conformance import suite


@dataclass(frozen=True, slots=True)
class Code:
    """A code in a system; the display takes no part in equality."""

    system: str
    """Short name (`snomed`), or the bare OID of a system this project has no name for."""
    code: str
    display: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.display} ({self.system} {self.code})" if self.display else f"{self.system} {self.code}"


@cache
def systems() -> dict[str, dict[str, Any]]:
    """`{short name: {oid, title, uri}}` (schemas/code-systems.toml)."""
    return tomllib.loads((suite.schemas() / "code-systems.toml").read_text(encoding="utf-8"))


@cache
def _names() -> dict[str, str]:
    return {entry["oid"]: name for name, entry in systems().items()}


def system_of(oid: str) -> str:
    """The short name of the system with this OID, or the OID itself."""
    return _names().get(oid, oid)
