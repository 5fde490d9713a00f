"""Whether everything the expected record has came back, and as the record has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from onc_conformance import uscdi
from onc_conformance.fhir import facts
from onc_conformance.fhirwork import parameters
from onc_conformance.fhirwork.asking import Got, key
from onc_conformance.fhirwork.chart import Chart, Kept, texts, whose
from onc_conformance.fhirwork.guidance import told
from onc_conformance.fhirwork.parameters import Resource
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import persons
from onc_conformance.record import Fact, Name, letters, systems

_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?(T.*)?")
_DATES = frozenset({"date", "start", "end"})


def required(chart: Chart) -> list[Fact]:
    """The facts of the patient's record that resources of the types served have to tell, in this version."""
    carriers, since = told()["facts"], told()["since"]
    return [
        fact
        for fact in chart.subject.record.facts
        if fact.required
        and (fact.codes or fact.member or fact.attributes.get("udi"))
        and set(carriers.get(fact.kind, ())) & set(chart.kinds)
        and since.get(fact.kind, "") <= chart.tables.version
    ]


def teller(chart: Chart, fact: Fact) -> Kept | None:
    """The resource that tells a fact; None where there is none.

    A resource of which nothing else is understood tells what it has the code and a day of; one that says a person's
    name in words tells that person.
    """
    found = chart.account.telling(fact)
    if found is not None:
        return chart.pool[key(found.resource)]
    read = set() if fact.member else {key(each.resource) for each in chart.account.told}
    return next((kept for kept in _carriers(chart, fact) if kept.key not in read), None)


def carried(chart: Chart, fact: Fact) -> bool:
    """Whether any resource of the patient has the code of a fact, and a day of it."""
    return bool(_carriers(chart, fact))


def _carriers(chart: Chart, fact: Fact) -> list[Kept]:
    kinds = told()["facts"][fact.kind]
    if fact.member:
        return [kept for kind in kinds for kept in chart.of(kind) if _names(kept, fact.member)]
    udi = fact.attributes.get("udi")
    if udi:
        return [kept for kind in kinds for kept in chart.of(kind) if any(text == udi for text in texts(kept.resource))]
    uris = systems()
    pairs = [(str(uris.get(code.system, {}).get("uri", f"urn:oid:{code.system}")), code.code) for code in fact.codes]
    coded = {each.key: each for kind in kinds for pair in pairs for each in chart.coded.get((kind, *pair), ())}
    days = [str(day.first) for day in (fact.date, fact.start) if day and day.first]
    told_of = [each for each in coded.values() if not facts.retracted(each.resource)]
    return [each for each in told_of if not days or _dated(chart.whole(each), days)]


def _names(kept: Kept, person: Name) -> bool:
    parts = {letters(person.family), letters(person.given[0] if person.given else "")}
    return any(parts <= {*map(letters, text.split()), ""} for text in texts(kept.resource))


def missing(chart: Chart, rule: str) -> Iterator[Finding]:
    """Objections to facts of the record that no resource tells, or not whole: an element of them is left out."""
    record = chart.subject.record
    for fact in required(chart):
        if teller(chart, fact) is None:
            yield absent(chart, fact, rule, f"{record.id}: {fact.kind}: {fact} did not come back")
    yield from _differing(chart, rule, left_out=True)
    yield from _personal(chart, rule, left_out=True)


def absent(chart: Chart, fact: Fact, rule: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
    """What is said of a fact that no resource tells, at the first search that should have brought it."""
    kinds = told()["facts"][fact.kind]
    searched = [page for kind in kinds for each in chart.gathered.get(kind, ()) for page in each.pages[:1]]
    return Finding(
        layer=Layer.CONTENT,
        severity=severity,
        rule=rule,
        message=message,
        path=" or ".join(kinds),
        expected=str(fact),
        found=f"{sum(len(chart.of(kind)) for kind in kinds)} resources, none of them this",
        exchange=searched[0].exchange.id if searched else None,
    )


def otherwise(chart: Chart, rule: str) -> Iterator[Finding]:
    """Objections to what resources tell of facts of the record, and the record has otherwise."""
    yield from _differing(chart, rule, left_out=False)
    yield from _personal(chart, rule, left_out=False)


def _differing(chart: Chart, rule: str, *, left_out: bool) -> Iterator[Finding]:
    served = set(required(chart))
    for fact, seen, each, severity in chart.account.differing:
        lacks = each.absent and each.what not in _DATES
        if fact in served and lacks is left_out and severity is not Severity.INFO:
            kept = chart.pool[key(seen.resource)]
            yield Finding(
                layer=Layer.CONTENT,
                severity=severity,
                rule=rule,
                message=f"{kept.name}: {uscdi.title(fact.kind)}: the {each.what.replace('_', ' ')} of {fact} differs",
                path=kept.name,
                expected=each.expected,
                found=each.found,
                exchange=kept.got.exchange.id,
            )


def _personal(chart: Chart, rule: str, *, left_out: bool) -> Iterator[Finding]:
    """What the Patient does not say as the record has it; one who is somebody else is told as that."""
    for kept in chart.of("Patient"):
        if any(identity(chart, rule)):
            return
        for each in persons.complaints(kept.resource, chart.subject.record):
            if each.absent is left_out:
                yield Finding(
                    layer=Layer.CONTENT,
                    severity=each.complaint.severity,
                    rule=rule,
                    message=f"{kept.name}: {each.item}: {each.complaint.message}",
                    path=f"{kept.name}.{each.path}".rstrip("."),
                    expected=each.complaint.expected,
                    found=each.complaint.found,
                    exchange=kept.got.exchange.id,
                )


def unfound(chart: Chart, rule: str) -> Iterator[Finding]:
    """Objections to resources of the patient that others refer to, that a read brings, and no search finds."""
    for reference in chart.references:
        got = reference.target
        if not isinstance(got, Got) or not got.ok or got.resource is None:
            continue
        kind, id_ = key(got.resource)
        astray = kind in chart.kinds and whose(got.resource) == chart.id and (kind, id_) not in chart.own
        if astray and not _found_by_itself(chart, got.resource):
            yield got.objection(
                rule,
                f"{kind}/{id_} is the patient's and no search finds it",
                path=f"{kind}/{id_}",
                expected=f"a match of {chart.gathered[kind][0].first.request}",
                found=f"only {reference.holder.name} leads to it",
            )


def _found_by_itself(chart: Chart, resource: Resource) -> bool:
    """Whether a search by what the resource itself has brings it: its category may be one that nobody thought of."""
    kind = key(resource)[0]
    for name in dict.fromkeys(name for beside in parameters.gathering(kind) for name in beside):
        for value in parameters.elements(resource, name):
            for _, code in parameters.pairs(value):
                found = chart.search(kind, chart.asked(kind, {name: code}))
                if any(entry.key == key(resource) for entry in found.matches):
                    return True
    return False


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
