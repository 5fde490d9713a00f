"""What a document says of each data element of an edition: a value, why there is none, or neither."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from onc_conformance import uscdi
from onc_conformance.ccda.held import holds, is_null
from onc_conformance.ccda.places import Places, Walk
from onc_conformance.ccda.sections import narrative

if TYPE_CHECKING:
    from onc_conformance.ccda import Document
    from onc_conformance.ccda.sections import Section
    from onc_conformance.ccda.tree import Element as Node

_BOUNDS = ("}section", "}recordTarget")
"""Above these nothing negates a value."""
_TELLING = 300
"""Longer narratives without entries tell something, whatever they deny."""


class State(StrEnum):
    """What becomes of a data element in a document."""

    PRESENT = "present"
    REASONED = "reasoned"
    ABSENT = "absent"


class Covered(NamedTuple):
    """One row of the coverage table of a document."""

    data_class: str
    element: str
    state: State
    node: Node | None
    """The value, what says why there is none, or None."""
    why: str
    """Why there is none: `null flavor NI`, `negated`, `said to be none`; else empty."""
    id: str


@dataclass(frozen=True)
class Coverage:
    """A document held against the elements of an edition."""

    doc: Document
    data: uscdi.DataSet

    @cached_property
    def nodes(self) -> Mapping[int, Sequence[Node]]:
        """Position of a place in `_walk` -> the nodes there."""
        return Places(self.doc).find(_walk(self.data)[0])

    def at(self, places: Sequence[uscdi.Place]) -> list[tuple[str, Node]]:
        """(what must be held, node) at places of the edition."""
        positions = _walk(self.data)[1]
        return [(place.held, node) for place in places for node in self.nodes.get(positions[place], ())]

    @cached_property
    def rows(self) -> tuple[Covered, ...]:
        """Every element in the order of the edition."""
        return tuple(self._row(each) for each in self.data.elements)

    def said(self, places: Sequence[uscdi.Place]) -> tuple[State, Node | None, str]:
        """What the nodes themselves say."""
        reason: tuple[Node, str] | None = None
        for held, node in self.at(places):
            if holds(held, node):
                why = self._denial(held, node)
                if not why:
                    return State.PRESENT, node, ""
                reason = reason or (node, why)
            elif reason is None and is_null(held, node):
                reason = (node, _null(node))
        return (State.REASONED, *reason) if reason else (State.ABSENT, None, "")

    def _row(self, element: uscdi.Element) -> Covered:
        state, node, why = self.said(element.places)
        if state is State.ABSENT:
            for explained, because in self._explanations(element):
                state, node, why = State.REASONED, explained, because
                break
        return Covered(element.data_class, element.title, state, node, why, element.id)

    def _explanations(self, element: uscdi.Element) -> Sequence[tuple[Node, str]]:
        for reason in self.data.reasons:
            if reason.element == element.id:
                nodes = [node for _, node in self.at([reason.place])]
                if nodes and all(holds(reason.place.held, node) for node in nodes):
                    return [(nodes[0], reason.why)]
        sections = (section for loinc in element.sections for section in self._sections.get(loinc, ()))
        return [found for section in sections if (found := self._silence(section, entries=element.silent_entries))]

    @cached_property
    def _sections(self) -> Mapping[str | None, list[Section]]:
        index: dict[str | None, list[Section]] = defaultdict(list)
        for section in self.doc.sections:
            index[section.loinc].append(section)
        return index

    def _silence(self, section: Section, *, entries: bool) -> tuple[Node, str] | None:
        asked = (section.element, entries)
        if asked not in self._silences:
            self._silences[asked] = self._why_silent(section, entries=entries)
        return self._silences[asked]

    @cached_property
    def _silences(self) -> dict[tuple[Node, bool], tuple[Node, str] | None]:
        return {}

    def _why_silent(self, section: Section, *, entries: bool) -> tuple[Node, str] | None:
        """Why a section has no more to say: a null flavor, entries that deny, words that do."""
        if section.element.get("nullFlavor"):
            return section.element, _null(section.element)
        said = [each for entry in section.element.iterchildren("{*}entry") for each in entry.iterchildren("{*}*")]
        if entries:
            for each in said:
                if each.get("nullFlavor"):
                    return each, _null(each)
        if said and all(self._denies(each) for each in said):
            return said[0], "negated"
        if not said and self._says_none(narrative(section)):
            return section.element, "said to be none"
        return None

    def _denial(self, held: str, node: Node) -> str:
        """Why a value is none after all: it is negated, or it is a code or a text for nothing."""
        if node.get("code") in self.data.silence.codes:
            return "said to be none"
        if held == "text" and node.tag.endswith("}text"):
            return "said to be none" if self._says_none(" ".join(" ".join(node.itertext()).split())) else ""
        for around in node.iterancestors():
            if around.get("negationInd") == "true":
                return "negated"
            if around.tag.endswith(_BOUNDS):
                break
        return ""

    def _denies(self, entry: Node) -> bool:
        if entry.get("negationInd") == "true":
            return True
        codes = {each.get("code") for each in entry.iter("{*}value", "{*}code")}
        if not codes.isdisjoint(self.data.silence.codes):
            return True
        inner = list(entry.iterfind("{*}entryRelationship/{*}observation"))
        return bool(inner) and all(each.get("negationInd") == "true" for each in inner)

    def _says_none(self, text: str) -> bool:
        return len(text) <= _TELLING and _words(self.data.silence.words).search(text) is not None


def coverage(doc: Document, edition: str) -> list[Covered]:
    """Every data element of the edition with its state; of an unreadable document none."""
    return list(Coverage(doc, uscdi.of_edition(edition)).rows) if doc.root is not None else []


@cache
def _walk(data: uscdi.DataSet) -> tuple[Walk, Mapping[uscdi.Place, int]]:
    places = dict.fromkeys(
        (
            *(place for each in data.elements for place in each.places),
            *(place for each in data.demands for place in each.places),
            *(each.place for each in data.reasons),
        )
    )
    return Walk.over(places), {place: position for position, place in enumerate(places)}


@cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, words))})(?![\w-])", re.IGNORECASE)


def _null(node: Node) -> str:
    return f"null flavor {node.get('nullFlavor') or 'of a bound'}"
