"""Profiles and extensions as what they add to FHIR's own types: an element that says nothing new has no row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from onc_conformance.fhir.derivation.types import DEFINITION, EVERYWHERE, binding, code_of, row

_MUST_SUPPORT = "elementdefinition-type-must-support"
_USCDI = "uscdi-requirement"


def profiles(definitions: Iterable[Mapping[str, Any]], nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By URL: id, name, type, what it is a profile of, contexts of an extension, and rows of elements by element id."""
    found = {}
    for each in definitions:
        if each.get("derivation") != "constraint" or "snapshot" not in each:
            continue
        told: dict[str, Any] = {
            "id": each["id"],
            "name": each.get("title") or each["name"],
            "type": each["type"],
            "base": each["baseDefinition"],
            "status": each.get("status"),
        }
        if each["type"] == "Extension":
            told["context"] = [item["expression"] for item in each.get("context", ()) if item["type"] == "element"]
        told["elements"] = _elements(each, nodes)
        found[each["url"]] = told
    return found


def digest(expression: str) -> str:
    """Eight characters that stand for an expression, however it is spaced."""
    return sha256("".join(expression.split()).encode()).hexdigest()[:8]


def _elements(definition: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    elements = definition["snapshot"]["element"]
    by_id = {each["id"]: each for each in elements}
    found = {}
    for each in elements:
        stated = _differing(each, _base(each, by_id, nodes))
        if stated:
            found[each["id"]] = stated
    return found


def _base(element: Mapping[str, Any], by_id: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """The row FHIR itself has for this place; that of anything at all where it has none."""
    parent_id, _, _ = element["id"].rpartition(".")
    name = element["path"].rpartition(".")[2]
    if not parent_id:
        own = nodes[element["path"]]
        return [0, -1, [], None, own["inv"], ""]
    for key in _kinds_of(parent_id, by_id):
        if name in nodes.get(key, {}).get("elements", {}):
            found: list[Any] = nodes[key]["elements"][name]
            return found
    return [0, -1, [], None, [], ""]


def _kinds_of(element_id: str, by_id: Mapping[str, Any]) -> list[str]:
    parent = by_id[element_id]
    keys = [parent["path"], (parent.get("contentReference") or "").rpartition("#")[2]]
    return [*keys, *(code_of(kind) for kind in parent.get("type", ()))]


def _differing(element: Mapping[str, Any], base: list[Any]) -> dict[str, Any]:
    own = row(element)
    sliced = "sliceName" in element
    told: dict[str, Any] = {}
    if sliced or own[0] > base[0]:
        told["min"] = own[0]
    if "." in element["id"] and (sliced or own[1] != base[1]):
        told["max"] = own[1]
    if "." in element["id"] and (kinds := _kinds(element)) != [_kind(each) for each in base[2]]:
        told["types"] = kinds
    told |= _values(element)
    bound = binding(element)
    if bound and bound != base[3]:
        told["binding"] = bound
    if element.get("mustSupport"):
        told["ms"] = True
    elif _marked(element, _USCDI):
        told["uscdi"] = True
    known = EVERYWHERE | set(base[4])
    rules = {
        (rule["key"], rule["severity"], digest(rule.get("expression", ""))) for rule in element.get("constraint", ())
    }
    if added := sorted(list(rule) for rule in rules if rule[0] not in known):
        told["inv"] = added
    if told.get("slicing", {}).get("by") == [["value", "url"]] and set(told) == {"slicing"}:
        return {}  # stands on every `extension`, and says only that extensions differ by URL
    return told


def _values(element: Mapping[str, Any]) -> dict[str, Any]:
    """What the element must be, and what tells its slices apart."""
    told: dict[str, Any] = {}
    for key, value in element.items():
        if key.startswith(("fixed", "pattern")):
            told["fixed" if key.startswith("fixed") else "pattern"] = value
    if slicing := element.get("slicing"):
        by = [[each["type"], each["path"]] for each in slicing.get("discriminator", ())]
        told["slicing"] = {"by": by, "rules": slicing["rules"]} | ({"ordered": True} if slicing.get("ordered") else {})
    return told


def _kind(kind: Any) -> dict[str, Any]:
    if isinstance(kind, str):
        return {"code": kind}
    return {"code": kind[0], "targets": [each if ":" in each else DEFINITION + each for each in kind[1]]}


def _kinds(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for each in element.get("type", ()):
        told: dict[str, Any] = {"code": code_of(each)}
        if element["id"].endswith(".id") and element.get("base", {}).get("path") == "Resource.id":
            told["code"] = "id"
        if each.get("profile") and each["profile"][0].endswith("/SimpleQuantity"):
            told["code"] = "SimpleQuantity"
        elif each.get("profile"):
            told["profiles"] = [url.partition("|")[0] for url in each["profile"]]
        if each.get("targetProfile"):
            told["targets"] = [url.partition("|")[0] for url in each["targetProfile"]]
            marks = each.get("_targetProfile") or []
            if must := [url for url, mark in zip(told["targets"], marks, strict=False) if _marked(mark)]:
                told["ms_targets"] = must
        if _marked(each):
            told["ms"] = True
        found.append(told)
    return found


def _marked(told: Mapping[str, Any] | None, mark: str = _MUST_SUPPORT) -> bool:
    return any(each["url"].endswith(mark) and each.get("valueBoolean") for each in (told or {}).get("extension", ()))
