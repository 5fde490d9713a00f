"""The nodes of a document at places that facts name: all places of an edition found in one walk down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from onc_conformance.ccda.tree import Element, child, down

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document
    from onc_conformance.uscdi import Place, Step

_GIVEN = {"null": "nullFlavor", "unit": "unit"}
"""Conditions that an attribute is there at all."""
_INDEXED = frozenset({"code", "translated", "template"})
_BIRTH, _CALLED = "BR", "CL"
_BESIDES = frozenset({_BIRTH, _CALLED})
_FORMER = frozenset({"OLD", "BAD"})
_DEGREES = frozenset({"AC", "TITLE"})


Rule = tuple[tuple[str, frozenset[str]], ...]
"""(kind, values) of conditions; one has to hold."""


@dataclass(slots=True)
class Walk:
    """Places with common beginnings as one tree: `ends` are positions of places that end here."""

    ends: list[int] = field(default_factory=list)
    onward: dict[Step, Walk] = field(default_factory=dict)

    @classmethod
    def over(cls, places: Iterable[Place]) -> Walk:
        """All of `places`, by their position."""
        start = cls()
        for position, place in enumerate(places):
            here = start
            for step in place.steps:
                here = here.onward.setdefault(step, cls())
            here.ends.append(position)
        return start


class Places:
    """Where a document is walked; what it has been asked it remembers."""

    def __init__(self, doc: Document) -> None:
        self._doc = doc
        self._below: dict[tuple[str, frozenset[str], tuple[Element, ...]], _Indexed] = {}
        self._codes: dict[Element, str | None] = {}

    def find(self, walk: Walk) -> Mapping[int, Sequence[Element]]:
        """Position of a place -> the nodes there, in document order; places without nodes are left out."""
        found: dict[int, Sequence[Element]] = {}
        if self._doc.root is not None:
            self._down(walk, [self._doc.root], found, top=True)
        return found

    def _down(self, walk: Walk, bases: list[Element], found: dict[int, Sequence[Element]], *, top: bool) -> None:
        for step, onward in walk.onward.items():
            nodes = self._step(step, bases, top=top)
            if nodes:
                for end in onward.ends:
                    found[end] = nodes
                if onward.onward:
                    self._down(onward, nodes, found, top=False)

    def _step(self, step: Step, bases: list[Element], *, top: bool) -> list[Element]:
        wanted = step.wanted
        if step.body:
            nodes = (indexed := self._sections).nodes
        elif step.deep:
            roots = _template_of(step)
            nodes = (indexed := self._descendants(step.name, roots, bases, top=top)).nodes
            wanted = wanted[1:] if roots else wanted
        else:
            tag, indexed = "{*}" + step.name, None
            nodes = [each for base in bases for each in base.iterchildren(tag)]
        for rule in wanted if nodes else ():
            if indexed and nodes is indexed.nodes and all(kind in _INDEXED for kind, _ in rule):
                nodes = indexed.of(rule)
            else:
                nodes = self._those(nodes, rule)
        for rule in step.unwanted:
            unwanted = set(self._those(nodes, rule))
            nodes = [each for each in nodes if each not in unwanted]
        if step.named:
            nodes = [each for each in nodes if NAMED[step.named](each)]
        return nodes

    def _descendants(self, tag: str, roots: frozenset[str], bases: list[Element], *, top: bool) -> _Indexed:
        """All of that name and of one of the templates, if some are named; asked for once."""
        key = (tag, roots, tuple(bases))
        known = self._below.get(key)
        if known is None:
            if roots:
                end = "}" + tag
                found = [each for each in self._bearing(roots) if each.tag.endswith(end)]
                if not top:
                    within = set(bases)
                    found = [each for each in found if any(around in within for around in each.iterancestors())]
            else:
                found = [each for base in bases for each in base.iter("{*}" + tag)]
            # Sections within sections bring what is in both twice
            known = self._below[key] = _Indexed(self, list(dict.fromkeys(found)))
        return known

    def _bearing(self, roots: frozenset[str]) -> Iterable[Element]:
        """All that bear one of these templates, in document order."""
        if len(roots) == 1:
            return self._by_template.get(next(iter(roots)), ())
        return (each for each, borne in self.templates.items() if not roots.isdisjoint(borne))

    def _those(self, nodes: list[Element], rule: Rule) -> list[Element]:
        """Those for which one of the conditions holds; a single one is asked without ceremony."""
        if len(rule) > 1:
            return [each for each in nodes if any(self._holds(each, kind, values) for kind, values in rule)]
        [(kind, values)] = rule
        if kind == "template":
            templates = self.templates
            return [each for each in nodes if not values.isdisjoint(templates.get(each, ()))]
        return [each for each in nodes if self._holds(each, kind, values)]

    def _holds(self, node: Element, kind: str, values: frozenset[str]) -> bool:
        if kind == "template":
            return not values.isdisjoint(self.templates.get(node, ()))
        if kind == "code":
            return self.code(node) in values
        if kind == "translated":
            return any(each.get("code") in values for each in down(node, "code/translation"))
        if kind == "system":
            return node.get("codeSystem") in values
        if kind == "translated_system":
            return any(each.get("codeSystem") in values for each in node.iterchildren("{*}translation"))
        if kind in _GIVEN:
            return node.get(_GIVEN[kind]) is not None
        return node.get(kind) in values

    def code(self, node: Element) -> str | None:
        """The code of an element's own `code`."""
        if node not in self._codes:
            coded = child(node, "code")
            self._codes[node] = coded.get("code") if coded is not None else None
        return self._codes[node]

    @cached_property
    def _sections(self) -> _Indexed:
        return _Indexed(self, [section.element for section in self._doc.sections])

    @cached_property
    def _by_template(self) -> Mapping[str, list[Element]]:
        index: dict[str, list[Element]] = defaultdict(list)
        for node, roots in self.templates.items():
            for root in roots:
                index[root].append(node)
        return index

    @cached_property
    def templates(self) -> Mapping[Element, list[str]]:
        """Roots of the templateIds of every element that has some."""
        index: dict[Element, list[str]] = defaultdict(list)
        if self._doc.root is not None:
            # An exact name is found twice as fast as one in any namespace
            space = self._doc.root.tag.rpartition("}")[0]
            for each in self._doc.root.iter(f"{space}}}templateId" if space else "templateId"):
                index[each.getparent()].append(each.get("root") or "")
        return index


class _Indexed:
    """Elements that are asked again and again which of them have a code or a template."""

    def __init__(self, places: Places, nodes: list[Element]) -> None:
        self._places = places
        self.nodes = nodes

    def of(self, rule: Rule) -> list[Element]:
        """Those for which one of the conditions holds."""
        positions: set[int] = set()
        for kind, values in rule:
            index = self._by[kind]
            for value in values:
                positions.update(index.get(value, ()))
        return [self.nodes[position] for position in sorted(positions)]

    @cached_property
    def _by(self) -> Mapping[str, Mapping[str | None, list[int]]]:
        """Kind of condition -> value -> positions."""
        codes: dict[str | None, list[int]] = defaultdict(list)
        translated: dict[str | None, list[int]] = defaultdict(list)
        templates: dict[str | None, list[int]] = defaultdict(list)
        for position, node in enumerate(self.nodes):
            codes[self._places.code(node)].append(position)
            for each in down(node, "code/translation"):
                translated[each.get("code")].append(position)
            for root in self._places.templates.get(node, ()):
                templates[root].append(position)
        return {"code": codes, "translated": translated, "template": templates}


def _template_of(step: Step) -> frozenset[str]:
    """The templates of which one is asked for first and alone, if so."""
    first = step.wanted[0] if step.wanted else ()
    return first[0][1] if len(first) == 1 and first[0][0] == "template" else frozenset()


def _givens(given: Element) -> list[Element]:
    """The given names of the patient's first name, without those of birth and those a person is called by."""
    named = next(iter(given.getparent().getparent().iterchildren("{*}name")))
    if given.getparent() is not named:
        return []
    every = list(named.iterchildren("{*}given"))
    return [each for each in every if each.get("qualifier") not in _BESIDES] or every[:1]


def _is_preferred(code: Element) -> bool:
    spoken = code.getparent()
    preference = child(spoken, "preferenceInd")
    several = sum(1 for _ in spoken.getparent().iterchildren("{*}languageCommunication")) > 1
    return not several or (preference is not None and preference.get("value") == "true")


def _is_previous_address(address: Element) -> bool:
    if address.get("use") in _FORMER or any(each.get("value") for each in down(address, "useablePeriod/high")):
        return True
    return address.get("use") == "H" and any(
        each.get("use") == "HP" for each in address.getparent().iterchildren("{*}addr")
    )


def _is_email(telecom: Element) -> bool:
    value = telecom.get("value") or ""
    return value.startswith("mailto:") or ("@" in value and not value.startswith("tel:"))


def _is_phone(telecom: Element) -> bool:
    value = telecom.get("value") or ""
    return "@" not in value and not value.startswith(("mailto:", "http"))


NAMED: Mapping[str, Callable[[Element], bool]] = {
    "first_given": lambda node: node in _givens(node)[:1],
    "second_given": lambda node: node in _givens(node)[1:2],
    "of_first_name": lambda node: node.getparent() is child(node.getparent().getparent(), "name"),
    "further_name": lambda node: node is not child(node.getparent(), "name"),
    "birth_part": lambda node: node.get("qualifier") == _BIRTH,
    "called": lambda node: node.get("qualifier") == _CALLED,
    "suffix_of_person": lambda node: node.get("qualifier") not in _DEGREES,
    "name_to_use": lambda node: node.get("use") in {"P", "A"},
    "preferred": _is_preferred,
    "current_address": lambda node: not _is_previous_address(node),
    "previous_address": _is_previous_address,
    "phone": _is_phone,
    "email": _is_email,
}
