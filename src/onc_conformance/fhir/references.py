"""References: their form, what they may name, and that what a resource contains is there and used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from onc_conformance.fhir.hearing import Hearing, shown
from onc_conformance.fhir.tables import DEFINITION, Tables, resource_types
from onc_conformance.findings import Layer

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?")
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
_URN = re.compile(r"urn:(uuid|oid):\S+")
_ANYTHING = frozenset({"Resource", "Any", "DomainResource"})

Resolve = Callable[[str], dict[str, Any] | None]


RULE = "FHIR-REFERENCE"


def check(hearing: Hearing, reference: dict[str, Any], path: str) -> None:
    """Object to a reference of no form, and to a type stated that is not that of what is named."""
    told, stated = reference.get("reference"), reference.get("type")
    if not isinstance(told, str):
        return
    if not formed(told):
        expected = "Type/id, a URL, urn:uuid:, or # and the id of a contained resource"
        hearing.object(RULE, "this is no reference", f"{path}.reference", expected=expected, found=shown(told))
        return
    named = _type(hearing, told)
    if named and isinstance(stated, str) and stated.rpartition("/")[2] != named:
        message = "the type stated is not that of what is referred to"
        hearing.object(RULE, message, f"{path}.type", expected=named, found=shown(stated))


def allowed(
    hearing: Hearing, reference: dict[str, Any], path: str, targets: Iterable[str], said_by: str, *, rule: str = RULE
) -> None:
    """Object to a reference to a type that may not be named here."""
    told, stated = reference.get("reference"), reference.get("type")
    named = _type(hearing, told) if isinstance(told, str) and formed(told) else None
    named = named or (stated if isinstance(stated, str) else None)
    able = {_target(hearing.tables, each) for each in targets}
    if named and able and None not in able and not able & _ANYTHING and named not in able:
        layer = Layer.SCHEMA if rule == RULE else Layer.TEMPLATE
        expected = " or ".join(sorted(each for each in able if each))
        message = f"{said_by} allows no reference to a {shown(named)} here"
        hearing.object(rule, message, path, layer=layer, expected=expected, found=shown(told or stated))


def contained(hearing: Hearing, path: str) -> None:
    """Object to `#id` that names nothing, and to what is contained and named by nobody (ref-1, dom-3)."""
    inside = hearing.resource.get("contained")
    if not isinstance(inside, list):
        inside = []
    ids = {str(each.get("id")) for each in inside if isinstance(each, dict)}
    used = set()
    for each in hearing.references:
        if each.told.startswith("#"):
            used.add(each.told[1:])
            if each.told != "#" and each.told[1:] not in ids:
                expected = "the id of a contained resource"
                hearing.object(
                    "ref-1", "nothing is contained under this id", each.path, expected=expected, found=each.told
                )
    for number, each in enumerate(inside):
        if isinstance(each, dict) and str(each.get("id")) not in used and not _points_back(each):
            message = "the contained resource is referred to by nothing"
            found = f"{each.get('resourceType')} #{each.get('id')}"
            hearing.object(
                "dom-3", message, f"{path}.contained[{number}]", expected="a reference to it", found=shown(found)
            )


def formed(told: str) -> bool:
    """Whether this can be a reference."""
    relative = _RELATIVE.fullmatch(told)
    if relative:
        return relative[1] in _types()
    return told.startswith("#") or bool(_ABSOLUTE.fullmatch(told))


def type_of(told: str) -> str | None:
    """The type of resource a literal reference names, where it says."""
    parts = told.partition("/_history/")[0].rstrip("/").split("/")
    named = parts[-2] if len(parts) > 1 else ""
    return named if named in _types() and not _URN.match(told) else None


def within(bundle: dict[str, Any]) -> Resolve:
    """What finds the resources of a Bundle by fullUrl, and by Type/id."""
    found: dict[str, dict[str, Any]] = {}
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            found.setdefault(f"{resource.get('resourceType')}/{resource.get('id')}", resource)
            if isinstance(entry.get("fullUrl"), str):
                found[entry["fullUrl"]] = resource

    def resolve(told: str) -> dict[str, Any] | None:
        bare = told.partition("/_history/")[0]
        return found.get(bare) or (found.get("/".join(bare.split("/")[-2:])) if "/" in bare else None)

    return resolve


def resolved(hearing: Hearing) -> None:
    """Where asked, object to a reference that leads to nothing."""
    if hearing.resolve is None:
        return
    for each in hearing.references:
        if not each.told.startswith("#") and formed(each.told) and hearing.resolve(each.told) is None:
            message = "the reference leads to no resource"
            hearing.object(
                "FHIR-UNRESOLVED", message, each.path, expected="a resource that is there", found=shown(each.told)
            )


def _type(hearing: Hearing, told: str) -> str | None:
    if told.startswith("#"):
        inside = hearing.resource.get("contained")
        for each in inside if isinstance(inside, list) else []:
            if isinstance(each, dict) and each.get("id") == told[1:]:
                return str(each.get("resourceType"))
        return None
    if (named := type_of(told)) or hearing.resolve is None:
        return named
    found = hearing.resolve(told)
    return str(found.get("resourceType")) if found else None


def _target(tables: Tables, url: str) -> str | None:
    """The type of resource a target means; None where that is not known here."""
    if url in tables.profiles:
        return tables.profiles[url].type
    name = url.removeprefix(DEFINITION)
    return name if name in _types() or name in _ANYTHING else None


def _points_back(resource: Any) -> bool:
    if isinstance(resource, dict):
        return resource.get("reference") == "#" or any(_points_back(each) for each in resource.values())
    return isinstance(resource, list) and any(_points_back(each) for each in resource)


@cache
def _types() -> frozenset[str]:
    return frozenset(resource_types())
