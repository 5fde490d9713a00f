"""Which classes of facts a record has, and which keys the facts of each (schemas/record-classes.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from onc_conformance import suite

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the things a fact of a class can be."""

    name: str
    about: str
    question: str | None
    """LOINC code of the observation whose answer the fact's code is; None where the code speaks for itself."""


@dataclass(frozen=True, slots=True)
class FactClass:
    """A class of facts."""

    name: str
    about: str
    keys: tuple[str, ...]
    """Beside those of any fact."""
    named_by: frozenset[str]
    """Keys that tell what a fact is about where it has neither code nor text."""
    kinds: Mapping[str, Kind]
    default_kind: str | None


@dataclass(frozen=True, slots=True)
class Key:
    """A key that facts of some classes have."""

    name: str
    type: str
    about: str
    choices: tuple[str, ...]


@cache
def classes() -> Mapping[str, FactClass]:
    """Every class by name, in the order a record lists them."""
    return MappingProxyType({name: _class(name, entry) for name, entry in _tables()["class"].items()})


@cache
def keys() -> Mapping[str, Key]:
    """Every key by name."""
    return MappingProxyType(
        {
            name: Key(name, entry["type"], entry["about"], tuple(entry.get("choices", ())))
            for name, entry in _tables()["key"].items()
        }
    )


@cache
def questions() -> Mapping[tuple[str, str], str]:
    """(class, LOINC code of a question) -> the kind of fact its answer is."""
    return MappingProxyType(
        {
            (each.name, kind.question): kind.name
            for each in classes().values()
            for kind in each.kinds.values()
            if kind.question
        }
    )


def _class(name: str, entry: Mapping[str, Any]) -> FactClass:
    kinds = {kind: Kind(kind, said["about"], said.get("question")) for kind, said in entry.get("kinds", {}).items()}
    needed = entry.get("kind_needed", True)
    return FactClass(
        name=name,
        about=entry["about"],
        keys=tuple(entry.get("keys", ())),
        named_by=frozenset(entry.get("named_by", ())),
        kinds=MappingProxyType(kinds),
        default_kind=next(iter(kinds), None) if needed else None,
    )


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads((suite.schemas() / "record-classes.toml").read_text(encoding="utf-8"))


KINDS = tuple(classes())
"""The names of the classes."""
