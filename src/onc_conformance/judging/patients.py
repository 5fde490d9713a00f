"""Whose an answer is, and what its header says of the patient, item by item."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from onc_conformance import moments
from onc_conformance.ccda.identity import Person, differences, facts_of_documents
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.record import Code, Name, Record, letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from onc_conformance.ccda import Document

_FLAVORS = {"UNK", "ASKU", "NASK", "NAV", "NI", "OTH", "NA", "MSK"}
Complaint = tuple[Severity, str, str, str]  # severity, message, expected, found


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


def item(docs: Sequence[Document], category: str, record: Record, *, rule: str | None = None) -> list[Finding]:
    """Whether one item of the header came back as the record has it, in any of the documents."""
    found = [(doc, person) for doc in docs for person in doc.people]
    if not found:
        where = next((doc for doc in docs if doc.root is not None), None)
        if where is None or not _expected(category, record):
            return []
        message = f"{category}: no patient is in the answer"
        return [_error(where, None, rule or "CONTENT-MISSING", message, expected="a record target", found="none")]
    complaints = [(doc, person, _ITEMS[category](person, record)) for doc, person in found]
    doc, person, best = min(complaints, key=lambda each: len(each[2]))
    return [
        doc.finding(
            person.element,
            layer=Layer.CONTENT,
            severity=severity,
            rule=rule or "CONTENT-DIFFERS",
            message=f"{category}: {message}",
            expected=expected,
            found=actual,
        )
        for severity, message, expected, actual in best
    ]


def _expected(category: str, record: Record) -> bool:
    known = {"race": record.race, "ethnicity": record.ethnicity, "preferred_language": record.language}
    return bool(known.get(category, True))


def _error(
    doc: Document, person: Person | None, rule: str, message: str, *, expected: str | None, found: str | None
) -> Finding:
    return doc.finding(
        person.element if person else None, layer=Layer.CONTENT, severity=Severity.ERROR, rule=rule, message=message,
        expected=expected, found=found,
    )  # fmt: skip


def _name(person: Person, record: Record) -> list[Complaint]:
    wanted = record.name
    full = f"{' '.join(wanted.given)} {wanted.family}"
    same = [name for name in person.names if letters(name.family) == letters(wanted.family)]
    if not same:
        return [(Severity.ERROR, "the family name differs or is missing", wanted.family, _families(person))]
    name = max(same, key=lambda each: _agreement(each, wanted))
    complaints: list[Complaint] = []
    if (degree := _agreement(name, wanted)) < 2:
        severity = Severity.WARNING if degree == 1 else Severity.ERROR
        complaints.append((severity, "the given names differ", " ".join(wanted.given), " ".join(name.given) or "none"))
    elif _spelt(name) != _spelt(wanted):
        complaints.append(
            (Severity.WARNING, "the name is spelt differently", full, f"{' '.join(name.given)} {name.family}")
        )
    families = {letters(part) for each in person.names for part in (each.family, *each.given)}
    complaints += [
        (Severity.WARNING, "a previous name is missing", f"{' '.join(each.given)} {each.family}", "none")
        for each in record.previous_names
        if letters(each.family) not in families
    ]
    return complaints


def _agreement(name: Name, wanted: Name) -> int:
    """2 if all given names are there, 1 if those after the first are initials, else 0."""
    if letters("".join(wanted.given)) == letters("".join(name.given)):
        return 2
    parts = [letters(part) for given in name.given for part in given.split()]
    expected = [letters(part) for given in wanted.given for part in given.split()]
    if len(parts) != len(expected) or parts[:1] != expected[:1]:
        return 0
    return int(
        all(
            part and whole.startswith(part[0]) and len(part) == 1
            for part, whole in zip(parts[1:], expected[1:], strict=True)
        )
    )


def _spelt(name: Name) -> str:
    text = unicodedata.normalize("NFC", " ".join((*name.given, name.family))).casefold()
    return " ".join(text.replace("\u2019", "'").replace("\u02bc", "'").replace("\u2010", "-").split())


def _families(person: Person) -> str:
    return ", ".join(name.family for name in person.names) or "none"


def _sex(person: Person, record: Record) -> list[Complaint]:
    if person.sex == record.sex or (record.sex == "unknown" and (person.sex is None or person.sex in _FLAVORS)):
        return []
    return [(Severity.ERROR, "differs", record.sex, person.sex or "none")]


def _birth_date(person: Person, record: Record) -> list[Complaint]:
    wanted = moments.iso(record.birth_date)
    if wanted and person.birth and person.birth.overlaps(wanted):
        if person.birth == wanted:
            return []
        return [(Severity.WARNING, "is less or more precise", str(wanted), str(person.birth))]
    return [(Severity.ERROR, "differs", str(wanted), str(person.birth or "none"))]


def _codes(wanted: Sequence[Code], found: Sequence[Code]) -> list[Complaint]:
    have = {code.code for code in found}
    unknown = have <= _FLAVORS
    missing = [code for code in wanted if code.code not in have and not (code.code in _FLAVORS and have and unknown)]
    complaints: list[Complaint] = [
        (Severity.ERROR, "is missing", str(code), ", ".join(map(str, found)) or "none") for code in missing
    ]
    extra = [code for code in found if code.code not in {code.code for code in wanted} | _FLAVORS]
    if wanted and extra and not missing:
        complaints.append(
            (Severity.WARNING, "more is said than the record has", ", ".join(map(str, wanted)), str(extra[0]))
        )
    return complaints


def _race(person: Person, record: Record) -> list[Complaint]:
    return _codes(record.race, person.race)


def _ethnicity(person: Person, record: Record) -> list[Complaint]:
    return _codes((record.ethnicity,), person.ethnicity) if record.ethnicity else []


def _language(person: Person, record: Record) -> list[Complaint]:
    if not record.language or _primary(record.language) in {_primary(code) for code in person.languages}:
        return []
    return [(Severity.ERROR, "differs", record.language, ", ".join(person.languages) or "none")]


def _primary(code: str) -> str:
    primary = code.replace("_", "-").split("-")[0].lower()
    return str(facts_of_documents()["languages"].get(primary, primary))


_ITEMS: dict[str, Callable[[Person, Record], list[Complaint]]] = {
    "patient_name": _name,
    "sex": _sex,
    "birth_date": _birth_date,
    "race": _race,
    "ethnicity": _ethnicity,
    "preferred_language": _language,
}
ITEMS = tuple(_ITEMS)
"""The categories that are items of the header."""
