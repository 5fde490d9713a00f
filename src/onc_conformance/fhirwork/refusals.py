"""Requests that must fail: unknown ids, dates that are none, other patients' data. What comes back instead of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onc_conformance.fhirwork import parameters
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.chart import Chart, whose
from onc_conformance.fhirwork.searches import Search
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.spoiling import never_issued

NO_DATE = "not-a-date"


def unknown(chart: Chart) -> list[Got]:
    """Reads of an id that was never issued, one for each type there is."""
    return [chart.server.read(chart.subject, f"{kind}/{never_issued(chart.id)[:60]}") for kind in chart.kinds]


def undated(charts: Sequence[Chart]) -> list[Search]:
    """Searches by a date that is none, of each type whose searches by date are required and somebody has data of."""
    found = []
    for kind in charts[0].kinds:
        chart = next((each for each in charts if each.of(kind)), charts[0])
        told = chart.tables.searches[kind]
        for strength, names in told["combinations"]:
            dated = [name for name in names if told["parameters"].get(name, {}).get("type") == "date"]
            if strength == "SHALL" and dated and "patient" in names and chart.of(kind):
                kept = chart.of(kind)[0]
                others = [name for name in names if name not in {"patient", dated[0]}]
                beside = {name: parameters.sample(kept.resource, name, "token") or "" for name in others}
                asked = chart.asked(kind, {**beside, dated[0]: NO_DATE})
                found.append(Search(chart, kind, asked))
                break
    return found


def refused(got: Got, statuses: tuple[int, ...], rule: str) -> Iterator[Finding]:
    """Objections to an answer that is no refusal with one of these statuses and an OperationOutcome."""
    status = got.exchange.status
    wanted = " or ".join(map(str, statuses))
    if status not in statuses:
        yield got.objection(
            rule, "was not refused as it must be", expected=f"HTTP {wanted} and an OperationOutcome", found=got.said
        )
    elif got.kind != "OperationOutcome":
        yield got.objection(
            rule,
            "the refusal does not say why",
            severity=Severity.WARNING,
            expected="an OperationOutcome",
            found=got.kind or got.trouble,
        )


def strangers(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to rows of anybody but the patient that was asked for."""
    told = dict(search.asked)
    asked = told.get("_id" if search.kind == "Patient" else "patient", search.chart.id).removeprefix("Patient/")
    for entry in search.found().entries:
        owner = whose(entry.resource)
        if owner is not None and owner != asked and entry.mode != "include":
            yield entry.page.objection(
                rule,
                "another patient's data came back",
                layer=Layer.SECURITY,
                path=entry.place,
                expected=f"data of {asked} or none",
                found=f"{'/'.join(entry.key)} of {owner}",
            )


def of_another(chart: Chart, other: str) -> list[Search]:
    """Searches in this patient's session for another id, one for each type that brought anything, whoever's it was."""
    found = []
    for kind in chart.kinds:
        if not any(each.matches for each in chart.gathered[kind]):
            continue
        beside = parameters.gathering(kind)[0]
        own = ("_id", other) if kind == "Patient" else ("patient", other)
        found.append(Search(chart, kind, (own, *beside.items())))
    return found


def nobody(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to data, whoever's they are, for an id that nobody has."""
    for entry in search.found().entries:
        if entry.key[0] != "OperationOutcome":
            yield entry.page.objection(
                rule,
                "data came back for an id that nobody has",
                layer=Layer.SECURITY,
                path=entry.place,
                expected="no data",
                found="/".join(entry.key),
            )


def unheard(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to what an unknown parameter led to: neither a refusal with reasons nor the patient's own data."""
    found = search.found()
    first = found.first
    if first.ok and first.kind == "Bundle":
        yield from strangers(search, rule)
    elif first.exchange.status is None or first.exchange.status >= 500 or first.kind != "OperationOutcome":
        yield first.objection(
            rule,
            "is neither answered nor refused with a reason",
            expected="data or an OperationOutcome",
            found=first.said,
        )
