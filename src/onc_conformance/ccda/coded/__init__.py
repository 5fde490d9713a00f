"""The vocabulary layer: every code, unit, time, telecom and identifier of a document, judged in one pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from onc_conformance import vocabulary
from onc_conformance.ccda.coded import forms
from onc_conformance.ccda.coded.binding import Binding, DeadBinding, Index, Place, bindings
from onc_conformance.ccda.coded.forms import MAX_VALUE, Objection
from onc_conformance.ccda.tree import Element, local_type, name
from onc_conformance.findings import SUPPRESSED, Finding, Layer, Severity
from onc_conformance.vocabulary import Answer, ValueSet

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document

NOT_JUDGED = vocabulary.NOT_JUDGED
_TIMES = frozenset({"effectiveTime", "time", "birthTime", "deceasedTime", "signatureTime", "availabilityTime",
                    "expirationTime", "usablePeriod", "useablePeriod"})  # fmt: skip
_BOUNDS = frozenset({"low", "high", "center"})
_TYPES_OF_TIME = frozenset({"TS", "IVL_TS", "PIVL_TS", "SXCM_TS", "IVXB_TS"})
_NARRATIVE = frozenset({"br", "caption", "col", "colgroup", "content", "footnote", "item", "linkHtml", "list",
                        "paragraph", "renderMultiMedia", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
                        "tr"})  # fmt: skip
_FEW = 8
_READABLE = 500


def check(doc: Document) -> list[Finding]:
    """Judge every coded place of a readable document. Warnings that say the same are one finding, with their number."""
    return list(_Reading(doc, doc.root).findings()) if doc.root is not None else []


class _Reading:
    """One pass over one document."""

    def __init__(self, doc: Document, root: Element) -> None:
        self.doc = doc
        self.root = root
        self.namespace = str(self.root.tag)[1:].partition("}")[0] if str(self.root.tag).startswith("{") else ""
        self.said: list[tuple[Objection, Element]] = []
        self.bound: set[tuple[Element, str | None]] = set()
        self.answers: dict[tuple[Binding, str, str | None], Answer] = {}
        self.done: set[tuple[Element, str, str]] = set()
        self.unjudged: Counter[str] = Counter()
        self.sets: dict[str, ValueSet | None] = {}
        self.used: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """What was objected to in document order, then what could not be judged."""
        self._read()
        alike: dict[tuple[str, str], list[Objection]] = defaultdict(list)
        for objection, _ in self.said:
            if objection.severity is not Severity.ERROR:
                alike[_kind(objection)].append(objection)
        for objection, element in self.said:
            if objection.severity is Severity.ERROR:
                yield self._located(objection, element)
            elif same := alike.pop(_kind(objection), None):
                yield self._located(_together(same), element)
        if self.unjudged:
            yield self._located(_not_judged(self.unjudged), self.root)
        if self.used:
            yield self._located(_packs(self.used), self.root)

    def _read(self) -> None:
        index = bindings()
        known: dict[str, tuple[str, tuple[Binding, ...], bool]] = {}
        for element in self.root.iter("*"):
            tag = element.tag
            kind = known.get(tag)
            if kind is None:
                local = name(element)
                kind = known[tag] = (local, index.by_element.get(local, ()), local in _NARRATIVE)
            local, bound, narrative = kind
            if narrative:
                continue
            if local == "templateId":
                self._template(element, index)
            for binding in bound:
                self._judge(binding, element, again=False)
            self._attributes(element, local)

    def _template(self, declared: Element, index: Index) -> None:
        extension = declared.get("extension")
        for binding in index.by_template.get(declared.get("root") or "", ()):
            if binding.extension == extension:
                self._judge(binding, declared.getparent())

    def _attributes(self, element: Element, local: str) -> None:
        if code := element.get("code"):
            self._code(element, code)
        if root := element.get("root"):
            self._say(forms.identifier(root[:MAX_VALUE], forms.kept(element.get("extension"))), element)
        elif unit := element.get("unit"):
            if (element, "unit") not in self.bound:
                self._say(forms.unit(unit[:MAX_VALUE]), element)
        elif value := element.get("value"):
            self._value(element, local, value[:MAX_VALUE])

    def _value(self, element: Element, local: str, value: str) -> None:
        if local == "telecom":
            self._say(forms.telecom(value), element)
        elif _is_time(element, local):
            self._say(forms.time(value), element)

    def _code(self, element: Element, code: str) -> None:
        objections = forms.code(
            code.strip()[:MAX_VALUE],
            forms.kept(element.get("codeSystem")),
            forms.kept(element.get("codeSystemName")),
            forms.kept(element.get("displayName")),
        )
        if objections:
            judged = (element, None) in self.bound
            for objection in objections:
                if not (judged and objection.rule in forms.CODES_ALONE):
                    self.said.append((objection, element))

    def _judge(self, binding: Binding, context: Element, *, again: bool = True) -> None:
        """Judge what a binding finds, each place once per rule; with `again` false only what no rule has judged."""
        for place in binding.places(context, self.namespace):
            key = (place.element, binding.attribute)
            once = (place.element, place.value, binding.rule)
            if once in self.done or (not again and key in self.bound):
                continue
            self.done.add(once)
            answer = self._answer(binding, place)
            if answer is not Answer.IN and binding.where and not binding.applies(context):
                continue
            if answer is Answer.UNKNOWN_HERE:
                counted = (place.element, place.value, binding.title)
                if counted not in self.done:
                    self.done.add(counted)
                    self.unjudged[binding.title] += 1
                continue
            self.bound.add(key)
            if answer is Answer.NOT_IN:
                self.said.append((_refused(binding, place, name(place.element)), place.element))

    def _answer(self, binding: Binding, place: Place) -> Answer:
        key = (binding, place.value, place.system)
        if key not in self.answers:
            self.answers[key] = binding.proven.answer(place, self._set(binding))
        return self.answers[key]

    def _set(self, binding: Binding) -> ValueSet | None:
        """What is known of the value set of a binding, looked up once per document."""
        if binding.set is None:
            return None
        if binding.set not in self.sets:
            found = vocabulary.value_set(binding.set)
            self.sets[binding.set] = found
            if found is not None and found.pack is not None:
                self.used.add(found.pack)
        return self.sets[binding.set]

    def _say(self, objection: Objection | None, element: Element) -> None:
        if objection is not None:
            self.said.append((objection, element))

    def _located(self, objection: Objection, element: Element) -> Finding:
        return self.doc.finding(
            element, layer=Layer.VOCABULARY, severity=objection.severity, rule=objection.rule,
            message=_line(objection.message), expected=objection.expected,
            found=_line(objection.found) if objection.found is not None else None, hint=objection.hint,
        )  # fmt: skip


def _line(text: str) -> str:
    """A text on one line and no longer than a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= _READABLE else f"{line[:_READABLE]}…"


def _is_time(element: Element, local: str) -> bool:
    kind = local_type(element)
    if kind:
        return kind in _TYPES_OF_TIME
    if local in _TIMES:
        return True
    if local not in _BOUNDS:
        return False
    parent = element.getparent()
    if parent is None:
        return False
    kind, above = local_type(parent), name(parent)
    return kind in _TYPES_OF_TIME or (not kind and (above in _TIMES or above == "phase"))


def _refused(binding: Binding, place: Place, local: str) -> Objection:
    severity = binding.severity
    where = f"{local}/@{binding.attribute}" if binding.attribute else local
    said = f"{where}: {place.value} is not in {binding.title}"
    hint = "Choose a code of the value set, or a null flavor where none applies."
    reason = vocabulary.objection(place.system, place.value) if place.system else None
    if reason:
        said = f"{said}; it cannot be a code of {vocabulary.title(place.system or '')}: {reason}"
    elif binding.set is None:
        said = f"{where}: {place.value} of {vocabulary.title(place.system or '')} is no code of {binding.title}"
    if _translated(binding, place):
        severity = Severity.WARNING
        hint = "A translation has a code of the value set: let it be the code, and this the translation."
    found = f"{place.value} ({vocabulary.title(place.system)})" if place.system else place.value
    return Objection(binding.rule, said, _wanted(binding), found, hint, severity)


def _translated(binding: Binding, place: Place) -> bool:
    found = vocabulary.value_set(binding.set) if binding.set else None
    return binding.attribute is None and any(
        each.get("code")
        and binding.answer(Place(each, each.get("code"), each.get("codeSystem")), found) is not Answer.NOT_IN
        for each in place.element.iterchildren("{*}translation")
    )


def _wanted(binding: Binding) -> str:
    found = vocabulary.value_set(binding.set) if binding.set else None
    if found is None:
        return binding.title
    listed = [code for codes in found.codes.values() for code in sorted(codes)]
    if found.closed and not found.grammar and 0 < len(listed) <= _FEW:
        return f"one of {', '.join(listed)} ({found.name}, {found.oid})"
    systems = ", ".join(vocabulary.title(oid) for oid in sorted({*found.codes, *found.unlisted}))
    return f"a code of {found.name} ({found.oid}{f'; {systems}' if systems else ''})"


def _kind(objection: Objection) -> tuple[str, str]:
    return objection.rule, objection.alike or objection.message


def _together(same: list[Objection]) -> Objection:
    """The first of several warnings that say the same, with how many more there are and of what."""
    first, more = same[0], len(same) - 1
    if not more:
        return first
    if first.rule == SUPPRESSED:
        return replace(first, found=str(len(same)))
    others = [found for found in dict.fromkeys(each.found or "" for each in same) if found and found != first.found]
    listed = f": {', '.join(others[:_FEW])}{', …' if len(others) > _FEW else ''}" if others else ""
    return replace(first, message=f"{first.message} (and at {more} more place{'' if more == 1 else 's'}{listed})")


def _not_judged(counts: Counter[str]) -> Objection:
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    listed = ", ".join(f"{title} {count}" for title, count in most)
    said = f"codes not judged, because what they must be in is not listed here: {listed}"
    hint = "Import the value sets with vocabulary pack to have them judged."
    return Objection(NOT_JUDGED, said, None, str(counts.total()), hint, Severity.INFO)


def _packs(used: set[str]) -> Objection:
    return Objection("VOC-PACK", f"judged with vocabulary packs: {', '.join(sorted(used))}", severity=Severity.INFO)


__all__ = ["NOT_JUDGED", "DeadBinding", "check"]
