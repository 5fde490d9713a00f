"""One resource before every judge of FHIR."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any

from onc_conformance.fhir import extensions, fitting, references, structure, tables
from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.hearing import Hearing, shown
from onc_conformance.fhir.invariants import Scope
from onc_conformance.fhir.profiling import Judge
from onc_conformance.fhir.references import Resolve
from onc_conformance.fhir.tables import Profile, Tables
from onc_conformance.findings import Finding, Layer, Severity, UsageError

UNKNOWN_PROFILE = "FHIR-PROFILE"
"""Rule of the finding that says a resource names a profile of the guide that is none, or of another type."""


def validate(
    resource: Any,
    guide: Tables,
    profiles: Sequence[str] | None = None,
    *,
    resolve: Resolve | None = None,
    path: str | None = None,
    within: bool = True,
    spent: dict[str, float] | None = None,
) -> list[Finding]:
    """What is wrong with a resource; of a Bundle, with each resource in it, too.

    `profiles` are URLs or ids, in a Bundle those of the resources of their types; without them those the resource names
    in meta.profile, or else those that fit it.
    `resolve` finds what a literal reference leads to, and asks that each lead somewhere; `path` is where the resource
    stands; without `within` the entries of a Bundle are left alone; `spent` is added what `schema` and `templates`
    took.
    UsageError for a profile the guide does not have.
    """
    began = perf_counter()
    chosen = None if profiles is None else [_named(guide, each) for each in profiles]
    named = resource.get("resourceType") if isinstance(resource, dict) else None
    if named == "Bundle" and profiles is not None:
        chosen = []
    at = path or (named if isinstance(named, str) and named.isidentifier() else "$this")
    hearing = Hearing(guide, codes_of(guide), resource if isinstance(resource, dict) else {}, resolve)
    if not isinstance(named, str) or tables.types().get(named, {}).get("kind") != "resource":
        structure.unknown_type(hearing, resource, at)
        return hearing.closing(at)
    structure.check(hearing, resource, at)
    references.contained(hearing, at)
    references.resolved(hearing)
    halfway = perf_counter()
    scope = Scope(resource, resource, resolve)
    extensions.check(hearing, resource, at, scope)
    if chosen is None:
        chosen, strange = fitting.profiles(resource, guide, hearing.codes)
        for each in strange:
            message = f"meta.profile names no profile of US Core {guide.version} for a {named}"
            hearing.object(
                UNKNOWN_PROFILE, message, f"{at}.meta.profile", layer=Layer.TEMPLATE, severity=Severity.WARNING,
                expected="a profile of this version", found=shown(each),
            )  # fmt: skip
    for profile in chosen:
        if profile.type == named:
            Judge(hearing, profile, scope).check(resource, at)
        else:
            message = f"{profile.name} is a profile of {profile.type}"
            hearing.object(UNKNOWN_PROFILE, message, at, layer=Layer.TEMPLATE, expected=profile.type, found=named)
    findings = hearing.closing(at)
    if spent is not None:
        spent["schema"] = spent.get("schema", 0.0) + halfway - began
        spent["templates"] = spent.get("templates", 0.0) + perf_counter() - halfway
    if named == "Bundle" and within:
        for number, entry in entries(resource):
            inside = f"{at}.entry[{number}].resource"
            meant = of_type(guide, profiles, entry)
            findings += validate(entry, guide, meant, resolve=resolve, path=inside, spent=spent)
    return findings


def profiles(resource: dict[str, Any], guide: Tables) -> list[Profile]:
    """The profiles a resource is judged by where none are asked for."""
    return fitting.profiles(resource, guide, codes_of(guide))[0]


def entries(bundle: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Number and resource of each entry of a Bundle that has one."""
    told = bundle.get("entry")
    for number, each in enumerate(told if isinstance(told, list) else ()):
        if isinstance(each, dict) and "resource" in each:
            yield number, each["resource"]


def of_type(guide: Tables, names: Sequence[str] | None, resource: Any) -> list[str] | None:
    """Those of the profiles asked for that are of a resource's type; None where none is."""
    named = resource.get("resourceType") if isinstance(resource, dict) else None
    return [each for each in names or () if _named(guide, each).type == named] or None


@lru_cache(maxsize=16)
def codes_of(guide: Tables) -> Codes:
    """The codes of a guide, answers kept."""
    return Codes(guide)


def _named(guide: Tables, name: str) -> Profile:
    found = guide.profile(name)
    if found is None:
        raise UsageError(f"{name} is no profile of {guide.package} {guide.version}")
    return found
