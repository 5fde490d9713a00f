"""Provenance that comes along with what was searched for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onc_conformance.fhirwork import demands
from onc_conformance.fhirwork.asking import Entry
from onc_conformance.fhirwork.chart import Chart, referring
from onc_conformance.fhirwork.parameters import Resource
from onc_conformance.fhirwork.searches import Search, required
from onc_conformance.findings import Finding, Severity

INCLUDED = ("_revinclude", demands.PROVENANCE)


def searches(chart: Chart, kind: str) -> list[Search]:
    """The first required search of a type, with Provenance; none where the guide does not ask for it."""
    if not demands.provenance(chart.tables, kind) or not chart.of(kind):
        return []
    return [Search(chart, kind, (*each.asked, INCLUDED)) for each in required(chart, kind)[:1]]


def came(search: Search) -> list[Entry]:
    """The Provenance in an answer."""
    return [each for each in search.found().entries if each.key[0] == "Provenance"]


def along(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to an answer without Provenance, or with one of something else."""
    found = search.found()
    if not found.ok:
        yield found.first.objection(rule, "was not answered", expected="a Bundle", found=found.first.said)
        return
    entries = came(search)
    if not entries and found.matches:
        yield found.first.objection(
            rule, "no Provenance came along", expected=f"Provenance of {len(found.matches)} matches", found="none"
        )
    names = {"/".join(each.key) for each in found.matches}
    for entry in entries:
        told = targets(entry.resource)
        if not any(_names(each, names) for each in told):
            yield entry.page.objection(
                rule,
                "a Provenance came along that is of nothing that was searched for",
                path=f"{entry.place}.target",
                expected="one of the matches",
                found=", ".join(told) or "nothing",
            )


def covered(all_searches: Iterable[Search], rule: str) -> Iterator[Finding]:
    """An error where no resource of a type has Provenance, a warning where some have none."""
    by_kind: dict[str, list[Search]] = {}
    for search in all_searches:
        by_kind.setdefault(search.kind, []).append(search)
    for kind, of_kind in by_kind.items():
        bare: list[tuple[Entry, Search]] = []
        matched = 0
        for search in of_kind:
            told = [target for entry in came(search) for target in targets(entry.resource)]
            matches = search.found().matches
            matched += len(matches)
            bare += [(e, search) for e in matches if not any(_names(each, {"/".join(e.key)}) for each in told)]
        if bare:
            entry, search = bare[0]
            yield search.found().first.objection(
                rule,
                f"{len(bare)} of {matched} {kind} have no Provenance",
                severity=Severity.ERROR if len(bare) == matched else Severity.WARNING,
                path="/".join(entry.key),
                expected="Provenance of each resource",
                found=f"none of {len(bare)}",
            )


def targets(resource: Resource) -> list[str]:
    """What a Provenance is of."""
    return [told for _, told in referring(resource.get("target"), "target")]


def _names(reference: str, names: set[str]) -> bool:
    plain = reference.partition("/_history")[0]
    return any(plain == name or plain.endswith(f"/{name}") for name in names)
