"""The capability statement: what the server says of itself, held against what US Core requires of a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onc_conformance.fhir import validate
from onc_conformance.fhir.tables import Tables
from onc_conformance.fhirwork import ledger
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import Finding, Severity

SERVER = "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server"


def versions(got: Got) -> list[str]:
    """The versions of US Core that the server says it follows; none where it names no version."""
    told = got.resource or {}
    names = [str(each) for name in ("instantiates", "implementationGuide") for each in _listed(told.get(name))]
    return sorted({version for each in names if "/us/core/" in each and (version := each.partition("|")[2])})


def stated(got: Got, rule: str) -> Iterator[Finding]:
    """Objections to what is no capability statement of an R4 server in JSON."""
    if not got.ok or got.kind != "CapabilityStatement":
        yield got.objection(rule, "was not answered", expected="a CapabilityStatement", found=got.said)
        return
    yield from got.travelled(rule)
    yield from got.flawed(rule)
    told = got.resource or {}
    if told.get("fhirVersion") != "4.0.1":
        yield _amiss(got, rule, "fhirVersion", "4.0.1", told.get("fhirVersion"))
    formats = told.get("format")
    if not isinstance(formats, list) or not {"json", "application/fhir+json"} & set(map(str, formats)):
        yield _amiss(got, rule, "format", "json", formats)
    if told.get("kind") != "instance":
        yield _amiss(got, rule, "kind", "instance", told.get("kind"))
    if not any(rest.get("mode") == "server" for rest in _tables(told.get("rest"))):
        yield _amiss(got, rule, "rest.mode", "server", None)


def formed(got: Got, tables: Tables, rule: str) -> Iterator[Finding]:
    """A warning for each rule of FHIR R4 that the statement breaks, at the first place: no test depends on it."""
    told: dict[str, Finding] = {}
    for each in validate(got.resource, tables):
        if each.severity is Severity.ERROR:
            told.setdefault(each.rule, each)
    for each in told.values():
        yield got.objection(
            rule, each.message, severity=Severity.WARNING, path=each.path, expected=each.expected, found=each.found
        )


def guided(got: Got, rule: str) -> Iterator[Finding]:
    """A warning where the statement does not say that it is a US Core server's."""
    instantiated = (got.resource or {}).get("instantiates")
    names = [str(each).partition("|")[0] for each in instantiated] if isinstance(instantiated, list) else []
    if SERVER not in names:
        yield _amiss(got, rule, "instantiates", SERVER, instantiated, severity=Severity.WARNING)


def declared(got: Got, tables: Tables, without: list[str], rule: str) -> Iterator[Finding]:
    """Objections to types, profiles, reads and searches that US Core requires and the statement does not declare."""
    by_type = resources(got)
    profiles: dict[str, list[str]] = {}
    for profile in ledger.declared(tables):
        profiles.setdefault(profile.type, []).append(profile.url)
    for kind, urls in profiles.items():
        if kind in without:
            continue
        entry = by_type.get(kind)
        place = f"CapabilityStatement.rest.resource.where(type = '{kind}')"
        if entry is None:
            yield got.objection(
                rule, f"{kind} is not declared", path=place, expected=f"an entry for {kind}", found="none"
            )
            continue
        supported = {str(each).partition("|")[0] for each in _listed(entry.get("supportedProfile"))}
        for url in urls:
            if url not in supported:
                found = f"{len(supported)} others"
                yield got.objection(rule, f"{kind}: a profile is not declared", path=place, expected=url, found=found)
        yield from _operations(got, kind, entry, tables, place=place, rule=rule)


def _operations(
    got: Got, kind: str, entry: dict[str, Any], tables: Tables, *, place: str, rule: str
) -> Iterator[Finding]:
    told = tables.searches[kind]
    able = {str(each.get("code")) for each in _tables(entry.get("interaction"))}
    for code, strength in told["interactions"].items():
        if strength == "SHALL" and code not in able and code in {"read", "search-type"}:
            if code == "search-type" and not _searched(kind, tables):
                continue
            yield got.objection(
                rule, f"{kind}: {code} is not declared", path=place, expected=code, found=str(sorted(able))
            )
    known = {str(each.get("name")) for each in _tables(entry.get("searchParam"))}
    demanded = [name for name, each in told["parameters"].items() if each["strength"] == "SHALL"]
    demanded += [name for strength, names in told["combinations"] if strength == "SHALL" for name in names]
    for name in dict.fromkeys(demanded):
        if name not in known and _searched(kind, tables):
            yield got.objection(
                rule,
                f"{kind}: the search parameter {name} is not declared",
                path=f"{place}.searchParam",
                expected=name,
                found=", ".join(sorted(known)) or "none",
            )
    for name, strength in told["revincludes"].items():
        if strength == "SHALL" and name not in _listed(entry.get("searchRevInclude")):
            yield got.objection(
                rule,
                f"{kind}: _revinclude={name} is not declared",
                path=f"{place}.searchRevInclude",
                expected=name,
                found=", ".join(map(str, _listed(entry.get("searchRevInclude")))) or "none",
            )


def _searched(kind: str, tables: Tables) -> bool:
    """Whether a certified server must search it: the directory is only read (certification companion guide)."""
    return kind == "Patient" or "patient" in tables.searches[kind]["parameters"]


def resources(got: Got) -> dict[str, dict[str, Any]]:
    """What the statement says of each type."""
    rest = _tables((got.resource or {}).get("rest"))
    return {str(each.get("type")): each for one in rest for each in _tables(one.get("resource"))}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _tables(value: Any) -> list[dict[str, Any]]:
    return [each for each in _listed(value) if isinstance(each, dict)]


def _amiss(
    got: Got, rule: str, element: str, expected: str, found: Any, *, severity: Severity = Severity.ERROR
) -> Finding:
    return got.objection(
        rule,
        f"{element} is not {expected}",
        severity=severity,
        path=f"CapabilityStatement.{element}",
        expected=expected,
        found=str(found) if found else "nothing",
    )
