"""FHIR's own types and resources: the elements each may have, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

EVERYWHERE = frozenset({"ele-1", "ext-1"})
"""Repeated on every element of every definition; they are rules of the types Element and Extension."""
_PATH = "http://hl7.org/fhirpath/System."
DEFINITION = "http://hl7.org/fhir/StructureDefinition/"


def types(definitions: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By type, or by path for the groups within one: kind, ids of invariants, and its elements by name."""
    nodes: dict[str, dict[str, Any]] = {}
    for each in definitions:
        if each["kind"] == "logical":
            continue
        if each.get("derivation") == "constraint":
            # SimpleQuantity and MoneyQuantity: a Quantity that keeps a further rule
            rules = {rule["key"] for rule in each["snapshot"]["element"][0].get("constraint", ())} - EVERYWHERE
            nodes[each["id"]] = {"kind": "complex", "of": each["type"], "inv": sorted(rules), "elements": {}}
            continue
        if each["kind"] == "primitive-type":
            nodes[each["name"]] = {"kind": "primitive", "inv": [], "elements": {}}
            continue
        for element in each["snapshot"]["element"]:
            _element(nodes, each, element)
    return nodes


def invariants(definitions: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """By id: severity and expression, for whoever derives from them."""
    found = {}
    for each in definitions:
        for element in each["snapshot"]["element"]:
            for rule in element.get("constraint", ()):
                found[rule["key"]] = (rule["severity"], rule.get("expression", ""))
    return found


def row(element: Mapping[str, Any]) -> list[Any]:
    """Least, most (-1 is unbounded), types, binding, ids of invariants, reference to a group."""
    return [
        element["min"],
        -1 if element["max"] == "*" else int(element["max"]),
        kinds(element),
        binding(element),
        sorted({rule["key"] for rule in element.get("constraint", ())} - EVERYWHERE),
        (element.get("contentReference") or "").rpartition("#")[2],
    ]


def kinds(element: Mapping[str, Any]) -> list[Any]:
    """Each type as its name, or with the types of resources a reference may name."""
    found: list[Any] = []
    for each in element.get("type", ()):
        code = code_of(each)
        if element["path"].count(".") == 1 and element["path"].endswith(".id") and element["path"] != "Element.id":
            code = "id" if element.get("base", {}).get("path") == "Resource.id" else code
        narrower = [url.removeprefix(DEFINITION) for url in each.get("profile", ())]
        code = narrower[0] if narrower and narrower[0].endswith("Quantity") else code
        targets = [target.removeprefix(DEFINITION) for target in each.get("targetProfile", ())]
        found.append([code, targets] if targets else code)
    return found


def code_of(kind: Mapping[str, Any]) -> str:
    """The FHIR type a definition means, also where it names the type of FHIRPath."""
    for each in kind.get("extension", ()):
        if each["url"].endswith("structuredefinition-fhir-type"):
            return str(each.get("valueUrl") or each.get("valueUri"))
    code: str = kind["code"]
    return code.removeprefix(_PATH).lower() if code.startswith(_PATH) else code


def binding(element: Mapping[str, Any]) -> list[str] | None:
    """Strength and value set, and a third where codes outside another set are never allowed."""
    told = element.get("binding")
    if not told or not told.get("valueSet") or told["strength"] == "example":
        return None
    found = [told["strength"], told["valueSet"].partition("|")[0]]
    found += [
        (each.get("valueCanonical") or each.get("valueUri", "")).partition("|")[0]
        for each in told.get("extension", ())
        if each["url"].endswith("elementdefinition-maxValueSet")
    ]
    return found


def _element(nodes: dict[str, dict[str, Any]], definition: Mapping[str, Any], element: Mapping[str, Any]) -> None:
    path = element["path"]
    parent, _, name = path.rpartition(".")
    if not parent:
        rules = [rule["key"] for rule in element.get("constraint", ()) if rule["key"] not in EVERYWHERE]
        kind = "resource" if definition["kind"] == "resource" else "complex"
        nodes[path] = {"kind": kind, "inv": sorted(set(rules)), "elements": {}}
        return
    if parent not in nodes:
        nodes[parent] = {"kind": "group", "inv": [], "elements": {}}
    nodes[parent]["elements"][name] = row(element)
