"""Which value set or code system binds which place of a document: data, walked without a word of Python per rule."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from lxml import etree

from onc_conformance import suite, vocabulary
from onc_conformance.ccda.coded.forms import MAX_VALUE
from onc_conformance.ccda.tree import Element, local_type
from onc_conformance.findings import Severity
from onc_conformance.vocabulary import Answer, ValueSet

V3 = "urn:hl7-org:v3"
SDTC = "urn:hl7-org:sdtc"
FILES = ("bindings-r2.1", "bindings-r4.0", "bindings-common")
KNOWN_BAD = "NOT_A_CODE"
"""No system has it: a binding that accepts it is dead."""
_SNOMED = "2.16.840.1.113883.6.96"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
_STEP = re.compile(r"([\w:]+)((?:\[@[\w:]+='[^']*'\])*)")
_PREDICATE = re.compile(r"\[@([\w:]+)='([^']*)'\]")
_SEVERITY = {"SHALL": Severity.ERROR, "SHALL, soft": Severity.WARNING, "SHOULD": Severity.WARNING}
_OF_TEXT = frozenset({"state", "country", "postalCode"})


class DeadBinding(Exception):  # noqa: N818 - a fault of ours, which ends the command with code 4
    """A binding accepted a code that no system has."""


class Place(NamedTuple):
    """A coded place as it stands in a document."""

    element: Element
    value: str
    system: str | None
    """OID of the code system; None where the place has none."""


@dataclass(frozen=True, eq=False)
class Binding:
    """One line of schemas/vocabulary/bindings-*.jsonl."""

    rule: str
    path: str
    strength: str
    template: str | None = None
    """Root of the template that binds; None where every element named `element` does."""
    extension: str | None = None
    """Extension the template must be declared with; None for one without."""
    element: str | None = None
    set: str | None = None
    system: str | None = None
    name: str | None = None
    """What the value set is called where it is known by its OID alone."""
    where: Mapping[str, list[str]] | None = None
    """Child of the context element, and the texts it may have; "" where it is absent."""

    @property
    def severity(self) -> Severity:
        """SHALL is an error unless ONC's own sources disagree about it (`soft`)."""
        return _SEVERITY[self.strength]

    @property
    def title(self) -> str:
        """What it binds to, as a person calls it."""
        if self.set is None:
            return vocabulary.title(self.system or "")
        found = vocabulary.value_set(self.set)
        return found.name if found else self.name or f"value set {self.set}"

    @cached_property
    def attribute(self) -> str | None:
        """The attribute that is bound, where it is none of a coded element's own."""
        last = self.path.rpartition("/")[2]
        return last[1:] if last.startswith("@") else None

    @cached_property
    def of_text(self) -> bool:
        """Whether the text of an element is bound, not its code."""
        return self.path.rpartition("/")[2] in _OF_TEXT

    def answer(self, place: Place, found: ValueSet | None) -> Answer:
        """Whether what stands there belongs there; `found` is what is known of the value set."""
        if found is not None:
            return found.contains(place.value, place.system)
        if self.set is not None:
            return vocabulary.contains(self.set, place.value, place.system)
        if place.system is not None and place.system != self.system:
            return Answer.NOT_IN
        return vocabulary.known(self.system or "", place.value)

    def places(self, context: Element, namespace: str) -> Iterator[Place]:
        """Every place of `context` that is bound and filled; one with a null flavor is exempt."""
        for element in self._reached(context, namespace):
            if self.attribute is not None:
                if written := element.get(self.attribute):
                    for value in written.split():
                        yield Place(element, value[:MAX_VALUE], None)
            elif self.of_text:
                if text := (element.text or "").strip():
                    yield Place(element, text[:MAX_VALUE], None)
            elif (code := element.get("code")) and element.get("nullFlavor") is None:
                yield Place(element, code.strip()[:MAX_VALUE], element.get("codeSystem"))

    def applies(self, context: Element) -> bool:
        """Whether the children that `where` names say that the binding holds here."""
        for child, allowed in (self.where or {}).items():
            text = "".join(str(each.text or "") for each in context.iterchildren("{*}" + child)).strip()
            if text not in allowed:
                return False
        return True

    def _reached(self, context: Element, namespace: str) -> list[Element]:
        reached = [context]
        if self.path.startswith("@"):
            return reached
        for tag, wanted in _tags(self.path, namespace):
            reached = [
                child
                for element in reached
                for child in element.iterchildren(tag)
                if not wanted or all(_has(child, *each) for each in wanted)
            ]
        return reached

    @cached_property
    def canary(self) -> Answer:
        """What this binding says of a document of its own that holds the known-bad code at its place.

        `unknown_here` where the value set is not known and the place names no code system: such a binding refuses
        nothing, and what it binds is counted as not judged.
        """
        answers = []
        known = vocabulary.value_set(self.set) if self.set else None
        for system in self._suspects(known):
            context = _built(self, system)
            found = list(self.places(context, V3))
            if len(found) != 1 or not self.applies(context):
                raise DeadBinding(f"binding {self.rule} ({self.path}) does not find its own place")
            answers.append(self.answer(found[0], known))
        return Answer.IN if Answer.IN in answers else answers[0]

    @cached_property
    def proven(self) -> Binding:
        """Itself. Raises DeadBinding if it accepts the known-bad code."""
        if self.canary is Answer.IN:
            raise DeadBinding(f"binding {self.rule} ({self.path}, {self.title}) accepts the code {KNOWN_BAD}")
        return self

    def _suspects(self, known: ValueSet | None) -> tuple[str, ...]:
        listed = next(iter(known.codes), None) if known and known.closed else None
        return tuple(filter(None, (self.system or _SNOMED, listed)))


@dataclass(frozen=True, slots=True)
class Index:
    """Bindings by what they hang on."""

    by_template: Mapping[str, tuple[Binding, ...]]
    by_element: Mapping[str, tuple[Binding, ...]]

    def __iter__(self) -> Iterator[Binding]:
        for many in (*self.by_template.values(), *self.by_element.values()):
            yield from many


@cache
def bindings() -> Index:
    """Every binding there is."""
    by_template: dict[str, list[Binding]] = defaultdict(list)
    by_element: dict[str, list[Binding]] = defaultdict(list)
    for file in FILES:
        path = suite.schemas() / "vocabulary" / f"{file}.jsonl"
        for line in json.loads(f"[{path.read_text(encoding='utf-8').strip().replace(chr(10), ',')}]"):
            binding = Binding(**line)
            if binding.template:
                by_template[binding.template].append(binding)
            else:
                by_element[binding.element or ""].append(binding)
    return Index(
        {root: tuple(many) for root, many in by_template.items()},
        {tag: tuple(many) for tag, many in by_element.items()},
    )


def _has(element: Element, attribute: str, value: str) -> bool:
    if attribute == "xsi:type":
        return local_type(element) == value
    return bool(element.get(attribute) == value)


@cache
def _tags(path: str, namespace: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    steps = []
    for step in path.split("/"):
        if step.startswith("@"):
            continue
        match = _STEP.fullmatch(step)
        if match is None:
            raise ValueError(f"{path}: no path of names and attribute predicates")
        tag = match.group(1)
        qualified = f"{{{SDTC}}}{tag[5:]}" if tag.startswith("sdtc:") else f"{{{namespace}}}{tag}"
        steps.append((qualified if namespace or tag.startswith("sdtc:") else tag, tuple(_PREDICATE.findall(match[2]))))
    return tuple(steps)


def _built(binding: Binding, system: str) -> Any:
    """The smallest document that has the known-bad code where the binding looks."""
    context = etree.Element(f"{{{V3}}}context")
    for child, allowed in (binding.where or {}).items():
        etree.SubElement(context, f"{{{V3}}}{child}").text = allowed[0]
    at = context
    for tag, wanted in _tags(binding.path, V3):
        at = etree.SubElement(at, tag)
        for attribute, value in wanted:
            at.set(_XSI if attribute == "xsi:type" else attribute, value)
    if binding.attribute is not None:
        at.set(binding.attribute, KNOWN_BAD)
    elif binding.of_text:
        at.text = KNOWN_BAD
    else:
        at.set("code", KNOWN_BAD)
        at.set("codeSystem", system)
    return context
