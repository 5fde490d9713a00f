"""A profile as a tree of places, and the values of a resource that stand at them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from onc_conformance.fhir.shapes import suffix
from onc_conformance.fhir.tables import Element, Profile, Slicing, types

_DETAIL = re.compile(r"\[\d+\]|\.ofType\(\w+\)")
_BY_URL = Slicing((("value", "url"),), "open")
_BY_TYPE = Slicing((("type", "$this"),), "open")


@dataclass(slots=True)
class Node:
    """A place of a profile: what it says there, what stands within, how it is sliced."""

    name: str
    id: str
    element: Element
    within: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def slicing(self) -> Slicing:
        """What tells its slices apart; where a guide does not say, what FHIR means by silence."""
        return self.element.slicing or (_BY_TYPE if self.name.endswith("[x]") else _BY_URL)


@dataclass(slots=True)
class Item:
    """A value in a resource."""

    value: Any
    extra: Any
    """What extends it, if it is a primitive; else None."""
    path: str
    kind: str | None = None
    """Its type, where the element has a choice of types."""

    @property
    def place(self) -> str:
        """Its path without numbers and types, from the type of the resource it is in."""
        return _DETAIL.sub("", self.path.rpartition(".resource.")[2])


@cache
def tree(profile: Profile) -> Node:
    """The root of a profile."""
    root = Node(profile.type, profile.type, Element(profile.type))
    for element in profile.elements:
        node = root
        parts = element.id.split(".")
        for number, part in enumerate(parts[1:], 2):
            here = ".".join(parts[:number])
            name, _, sliced = part.partition(":")
            plain = here.removesuffix(f":{sliced}") if sliced else here
            node = node.within.setdefault(name, Node(name, plain, Element(plain)))
            for place in range(1, sliced.count("/") + 2) if sliced else ():  # `a/b` is a slice of the slice `a`
                named = "/".join(sliced.split("/")[:place])
                node = node.slices.setdefault(named, Node(name, f"{plain}:{named}", Element(f"{plain}:{named}")))
        node.element = element
    return root


def items(parent: Item, name: str) -> list[Item]:
    """The values of an element within another."""
    value = parent.value if isinstance(parent.value, dict) else parent.extra
    if not isinstance(value, dict):
        return []
    if name.endswith("[x]"):
        return [
            found
            for key, kind in _typed(value, name[:-3])
            for found in _at(value, key, f"{parent.path}.{name[:-3]}.ofType({kind})", kind)
        ]
    return list(_at(value, name, f"{parent.path}.{name}", None))


def _at(value: dict[str, Any], key: str, path: str, kind: str | None) -> Iterator[Item]:
    told, extra = value.get(key), value.get(f"_{key}")
    if isinstance(told, list) or isinstance(extra, list):
        values = told if isinstance(told, list) else []
        extras = extra if isinstance(extra, list) else []
        for number in range(max(len(values), len(extras))):
            one = values[number] if number < len(values) else None
            beside = extras[number] if number < len(extras) else None
            yield Item(one, beside, f"{path}[{number}]", kind)
    elif key in value or f"_{key}" in value:
        yield Item(told, extra, path, kind)


def _typed(value: dict[str, Any], stem: str) -> Iterator[tuple[str, str]]:
    found = set()
    for key in value:
        bare = key.removeprefix("_")
        if bare.startswith(stem) and (kind := _suffixes().get(bare[len(stem) :])) and bare not in found:
            found.add(bare)
            yield bare, kind


@cache
def _suffixes() -> dict[str, str]:
    return {
        suffix(name): name
        for name, each in types().items()
        if each["kind"] in ("primitive", "complex") and "of" not in each
    }
