"""Whether everything the expected record has came back: each fact by its code and day, as often as it was entered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from onc_conformance.fhirwork.asking import Got, key
from onc_conformance.fhirwork.chart import Chart, Kept, texts, whose
from onc_conformance.fhirwork.guidance import told
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.record import Fact, Record, systems

_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?(T.*)?")


def required(record: Record, served: tuple[str, ...]) -> list[Fact]:
    """The facts of a record that resources of these types have to tell."""
    carriers = told()["facts"]
    return [
        fact
        for fact in record.facts
        if fact.required
        and (fact.codes or fact.attributes.get("udi"))
        and set(carriers.get(fact.kind, ())) & set(served)
    ]


def carriers(chart: Chart, fact: Fact) -> list[Kept]:
    """The patient's resources that tell a fact."""
    kinds = told()["facts"][fact.kind]
    udi = fact.attributes.get("udi")
    if udi:
        return [kept for kind in kinds for kept in chart.of(kind) if any(text == udi for text in texts(kept.resource))]
    uris = systems()
    pairs = [(str(uris.get(code.system, {}).get("uri", f"urn:oid:{code.system}")), code.code) for code in fact.codes]
    coded = {each.key: each for kind in kinds for pair in pairs for each in chart.coded.get((kind, *pair), ())}
    days = [str(day.first) for day in (fact.date, fact.start) if day and day.first]
    return [each for each in coded.values() if not days or _dated(chart.whole(each), days)]


def missing(chart: Chart, record: Record, rule: str) -> Iterator[Finding]:
    """An objection for each fact of the record that no resource of the patient tells."""
    taken: set[tuple[str, str]] = set()
    for fact in required(record, chart.kinds):
        whole = carriers(chart, fact)
        found = [kept for kept in whole if kept.key not in taken]
        if found:
            taken.add(found[0].key)
        elif not whole or fact.kind not in _SHARING:
            kinds = told()["facts"][fact.kind]
            searched = [page for kind in kinds for each in chart.gathered.get(kind, ()) for page in each.pages[:1]]
            yield Finding(
                layer=Layer.CONTENT,
                severity=Severity.ERROR,
                rule=rule,
                message=f"{record.id}: {fact.kind}: {fact} did not come back",
                path=" or ".join(kinds),
                expected=str(fact),
                found=f"{sum(len(chart.of(kind)) for kind in kinds)} resources, none of them this"
                if not whole
                else "one resource for several facts",
                exchange=searched[0].exchange.id if searched else None,
            )


_SHARING = frozenset({"vital_signs", "health_concerns", "encounter_diagnoses", "laboratory_results", "medications"})
"""Classes of which one resource may tell several facts: systolic and diastolic, a problem that is a concern."""


def unfound(chart: Chart, rule: str) -> Iterator[Finding]:
    """Objections to resources of the patient that others refer to, that a read brings, and no search finds."""
    for reference in chart.references:
        got = reference.target
        if not isinstance(got, Got) or not got.ok or got.resource is None:
            continue
        kind, id_ = key(got.resource)
        if kind in chart.kinds and whose(got.resource) == chart.id and (kind, id_) not in chart.own:
            yield got.objection(
                rule,
                f"{kind}/{id_} is the patient's and no search finds it",
                path=f"{kind}/{id_}",
                expected=f"a match of {chart.gathered[kind][0].first.request}",
                found=f"only {reference.holder.name} leads to it",
            )


def identity(chart: Chart, rule: str) -> Iterator[Finding]:
    """Objections to a Patient that is somebody else by name or date of birth."""
    record = chart.subject.record
    wanted = f"{record.name.family}, born {record.birth_date[:10]}"
    for kept in chart.of("Patient"):
        told_names = kept.resource.get("name")
        names = (
            [each.get("family") for each in told_names if isinstance(each, dict)]
            if isinstance(told_names, list)
            else []
        )
        born = kept.resource.get("birthDate")
        if record.name.family not in names or born != record.birth_date[:10]:
            found = f"{', '.join(map(str, names))}, born {born}"
            yield kept.got.objection(
                rule, "is somebody else", layer=Layer.SECURITY, path=kept.name, expected=wanted, found=found
            )


def _dated(resource: dict[str, Any], days: list[str]) -> bool:
    return any(_on(text, day) for text in texts(resource) for day in days)


def _on(text: str, day: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    told_ = text[:10]
    return day.startswith(told_) or told_.startswith(day)
