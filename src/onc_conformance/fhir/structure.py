"""A resource by FHIR itself: known elements, how often, of which type, in which form, bound to which codes."""

from __future__ import annotations

from typing import Any

from onc_conformance.fhir import bindings, narrative, primitives, references, tables
from onc_conformance.fhir.hearing import Hearing, Named, shown
from onc_conformance.fhir.invariants import BASE, Rule, Scope
from onc_conformance.fhir.primitives import PRIMITIVES
from onc_conformance.fhir.shapes import Place, Type, type_of
from onc_conformance.findings import Severity

DEEPEST = 60
"""Levels of elements; FHIR's own types nest no further unless they nest in themselves."""
FHIR = "FHIR R4"
ADVICE = frozenset({"dom-6"})
"""FHIR marks it as best practice; nothing depends on it."""
_CODED = frozenset({"Coding", "Quantity", "SimpleQuantity", "Age", "Duration", "Count", "Distance"})


def check(hearing: Hearing, resource: dict[str, Any], path: str) -> None:
    """Judge a resource, and those it contains, by FHIR itself."""
    Walk(hearing, Scope(resource, resource, hearing.resolve)).object(resource, type_of(resource["resourceType"]), path)


def unknown_type(hearing: Hearing, value: Any, path: str) -> None:
    """Object to something that says of itself no type of FHIR R4."""
    found = value.get("resourceType") if isinstance(value, dict) else None
    message = "resourceType names no resource of FHIR R4"
    hearing.object("FHIR-RESOURCE", message, f"{path}.resourceType", expected="a type of resource", found=shown(found))


class Walk:
    """Through one resource, from the outside inwards."""

    def __init__(self, hearing: Hearing, scope: Scope, depth: int = 0) -> None:
        self._hearing, self._scope, self._depth = hearing, scope, depth

    def object(self, value: dict[str, Any], kind: Type, path: str) -> None:
        """Judge a resource, a value of a complex type, or a group of elements."""
        if self._depth > DEEPEST:
            expected = f"at most {DEEPEST} levels"
            self._hearing.object("FHIR-DEPTH", "elements are nested too deeply", path, expected=expected)
            return
        self._depth += 1
        for key, told in value.items():
            if key != "resourceType" or not kind.resource:
                self._key(value, key, told, kind, path)
        self._counts(value, kind, path)
        if not value or (len(value) == 1 and not kind.resource and "id" in value):
            self._hearing.object("ele-1", "the element is empty", path, expected=BASE["ele-1"].says, found="none")
        else:
            for rule in kind.rules:
                self._rule(rule, value, path)
        self._depth -= 1

    def _counts(self, value: dict[str, Any], kind: Type, path: str) -> None:
        for element, keys in kind.required:
            if not any(key in value or f"_{key}" in value for key in keys):
                there = f"{path}.{element.removesuffix('[x]')}"
                message = f"{FHIR} requires {element} in {kind.name}"
                self._hearing.object("FHIR-CARDINALITY", message, there, expected="at least 1", found="0")
        for element, keys in kind.choices:
            if len(found := [key for key in keys if key in value or f"_{key}" in value]) > 1:
                there = f"{path}.{element.removesuffix('[x]')}"
                message = f"{element} is there in more than one type"
                self._hearing.object("FHIR-CHOICE", message, there, expected="one of them", found=", ".join(found))

    def _rule(self, rule: Rule, value: Any, path: str) -> None:
        if not rule.holds(value, self._scope):
            told = "info" if rule.id in ADVICE else tables.severities().get(rule.id, "error")
            found = "none" if rule.id in ADVICE else shown(", ".join(value) if isinstance(value, dict) else value)
            message = f"{rule.id} of {FHIR} does not hold"
            self._hearing.object(rule.id, message, path, severity=Severity(told), expected=rule.says, found=found)

    def _key(self, value: dict[str, Any], key: str, told: Any, kind: Type, path: str) -> None:
        place = kind.places.get(key)
        if place is None:
            self._extra(value, key, kind, path)
            return
        there = f"{path}.{place.segment}"
        if place.many:
            self._several(value.get(f"_{key}"), told, place, there)
        elif isinstance(told, list):
            message = f"{place.name} is there once and no list"
            self._hearing.object("FHIR-CARDINALITY", message, there, expected="a single value")
        else:
            self._one(told, place, there, extended=f"_{key}" in value)

    def _extra(self, value: dict[str, Any], key: str, kind: Type, path: str) -> None:
        """A key that is no element: what extends a primitive, or unknown."""
        place = kind.places.get(key[1:]) if key.startswith("_") else None
        if place is None or place.kind not in PRIMITIVES:
            there = f"{path}.{key}" if key.isidentifier() else f"{path}.`{shown(key)}`"
            known = ", ".join(sorted(kind.places)) if len(kind.places) < 25 else f"an element of {kind.name}"
            message = f"{kind.name} has no such element"
            self._hearing.object("FHIR-UNKNOWN", message, there, expected=known, found=shown(key))
            return
        told, beside = value[key], value.get(key[1:])
        there = f"{path}.{place.segment}"
        if not place.many:
            self._extension(told, there, valued=beside is not None)
        elif not isinstance(told, list) or (isinstance(beside, list) and len(beside) != len(told)):
            expected = "a list as long as the list of values"
            self._hearing.object("FHIR-TYPE", f"{key} does not fit {key[1:]}", there, expected=expected)
        else:
            for number, each in enumerate(told):
                if each is not None:
                    valued = isinstance(beside, list) and beside[number] is not None
                    self._extension(each, f"{there}[{number}]", valued=valued)

    def _extension(self, told: Any, path: str, *, valued: bool) -> None:
        if isinstance(told, dict) and valued and told.keys() == {"id"}:
            if wanted := primitives.objection("string", told["id"]):
                self._hearing.object(
                    "FHIR-FORMAT", "this is no id", f"{path}.id", expected=wanted, found=shown(told["id"])
                )
        elif isinstance(told, dict):
            self.object(told, type_of("Element"), path)
        else:
            message = "what extends a primitive is an object"
            self._hearing.object("FHIR-TYPE", message, path, expected="id or extension", found=shown(told))

    def _several(self, beside: Any, told: Any, place: Place, path: str) -> None:
        if not isinstance(told, list):
            message = f"{place.name} may repeat and is written as a list"
            found = "an object" if isinstance(told, dict) else shown(told)
            self._hearing.object("FHIR-CARDINALITY", message, path, expected="a list", found=found)
            return
        if not told:
            expected = "at least one value, or no list"
            self._hearing.object("ele-1", "the list is empty", path, expected=expected, found="none")
        extended = beside if isinstance(beside, list) else []
        for number, each in enumerate(told):
            extra = number < len(extended) and extended[number] is not None
            self._one(each, place, f"{path}[{number}]", extended=extra)

    def _one(self, value: Any, place: Place, path: str, *, extended: bool) -> None:
        kind = place.kind
        if kind in PRIMITIVES:
            if value is not None or not extended:
                self._primitive(value, place, path)
        elif not isinstance(value, dict):
            self._hearing.object(
                "FHIR-TYPE", f"{place.name} is a {kind}", path, expected="an object", found=shown(value)
            )
        elif kind == "Resource":
            self._resource(value, place, path)
        else:
            self._complex(value, place, path)

    def _complex(self, value: dict[str, Any], place: Place, path: str) -> None:
        hearing = self._hearing
        self.object(value, type_of(place.type), path)
        for rule in place.rules:
            self._rule(rule, value, path)
        if place.binding:
            bindings.check(hearing, value, place.binding, path, bindings.Judge("FHIR-BINDING", FHIR))
        if place.kind in _CODED:
            bindings.exists(hearing, value, path)
        elif place.kind == "Reference":
            references.check(hearing, value, path)
            references.allowed(hearing, value, path, place.targets, FHIR)
            if isinstance(told := value.get("reference"), str):
                hearing.references.append(Named(f"{path}.reference", told))

    def _primitive(self, value: Any, place: Place, path: str) -> None:
        hearing = self._hearing
        if wanted := primitives.objection(place.kind, value):
            rule = "FHIR-TYPE" if value is None or isinstance(value, dict | list) else "FHIR-FORMAT"
            found = "null" if value is None else shown(value)
            hearing.object(rule, f"this is no {place.kind}", path, expected=wanted, found=found)
            return
        if place.kind == "xhtml":
            if why := narrative.objection(value):
                message = "the narrative cannot be shown safely"
                hearing.object("txt-1", message, path, expected="a div of the XHTML that FHIR allows", found=why)
        elif place.kind in ("uri", "canonical", "url") and value.startswith("#"):
            hearing.references.append(Named(path, value))
        if place.binding and place.kind in ("code", "string", "uri"):
            bindings.check(hearing, value, place.binding, path, bindings.Judge("FHIR-BINDING", FHIR))
        for each in place.rules:
            self._rule(each, value, path)

    def _resource(self, value: dict[str, Any], place: Place, path: str) -> None:
        named = value.get("resourceType")
        if not isinstance(named, str) or tables.types().get(named, {}).get("kind") != "resource":
            unknown_type(self._hearing, value, path)
            return
        contained = place.name == "contained"
        if not contained and self._scope.resource.get("resourceType") == "Bundle":
            return  # each entry is judged as a resource of its own
        if contained and not isinstance(value.get("id"), str):
            message = "a contained resource has an id, so that it can be referred to"
            self._hearing.object("FHIR-CONTAINED", message, f"{path}.id", expected="an id", found="none")
        inner = Scope(value, self._scope.root, self._hearing.resolve)
        Walk(self._hearing, inner, self._depth).object(value, type_of(named), path)
