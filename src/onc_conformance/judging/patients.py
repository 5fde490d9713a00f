"""Whose an answer is, and what its header says of the patient, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.ccda.identity import Person, differences
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import demographics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from onc_conformance.ccda import Document
    from onc_conformance.record import Record

ITEMS = tuple(demographics.ITEMS)
"""The categories that are items of the header."""
_JUDGES = demographics.ITEMS | demographics.BESIDE


def whose(doc: Document, record: Record, others: Iterable[Record] = (), *, rule: str = "IDENTITY") -> list[Finding]:
    """Errors where a record target is not this patient. A fragment without one carries nobody and gives none."""
    if doc.root is None:
        return list(doc.findings)
    findings: list[Finding] = []
    if not doc.people and doc.is_whole:
        message = "the document names no patient"
        return [_error(doc, None, rule, message, expected="a recordTarget", found="none")]
    for person in doc.people:
        partial = not doc.is_whole
        wrong = differences(person, record, partial=partial)
        if not wrong:
            continue
        strangers = (each for each in others if each.id != record.id)
        other = next((each for each in strangers if not differences(person, each, partial=partial)), None)
        if other and (person.names or person.birth):
            findings.append(
                _error(doc, person, rule, f"another patient's: {other.id}", expected=record.id, found=other.id)
            )
        else:
            message = f"not the patient asked for: {', '.join(wrong)} differ{'s' if len(wrong) == 1 else ''}"
            findings.append(_error(doc, person, rule, message, expected=record.id, found=None))
    return findings


def header(docs: Sequence[Document], record: Record, *, rule: str | None = None) -> list[Finding]:
    """Every item of the header, and what else it says of the patient, in any of the documents."""
    return [each for name in _JUDGES for each in item(docs, name, record, rule=rule)]


def item(docs: Sequence[Document], category: str, record: Record, *, rule: str | None = None) -> list[Finding]:
    """Whether one item of the header came back as the record has it, in any of the documents."""
    found = [(doc, person) for doc in docs for person in doc.people]
    if not found:
        where = next((doc for doc in docs if doc.root is not None), None)
        if where is None or not _expected(category, record):
            return []
        message = f"{category}: no patient is in the answer"
        return [_error(where, None, rule or "CONTENT-MISSING", message, expected="a record target", found="none")]
    complaints = [(doc, person, _JUDGES[category](person, record)) for doc, person in found]
    doc, person, best = min(complaints, key=lambda each: len(each[2]))
    return [
        doc.finding(
            person.element if each.element is None else each.element,
            layer=Layer.CONTENT,
            severity=each.severity,
            rule=rule or "CONTENT-DIFFERS",
            message=f"{category}: {each.message}",
            expected=each.expected,
            found=each.found,
        )
        for each in best
    ]


def _expected(category: str, record: Record) -> bool:
    known = {
        "race": record.race,
        "ethnicity": record.ethnicity,
        "preferred_language": record.language,
        "marital status": record.marital_status,
        "address": record.address,
        "telecom": record.telecom,
        "date of death": record.death_date,
        "birth sex": None,  # which stands in the body
    }
    return bool(known.get(category, True))


def _error(
    doc: Document, person: Person | None, rule: str, message: str, *, expected: str | None, found: str | None
) -> Finding:
    return doc.finding(
        person.element if person else None, layer=Layer.CONTENT, severity=Severity.ERROR, rule=rule, message=message,
        expected=expected, found=found,
    )  # fmt: skip
