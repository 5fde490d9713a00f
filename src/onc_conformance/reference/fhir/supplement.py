"""What the bundled patients' charts have that only FHIR can say: further resources, and elements of those there are."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir import measured, versions
from onc_conformance.reference.fhir.directory import DOCTOR
from onc_conformance.reference.fhir.versions import SPAN

if TYPE_CHECKING:
    from onc_conformance.reference.fhir.parts import Pen, Resource

_NAMED = {
    "Practitioner": "practitioner",
    "PractitionerRole": "role",
    "Organization": "organization",
    "Location": "location",
}


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(__file__).parent / "supplement.json").read_text(encoding="utf-8"))
    return content


def added(pen: Pen, resources: list[Resource]) -> list[Resource]:
    """The resources with what the supplement says of this patient, who is known by name and birth date.

    In it `"id": "key"` names a resource as charts name facts, references are Type/key, or Type/name for those of the
    directory, and a Binary's data is what the file says. `since` and `until` are the versions of US Core it is of.
    """
    told = _content().get(pen.chart.id, {})
    if told.get("born") != pen.chart.birth_date:
        return resources
    by_place = {f"{one['resourceType']}/{one['id']}": one for one in resources}
    for place, changes in told.get("change", {}).items():
        kind, _, key = place.partition("/")
        target = by_place.get(f"{kind}/{pen.patient if kind == 'Patient' else pen.id(kind, key)}")
        for change in changes:
            if target is not None and versions.has(pen.version, change):
                _merge(target, _issued(pen, {name: value for name, value in change.items() if name not in SPAN}))
    unmeasured = told.get("not_measured", {})
    refused = [
        resource
        for visit in pen.chart.of("encounters")
        for resource in measured.not_taken(pen, visit, unmeasured.get(visit.encounter, ()))
    ]
    new = [_new(pen, one) for one in told.get("add", ()) if versions.has(pen.version, one)]
    return [*resources, *new, *refused]


def _new(pen: Pen, row: dict[str, Any]) -> Resource:
    kind = row["resourceType"]
    elements = _issued(pen, {name: value for name, value in row.items() if name not in SPAN | {"profile", "updated"}})
    meta: Resource = {"lastUpdated": row["updated"]}
    if claimed := pen.claimed(row.get("profile", ())):
        meta["profile"] = claimed
    if kind == "Binary":
        elements["data"] = base64.b64encode(elements["data"].encode()).decode("ascii")
    return {"resourceType": kind, "id": pen.id(kind, row["id"]), "meta": meta} | {
        name: value for name, value in elements.items() if name not in {"resourceType", "id"}
    }


def _issued(pen: Pen, value: Any) -> Any:
    """The same with references and addresses of files as they are issued."""
    if isinstance(value, list):
        return [_issued(pen, item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {name: _issued(pen, item) for name, item in value.items()}
    if isinstance(value.get("reference"), str):
        kind, _, key = value["reference"].partition("/")
        if kind == "Patient":
            return pen.subject
        if kind in _NAMED:
            return getattr(pen.directory, _NAMED[kind])(key or DOCTOR)
        return out | pen.to(kind, key)
    if str(value.get("url", "")).startswith("Binary/"):
        out["url"] = pen.to("Binary", value["url"].removeprefix("Binary/"))["reference"]
    return out


def _merge(target: Resource, change: Resource) -> None:
    """Lists grow, objects merge, null takes away, anything else is replaced."""
    for name, value in change.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, list) and isinstance(target.get(name), list):
            target[name] = [*target[name], *value]
        elif isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value
