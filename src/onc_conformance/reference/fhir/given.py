"""Resources given in Bundles, to be served in place of those from charts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir import groups
from onc_conformance.reference.fhir.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.records import Owned

_SHAPES: Mapping[str, type[dict[str, Any] | list[Any]]] = {"meta": dict, "target": list}
_SHOWN = {dict: "an object", list: "a list"}
_ABOUT = ("patient", "subject", "beneficiary", "individual")


def load(paths: Sequence[Path]) -> Records:
    """The resources of all Bundles. ValueError, one line naming the file, on the first thing wrong."""
    found: dict[tuple[str, str], tuple[Resource, str]] = {}
    addresses: dict[str, str] = {}
    for path in paths:
        for number, entry in enumerate(_entries(path)):
            resource, where = _resource(entry, f"{path}: entry {number}")
            place = resource["resourceType"], resource["id"]
            if place in found:
                raise ValueError(f"{where}: {'/'.join(place)} was given before, by {found[place][1]}; ids are unique")
            found[place] = resource, where
            addresses[str(entry.get("fullUrl", ""))] = "/".join(place)
    addresses.pop("", None)
    resources = [_resolved(resource, addresses) for resource, _ in found.values()]
    if not any(resource["resourceType"] == "Patient" for resource in resources):
        raise ValueError(f"{', '.join(map(str, paths))}: no Patient; a Bundle to serve holds the patients it is about")
    owned = [
        (one, groups.OWNER) if one["resourceType"] == "Group" else (one, whose) for one, whose in _owned(resources)
    ]
    if not any(resource["resourceType"] == "Group" for resource in resources):
        patients = [str(one["id"]) for one in resources if one["resourceType"] == "Patient"]
        owned += [(group, groups.OWNER) for group in groups.written(patients)]
    return Records(owned)


def _entries(path: Path) -> list[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: is no JSON: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        raise ValueError(f"{path}: is no FHIR Bundle; expected JSON with the resourceType Bundle")
    entries = content.get("entry", [])
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: the Bundle has no entries")
    return entries


def _resource(entry: object, where: str) -> tuple[Resource, str]:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict):
        raise ValueError(f"{where}: has no resource")  # noqa: TRY004 - the file is wrong, not the caller
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not kind.isalpha():
        raise ValueError(f"{where}: {kind!r} is no type of resource")
    if not isinstance(resource.get("id"), str):
        raise ValueError(f"{where}: {kind} without id; every resource served has one")  # noqa: TRY004
    for name, kinds in _SHAPES.items():
        if not isinstance(resource.get(name, kinds()), kinds):
            raise ValueError(f"{where}: {kind}: {name}: expected {_SHOWN[kinds]}")  # noqa: TRY004
    return resource, where


def _resolved(value: Any, addresses: Mapping[str, str]) -> Any:
    """The same with references to addresses within the Bundles as Type/id."""
    if isinstance(value, list):
        return [_resolved(item, addresses) for item in value]
    if not isinstance(value, dict):
        return value
    out = {name: _resolved(item, addresses) for name, item in value.items()}
    if isinstance(out.get("reference"), str):
        out["reference"] = addresses.get(out["reference"], out["reference"])
    return out


def _owned(resources: Sequence[Resource]) -> Iterable[Owned]:
    """Each with its patient: the one it names, or that of what refers to it or is referred to by it."""
    patients = {one["id"] for one in resources if one["resourceType"] == "Patient"}
    owners: dict[str, str] = {}
    for resource in resources:
        if patient := _patient(resource, patients):
            owners[f"{resource['resourceType']}/{resource['id']}"] = patient
    for resource in resources:
        place = f"{resource['resourceType']}/{resource['id']}"
        told = resource.get("target", ()) if resource["resourceType"] == "Provenance" else ()
        if patient := next((owners[name] for name in map(_referred, told) if name in owners), None):
            owners[place] = patient
        medication = _referred(resource.get("medicationReference"))
        if medication.startswith("Medication/") and place in owners:
            owners.setdefault(medication, owners[place])
    return [(one, owners.get(f"{one['resourceType']}/{one['id']}")) for one in resources]


def _referred(value: object) -> str:
    """What a Reference refers to; nothing, if it is none."""
    return str(value.get("reference", "")) if isinstance(value, dict) else ""


def _patient(resource: Resource, patients: set[str]) -> str | None:
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    for name in _ABOUT:
        kind, _, issued = _referred(resource.get(name)).rpartition("/")
        if kind.endswith("Patient") and issued in patients:
            return issued
    return None
