"""What the patient's resources hold: references, notes, medications, and data that are missing for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onc_conformance.fhir import validate
from onc_conformance.fhirwork import devices
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.chart import BY_PATIENT, Chart, Kept, Reference, whose
from onc_conformance.fhirwork.guidance import told
from onc_conformance.fhirwork.parameters import at, pairs
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT_CODES = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def valid(chart: Chart, resources: Iterable[Kept]) -> Iterator[Finding]:
    """What FHIR R4, the profiles and the labels of devices have against each resource, tied to its exchange."""
    for kept in resources:
        if kept.key[0] == "Device":
            yield from devices.labelled(kept)
        for finding in validate(kept.resource, chart.tables, path=kept.name):
            yield replace(finding, exchange=kept.got.exchange.id, message=f"{kept.name}: {finding.message}")


def read(chart: Chart, resources: Iterable[Kept], rule: str) -> Iterator[Finding]:
    """Objections to resources that a read does not bring, or brings otherwise than the search did."""
    for kept in resources:
        got = chart.server.read(chart.subject, kept.name)
        if not got.ok:
            yield got.objection(rule, "was not answered", expected=kept.name, found=got.said)
            continue
        yield from got.travelled(rule)
        yield from got.flawed(rule)
        if (odd := different(kept.resource, got.resource or {})) is not None:
            yield got.objection(
                rule,
                "is not the resource that the search brought",
                path=f"{kept.name}.{odd}",
                expected=f"the {odd} of {kept.got.request}",
                found=f"another {odd}",
            )


def different(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The first element that is not alike in both, whatever meta and text say; None where all are."""
    names = [*one, *(name for name in other if name not in one)]
    return next((name for name in names if name not in {"meta", "text"} and one.get(name) != other.get(name)), None)


def resolved(chart: Chart, references: Sequence[Reference], rule: str) -> Iterator[Finding]:
    """Objections to references of the patient's resources that lead nowhere, to something else, or to somebody else's.

    A warning for each other server that references lead to, where nobody here may look.
    """
    servers: set[str] = set()
    for each in references:
        target = each.target
        if target is None:
            yield from _outside(each, rule, servers)
            continue
        if isinstance(target, Got) and not target.ok:
            yield _dangling(each, rule, target.said, target)
            continue
        resource = target.resource or {}
        kind = str(resource.get("resourceType"))
        named = each.told.rstrip("/").split("/")[-2:] if not each.told.startswith("#") else []
        if named and "_history" not in each.told and [kind, str(resource.get("id"))] != named:
            yield _dangling(each, rule, f"{kind}/{resource.get('id')} is there")
        elif (owner := whose(resource)) not in {chart.id, None} and kind != "Patient" and not _kin(each.path):
            yield replace(_dangling(each, rule, f"it is of the patient {owner}"), layer=Layer.SECURITY)


def _kin(path: str) -> bool:
    """Whether the element may name what is another patient's: a newborn's visit is part of the mother's."""
    return path.rpartition(".")[2].partition("[")[0] in {"partOf", "focus"}


def _outside(each: Reference, rule: str, servers: set[str]) -> Iterator[Finding]:
    """What is to be said of a reference to what is not at this server."""
    server = each.told.partition("://")[2].partition("/")[0]
    if each.told.startswith(("#", "urn:")):
        yield _dangling(
            each, rule, "nothing contained has this id" if each.told.startswith("#") else "nobody answers at a urn"
        )
    elif each.path in {f"{each.holder.key[0]}.{name}" for name in BY_PATIENT}:
        yield _dangling(each, rule, f"it is a patient of {server}")
    elif server and server not in servers:
        servers.add(server)
        yield replace(_dangling(each, rule, f"{server} is another server"), severity=Severity.WARNING)


def _dangling(reference: Reference, rule: str, found: str, got: Got | None = None) -> Finding:
    holder = reference.holder
    return Finding(
        layer=Layer.CONTENT,
        severity=Severity.ERROR,
        rule=rule,
        message=f"{holder.name}: the reference {reference.told} does not lead to what it names",
        path=f"{holder.name}{reference.path.removeprefix(holder.key[0])}.reference",
        expected=reference.told,
        found=found,
        exchange=(got or holder.got).exchange.id,
    )


def noted(charts: Sequence[Chart], rule: str) -> Iterator[Finding]:
    """A warning for each kind of clinical note and report that no test patient has; NotTested where none has any."""
    served = charts[0].kinds
    documents = [kept for chart in charts for kept in chart.of("DocumentReference")]
    reports = [kept for chart in charts for kept in chart.of("DiagnosticReport")]
    if not documents and not reports:
        raise NotTested("no test patient has a note or a report")
    if "DocumentReference" in served:
        yield from _kinds(documents, "type", told()["notes"]["types"], "note", rule)
    if "DiagnosticReport" in served:
        yield from _kinds(reports, "category", told()["notes"]["reports"], "report", rule)


def _kinds(resources: Sequence[Kept], element: str, wanted: Iterable[str], what: str, rule: str) -> Iterator[Finding]:
    codes = {code for kept in resources for value in at(kept.resource, element) for _, code in pairs(value)}
    for code in wanted:
        if code not in codes:
            kind = "DocumentReference" if what == "note" else "DiagnosticReport"
            yield Finding(
                layer=Layer.USCDI,
                severity=Severity.WARNING,
                rule=rule,
                message=f"no test patient has a {what} of the kind LOINC {code}",
                path=f"{kind}.{element}",
                expected=code,
                found=", ".join(sorted(codes)) or "none",
                hint=f"enter one {what} of this kind for any test patient",
                exchange=resources[0].got.exchange.id if resources else None,
            )


def medicated(charts: Sequence[Chart], rule: str) -> Iterator[Finding]:
    """Objections to medications named by reference that lead to no Medication; NotApplicable where none is."""
    led = [
        (chart, each)
        for chart in charts
        for each in chart.references
        if each.path.endswith(".medicationReference") and each.holder.key[0].startswith("Medication")
    ]
    if not led:
        raise NotApplicable("every medication is a code in the request, none a resource of its own")
    for chart, reference in led:
        yield from resolved(chart, [reference], rule)
        target = reference.target
        resource = target.resource if isinstance(target, Kept) or (target is not None and target.ok) else None
        if resource is None and not reference.told.startswith("#"):
            continue
        if resource is not None and resource.get("resourceType") != "Medication":
            yield _dangling(reference, rule, f"a {resource.get('resourceType')}")
        elif resource is not None and isinstance(target, Kept):
            yield from valid(chart, [target])


def absent(charts: Sequence[Chart]) -> tuple[list[str], list[str]]:
    """Where data are said to be missing for a reason: by the extension, and by a code."""
    extended: list[str] = []
    coded: list[str] = []
    for chart in charts:
        for kept in chart.pool.values():
            for path, table in _tables(kept.resource, kept.name):
                if table.get("url") == ABSENT:
                    extended.append(path)
                if table.get("system") == ABSENT_CODES or table.get("code") == "unknown":
                    coded.append(path)
    return extended, coded


def _tables(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _tables(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        yield path, value
        for name, each in value.items():
            yield from _tables(each, f"{path}.{name}")
