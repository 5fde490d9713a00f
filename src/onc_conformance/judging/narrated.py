"""Narrative held against entries: where what a person reads says something else than what a machine reads.

Only what is certain counts: a row that an entry refers to, with a value or dates of which none is the entry's; words
that deny what the entry says. A narrative may say less than its entries, say it in other words, or in other units.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import moments, suite, uscdi
from onc_conformance.ccda.tree import Element, child, down, name, words
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging.directions import dose_told, interval_told
from onc_conformance.judging.spoken import Told, dates_in, numbers_in
from onc_conformance.record import plain, units

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from onc_conformance.ccda import Document, Found
    from onc_conformance.moments import Days

_ROWS = frozenset({"tr", "item", "paragraph"})
_POINTING = frozenset({"text", "originalText"})
_REFERENCES = ("text", "code/originalText", "value/originalText")
_CODES = re.compile(
    r"\b(snomed[- ]ct|snomed|loinc|rxnorm|cvx|icd-10-cm|icd-10)\b"
    r"\W{1,3}(?:code\W{1,3})?(\d{6,18}\b|\d{1,7}-\d\b|[A-Z]\d[\dA-Z](?:\.[\dA-Z]+)?\b|\d{4,5}\b)",
    re.IGNORECASE,
)
_A_DAY = 1
"""A narrative may tell a moment in another time zone."""
_EQUAL = 0.011
"""How far a value told in another unit may be off, as a part of it."""


@dataclass(frozen=True, slots=True)
class _Row:
    element: Element
    text: str
    by_element: dict[Element, Found]
    """All that refer to it."""

    @property
    def entries(self) -> list[Found]:
        """The same in document order."""
        return list(self.by_element.values())


def contradictions(doc: Document, *, rule: str | None = None) -> list[Finding]:
    """An error for each row that tells another value, date, code or dose than its entries, and for words that deny one.

    A warning for each section whose entries refer to narrative that is not there.
    """
    findings: list[Finding] = []
    for row in _rows(doc):
        findings += [
            _finding(doc, row.entries[0], row.element, rule, *wrong)
            for judge in (_value, _date, _code, _dose, _interval)
            if (wrong := judge(row)) is not None
        ]
    return [*findings, *_denied(doc, rule), *_dangling(doc, rule)]


def _finding(doc: Document, found: Found, element: Element, rule: str | None, *wrong: str) -> Finding:
    message, expected, said = wrong
    return doc.finding(
        element,
        layer=Layer.CONTENT,
        severity=Severity.ERROR,
        rule=rule or "NARRATIVE-CONTRADICTS",
        message=f"{uscdi.title(found.kind)}: {message}",
        expected=expected,
        found=said,
    )


def _rows(doc: Document) -> list[_Row]:
    """The rows of the narrative that entries refer to, with those entries."""
    rows: dict[Element, _Row] = {}
    for found in (*doc.facts, *doc.denials):
        if found.section is None:
            continue
        for path in _REFERENCES:
            around = found.element if name(found.element) != "participantRole" else _act(found.element)
            for each in down(around, f"{path}/reference"):
                target = doc.referred(str(each.get("value") or "").removeprefix("#"))
                row = _around(target) if target is not None else None
                if row is None:
                    continue
                if row not in rows:
                    rows[row] = _Row(row, words(row), {})
                rows[row].by_element[found.element] = found
    return list(rows.values())


def _around(element: Element) -> Element | None:
    """The row an element is in; nothing where it is larger than a row, as a table."""
    node = element
    while node is not None and name(node) not in _ROWS:
        if name(node) in {"table", "list", "text"}:
            return None
        node = node.getparent()
    # a row that holds tables or lists of its own speaks of more than one thing
    return None if node is None or next(node.iter("{*}table", "{*}list"), None) is not None else node


def _value(row: _Row) -> tuple[str, str, str] | None:
    """A value that is none of the entries'."""
    measured = [(value, each.unit) for each in row.entries if (value := _number(each.value)) is not None]
    told = numbers_in(row.text) if measured else []
    if not told:
        return None
    if any(each.means(value) for each in told for value, _ in measured):
        return None
    if any(_otherwise(value, unit, told) for value, unit in measured):
        return None
    shown = [
        each
        for each in told
        if each.unit and not each.bound and any(units.same(each.unit, unit) for _, unit in measured)
    ]
    shown = shown or _of_column(row)
    if not shown:
        return None
    return "its narrative tells another value", f"{measured[0][0]:g} {measured[0][1] or ''}".strip(), str(shown[0])


def _number(value: str | None) -> float | None:
    try:
        return float(value or "")
    except ValueError:
        return None


def _otherwise(value: float, unit: str | None, told: list[Told]) -> bool:
    """Whether a number is the value in another unit of the same dimension."""
    return any(abs(other - each.value) <= _EQUAL * abs(other) for other in units.every(value, unit) for each in told)


def _of_column(row: _Row) -> list[Told]:
    """The number of the cell under a heading that says it holds the value, where that is all the cell holds."""
    if name(row.element) != "tr":
        return []
    table = next(row.element.iterancestors("{*}table"), None)
    head = next(table.iter("{*}thead"), None) if table is not None else None
    heading = next(head.iter("{*}tr"), None) if head is not None else None
    if heading is None:
        return []
    titles = [plain(words(each)) for each in heading.iterchildren("{*}th", "{*}td")]
    cells = list(row.element.iterchildren("{*}td", "{*}th"))
    if len(titles) != len(cells):
        return []
    found: list[Told] = []
    for title, cell in zip(titles, cells, strict=True):
        told = numbers_in(words(cell)) if title in _table()["columns"]["value"] else []
        if len(told) == 1 and told[0].alone:
            found += told
    return found


def _date(row: _Row) -> tuple[str, str, str] | None:
    """Dates of which none is near any of the entries'."""
    exact = [days for each in row.entries for days in each.stated if days.first and days.first == days.last]
    told = dates_in(row.text) if exact else []
    if not told:
        return None
    days_told = [day for readings in told for day in readings]
    if any(_near(days, day) for days in exact for day in days_told):
        return None
    if any(_near(days, day) for each in row.entries for days in _times(each) for day in days_told):
        return None
    return "its narrative tells another date", ", ".join(map(str, exact)), ", ".join(str(each[0]) for each in told)


def _code(row: _Row) -> tuple[str, str, str] | None:
    """Codes printed behind the name of their system, none of which the entries have though they have some of it."""
    systems = _table()["systems"]
    told = [(systems[match[1].casefold()], match[2]) for match in _CODES.finditer(row.text)]
    if not told:
        return None
    own = {code.get("code") for each in row.entries for code in each.element.iter("{*}*")}
    if any(code in own for _, code in told):
        return None
    named = [code for each in row.entries for code in each.codes if code.system in {system for system, _ in told}]
    if not named:
        return None
    return "its narrative prints another code", str(named[0]), ", ".join(f"{system} {code}" for system, code in told)


def _dose(row: _Row) -> tuple[str, str, str] | None:
    return dose_told(row.text, row.entries)


def _interval(row: _Row) -> tuple[str, str, str] | None:
    return interval_told(row.text, row.entries)


def _act(role: Element) -> Element:
    """What was done with a device, or by a person."""
    return role.getparent().getparent()


def _dangling(doc: Document, rule: str | None) -> Iterator[Finding]:
    """References of entries to IDs that the document does not have, those of one section together."""
    for section in doc.sections:
        missing = [
            each
            for entry in section.element.iterchildren("{*}entry")
            for each in entry.iter("{*}reference")
            if name(each.getparent()) in _POINTING
            and str(each.get("value") or "").startswith("#")
            and doc.referred(each.get("value")[1:]) is None
        ]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield doc.finding(
                missing[0],
                layer=Layer.CONTENT,
                severity=Severity.WARNING,
                rule=rule or "NARRATIVE-DANGLING",
                message="an entry refers to narrative that is not there",
                expected="an element with this ID",
                found=f"none with {missing[0].get('value')[1:]}{more}",
                hint="Write what the entry says into the text of its section, and give that this ID.",
            )


def _near(days: Days, day: date) -> bool:
    first, last = days.first, days.last
    return first is not None and last is not None and ((first - day).days <= _A_DAY and (day - last).days <= _A_DAY)


def _times(found: Found) -> Iterator[Days]:
    """Every time within the entry and around it."""
    top = found.element
    while (around := top.getparent()) is not None and name(around) != "section":
        top = around
    for each in top.iter("{*}effectiveTime", "{*}time", "{*}low", "{*}high", "{*}center"):
        if each.get("value") and (days := moments.hl7(each.get("value"))):
            yield days


def _denied(doc: Document, rule: str | None) -> Iterator[Finding]:
    """Sections that say there is nothing beside an entry that says something."""
    told: set[tuple[Element, str]] = set()
    for found in doc.facts:
        phrases = _table()["nothing"].get(found.kind)
        section = next(found.element.iterancestors("{*}section"), None) if phrases else None
        text = child(section, "text") if section is not None else None
        if text is None or (section, found.kind) in told:
            continue
        told.add((section, found.kind))
        spoken = f" {plain(words(text))} "
        said = next((each for each in phrases if f" {each} " in spoken), None)
        if said is None:
            continue
        parts = (each for each in text.iter() if isinstance(each.tag, str) and said in plain(each.text or ""))
        place = next(parts, text)
        if not _beside_others(place):
            yield _finding(doc, found, place, rule, "the narrative denies what an entry says", str(found), f"“{said}”")


def _beside_others(place: Element) -> bool:
    """Whether the words stand in a row with a heading or a date of their own, as an item of a history."""
    row = place
    while row is not None and name(row) not in _ROWS:
        row = row.getparent()
    return row is not None and bool(dates_in(words(row)))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((suite.schemas() / "narrative.toml").read_text(encoding="utf-8"))
