"""FHIR's own types as what each JSON key may hold; made when first met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from onc_conformance.fhir import tables
from onc_conformance.fhir.invariants import BASE, Rule
from onc_conformance.fhir.tables import Binding


@dataclass(frozen=True, slots=True)
class Place:
    """What one JSON key may hold."""

    name: str
    """Of the element: `value[x]` where the key is `valueQuantity`."""
    segment: str
    """In a FHIRPath."""
    kind: str
    type: str
    """Where the elements within are described: `kind`, or the path of a group."""
    many: bool
    binding: Binding | None
    targets: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """A type of FHIR's, or a group of elements within one."""

    name: str
    resource: bool
    places: dict[str, Place]
    """By JSON key."""
    required: tuple[tuple[str, tuple[str, ...]], ...]
    """Elements that must be there, and the keys any of which will do."""
    choices: tuple[tuple[str, tuple[str, ...]], ...]
    """Likewise of those of which only one type may be there."""
    rules: tuple[Rule, ...]


@cache
def type_of(name: str) -> Type:
    """A type of FHIR's by name, or a group by path."""
    told = tables.types()[name]
    elements = tables.types()[told["of"]]["elements"] if "of" in told else told["elements"]
    places: dict[str, Place] = {}
    required, choices = [], []
    for element, row in elements.items():
        found = dict(_places(name, element, row))
        places.update(found)
        if row[0]:
            required.append((element, tuple(found)))
        if len(found) > 1:
            choices.append((element, tuple(found)))
    inherited = tables.types()[told["of"]]["inv"] if "of" in told else []
    rules = {*told["inv"], *inherited, *(["ext-1"] if name == "Extension" else [])}
    return Type(name, told["kind"] == "resource", places, tuple(required), tuple(choices), _rules(rules))


def _places(owner: str, element: str, row: list[Any]) -> list[tuple[str, Place]]:
    _, most, kinds, bound, rules, group = row
    path = f"{owner}.{element}"
    binding = Binding(*bound) if bound else None
    found = []
    for each in kinds or ["BackboneElement"]:
        kind, targets = (each, ()) if isinstance(each, str) else (each[0], tuple(each[1]))
        inside = group or (path if path in tables.types() else kind)
        choice = element.endswith("[x]")
        stem = element.removesuffix("[x]")
        key = stem + suffix(kind) if choice else element
        segment = f"{stem}.ofType({'Quantity' if kind == 'SimpleQuantity' else kind})" if choice else element
        place = Place(element, segment, kind, inside, most != 1, binding, targets, _rules(rules))
        found.append((key, place))
    return found


def suffix(kind: str) -> str:
    """How a type is written at the end of a JSON key."""
    return "Quantity" if kind == "SimpleQuantity" else kind[0].upper() + kind[1:]


def _rules(ids: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(BASE[each] for each in sorted(ids) if each in BASE)
