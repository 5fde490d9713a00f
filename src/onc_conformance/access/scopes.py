"""Scopes of SMART App Launch in both forms: `patient/Condition.read`, and `patient/Condition.rs?category=…`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_RESOURCE = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]*)\.(?P<may>read|write|\*|c?r?u?d?s?)(?:\?(?P<query>.+))?"
)
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scope for resources allows."""

    text: str
    context: str
    """patient, user or system."""
    type: str
    """A type of resources, or `*`."""
    may: frozenset[str]
    """Letters of create, read, update, delete and search."""
    query: str
    """The part of the resources it is restricted to; empty for all of them."""

    def covers(self, other: Scope) -> bool:
        """Whether it allows all that the other does."""
        return (
            self.context == other.context
            and self.type in {"*", other.type}
            and other.may <= self.may
            and self.query in {"", other.query}
        )


def parse(text: str) -> Scope | None:
    """A scope for resources; None for any other, such as `openid`."""
    found = _RESOURCE.fullmatch(text)
    if found is None or not found["may"]:
        return None
    may = _V1.get(found["may"], found["may"])
    return Scope(text, found["context"], found["type"], frozenset(may), found["query"] or "")


def covered(wanted: str, granted: Iterable[str]) -> bool:
    """Whether a scope is among those granted, by itself or by a wider one."""
    granted = tuple(granted)
    if wanted in granted:
        return True
    scope = parse(wanted)
    return scope is not None and any(each.covers(scope) for each in map(parse, granted) if each)


def lacking(wanted: Iterable[str], granted: Iterable[str]) -> list[str]:
    """The scopes that were wanted and are not granted."""
    granted = tuple(granted)
    return [each for each in wanted if not covered(each, granted)]
