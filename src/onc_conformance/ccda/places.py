"""The nodes of a document at places that facts name: all places of an edition found in one walk down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from onc_conformance.ccda.tree import Element, child, down, name

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document
    from onc_conformance.uscdi import Place, Step

_GIVEN = {"null": "nullFlavor", "unit": "unit"}
"""Conditions that an attribute is there at all."""
_BIRTH, _CALLED = "BR", "CL"
_BESIDES = frozenset({_BIRTH, _CALLED})
_FORMER = frozenset({"OLD", "BAD"})
_DEGREES = frozenset({"AC", "TITLE"})


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
        self._remembered: dict[tuple[str, int, object], list[Element]] = {}

    def find(self, walk: Walk) -> Mapping[int, Sequence[Element]]:
        """Position of a place -> the nodes there, in document order; places without nodes are left out."""
        found: dict[int, Sequence[Element]] = {}
        self._down(walk, [self._doc.root] if self._doc.root is not None else [], found, top=True)
        return found

    def _down(self, walk: Walk, bases: list[Element], found: dict[int, Sequence[Element]], *, top: bool) -> None:
        for step, onward in walk.onward.items():
            nodes = self._step(step, self._sections if step.body else bases, top=top)
            if nodes:
                found.update(dict.fromkeys(onward.ends, nodes))
                self._down(onward, nodes, found, top=False)

    def _step(self, step: Step, bases: list[Element], *, top: bool) -> list[Element]:
        nodes: Iterable[Element]
        if step.body:
            nodes = bases
        elif step.deep:
            nodes = self._below(step, bases, top=top)
        else:
            tag = "{*}" + step.name
            nodes = [each for base in bases for each in base.iterchildren(tag)]
        if step.wanted:
            nodes = [each for each in nodes if all(self._any(each, rule) for rule in step.wanted)]
        if step.unwanted:
            nodes = [each for each in nodes if not any(self._any(each, rule) for rule in step.unwanted)]
        if step.named:
            nodes = [each for each in nodes if _NAMED[step.named](each)]
        return list(nodes)

    def _below(self, step: Step, bases: list[Element], *, top: bool) -> list[Element]:
        """Descendants of that name; those of a template out of the index, asked for once."""
        roots = next((values for rule in step.wanted if len(rule) == 1 for kind, values in rule if kind == "template"), None)
        key = (step.name, id(bases[0]) if bases else 0, roots)
        if (known := self._remembered.get(key)) is None:
            if roots is None:
                known = [each for base in bases for each in base.iter("{*}" + step.name)]
            else:
                known = [each for root in roots for each in self._by_template.get(root, ()) if name(each) == step.name]
                within = None if top else set(bases)
                if within is not None:
                    known = [each for each in known if any(around in within for around in each.iterancestors())]
            known = self._remembered[key] = list(dict.fromkeys(known))
        return known

    def _any(self, node: Element, rule: tuple[tuple[str, frozenset[str]], ...]) -> bool:
        return any(self._holds(node, kind, values) for kind, values in rule)

    def _holds(self, node: Element, kind: str, values: frozenset[str]) -> bool:
        if kind == "template":
            return not values.isdisjoint(self._templates.get(node, ()))
        if kind == "code":
            return self._code(node) in values
        if kind == "translated":
            return any(each.get("code") in values for each in down(node, "code/translation"))
        if kind == "system":
            return node.get("codeSystem") in values or any(
                each.get("codeSystem") in values for each in node.iterchildren("{*}translation")
            )
        if kind in _GIVEN:
            return node.get(_GIVEN[kind]) is not None
        return node.get(kind) in values

    def _code(self, node: Element) -> str | None:
        if node not in self._codes:
            coded = child(node, "code")
            self._codes[node] = coded.get("code") if coded is not None else None
        return self._codes[node]

    @cached_property
    def _codes(self) -> dict[Element, str | None]:
        return {}

    @cached_property
    def _sections(self) -> list[Element]:
        return [section.element for section in self._doc.sections]

    @cached_property
    def _by_template(self) -> Mapping[str, list[Element]]:
        index: dict[str, list[Element]] = defaultdict(list)
        for node, roots in self._templates.items():
            for root in roots:
                index[root].append(node)
        return index

    @cached_property
    def _templates(self) -> Mapping[Element, list[str]]:
        index: dict[Element, list[str]] = defaultdict(list)
        if self._doc.root is not None:
            for each in self._doc.root.iter("{*}templateId"):
                index[each.getparent()].append(each.get("root") or "")
        return index


def _givens(given: Element) -> list[Element]:
    """The given names of the patient's first name, without those of birth and those a person is called by."""
    named = given.getparent()
    if named is not child(named.getparent(), "name"):
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


_NAMED: Mapping[str, Callable[[Element], bool]] = {
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
