"""What rules are written in: presence, codes, moments; every value may be of any JSON type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Scope:
    """What stands around the value a rule is asked about."""

    resource: dict[str, Any]
    """The nearest resource."""
    root: dict[str, Any]
    """The resource that contains it, or itself."""
    resolve: Callable[[str], dict[str, Any] | None] | None = None
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """An invariant."""

    id: str
    holds: Callable[[Any, Scope], bool]
    says: str
    """What should be, in words that follow `expected`."""


def has(value: Any, name: str) -> bool:
    """Whether an element is there, be it only as an extension of a value that is not."""
    return isinstance(value, dict) and (name in value or f"_{name}" in value)


def chosen(value: Any, stem: str) -> str | None:
    """The key of an element of a choice of types, as `valueQuantity` of `value`."""
    if isinstance(value, dict):
        for key in value:
            bare = str(key).removeprefix("_")
            if bare.startswith(stem) and bare[len(stem) :][:1].isupper():
                return bare
    return None


def items(value: Any, name: str) -> list[Any]:
    """The values of an element, be there one or many."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else [] if found is None else [found]


def codings(concepts: Any) -> Iterator[tuple[Any, Any]]:
    """System and code of each coding in one CodeableConcept, Coding, or list of them."""
    for each in concepts if isinstance(concepts, list) else [concepts]:
        if isinstance(each, dict):
            if "coding" in each:
                yield from codings(each["coding"])
            else:
                yield each.get("system"), each.get("code")


def is_coded(concepts: Any, system: str, *codes: str) -> bool:
    """Whether one of the codings is of this system and has one of these codes."""
    return any(each == system and code in codes for each, code in codings(concepts))


def in_order(first: Any, then: Any) -> bool:
    """Whether one moment is not after another, as precisely as both are told."""
    if not isinstance(first, str) or not isinstance(then, str):
        return True
    if "T" in first and "T" in then:
        try:
            return datetime.fromisoformat(first) <= datetime.fromisoformat(then)
        except (ValueError, TypeError):  # malformed, or with and without a zone: told elsewhere
            return True
    precision = min(len(first), len(then), 10)
    return first[:precision] <= then[:precision]


def number(value: Any) -> float | None:
    """A JSON number that is one."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def distinct(values: list[Any]) -> bool:
    """Whether no value is there twice."""
    told = [str(each) for each in values]
    return len(set(told)) == len(told)
