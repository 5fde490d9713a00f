"""What an answer holds at all: facts of a record, anybody's data, words for people to read."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from onc_conformance.ccda import Document, Found
from onc_conformance.ccda.kinds import table
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import patients
from onc_conformance.judging.content import compared, strangers, surplus, unreadable
from onc_conformance.judging.evidence import gather
from onc_conformance.judging.narrated import contradictions
from onc_conformance.record import Fact, Record
from onc_conformance.record.details import as_written


def present(docs: Iterable[Document], record: Record, kinds: Collection[str] | None = None) -> list[Fact]:
    """The facts of the record, of some classes or all, that the documents hold with every date they have there."""
    evidence = gather(docs, record, kinds=kinds)
    return [evidence.facts[number] for number in evidence.dated]


def any_present(docs: Iterable[Document], record: Record) -> bool:
    """Whether there is one such fact at least."""
    evidence = gather(docs, record)
    return bool(evidence.plainly_there or evidence.dated)


def learned(docs: Iterable[Document], record: Record) -> Record:
    """The same patient with the facts that the documents tell, for where nobody wrote down what to expect."""
    found = [found for doc in docs for found in doc.facts]
    return replace(record, facts=tuple(_as_fact(number, each) for number, each in enumerate(found)))


def _as_fact(number: int, found: Found) -> Fact:
    member = {"family": found.member.family, "given": list(found.member.given)} if found.member else None
    said: dict[str, Any] = {
        "value": found.value,
        "unit": found.unit,
        "udi": next(iter(found.udi), None),
        "member": member,
    }
    for name, manner in found.manners.items():
        for each in found.detail(name)[:1]:
            said[name] = as_written(manner, each)
    return Fact(
        id=f"{found.kind}-{number}",
        kind=found.kind,
        codes=found.codes,
        text=found.text,
        start=found.start,
        end=found.end,
        date=found.date,
        attributes={name: value for name, value in said.items() if value},
    )


def holds_data(doc: Document) -> bool:
    """Whether it says anything about anybody."""
    return doc.root is not None and bool(doc.people or doc.facts)


def of_classes(
    docs: Sequence[Document],
    record: Record,
    others: Iterable[Record],
    kinds: Collection[str],
    *,
    header: bool,
    rule: str,
) -> list[Finding]:
    """Every fact of some classes, in any of the documents, and no other patient's; with `header` its items too."""
    findings = unreadable(docs)
    if header and any(doc.is_whole for doc in docs):
        findings += patients.header(docs, record, rule=rule)
    return findings + compared(gather(docs, record, others, kinds), rule=rule)


def foreign(
    docs: Sequence[Document],
    record: Record,
    others: Iterable[Record],
    kinds: Collection[str] | None = None,
    *,
    known: Sequence[Document] = (),
    rule: str,
) -> list[Finding]:
    """Another patient's facts, and facts that are nobody's, unless `known` documents of the patient tell them too.

    What the request without dates brings as well is told there, and not again for every window.
    """
    evidence = gather(docs, record, others, kinds)
    told = {_identity(found) for doc in known for found in doc.facts}
    new = {position for position, (_, found) in enumerate(evidence.seen) if _identity(found) not in told}
    spoken = [
        each
        for each in evidence.foreign_words
        if not any(doc.narrates(table().of[each[1].kind].sections, each[1].text) for doc in known)
    ]
    extra = [position for position in evidence.surplus if position in new]
    return strangers(evidence, new, spoken, rule=rule) + surplus(evidence, extra, rule=rule)


def _identity(found: Found) -> Hashable:
    return found.kind, found.codes, found.text, found.start, found.end, found.date, found.value, found.udi, found.member


def narrative(doc: Document, *, rule: str) -> list[Finding]:
    """An error for each section that has entries and nothing for a person to read (CDA R2, 4.3.5), or another thing."""
    silent = [
        doc.finding(
            section.element,
            layer=Layer.CONTENT,
            severity=Severity.ERROR,
            rule=rule,
            message=f"the section {section.code or section.loinc or 'without a code'} has entries and no narrative",
            expected="text that tells what the entries say",
            found="no text",
        )
        for section in doc.sections
        if next(section.element.iterchildren("{*}entry"), None) is not None
        and not "".join("".join(text.itertext()) for text in section.element.iterchildren("{*}text")).strip()
    ]
    return silent + contradictions(doc, rule=rule)
