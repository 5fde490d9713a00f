"""A resource by FHIR itself: known elements, how often, of which type, in which form, bound to which codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from onc_conformance.fhir import bindings, narrative, primitives, references, tables
from onc_conformance.fhir.hearing import Hearing, Named, shown
from onc_conformance.fhir.invariants import BASE, Rule, Scope
from onc_conformance.fhir.primitives import PRIMITIVES
from onc_conformance.fhir.tables import Binding
from onc_conformance.findings import Layer, Severity

DEEPEST = 60
"""Levels of elements; FHIR's own types nest no further unless they nest in themselves."""
FHIR = "FHIR R4"
ADVICE = frozenset({"dom-6"})
"""FHIR marks it as best practice; nothing depends on it."""
_CODED = frozenset({"Coding", "Quantity", "SimpleQuantity", "Age", "Duration", "Count", "Distance"})


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
        found = {place_key: place for place_key, place in _places(name, element, row)}
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


def _rules(ids: Any) -> tuple[Rule, ...]:
    return tuple(BASE[each] for each in sorted(ids) if each in BASE)


def check(hearing: Hearing, resource: dict[str, Any], path: str, root: dict[str, Any] | None = None) -> None:
    """Judge a resource, and those it contains, by FHIR itself."""
    _object(hearing, resource, type_of(resource["resourceType"]), path, Scope(resource, root or resource, hearing.resolve), 0)


def _object(hearing: Hearing, value: dict[str, Any], kind: Type, path: str, scope: Scope, depth: int) -> None:
    if depth > DEEPEST:
        hearing.object("FHIR-DEPTH", "elements are nested too deeply", path, expected=f"at most {DEEPEST} levels")
        return
    places = kind.places
    for key, told in value.items():
        if key == "resourceType" and kind.resource:
            continue
        place = places.get(key)
        if place is None:
            _extra(hearing, value, key, kind, path, scope, depth)
        elif place.many:
            _several(hearing, value, key, told, place, path, scope, depth)
        elif isinstance(told, list):
            there = f"{path}.{place.segment}"
            hearing.object("FHIR-CARDINALITY", f"{place.name} is there once and no list", there, expected="a single value")
        else:
            _one(hearing, told, place, f"{path}.{place.segment}", scope, depth, extended=f"_{key}" in value)
    for element, keys in kind.required:
        if not any(key in value or f"_{key}" in value for key in keys):
            there = f"{path}.{element.removesuffix('[x]')}"
            hearing.object(
                "FHIR-CARDINALITY", f"{FHIR} requires {element} in {kind.name}", there, expected="at least 1", found="0"
            )
    for element, keys in kind.choices:
        if len(found := [key for key in keys if key in value or f"_{key}" in value]) > 1:
            there = f"{path}.{element.removesuffix('[x]')}"
            message = f"{element} is there in more than one type"
            hearing.object("FHIR-CHOICE", message, there, expected="one of them", found=", ".join(found))
    if not value or (len(value) == 1 and ("id" in value or "resourceType" in value) and not kind.resource):
        hearing.object("ele-1", "the element is empty", path, expected=BASE["ele-1"].says, found="none")
        return
    for rule in kind.rules:
        _rule(hearing, rule, value, path, scope)


def _rule(hearing: Hearing, rule: Rule, value: Any, path: str, scope: Scope) -> None:
    if not rule.holds(value, scope):
        told = "info" if rule.id in ADVICE else tables.severities().get(rule.id, "error")
        severity = Severity(told)
        message = f"{rule.id} of {FHIR} does not hold"
        hearing.object(rule.id, message, path, severity=severity, expected=rule.says, found="none" if rule.id in ADVICE else _outline(value))


def _outline(value: Any) -> str:
    return shown(", ".join(value)) if isinstance(value, dict) else shown(value)


def _extra(
    hearing: Hearing, value: dict[str, Any], key: str, kind: Type, path: str, scope: Scope, depth: int
) -> None:
    """A key that is no element: what extends a primitive, or unknown."""
    place = kind.places.get(key[1:]) if key.startswith("_") else None
    if place is None or place.kind not in PRIMITIVES:
        there = f"{path}.{key}" if key.isidentifier() else f"{path}.`{shown(key)}`"
        known = ", ".join(sorted(kind.places)) if len(kind.places) < 25 else f"an element of {kind.name}"
        hearing.object("FHIR-UNKNOWN", f"{kind.name} has no such element", there, expected=known, found=shown(key))
        return
    told, beside = value[key], value.get(key[1:])
    there = f"{path}.{place.segment}"
    if not place.many:
        _extension(hearing, told, there, scope, depth, valued=beside is not None)
        return
    if not isinstance(told, list) or (isinstance(beside, list) and len(beside) != len(told)):
        expected = "a list as long as the list of values"
        hearing.object("FHIR-TYPE", f"{key} does not fit {key[1:]}", there, expected=expected)
        return
    for number, each in enumerate(told):
        if each is not None:
            valued = isinstance(beside, list) and beside[number] is not None
            _extension(hearing, each, f"{there}[{number}]", scope, depth, valued=valued)


def _extension(hearing: Hearing, told: Any, path: str, scope: Scope, depth: int, *, valued: bool) -> None:
    if isinstance(told, dict) and valued and told.keys() == {"id"}:
        objection = primitives.objection("string", told["id"])
        if objection:
            hearing.object("FHIR-FORMAT", "this is no id", f"{path}.id", expected=objection, found=shown(told["id"]))
    elif isinstance(told, dict):
        _object(hearing, told, type_of("Element"), path, scope, depth + 1)
    else:
        hearing.object("FHIR-TYPE", "what extends a primitive is an object", path, expected="id or extension", found=shown(told))


def _several(
    hearing: Hearing, value: dict[str, Any], key: str, told: Any, place: Place, path: str, scope: Scope, depth: int
) -> None:
    there = f"{path}.{place.segment}"
    if not isinstance(told, list):
        hearing.object(
            "FHIR-CARDINALITY", f"{place.name} may repeat and is written as a list", there, expected="a list",
            found=shown(told) if not isinstance(told, dict) else "an object",
        )  # fmt: skip
        return
    if not told:
        hearing.object("ele-1", "the list is empty", there, expected="at least one value, or no list", found="none")
    beside = value.get(f"_{key}")
    extended = beside if isinstance(beside, list) else []
    for number, each in enumerate(told):
        extra = number < len(extended) and extended[number] is not None
        _one(hearing, each, place, f"{there}[{number}]", scope, depth, extended=extra)


def _one(hearing: Hearing, value: Any, place: Place, path: str, scope: Scope, depth: int, *, extended: bool) -> None:
    kind = place.kind
    if kind in PRIMITIVES:
        if value is None and extended:
            return
        _primitive(hearing, value, place, path)
        return
    if not isinstance(value, dict):
        hearing.object("FHIR-TYPE", f"{place.name} is a {kind}", path, expected="an object", found=shown(value))
        return
    if kind == "Resource":
        _resource(hearing, value, place, path, scope, depth)
        return
    _object(hearing, value, type_of(place.type), path, scope, depth + 1)
    for rule in place.rules:
        _rule(hearing, rule, value, path, scope)
    if place.binding:
        bindings.check(hearing, value, place.binding, path, "FHIR-BINDING", FHIR)
    if kind in _CODED:
        bindings.exists(hearing, value, path)
    elif kind == "Reference":
        references.check(hearing, value, path, place.targets, "FHIR-REFERENCE", FHIR)
        if isinstance(told := value.get("reference"), str):
            hearing.references.append(Named(f"{path}.reference", told))


def _primitive(hearing: Hearing, value: Any, place: Place, path: str) -> None:
    wanted = primitives.objection(place.kind, value)
    if wanted:
        rule = "FHIR-TYPE" if value is None or isinstance(value, dict | list) else "FHIR-FORMAT"
        found = "null" if value is None else shown(value)
        hearing.object(rule, f"this is no {place.kind}", path, expected=wanted, found=found)
        return
    if place.kind == "xhtml":
        if objection := narrative.objection(value):
            message = f"the narrative cannot be shown safely: {objection}"
            hearing.object("txt-1", message, path, expected="a div of the XHTML that FHIR allows", found=objection)
    elif place.kind in ("uri", "canonical", "url") and value.startswith("#"):
        hearing.references.append(Named(path, value))
    if place.binding and place.kind in ("code", "string", "uri"):
        bindings.check(hearing, value, place.binding, path, "FHIR-BINDING", FHIR)
    for rule in place.rules:
        _rule(hearing, rule, value, path, Scope({}, {}))


def _resource(
    hearing: Hearing, value: dict[str, Any], place: Place, path: str, scope: Scope, depth: int
) -> None:
    named = value.get("resourceType")
    if not isinstance(named, str) or tables.types().get(named, {}).get("kind") != "resource":
        unknown_type(hearing, value, path)
        return
    if place.name == "contained" or scope.resource.get("resourceType") != "Bundle":
        inner = Scope(value, scope.root, hearing.resolve)
        if place.name == "contained" and not isinstance(value.get("id"), str):
            message = "a contained resource has an id, so that it can be referred to"
            hearing.object("FHIR-CONTAINED", message, f"{path}.id", layer=Layer.SCHEMA, expected="an id", found="none")
        _object(hearing, value, type_of(named), path, inner, depth + 1)


def unknown_type(hearing: Hearing, value: Any, path: str) -> None:
    """Object to something that says of itself no type of FHIR R4."""
    found = value.get("resourceType") if isinstance(value, dict) else None
    message = "resourceType names no resource of FHIR R4"
    hearing.object("FHIR-RESOURCE", message, f"{path}.resourceType", expected="a type of resource", found=shown(found))
