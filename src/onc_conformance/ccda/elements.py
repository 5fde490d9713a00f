"""What an entry says of one element of its fact: dose, route, status, reaction, reference range, and so on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onc_conformance import moments
from onc_conformance.ccda.identity import address, facts_of_documents
from onc_conformance.ccda.tree import Element, child, codes, down, name, walk, words
from onc_conformance.record.details import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from onc_conformance.ccda.kinds import Place


def said(entry: Element, place: Place, texts: Mapping[str, str]) -> tuple[Said, ...]:
    """What stands at the first of the place's paths that says something; nothing where only null flavors stand.

    Addresses count wherever they stand. `texts` are the narrative's by ID.
    """
    every: tuple[Said, ...] = ()
    for path in place.paths:
        at = [entry] if path == "." else walk(entry, path)
        told = (each for each in at if each is entry or not is_denied(each, entry))
        read = (_READ[place.manner](each, place) or _referred(each, place, texts) for each in told)
        found = tuple(filter(None, read))
        if found and place.manner != "address":
            return found
        every += found
    return every


def is_denied(element: Element, entry: Element) -> bool:
    """Whether something between it and the entry says that it is not so, or that nothing is known of it."""
    node = element.getparent()
    while node is not None and node is not entry and name(node) in _STATEMENTS:
        if node.get("negationInd") in {"true", "1"} or node.get("nullFlavor"):
            return True
        node = node.getparent()
        node = node.getparent() if node is not None and name(node) == "entryRelationship" else node
    return False


def _referred(element: Element, place: Place, texts: Mapping[str, str]) -> Said | None:
    """Words that stand in the narrative."""
    if place.manner not in _WORDED or place.attribute:
        return None
    told = (texts.get(str(each.get("value") or "").removeprefix("#"), "") for each in down(element, "reference"))
    text = " ".join(filter(None, told))
    return Said(element=element, text=text) if text else None


def _code(element: Element, _: Place) -> Said | None:
    found = tuple(codes(element))
    original = child(element, "originalText")
    text = element.get("displayName") or (words(original) if original is not None else "")
    return Said(element=element, codes=found, text=text) if found or text else None


def _quantity(element: Element, _: Place) -> Said | None:
    low, high = child(element, "low"), child(element, "high")
    if element.get("value") is not None:
        return Said(element=element, value=element.get("value"), unit=element.get("unit"))
    if low is not None or high is not None:
        return _bounds(element, element)
    return None


def _bounds(element: Element, around: Element) -> Said | None:
    low, high = child(element, "low"), child(element, "high")
    ends = [each.get("value") if each is not None else None for each in (low, high)]
    units = dict.fromkeys(each.get("unit") for each in (low, high) if each is not None and each.get("unit"))
    return Said(element=around, low=ends[0], high=ends[1], unit=" and ".join(units) or None) if any(ends) else None


def _range(element: Element, _: Place) -> Said | None:
    value, text = child(element, "value"), child(element, "text")
    bounds = _bounds(value, element) if value is not None else None
    spoken = " ".join(filter(None, (words(each) for each in (value, text) if each is not None)))
    if bounds is not None:
        return replace(bounds, text=spoken)
    return Said(element=element, text=spoken) if spoken else None


def _status(element: Element, place: Place) -> Said | None:
    if name(element) == "statusCode":
        return Said(element=element, text=element.get("code")) if element.get("code") else None
    if name(element) == "value":
        return _code(element, place)
    if element.get("negationInd") in {"true", "1"}:
        return Said(element=element, text="not_done")
    return Said(element=element, text="planned") if element.get("moodCode") in _INTENDED else None


def _concern(element: Element, place: Place) -> Said | None:
    """The status of the concern around a fact, which counts where the fact has none of its own."""
    own = (each.get("root") in _OWN_STATUS for each in element.getparent().iter("{*}templateId"))
    return None if any(own) else _status(element, place)


def _text(element: Element, place: Place) -> Said | None:
    text = element.get(place.attribute) if place.attribute else words(element)
    return Said(element=element, text=text) if text else None


def _letters(element: Element, place: Place) -> Said | None:
    found = tuple(codes(element))
    return Said(element=element, codes=found) if found else _text(element, place)


def _flag(element: Element, _: Place) -> Said:
    return Said(element=element, text="true")


def _moment(element: Element, _: Place) -> Said | None:
    low = child(element, "low")
    time = element.get("value") or (low.get("value") if low is not None else None)
    days = moments.hl7(time) if time else None
    return Said(element=element, days=days) if days else None


def _author(element: Element, _: Place) -> Said | None:
    time = child(element, "time")
    names = [words(each) for path in _AUTHORS for each in walk(element, path)]
    days = moments.hl7(time.get("value") or "") if time is not None else None
    return Said(element=element, text=", ".join(names), days=days) if names or days else None


def _telecom(element: Element, _: Place) -> Said | None:
    return Said(element=element, text=element.get("value", "")) if element.get("value") else None


def _address(element: Element, _: Place) -> Said | None:
    told = address(element)
    return Said(element=element, address=told) if element.get("nullFlavor") is None and str(told) else None


def _part(element: Element, _: Place) -> Said:
    return Said(element=element, text=facts_of_documents()["participations"][name(element)])


def _identifier(element: Element, _: Place) -> Said | None:
    """By its extension, or its root where it has no more."""
    told = element.get("extension") or element.get("root")
    return Said(element=element, text=told) if told and element.get("nullFlavor") is None else None


def _fill(element: Element, _: Place) -> Said:
    quantity, repeat, state = (child(element, tag) for tag in ("quantity", "repeatNumber", "statusCode"))
    return Said(
        element=element,
        value=None if quantity is None else quantity.get("value"),
        low=None if repeat is None else repeat.get("value"),
        text="" if state is None else state.get("code", ""),
    )


_STATEMENTS = frozenset({"act", "encounter", "observation", "procedure", "substanceAdministration", "supply"})
_OWN_STATUS = frozenset({"2.16.840.1.113883.10.20.22.4.6", "2.16.840.1.113883.10.20.22.4.28"})
_INTENDED = frozenset({"INT", "PRMS", "PRP", "RQO"})
"""Moods of what is still to be done."""
_AUTHORS = (
    "assignedAuthor/assignedPerson/name",
    "assignedAuthor/assignedAuthoringDevice/softwareName",
    "assignedAuthor/representedOrganization/name",
)
_READ: dict[str, Callable[[Element, Place], Said | None]] = {
    "code": _code,
    "quantity": _quantity,
    "range": _range,
    "status": _status,
    "text": _text,
    "letters": _letters,
    "flag": _flag,
    "moment": _moment,
    "provenance": _author,
    "telecoms": _telecom,
    "fill": _fill,
    "address": _address,
    "identifier": _identifier,
    "reason": _code,
    "part": _part,
    "concern": _concern,
}
_WORDED = frozenset({"text", "reason"})
"""Manners of what may be words of the narrative."""
