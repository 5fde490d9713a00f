"""What can be wrong with an export: its resources, its manifest, its files. What the endpoints look for is a flag."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir.access import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from onc_conformance.reference.fhir.parts import Resource

    Exported = dict[str, list[Resource]]

EVERYTHING = Grant(("system/*.rs",))
"""What a request without a token is taken for where none is demanded."""


def _changed(kind: str, change: Callable[[Resource], Resource]) -> Callable[[Exported], Exported]:
    """The first resource of a type changed, where the type is exported."""
    return lambda found: found | ({kind: [change(found[kind][0]), *found[kind][1:]]} if kind in found else {})


def _without(kind: str, place: slice) -> Callable[[Exported], Exported]:
    """Some resources of a type left out."""

    def change(found: Exported) -> Exported:
        kept = list(found.get(kind, ()))
        del kept[place]
        return {name: kept if name == kind else resources for name, resources in found.items()}

    return change


def _strangers(found: Exported) -> Exported:
    added = [one | {"id": f"{one['id']}9"} for one in found.get("Patient", ())[:1]]
    return found | ({"Patient": [*found["Patient"], *added]} if added else {})


def _strangers_data(found: Exported) -> Exported:
    return _changed("Immunization", lambda one: one | {"patient": {"reference": f"{one['patient']['reference']}9"}})(
        found
    )


def _astray(found: Exported) -> Exported:
    if "Immunization" not in found or "Goal" not in found:
        return found
    return found | {"Immunization": [*found["Immunization"], found["Goal"][0]]}


_RESOLVED = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "resolved"}]
}
EXPORTED: dict[str, Callable[[Exported], Exported]] = {
    "bulk-patient-missing": _without("Patient", slice(-1, None)),
    "bulk-foreign-patient": _strangers,
    "bulk-foreign-data": _strangers_data,
    "bulk-wrong-type-in-file": _astray,
    "bulk-resource-missing": _without("Condition", slice(1)),
    "bulk-type-missing": _without("Goal", slice(None)),
    "bulk-resource-differs": _changed("AllergyIntolerance", lambda one: one | {"clinicalStatus": _RESOLVED}),
    "bulk-resource-invalid": _changed(
        "Observation", lambda one: {name: value for name, value in one.items() if name != "status"}
    ),
}


def _no(name: str) -> Callable[[Resource], Resource]:
    return lambda manifest: {key: value for key, value in manifest.items() if key != name}


def _outputs(change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    def changed(manifest: Resource) -> Resource:
        first, *others = manifest["output"] or [{"type": "Patient", "url": manifest["request"], "count": 1}]
        return manifest | {"output": [change(first), *others]}

    return changed


TOLD: dict[str, Callable[[Resource], Resource]] = {
    "bulk-no-transaction-time": _no("transactionTime"),
    "bulk-time-without-zone": lambda manifest: manifest | {"transactionTime": manifest["transactionTime"][:23]},
    "bulk-no-request": _no("request"),
    "bulk-other-request": lambda manifest: manifest | {"request": manifest["request"].replace("/Group/", "/Patient/")},
    "bulk-no-requires-token": _no("requiresAccessToken"),
    "bulk-no-error-list": _no("error"),
    "bulk-count-wrong": _outputs(lambda one: one | {"count": one["count"] + 1}),
    "bulk-file-without-type": _outputs(lambda one: {"url": one["url"], "count": one["count"]}),
    "bulk-relative-address": _outputs(lambda one: one | {"url": one["url"].partition("/fhir/")[2]}),
}


def _first_line(body: bytes) -> bytes:
    first, _, rest = body.partition(b"\n")
    return first[:-1] + b"\n" + rest


SENT: dict[str, Callable[[bytes], bytes]] = {
    "bulk-line-not-json": _first_line,
    "bulk-file-with-mark": lambda body: BOM_UTF8 + body,
    "bulk-file-truncated": lambda body: body[: -len(body) // 20],
}
FLAGS = frozenset({
    "bulk-capability-missing",
    "bulk-kickoff-open",
    "bulk-status-open",
    "bulk-files-open",
    "bulk-kickoff-at-once",
    "bulk-answered-at-once",
    "bulk-no-content-location",
    "bulk-unknown-group-exported",
    "bulk-group-ignored",
    "bulk-other-group",
    "bulk-scope-ignored",
    "bulk-any-format",
    "bulk-short-format-refused",
    "bulk-type-ignored",
    "bulk-since-ignored",
    "bulk-never-ends",
    "bulk-expires-missing",
    "bulk-manifest-as-html",
    "bulk-deletion-ignored",
    "bulk-deletion-refused",
    "bulk-file-as-text",
    "bulk-file-gone",
    "bulk-error-is-a-page",
})  # fmt: skip
HANDLERS: dict[str, Callable[..., Any] | None] = {**EXPORTED, **TOLD, **SENT, **dict.fromkeys(sorted(FLAGS))}
"""Every id, with what makes its change; None where that is the endpoint itself."""


def exported(found: Exported, faults: Collection[str]) -> Exported:
    """What goes into files, by type."""
    for fault, change in EXPORTED.items():
        if fault in faults:
            found = change(found)
    return {kind: resources for kind, resources in found.items() if resources}


def told(manifest: Resource, faults: Collection[str]) -> Resource:
    """The manifest."""
    for fault, change in TOLD.items():
        if fault in faults:
            manifest = change(manifest)
    return manifest


def sent(body: bytes, name: str, faults: Collection[str]) -> bytes:
    """A file; what is wrong with files is wrong with those of one type alone."""
    for fault, change in SENT.items():
        if fault in faults and name.startswith("Goal-"):
            body = change(body)
    return body
