"""What a C-CDA says of its patient, entry by entry: the classes of an expected record, found in a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onc_conformance.ccda.elements import is_denied, said
from onc_conformance.ccda.identity import facts_of_documents, read_name
from onc_conformance.ccda.kinds import Where, table
from onc_conformance.ccda.tree import Element, child, codes, down, local_type, name, span, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from onc_conformance.ccda.sections import Section
    from onc_conformance.moments import Days
    from onc_conformance.record import Code, Name
    from onc_conformance.record.details import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One fact of a document, and where it stands."""

    kind: str
    element: Element
    section: str | None
    """LOINC code of the section it is in; None for the header."""
    codes: tuple[Code, ...] = ()
    text: str = ""
    start: Days | None = None
    end: Days | None = None
    date: Days | None = None
    value: str | None = None
    unit: str | None = None
    udi: tuple[str, ...] = ()
    member: Name | None = None
    negated: bool = False
    """Whether it says that something is not so, or was not done."""
    _texts: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The narrative's, by ID."""
    _details: dict[str, tuple[Said, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def manners(self) -> Mapping[str, str]:
        """The elements that entries of its class may state, and how they are compared."""
        return table().of[self.kind].manners

    def detail(self, name: str) -> tuple[Said, ...]:
        """What the entry says of one element; read when asked for."""
        if name not in self._details:
            place = table().of[self.kind].elements.get(name)
            self._details[name] = said(self.element, place, self._texts) if place else ()
        return self._details[name]

    @property
    def stated(self) -> tuple[Days, ...]:
        """Each date the entry states."""
        return tuple(days for days in (self.date, self.start, self.end) if days)

    def __str__(self) -> str:
        who = f"{' '.join(self.member.given)} {self.member.family}" if self.member else ""
        what = str(self.codes[0]) if self.codes else "".join(self.udi[:1]) or f"“{self.text[:60]}”"
        when = str(self.date or self.start or "")
        return " ".join(filter(None, (who or what, f"of {when}" if when else "")))


def read(root: Element, sections: Iterable[Section], texts: Mapping[str, str]) -> list[Found]:
    """Every fact of the entries and of the header, in document order, those that are negated among them.

    `texts` are the narrative's by ID.
    """
    places = {section.element: section for section in sections}
    found = [fact for entry, where, section in _entries(root, places) if (fact := _read(entry, where, section, texts))]
    return found + list(_header(root))


def _entries(root: Element, places: Mapping[Element, Section]) -> Iterator[tuple[Element, Where, Section]]:
    """Elements that carry a known template or code where they count; inside an entry of their class only `nested`."""
    seen: set[tuple[Element, str]] = set()
    known = table()
    for mark in root.iter("{*}templateId", "{*}code"):
        declared = known.by_template if mark.get("root") else known.by_code
        wheres = declared.get(mark.get("root") or mark.get("code") or "")
        if not wheres:
            continue
        entry = mark.getparent()
        around = list(entry.iterancestors()) if entry is not None else []
        section = next((places[each] for each in around if each in places), None)
        for where in wheres:
            if section is None or (where.sections and section.loinc not in where.sections):
                continue
            if (entry, where.kind) in seen:
                continue
            if mark.get("root") not in where.nested and any((each, where.kind) in seen for each in around):
                continue
            seen.add((entry, where.kind))
            yield entry, where, section


def _read(entry: Element, where: Where, section: Section, texts: Mapping[str, str]) -> Found | None:
    """The fact, or None where the entry says that nothing is known."""
    negated, unknown = _denied(entry)
    if unknown:
        return None
    coded = [each for path in where.what for each in down(entry, path) if not is_denied(each, entry)]
    all_codes = tuple(dict.fromkeys(code for each in coded for code in codes(each)))
    member = next((found for path in where.member for each in down(entry, path) if (found := read_name(each))), None)
    udi = tuple(_udi(entry)) if name(entry) == "participantRole" else ()
    text = _text(entry, coded, texts) if where.narrated or not all_codes else ""
    if not (all_codes or text or member or udi):
        return None
    start, end, date = _dates(entry, where)
    value, unit = _value(entry) if where.value else (None, None)
    return Found(
        kind=where.kind,
        element=entry,
        section=section.loinc,
        codes=all_codes,
        text=text,
        start=start,
        end=end,
        date=date,
        value=value,
        unit=unit,
        udi=udi,
        member=member,
        negated=negated,
        _texts=texts,
    )


def _denied(entry: Element) -> tuple[bool, bool]:
    """Whether it, or anything around it in its entry, is denied; and whether it says that nothing is known."""
    negated = unknown = False
    node = entry
    while node is not None and name(node) not in {"section", "entry"}:
        negated = negated or node.get("negationInd") in {"true", "1"}
        unknown = unknown or node.get("nullFlavor") is not None
        node = node.getparent()
    return negated, unknown


def _udi(role: Element) -> Iterator[str]:
    for each in role.iterchildren("{*}id"):
        if each.get("extension") and (each.get("root") == facts_of_documents()["fda"] or each.get("root") is None):
            yield str(each.get("extension"))


def _dates(entry: Element, where: Where) -> tuple[Days | None, Days | None, Days | None]:
    """The entry's own time, or that of what is around it up to the section."""
    node = entry
    while node is not None and name(node) not in {"section", "entry"}:
        if node is entry or name(node) in where.dated_by:
            for path in where.dates:
                for each in down(node, path):
                    if any(times := span(each)):
                        return times
        node = node.getparent()
    return None, None, None


def _value(entry: Element) -> tuple[str | None, str | None]:
    value = child(entry, "value")
    if value is None or value.get("nullFlavor"):
        return None, None
    if local_type(value) in {"CD", "CE", "CO", "CV"}:
        return value.get("displayName") or value.get("code"), None
    return value.get("value") or words(value) or None, value.get("unit")


def _text(entry: Element, coded: Iterable[Element], texts: Mapping[str, str]) -> str:
    """What an entry says in words: its text, the text of its code, its value, inline or by reference."""
    parts: list[str] = []
    text, value = child(entry, "text"), child(entry, "value")
    originals = [original for each in coded if (original := child(each, "originalText")) is not None]
    for each in (text, *originals, *(inner for inner in entry.iterfind(".//{*}text"))):
        if each is not None:
            parts += _referred(each, texts)
    if value is not None and local_type(value) in {"ST", "ED"}:
        parts += _referred(value, texts)
    return " ".join(dict.fromkeys(filter(None, parts)))


def _referred(element: Element, texts: Mapping[str, str]) -> list[str]:
    references = [texts.get(str(each.get("value") or "").removeprefix("#"), "") for each in down(element, "reference")]
    return [words(element), *references]


def _header(root: Element) -> Iterator[Found]:
    """Care team members, the encounter and the other persons a header names."""
    for event in root.iter("{*}serviceEvent"):
        for performer in event.iterchildren("{*}performer"):
            names = (read_name(each) for each in down(performer, "assignedEntity/assignedPerson/name"))
            if member := next(filter(None, names), None):
                coded = [*down(performer, "functionCode"), *down(performer, "assignedEntity/code")]
                yield _of_header("care_team", performer, coded, "time", member)
    for encounter in root.iter("{*}encompassingEncounter"):
        coded = list(encounter.iterchildren("{*}code"))
        if any(code for each in coded for code in codes(each)):
            yield _of_header("encounters", encounter, coded, "effectiveTime")
    for where in table().of.values():
        for at, to_name in where.header.items():
            for element in down(root, at):
                names = (read_name(each) for each in down(element, to_name))
                if member := next(filter(None, names), None):
                    yield Found(kind=where.kind, element=element, section=None, member=member)


def _of_header(kind: str, element: Element, coded: Iterable[Element], time: str, member: Name | None = None) -> Found:
    nothing = (None, None, None)
    start, end, date = next((times for each in down(element, time) if any(times := span(each))), nothing)
    return Found(
        kind=kind,
        element=element,
        section=None,
        codes=tuple(code for each in coded for code in codes(each)),
        member=member,
        start=start,
        end=end,
        date=date,
    )
