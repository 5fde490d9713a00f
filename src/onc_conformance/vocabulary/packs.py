"""Packs of value sets a user brought: folders below `suite.imported()/packs`, one JSON file per value set.

A value set is read when a code is first asked for, so that a pack of a hundred thousand codes costs nothing to have.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from onc_conformance import suite
from onc_conformance.findings import UsageError

HEAD = "pack.json"
_WHERE = ("ONC_CONFORMANCE_DATA", "XDG_DATA_HOME", "HOME")


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as its head states it."""

    name: str
    date: str
    """ISO 8601, the day it was made."""
    sha256: str
    """Of the sources it was made from, in their order."""
    sources: tuple[str, ...]
    sets: tuple[Mapping[str, Any], ...]
    """`{oid, name, version, codes (how many), complete, file}`."""
    folder: Path

    @property
    def label(self) -> str:
        """`name (date)`, as reports name it."""
        return f"{self.name} ({self.date})"


@dataclass(frozen=True, slots=True)
class Packed:
    """A value set out of a pack."""

    oid: str
    name: str
    version: str | None
    complete: bool
    codes: Mapping[str, Mapping[str, str]]
    """`{system OID: {code: display}}`."""
    pack: str


def folder() -> Path:
    """Where packs are kept."""
    return suite.imported() / "packs"


def state() -> tuple[str | None, ...]:
    """What decides which packs there are; cheap enough to ask for every code."""
    return tuple(map(os.environ.get, _WHERE))


def installed() -> Sequence[Pack]:
    """Every pack, the newest first. Raises UsageError for one that cannot be read."""
    return _installed(state())


def rules() -> dict[str, str]:
    """`{pack label: sha256}` for a report that names what was used."""
    return {f"vocabulary pack {pack.label}": pack.sha256 for pack in installed()}


def contents() -> frozenset[str]:
    """OIDs of the value sets of all packs."""
    return frozenset(entry["oid"] for pack in installed() for entry in pack.sets)


def newest(oid: str) -> Packed | None:
    """The value set of this OID in the newest pack that has it."""
    for pack in installed():
        for entry in pack.sets:
            if entry["oid"] == oid:
                return _read(pack, entry)
    return None


def forget() -> None:
    """Look at the folder again, as after a pack was written."""
    _installed.cache_clear()


@cache
def _installed(_state: tuple[str | None, ...]) -> tuple[Pack, ...]:
    path = folder()
    heads = sorted(path.glob(f"*/{HEAD}")) if path.is_dir() else []
    return tuple(sorted(map(_head, heads), key=lambda pack: (pack.date, pack.name), reverse=True))


def _head(path: Path) -> Pack:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Pack(
            told["name"], told["date"], told["sha256"], tuple(told["sources"]), tuple(told["sets"]), path.parent
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: no readable vocabulary pack ({error}); make it again with vocabulary pack"
        ) from error


def _read(pack: Pack, entry: Mapping[str, Any]) -> Packed:
    path = pack.folder / str(entry["file"])
    try:
        codes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: no readable value set ({error}); make the pack again") from error
    return Packed(entry["oid"], entry["name"], entry.get("version"), bool(entry["complete"]), codes, pack.label)
