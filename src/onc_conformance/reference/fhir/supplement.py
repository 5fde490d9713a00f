"""What the bundled patients' charts have that only FHIR can say: further resources, and elements of those there are."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir import measured
from onc_conformance.reference.fhir.directory import DOCTOR
from onc_conformance.reference.fhir.parts import profile

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
    directory, and a Binary's data is what the file says. `since` is the version of US Core it is for.
    """
    told = _content().get(pen.chart.id, {})
    if told.get("born") != pen.chart.birth_date:
        return resources
    by_place = {f"{one['resourceType']}/{one['id']}": one for one in resources}
    for place, change in told.get("change", {}).items():
        if change.get("since") not in {None, pen.version}:
            continue
        kind, _, key = place.partition("/")
        target = by_place.get(f"{kind}/{pen.patient if kind == 'Patient' else pen.id(kind, key)}")
        if target is not None:
            _merge(target, _issued(pen, {name: value for name, value in change.items() if name != "since"}))
    unmeasured = told.get("not_measured", {})
    refused = [
        resource
        for visit in pen.chart.of("encounters")
        for resource in measured.not_taken(pen, visit, unmeasured.get(visit.encounter, ()))
    ]
    return (
        resources + [_new(pen, one) for one in told.get("add", ()) if one.get("since") in {None, pen.version}] + refused
    )


def _new(pen: Pen, row: dict[str, Any]) -> Resource:
    kind = row["resourceType"]
    elements = _issued(pen, {name: value for name, value in row.items() if name not in {"since", "profile", "updated"}})
    meta: Resource = {"lastUpdated": row["updated"]}
    if row.get("profile"):
        meta["profile"] = [profile(name) for name in row["profile"]]
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
