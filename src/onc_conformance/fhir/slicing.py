"""Which slice of an element a value belongs to."""

from __future__ import annotations

from typing import Any

from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.nodes import Item, Node, items
from onc_conformance.fhir.tables import DEFINITION
from onc_conformance.vocabulary import Answer

_NOTHING = object()


def fits(node: Node, into: Node, item: Item, codes: Codes) -> bool:
    """Whether a value at `node` is one of its slice `into`, by every discriminator."""
    return all(_by(kind, path, into, item, codes) for kind, path in node.slicing.by)


def _by(kind: str, path: str, into: Node, item: Item, codes: Codes) -> bool:
    if kind == "type":
        return (
            _is_type(into, item)
            if path == "$this"
            else any(_is_type(_down(into, path), each) for each in _reached(item, path))
        )
    if kind == "exists":
        wanted = _down(into, path)
        there = bool(_reached(item, path))
        return there if wanted is not None and wanted.element.min else not there
    if kind == "profile":
        return True  # only resolving would tell; the references of a slice are held against its targets
    return any(_stands(into, path, each, codes) for each in _reached(item, path))


def _reached(item: Item, path: str) -> list[Item]:
    found = [item]
    for part in _parts(path):
        found = [each for one in found for each in _step(one, part)]
    return found


def _step(item: Item, part: str) -> list[Item]:
    return items(item, part) or items(item, f"{part}[x]")


def _parts(path: str) -> list[str]:
    return [part for part in path.split(".") if part not in ("$this", "resolve()")]


def _down(node: Node, path: str) -> Node | None:
    found: Node | None = node
    for part in _parts(path):
        found = (found.within.get(part) or found.within.get(f"{part}[x]")) if found else None
    return found


def _stands(into: Node, path: str, item: Item, codes: Codes) -> bool:
    """Whether a value at the end of the discriminator's path is the one the slice says."""
    parts = _parts(path)
    if parts == ["url"] and into.element.types and into.element.types[0].profiles:
        return bool(item.value in into.element.types[0].profiles)
    node: Node | None = into
    for place, part in enumerate(parts):
        if node is None:
            return False
        for told, exact in ((node.element.fixed, True), (node.element.pattern, False)):
            if told is not None:
                return any(holds(each, item.value, exact=exact) for each in _inside(told, parts[place:]))
        node = node.within.get(part) or node.within.get(f"{part}[x]")
    return node is not None and says(node, item, codes)


def says(node: Node, item: Item, codes: Codes) -> bool:
    """Whether a value is what a place says of it by fixed value, pattern, required codes, or what stands within."""
    element = node.element
    if element.fixed is not None:
        return holds(element.fixed, item.value, exact=True)
    if element.pattern is not None:
        return holds(element.pattern, item.value, exact=False)
    if element.binding and element.binding.strength == "required":
        return bound(element.binding.value_set, item.value, codes)
    telling = [inner for inner in node.within.values() if _tells(inner)]
    return bool(telling) and all(any(says(inner, each, codes) for each in items(item, inner.name)) for inner in telling)


def _tells(node: Node) -> bool:
    element = node.element
    return (
        element.fixed is not None or element.pattern is not None or any(_tells(inner) for inner in node.within.values())
    )


def bound(value_set: str, value: Any, codes: Codes) -> bool:
    """Whether a code, Coding or CodeableConcept is of a value set, by any of its codes."""
    told = value.get("coding", [value]) if isinstance(value, dict) else [{"code": value}]
    return any(
        isinstance(each, dict)
        and isinstance(each.get("code"), str)
        and isinstance(each.get("system", ""), str)
        and codes.contains(value_set, each.get("system"), each["code"]) is Answer.IN
        for each in (told if isinstance(told, list) else [])
    )


def _inside(told: Any, parts: list[str]) -> list[Any]:
    found = [told]
    for part in parts:
        found = [one for each in found if isinstance(each, dict) and part in each for one in _listed(each[part])]
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def holds(wanted: Any, value: Any, *, exact: bool) -> bool:
    """Whether a value is the fixed one, or has all that a pattern has."""
    if exact or not isinstance(wanted, dict | list):
        return bool(wanted == value) and isinstance(wanted, bool) == isinstance(value, bool)
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(holds(each, one, exact=False) for one in value) for each in wanted)
    return isinstance(value, dict) and all(
        holds(each, value.get(name, _NOTHING), exact=False) for name, each in wanted.items()
    )


def _is_type(into: Node | None, item: Item) -> bool:
    if into is None:
        return False
    kinds = {each.code for each in into.element.types}
    told = item.kind or (item.value.get("resourceType") if isinstance(item.value, dict) else None)
    targets = {each.removeprefix(DEFINITION) for kind in into.element.types for each in kind.targets}
    return isinstance(told, str) and told in kinds | targets
