"""Which must-support elements of a profile a resource shows: what a ledger over many resources adds up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.nodes import Item, Node, items, tree
from onc_conformance.fhir.slicing import fits
from onc_conformance.fhir.tables import Profile, Tables
from onc_conformance.fhir.validating import codes_of

_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def seen(resource: dict[str, Any], guide: Tables, profile: Profile) -> frozenset[str]:
    """Ids of the must-support elements a resource has a value of; why one is absent is no value.

    Where the profile marks types of a choice, the id with `|` and the type, too.
    """
    return frozenset(_seen(tree(profile), Item(resource, None, profile.type), codes_of(guide)))


def _seen(node: Node, item: Item, codes: Codes) -> Iterator[str]:
    if not _valued(item):
        return
    element = node.element
    if element.must_support:
        yield element.id
        if item.kind and any(kind.must_support and kind.code == item.kind for kind in element.types):
            yield f"{element.id}|{item.kind}"
    for inner in node.within.values():
        for each in items(item, inner.name):
            yield from _seen(inner, each, codes)
    for into in node.slices.values():
        if fits(node, into, item, codes):
            yield from _seen(into, item, codes)


def _valued(item: Item) -> bool:
    value = item.value
    if isinstance(value, dict):
        told = value.get("extension")
        absent = isinstance(told, list) and any(isinstance(each, dict) and each.get("url") == _ABSENT for each in told)
        return bool(value) and not (absent and value.keys() <= {"id", "extension"})
    return value is not None
