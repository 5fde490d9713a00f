"""Real C-CDA documents from a folder, made into charts: one per person, each with the documents that speak of them.

The service date of a document is the day its documented service ended (`documentationOf/serviceEvent/effectiveTime`,
high or value), else the day of the encounter that encompasses it (low or value), else the day it was written; where it
states none of these, the day of birth. The low end of the service is not used: in summaries it is often the birth date.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree

from onc_conformance.reference import slices
from onc_conformance.reference.people import SECTIONS, Demographics, Encounter, StoredDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from onc_conformance.reference.people import Person, Window

    Edit = Callable[[etree._Element], None]  # noqa: SLF001 - lxml's name for the type of elements

_SEXES = {"F": "female", "M": "male", "UN": "undifferentiated"}
_USES = {"HP": "home", "H": "home", "HV": "home", "WP": "work", "MC": "mobile"}


@dataclass(frozen=True, slots=True)
class _Read:
    """What was understood of one file."""

    data: bytes
    demographics: Demographics
    document: StoredDocument
    encounters: tuple[Encounter, ...]


@dataclass(frozen=True)
class StoredPerson:
    """A chart made of real documents, oldest first; `edits` are done to every copy that goes out."""

    key: str
    read: tuple[_Read, ...]
    edits: tuple[Edit, ...] = ()

    @property
    def demographics(self) -> Demographics:
        return self.read[-1].demographics

    @property
    def documents(self) -> tuple[StoredDocument, ...]:
        return tuple(one.document for one in self.read)

    @property
    def encounters(self) -> tuple[Encounter, ...]:
        """Those the documents have entries for, each once; else one for each document."""
        listed = {visit.key: visit for one in self.read for visit in one.encounters}
        if listed:
            return tuple(listed.values())
        return tuple(
            Encounter(one.document.key, one.document.service_date.isoformat(), "", one.document.title, "")
            for one in self.read
        )

    def stored(self, document: str, window: Window | None) -> bytes:
        """Byte for byte what the file holds, unless it has to be narrowed or edited."""
        return self._out(next(one for one in self.read if one.document.key == document), window)

    def summary(self, window: Window | None) -> bytes:
        """The newest document."""
        return self._out(self.read[-1], window)

    def fragment(self, category: str, window: Window | None, encounter: str | None) -> bytes:
        """A slice of the newest document, or of the newest that speaks of the encounter."""
        holders = [
            one for one in self.read if encounter in {one.document.key, *(visit.key for visit in one.encounters)}
        ]
        return slices.encoded(slices.part(self._tree(holders[-1] if holders else self.read[-1], window), category))

    def excerpt(self, categories: Sequence[str], window: Window | None) -> bytes:
        """The newest document without its other sections."""
        root = self._tree(self.read[-1], window)
        slices.keep_only(root, categories)
        return slices.encoded(root)

    def without(self, category: str) -> StoredPerson:
        def empty(root: etree._Element) -> None:
            for section in slices.sections(root, SECTIONS[category]):
                slices.take_out(section, section.findall("h:entry", slices.NS))

        return replace(self, edits=(*self.edits, empty))

    def without_last(self, category: str) -> StoredPerson:
        def drop(root: etree._Element) -> None:
            for section in slices.sections(root, SECTIONS[category])[:1]:
                slices.take_out(section, section.findall("h:entry", slices.NS)[-1:])

        return replace(self, edits=(*self.edits, drop))

    def with_one_of(self, other: Person, category: str) -> StoredPerson:
        lent = slices.parse(other.fragment(category, None, None)).find("h:entry", slices.NS)

        def borrow(root: etree._Element) -> None:
            for section in slices.sections(root, SECTIONS[category])[:1]:
                if lent is not None:
                    section.append(copy.deepcopy(lent))

        return replace(self, edits=(*self.edits, borrow))

    def with_all_of(self, other: Person) -> StoredPerson:
        theirs = slices.parse(other.summary(None)).find("h:component", slices.NS)

        def exchange(root: etree._Element) -> None:
            for own in root.findall("h:component", slices.NS):
                root.remove(own)
            if theirs is not None:
                root.append(copy.deepcopy(theirs))

        return replace(self, edits=(*self.edits, exchange))

    def blank(self) -> StoredPerson:
        def empty(root: etree._Element) -> None:
            for section in root.iter(f"{{{slices.V3}}}section"):
                slices.take_out(section, section.findall("h:entry", slices.NS))

        return replace(self, edits=(*self.edits, empty))

    def _out(self, one: _Read, window: Window | None) -> bytes:
        if window is None and not self.edits:
            return one.data
        return slices.encoded(self._tree(one, window))

    def _tree(self, one: _Read, window: Window | None) -> etree._Element:
        root = slices.parse(one.data)
        for edit in self.edits:
            edit(root)
        if window is not None:
            slices.narrow(root, window)
        return root


def load(folder: Path, taken: Iterable[str] = ()) -> tuple[list[StoredPerson], list[str]]:
    """The charts a folder's `*.xml` make (nested folders too), in order of name, and a note for each file left out."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: no such folder of charts; name a folder that holds C-CDA files")
    by_person: dict[tuple[str, str, str], list[_Read]] = {}
    notes: list[str] = []
    for path in sorted(one for one in folder.rglob("*") if one.suffix.lower() == ".xml" and one.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            one = _read(path.read_bytes(), name)
        except (slices.NotReadableError, OSError) as error:
            notes.append(f"skipped {name}: {error}")
            continue
        who = one.demographics
        by_person.setdefault((who.family.casefold(), who.given[0].casefold(), who.birth_date), []).append(one)
    persons: list[StoredPerson] = []
    keys = set(taken)
    for identity in sorted(by_person):
        documents = sorted(by_person[identity], key=lambda one: (one.document.service_date, one.document.key))
        keys.add(key := _slug(documents[-1].demographics, keys))
        persons.append(StoredPerson(key, tuple(documents)))
    return persons, notes


def _slug(who: Demographics, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", f"{who.family} {who.given[0]} {who.birth_date[:4]}".casefold()).strip("-")
    slug, count = stem or "patient", 1
    while slug in taken:
        count += 1
        slug = f"{stem}-{count}"
    return slug


def _read(data: bytes, name: str) -> _Read:
    root = slices.parse(data)
    if root.tag != f"{{{slices.V3}}}ClinicalDocument":
        raise slices.NotReadableError(f"not a C-CDA (its root is {etree.QName(root).localname})")
    who = _demographics(root)
    title = _text(root.find("h:title", slices.NS)) or "Clinical document"
    document = StoredDocument(name, _service_date(root, who.birth_date), title)
    return _Read(data, who, document, tuple(_encounters(root)))


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join("".join(str(part) for part in element.itertext()).split())


def _demographics(root: etree._Element) -> Demographics:
    role = root.find("h:recordTarget/h:patientRole", slices.NS)
    patient = None if role is None else role.find("h:patient", slices.NS)
    if role is None or patient is None:
        raise slices.NotReadableError("it names no patient")
    names = [one for one in patient.findall("h:name", slices.NS) if _all(one, "family") and _all(one, "given")]
    names.sort(key=lambda one: "L" not in (one.get("use") or "").split())
    birth = patient.find("h:birthTime", slices.NS)
    born = _iso("" if birth is None else birth.get("value", ""))
    if not names or not born:
        raise slices.NotReadableError("it does not state the patient's name and birth date")
    gender = patient.find("h:administrativeGenderCode", slices.NS)
    race = patient.find("h:raceCode", slices.NS)
    marital = patient.find("h:maritalStatusCode", slices.NS)
    address = role.find("h:addr", slices.NS)
    return Demographics(
        family=_all(names[0], "family")[0],
        given=tuple(_all(names[0], "given")),
        birth_date=born,
        sex=_SEXES.get("" if gender is None else gender.get("code", ""), "unknown"),
        prefix=" ".join(_all(names[0], "prefix")),
        suffix=" ".join(_all(names[0], "suffix")),
        race="" if race is None else race.get("displayName", ""),
        marital_status="" if marital is None else marital.get("code", ""),
        line=tuple(_all(address, "streetAddressLine")),
        city=" ".join(_all(address, "city")),
        state=" ".join(_all(address, "state")),
        postal_code=" ".join(_all(address, "postalCode")),
        country=" ".join(_all(address, "country")),
        telecom=dict(_telecom(role)),
    )


def _all(parent: etree._Element | None, tag: str) -> list[str]:
    found = [] if parent is None else parent.findall(f"h:{tag}", slices.NS)
    return [text for one in found if (text := _text(one))]


def _telecom(role: etree._Element) -> Iterable[tuple[str, str]]:
    for telecom in role.findall("h:telecom", slices.NS):
        scheme, _, value = telecom.get("value", "").partition(":")
        if scheme == "mailto":
            yield "email", value
        elif value:
            yield _USES.get(telecom.get("use", ""), "home"), value


def _iso(ts: str) -> str:
    digits = re.match(r"\d*", ts.strip())
    text = digits.group() if digits and slices.days(ts) else ""
    return "-".join(filter(None, (text[:4], text[4:6], text[6:8])))


def _service_date(root: etree._Element, born: str) -> date:
    service = root.find("h:documentationOf/h:serviceEvent/h:effectiveTime", slices.NS)
    visit = root.find("h:componentOf/h:encompassingEncounter/h:effectiveTime", slices.NS)
    written = root.find("h:effectiveTime", slices.NS)
    ended = None if service is None else slices.interval(service)
    if ended is not None and ended[1] is not None:
        return ended[1]
    for time in (visit, written):
        known = None if time is None else slices.interval(time)
        day = known and (known[0] or known[1])
        if day:
            return day
    return date.fromisoformat(f"{born}-01-01"[:10])


def _encounters(root: etree._Element) -> Iterable[Encounter]:
    for section in slices.sections(root, SECTIONS["encounters"]):
        for visit in section.iterfind("h:entry/h:encounter", slices.NS):
            time = visit.find("h:effectiveTime", slices.NS)
            if time is None:
                continue
            low = time.find("h:low", slices.NS)
            high = time.find("h:high", slices.NS)
            start = _iso(time.get("value") or ("" if low is None else low.get("value")) or "")
            if not start:
                continue
            identifier = visit.find("h:id", slices.NS)
            known = "" if identifier is None else f"{identifier.get('root', '')}^{identifier.get('extension', '')}"
            code = visit.find("h:code", slices.NS)
            yield Encounter(
                key=f"{start} {known}".strip(),
                start=start,
                end=_iso("" if high is None else high.get("value", "")),
                kind="" if code is None else code.get("displayName", ""),
                location="",
            )
