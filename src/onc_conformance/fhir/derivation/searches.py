"""What a server must answer: searches and their combinations with strength, comparators, includes, interactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_EXPECTATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation"
_COMBINATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination"


def searches(
    statements: Iterable[Mapping[str, Any]], parameters: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """By resource type, as the guide's capability statement for servers states it."""
    described = {each["url"]: each for each in parameters}
    found: dict[str, dict[str, Any]] = {}
    for statement in statements:
        for rest in statement.get("rest", ()):
            if rest.get("mode") == "server":
                for each in rest.get("resource", ()):
                    found[each["type"]] = _resource(each, described)
    return found


def _resource(told: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "strength": strength(told),
        "profiles": {url: strength(mark) for url, mark in _marked(told, "supportedProfile")},
        "interactions": {each["code"]: strength(each) for each in told.get("interaction", ())},
        "parameters": {each["name"]: _parameter(each, described) for each in told.get("searchParam", ())},
        "combinations": [
            [strength(each), sorted(part["valueString"] for part in each["extension"] if part["url"] == "required")]
            for each in told.get("extension", ())
            if each["url"] == _COMBINATION
        ],
    }
    for name, key in (("includes", "searchInclude"), ("revincludes", "searchRevInclude")):
        found[name] = {value: strength(mark) for value, mark in _marked(told, key)}
    policies = [(value, strength(mark)) for value, mark in _marked(told, "referencePolicy")]
    if policies:
        found["references"] = dict(policies)
    return found


def _parameter(told: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"strength": strength(told), "type": told["type"]}
    definition = described.get(told.get("definition", ""))
    if definition is None:
        return found
    for name in ("comparator", "modifier", "chain"):
        if values := {value: strength(mark) for value, mark in _marked(definition, name)}:
            found[name] = values
    for name in ("multipleOr", "multipleAnd"):
        if name in definition:
            mark = definition.get(f"_{name}") or {}
            found[name] = [definition[name], strength(mark)]
    return found


def strength(told: Mapping[str, Any] | None) -> str | None:
    """SHALL, SHOULD or MAY, where it is said."""
    for each in (told or {}).get("extension", ()):
        if each["url"] == _EXPECTATION:
            code: str = each["valueCode"]
            return code
    return None


def _marked(told: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any] | None]]:
    values = told.get(key, ())
    marks = told.get(f"_{key}") or [None] * len(values)
    return list(zip(values, marks, strict=False))
