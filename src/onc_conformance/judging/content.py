"""Whether the facts of a record came back, and nothing that is not of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda.facts import table
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import patients
from onc_conformance.judging.dates import among
from onc_conformance.judging.evidence import Evidence, gather
from onc_conformance.record.comparing import Likeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from onc_conformance.ccda import Document, Found
    from onc_conformance.moments import Days
    from onc_conformance.record import Fact, Record


def content(
    docs: Sequence[Document], record: Record, others: Iterable[Record] = (), *, rule: str | None = None
) -> list[Finding]:
    """Every fact of the record, in any of the documents, and no other patient's; the header's items too."""
    findings = unreadable(docs)
    if findings and all(doc.root is None for doc in docs):
        return findings
    if any(doc.is_whole for doc in docs):
        findings += [each for name in patients.ITEMS for each in patients.item(docs, name, record, rule=rule)]
    return findings + compared(gather(docs, record, others), rule=rule)


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
        if number in evidence.matched:
            findings += _differing(evidence, number, rule)
        elif fact.required and number in evidence.moved:
            found = evidence.seen[evidence.moved[number]]
            findings.append(_differs(found, fact, "the date", (_when(fact), _when(found[1])), rule=rule))
        elif fact.required and not evidence.came_back(number):
            findings.append(_absent(evidence, fact, rule))
    surplus = [
        doc.finding(
            found.element,
            layer=Layer.CONTENT,
            severity=Severity.WARNING,
            rule="CONTENT-EXTRA",
            message=f"{uscdi.title(found.kind)}: not in the expected record",
            found=str(found),
        )
        for doc, found in (evidence.seen[position] for position in evidence.surplus)
    ]
    return findings + strangers(evidence, rule=rule) + surplus


def strangers(evidence: Evidence, *, rule: str | None = None) -> list[Finding]:
    """Facts that are another patient's."""
    entries = [
        (*evidence.seen[position], str(evidence.seen[position][1]), other)
        for position, other in evidence.foreign.items()
    ]
    findings = [
        doc.finding(
            found.element,
            layer=Layer.CONTENT,
            severity=Severity.ERROR,
            rule=rule or "CONTENT-FOREIGN",
            message=f"{uscdi.title(found.kind)}: belongs to {other.id}, another patient",
            expected=f"facts of {evidence.record.id} only",
            found=said,
        )
        for doc, found, said, other in entries
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
        for doc, fact, other in evidence.foreign_words
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


def _absent(evidence: Evidence, fact: Fact, rule: str | None) -> Finding:
    """An error for a fact that did not come back, located at the section where it should be."""
    places = ((doc, _section(doc, fact)) for doc in evidence.docs)
    doc, section = next(((doc, section) for doc, section in places if section is not None), (None, None))
    doc = doc or next(iter(evidence.docs), None)
    finding = Finding(
        layer=Layer.CONTENT,
        severity=Severity.ERROR,
        rule=rule or "CONTENT-MISSING",
        message=f"{uscdi.title(fact.kind)}: absent",
        expected=str(fact),
        found="no document" if doc is None else "no section that could hold it" if section is None else None,
    )
    return doc.locate(finding, section) if doc else finding


def _differing(evidence: Evidence, number: int, rule: str | None) -> list[Finding]:
    fact, (position, like) = evidence.facts[number], evidence.matched[number]
    found = evidence.seen[position]
    seen = found[1]
    if not fact.required or like in {Likeness.SAME, Likeness.SAME_DAYS}:
        return []
    if like is Likeness.NO_END:
        return [_differs(found, fact, "the end", (str(fact.end), "none"), severity=Severity.WARNING, rule=rule)]
    if like is Likeness.UNDATED:
        severity = Severity.ERROR if table().of[fact.kind].dated else Severity.WARNING
        return [_differs(found, fact, "the date", (_when(fact), "none"), severity=severity, rule=rule)]
    if fact.text and seen.text:
        words = (fact.text, seen.text)
        return [] if number in evidence.told else [_differs(found, fact, "the text", words, rule=rule)]
    values = (
        f"{fact.attributes.get('value')} {fact.attributes.get('unit') or ''}".strip(),
        f"{seen.value} {seen.unit or ''}".strip(),
    )
    return [_differs(found, fact, "the value", values, rule=rule)]


def _differs(
    place: tuple[Document, Found],
    fact: Fact,
    what: str,
    values: tuple[str, str],
    *,
    severity: Severity = Severity.ERROR,
    rule: str | None,
) -> Finding:
    doc, seen = place
    return doc.finding(
        seen.element,
        layer=Layer.CONTENT,
        severity=severity,
        rule=rule or "CONTENT-DIFFERS",
        message=f"{uscdi.title(fact.kind)}: {what} of {fact} differs",
        expected=values[0],
        found=values[1],
    )


def _when(fact: Fact | Found) -> str:
    if fact.date:
        return str(fact.date)
    return (
        f"{fact.start or '…'} to {fact.end or '…'}" if fact.end else f"from {fact.start}" if fact.start else "no date"
    )


def _section(doc: Document, fact: Fact) -> object | None:
    return next((each.element for each in doc.sections if each.loinc in table().of[fact.kind].sections), None)
