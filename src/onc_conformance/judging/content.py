"""Whether the facts of a record came back, and nothing that is not of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda.kinds import table
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import patients
from onc_conformance.judging.dates import among
from onc_conformance.judging.evidence import Evidence, gather
from onc_conformance.judging.narrated import contradictions
from onc_conformance.record.comparing import differences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from onc_conformance.ccda import Document, Found
    from onc_conformance.moments import Days
    from onc_conformance.record import Fact, Record
    from onc_conformance.record.details import Difference


def content(
    docs: Sequence[Document], record: Record, others: Iterable[Record] = (), *, rule: str | None = None
) -> list[Finding]:
    """Every fact of the record, in any of the documents, and no other patient's; the header's items too."""
    findings = unreadable(docs)
    if findings and all(doc.root is None for doc in docs):
        return findings
    if any(doc.is_whole for doc in docs):
        findings += patients.header(docs, record, rule=rule)
    findings += compared(gather(docs, record, others), rule=rule)
    return findings + [each for doc in docs for each in contradictions(doc, rule=rule)]


def category(
    docs: Sequence[Document],
    name: str,
    record: Record,
    others: Iterable[Record] = (),
    *,
    window: Days | None = None,
    policy: Mapping[str, str | None] | None = None,
    rule: str | None = None,
) -> list[Finding]:
    """One category asked for on its own, in a window or whole: its facts, no other patient's, and (a warning) no more.

    `policy` is the target's `date_policy` by fact class; without a window it says nothing.
    """
    asked = uscdi.categories()[name]
    findings = unreadable(docs)
    if findings and all(doc.root is None for doc in docs):
        return findings
    if asked.header:
        return findings + patients.item(docs, name, record, rule=rule) + isolation(docs, name)
    evidence = gather(docs, record, others, asked.kinds)
    if window:
        findings += among(evidence, window, policy or {}, rule=rule) + strangers(evidence, rule=rule)
    else:
        findings += compared(evidence, rule=rule)
    return findings + isolation(docs, name)


def unreadable(docs: Iterable[Document]) -> list[Finding]:
    """What was said of documents while they were read."""
    return [finding for doc in docs for finding in doc.findings]


def compared(evidence: Evidence, *, rule: str | None = None) -> list[Finding]:
    """Absent, differing, foreign and surplus facts."""
    findings: list[Finding] = []
    for number, fact in enumerate(evidence.facts):
        if fact.visual or fact.no_information or number in evidence.equal:
            continue
        position = evidence.matched[number][0] if number in evidence.matched else evidence.moved.get(number)
        if position is not None:
            told = number in evidence.told
            findings += _differing(fact, evidence.seen[position], rule, told=told)
        elif fact.required and not evidence.came_back(number):
            findings.append(_absent(evidence, number, rule))
    return findings + strangers(evidence, rule=rule) + surplus(evidence, evidence.surplus, rule=rule)


def surplus(evidence: Evidence, positions: Iterable[int], *, rule: str | None = None) -> list[Finding]:
    """What stands at these positions, as facts that the record does not list."""
    return [
        doc.finding(
            found.element,
            layer=Layer.CONTENT,
            severity=table().of[found.kind].extra,
            rule=rule or "CONTENT-EXTRA",
            message=f"{uscdi.title(found.kind)}: not in the expected record",
            expected="no such fact",
            found=str(found),
        )
        for doc, found in (evidence.seen[position] for position in positions)
    ]


def strangers(
    evidence: Evidence,
    among: Collection[int] | None = None,
    spoken: Sequence[tuple[Document, Fact, Record]] | None = None,
    *,
    rule: str | None = None,
) -> list[Finding]:
    """Facts that are another patient's: entries, of all or those at the positions `among`, and words of narratives."""
    findings = [
        doc.finding(
            found.element,
            layer=Layer.CONTENT,
            severity=Severity.ERROR,
            rule=rule or "CONTENT-FOREIGN",
            message=f"{uscdi.title(found.kind)}: belongs to {other.id}, another patient",
            expected=f"facts of {evidence.record.id} only",
            found=str(found),
        )
        for position, other in evidence.foreign.items()
        if among is None or position in among
        for doc, found in (evidence.seen[position],)
    ]
    return findings + [
        doc.finding(
            _section(doc, fact),
            layer=Layer.CONTENT,
            severity=Severity.ERROR,
            rule=rule or "CONTENT-FOREIGN",
            message=f"{uscdi.title(fact.kind)}: the narrative belongs to {other.id}, another patient",
            expected=f"facts of {evidence.record.id} only",
            found=str(fact),
        )
        for doc, fact, other in (evidence.foreign_words if spoken is None else spoken)
    ]


def isolation(docs: Iterable[Document], name: str) -> list[Finding]:
    """A warning for each document in which sections of other categories came along; headers do not count."""
    asked = uscdi.categories()[name]
    findings: list[Finding] = []
    for doc in docs:
        strange = [
            fact
            for fact in doc.facts
            if fact.section and fact.section not in asked.sections and fact.kind not in asked.kinds
        ]
        if not strange:
            continue
        titles = sorted({uscdi.title(fact.kind) for fact in strange})
        findings.append(
            doc.finding(
                strange[0].element,
                layer=Layer.CONTENT,
                severity=Severity.WARNING,
                rule="CONTENT-ISOLATION",
                message=f"asked for {asked.title.lower()}, other categories came along",
                expected=f"{asked.title.lower()} alone",
                found=", ".join(titles),
            )
        )
    return findings


def _absent(evidence: Evidence, number: int, rule: str | None) -> Finding:
    """An error for a fact that did not come back, located where it is denied or at the section where it should be."""
    fact = evidence.facts[number]
    if number in evidence.denied:
        doc, seen = evidence.seen[evidence.denied[number]]
        return doc.finding(
            seen.element,
            layer=Layer.CONTENT,
            severity=Severity.ERROR,
            rule=rule or "CONTENT-DENIED",
            message=f"{uscdi.title(fact.kind)}: the document denies it",
            expected=str(fact),
            found=f"negated: {seen}",
        )
    places = ((doc, _section(doc, fact)) for doc in evidence.docs)
    place, section = next(((doc, section) for doc, section in places if section is not None), (None, None))
    place = place or next(iter(evidence.docs), None)
    finding = Finding(
        layer=Layer.CONTENT,
        severity=Severity.ERROR,
        rule=rule or "CONTENT-MISSING",
        message=f"{uscdi.title(fact.kind)}: absent",
        expected=str(fact),
        found="no document" if place is None else "no section that could hold it" if section is None else None,
    )
    return place.locate(finding, section) if place else finding


def _differing(fact: Fact, place: tuple[Document, Found], rule: str | None, *, told: bool) -> list[Finding]:
    """What differs, each at its own element; a warning where the record makes the fact optional.

    `told`: the fact's words stand in the narrative, so that those of the entry need not repeat them.
    """
    doc, seen = place
    findings: list[Finding] = []
    for each in differences(fact, seen):
        if (each.what == "text" and told) or (each.absent and _is_spoken(doc, fact.kind, each)):
            continue
        findings.append(
            doc.finding(
                seen.element if each.element is None else each.element,
                layer=Layer.CONTENT,
                severity=_severity(fact, each),
                rule=rule or "CONTENT-DIFFERS",
                message=f"{uscdi.title(fact.kind)}: the {_spoken(each.what)} of {fact} differs",
                expected=each.expected,
                found=each.found,
            )
        )
    return findings


def _is_spoken(doc: Document, kind: str, difference: Difference) -> bool:
    """Whether the narrative says what the entry leaves out, where that will do."""
    where = table().of[kind]
    place = where.elements.get(difference.what)
    return place is not None and place.spoken and doc.narrates(where.sections, difference.expected)


def _severity(fact: Fact, difference: Difference) -> Severity:
    where = table().of[fact.kind]
    place = where.elements.get(difference.what)
    severity = Severity.ERROR if difference.grave else Severity.WARNING
    if difference.absent and place is not None:
        severity = place.absent
    elif difference.what in {"date", "start"} and difference.absent and not where.dated:
        severity = Severity.WARNING
    lenient = fact.optional or (difference.absent and fact.may_lack(difference.what))
    return Severity.WARNING if lenient and severity is Severity.ERROR else severity


def _spoken(what: str) -> str:
    return {"every": "frequency", "range": "reference range"}.get(what, what).replace("_", " ")


def _section(doc: Document, fact: Fact) -> object | None:
    return next((each.element for each in doc.sections if each.loinc in table().of[fact.kind].sections), None)
