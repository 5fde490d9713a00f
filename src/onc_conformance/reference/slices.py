"""Cutting real C-CDA documents: reading them safely, taking sections out, leaving out what a date window excludes."""

from __future__ import annotations

import calendar
import copy
import re
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree

from onc_conformance.reference.people import HEADER, SECTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from onc_conformance.reference.people import Window

V3 = "urn:hl7-org:v3"
NS = {"h": V3}
_DEFAULT: dict[str, str] = {None: V3}  # type: ignore[dict-item]  # the stubs know no default namespace

_TS = re.compile(r"^(\d{4})(?:(\d{2})(?:(\d{2})\d*(?:\.\d+)?(?:[+-]\d{4})?)?)?$")
_HEADER_PARTS = {
    "patient_name": ("name",),
    "sex": ("administrativeGenderCode",),
    "birth_date": ("birthTime",),
    "race": ("raceCode", "{urn:hl7-org:sdtc}raceCode"),
    "ethnicity": ("ethnicGroupCode", "{urn:hl7-org:sdtc}ethnicGroupCode"),
    "preferred_language": ("languageCommunication",),
}


class NotReadableError(ValueError):
    """The bytes are no XML document; the message says why."""


def parse(data: bytes) -> etree._Element:
    """The root of an XML document, read without entities, network or huge trees."""
    if not data.strip():
        raise NotReadableError("it is empty")
    parser = _parser(recover=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        # Two vendors declare xmlns:schemaLocation: well-formed, though libxml2 calls the namespace name invalid.
        log: list[etree._LogEntry] = list(parser.error_log)
        if any(entry.type != etree.ErrorTypes.WAR_NS_URI for entry in log):
            raise NotReadableError(f"it is not XML ({error.msg})") from error
        return etree.fromstring(data, _parser(recover=True))


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, dtd_validation=False, recover=recover
    )


def days(text: str | None) -> tuple[date, date] | None:
    """First and last day an HL7 TS names, or None."""
    match = _TS.match((text or "").strip())
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        if year is None or month is None:
            return date(year or 0, 1, 1), date(year or 0, 12, 31)
        if day is None:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        return date(year, month, day), date(year, month, day)
    except (ValueError, calendar.IllegalMonthError):
        return None


def interval(time: etree._Element) -> Window | None:
    """The days an effectiveTime covers; an end it leaves out is open; None if it states no day at all."""
    at = days(time.get("value"))
    if at:
        return at
    low = days(_value(time, "low"))
    high = days(_value(time, "high"))
    if low is None and high is None:
        return days(_value(time, "center"))
    return (low[0] if low else None), (high[1] if high else None)


def _value(time: etree._Element, bound: str) -> str | None:
    child = time.find(f"{{{V3}}}{bound}")
    return None if child is None else child.get("value")


def overlaps(one: Window, other: Window) -> bool:
    """Whether two stretches of days share a day."""
    begins = one[0] is None or other[1] is None or one[0] <= other[1]
    ends = one[1] is None or other[0] is None or other[0] <= one[1]
    return begins and ends


def sections(root: etree._Element, codes: Collection[str]) -> list[etree._Element]:
    """The sections with one of these LOINC codes, in the order of `codes`."""
    order = tuple(codes)
    found = [section for section in root.iter(f"{{{V3}}}section") if _code(section) in order]
    return sorted(found, key=lambda section: order.index(_code(section)))


def _code(section: etree._Element) -> str:
    code = section.find("h:code", NS)
    return "" if code is None else code.get("code", "")


def part(root: etree._Element, category: str) -> etree._Element:
    """A copy of what holds a category: a section, a recordTarget with that item alone, or who took care."""
    if category in HEADER:
        return _record_target(root, category)
    found = sections(root, SECTIONS[category])
    if found:
        return copy.deepcopy(found[0])
    if category == "care_team":
        events = [event for event in root.findall("h:documentationOf", NS) if event.findall(".//h:performer", NS)]
        if events:
            return copy.deepcopy(events[0])
    return _nothing(SECTIONS[category][0], category)


def _record_target(root: etree._Element, category: str) -> etree._Element:
    target = copy.deepcopy(root.find("h:recordTarget", NS))
    if target is None:
        raise NotReadableError("it names no patient")
    keep = {tag if tag.startswith("{") else f"{{{V3}}}{tag}" for tag in _HEADER_PARTS[category]}
    patient = target.find("h:patientRole/h:patient", NS)
    for item in list(patient) if patient is not None else ():
        if item.tag not in keep and patient is not None:
            patient.remove(item)
    return target


def _nothing(code: str, category: str) -> etree._Element:
    section = etree.Element(f"{{{V3}}}section", nsmap=_DEFAULT)
    section.set("nullFlavor", "NI")
    etree.SubElement(section, f"{{{V3}}}code", code=code, codeSystem="2.16.840.1.113883.6.1")
    etree.SubElement(section, f"{{{V3}}}title").text = category.replace("_", " ").capitalize()
    etree.SubElement(section, f"{{{V3}}}text").text = "No information"
    return section


def keep_only(root: etree._Element, categories: Sequence[str]) -> None:
    """Take every section out of a document that holds none of these categories."""
    wanted = {code for category in categories if category not in HEADER for code in SECTIONS[category]}
    body = root.find("h:component/h:structuredBody", NS)
    if body is None:
        return
    for component in body.findall("h:component", NS):
        held = {_code(section) for section in component.iter(f"{{{V3}}}section")}
        if not held & wanted:
            body.remove(component)
    if not body.findall("h:component", NS):
        title = categories[0] if categories else "nothing"
        codes = SECTIONS.get(title, ("11450-4",))
        etree.SubElement(body, f"{{{V3}}}component").append(_nothing(codes[0], title))


TIME = f"{{{V3}}}effectiveTime"


def narrow(root: etree._Element, window: Window) -> None:
    """Take out the entries, and the components of panels, whose own dates all lie outside the window."""
    for section in root.iter(f"{{{V3}}}section"):
        entries = section.findall("h:entry", NS)
        gone = [entry for entry in entries if _outside(entry, window)]
        for entry in entries:
            if entry not in gone:
                gone += [one for one in entry.findall("h:organizer/h:component", NS) if _outside(one, window)]
        take_out(section, gone)


def _outside(item: etree._Element, window: Window) -> bool:
    stated = [found for time in item.iter(TIME) if (found := interval(time)) is not None]
    return bool(stated) and not any(overlaps(one, window) for one in stated)


def take_out(section: etree._Element, gone: Sequence[etree._Element]) -> None:
    """Remove entries or panel components and the rows of the narrative that speak of them alone."""
    if not gone:
        return
    rows = {name for item in gone for name in _references(item)}
    for item in gone:
        parent = item.getparent()
        if parent is not None:
            parent.remove(item)
    rows -= set(_references(section))
    for element in [one for one in section.iterfind("h:text//*[@ID]", NS) if one.get("ID") in rows]:
        _remove_row(element)
    if not section.findall("h:entry", NS):
        section.set("nullFlavor", "NI")


def _references(item: etree._Element) -> Iterator[str]:
    for reference in item.iterfind(".//h:reference", NS):
        value = reference.get("value", "")
        if value.startswith("#"):
            yield value[1:]


def _remove_row(element: etree._Element) -> None:
    row: etree._Element | None = element
    while row is not None and etree.QName(row).localname not in {"tr", "item", "paragraph", "text"}:
        row = row.getparent()
    if row is None or etree.QName(row).localname == "text":
        element.clear()
        return
    holder = row.getparent()
    if holder is None:
        return
    if len([one for one in holder if one.tag == row.tag]) > 1:
        holder.remove(row)
        return
    # A tbody, list or text may not be left without any row: the last one stays and says so.
    cells = list(row)
    row.attrib.clear()
    row.text = None
    for cell in cells[1:]:
        row.remove(cell)
    if cells and etree.QName(row).localname == "tr":
        for inner in list(cells[0]):
            cells[0].remove(inner)
        cells[0].attrib.clear()
        cells[0].text = "No information"
    else:
        for inner in cells[:1]:
            row.remove(inner)
        row.text = "No information"


def encoded(root: etree._Element) -> bytes:
    """The bytes of a tree, UTF-8, with a declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", with_tail=False)
