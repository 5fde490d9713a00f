"""What only eyes can judge: each section's narrative beside the facts it is to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda.document import title_of_section
from onc_conformance.ccda.kinds import table
from onc_conformance.ccda.tree import child, name, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from onc_conformance.ccda import Document
    from onc_conformance.ccda.sections import Section
    from onc_conformance.ccda.tree import Element
    from onc_conformance.record import Fact, Record

LINES = 40
"""Lines of a narrative that are shown."""
_WIDTH = 240
_ROWS = frozenset({"tr", "item", "paragraph", "caption"})
_CELLS = frozenset({"td", "th"})


@dataclass(frozen=True, slots=True)
class Inspected:
    """One section."""

    title: str
    narrative: tuple[str, ...]
    """Its rows, as they are read."""
    more: int
    """How many rows are not shown."""
    expected: tuple[str, ...]
    """The facts of the record that belong here."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One document, for a person to go through and tick."""

    patient: str
    exchange: str
    sections: tuple[Inspected, ...]


def sheet(doc: Document, record: Record) -> Sheet:
    """Every section that has a narrative or should have one; facts whose section is missing come last."""
    told: set[str] = set()
    sections: list[Inspected] = []
    for section in doc.sections:
        kinds = {kind for kind, where in table().of.items() if _belongs(section, where.sections)}
        facts = [fact for fact in record.facts if fact.kind in kinds and not _elsewhere(fact, section)]
        told |= {fact.id for fact in facts}
        lines = list(_lines(child(section.element, "text")))
        if lines or facts:
            title = title_of_section(section.loinc or section.code or "")
            expected = tuple(map(_spoken, facts))
            sections.append(Inspected(title, tuple(lines[:LINES]), max(0, len(lines) - LINES), expected))
    rest: dict[str, list[str]] = {}
    for fact in record.facts:
        if fact.id not in told and table().of[fact.kind].sections:
            rest.setdefault(fact.kind, []).append(_spoken(fact))
    missing = [Inspected(f"{uscdi.title(kind)}: no section", (), 0, tuple(facts)) for kind, facts in rest.items()]
    return Sheet(record.id, doc.exchange or "", (*sections, *missing))


def _belongs(section: Section, loincs: Collection[str]) -> bool:
    return section.loinc is not None and section.loinc in loincs


def _elsewhere(fact: Fact, section: Section) -> bool:
    """Whether one of two arrangements puts the fact into another section."""
    kind = fact.attributes.get("kind")
    return (kind == "plan" and section.loinc == "51848-0") or (kind == "assessment" and section.loinc == "18776-5")


def _lines(text: Element | None) -> Iterator[str]:
    """The rows of a narrative; text outside of rows is a row of its own."""
    if text is None:
        return
    rows = [each for each in text.iter() if isinstance(each.tag, str) and name(each) in _ROWS]
    if not rows:
        spoken = words(text)
        if spoken:
            yield spoken[:_WIDTH]
        return
    for row in rows:
        cells = [words(each) for each in row.iterchildren() if isinstance(each.tag, str) and name(each) in _CELLS]
        spoken = " | ".join(cells) if any(cells) else words(row)
        if spoken:
            yield spoken[:_WIDTH]


def _spoken(fact: Fact) -> str:
    """A fact as a person looks for it: what, when, and what else there is to see."""
    value = fact.attributes.get("value")
    unit = fact.attributes.get("unit") or ""
    parts = [
        "none known or nothing known" if fact.no_information and not fact.text else str(fact),
        ""
        if value is None or isinstance(value, dict)
        else f"{value:g} {unit}"
        if isinstance(value, float)
        else str(value),
        "" if fact.text in str(fact) else fact.text,
        fact.look_for if fact.look_for != fact.text else "",
        "(optional)" if fact.optional else "(for eyes only)" if fact.visual else "",
    ]
    return " ".join(each.strip() for each in parts if each.strip())[:_WIDTH]
