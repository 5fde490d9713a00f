"""The vocabulary layer: every code, unit, time, telecom and identifier of a document, judged in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from onc_conformance import vocabulary
from onc_conformance.ccda.coded import forms
from onc_conformance.ccda.coded.bindings import Binding, DeadBinding, Place, bindings
from onc_conformance.ccda.coded.forms import Objection
from onc_conformance.ccda.tree import Element, child, local_type, name
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.vocabulary import Answer, packs

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document

NOT_JUDGED = vocabulary.NOT_JUDGED
_TIMES = frozenset({"effectiveTime", "time", "birthTime", "deceasedTime", "signatureTime", "availabilityTime",
                    "expirationTime", "usablePeriod", "useablePeriod"})  # fmt: skip
_BOUNDS = frozenset({"low", "high", "center"})
_TYPES_OF_TIME = frozenset({"TS", "IVL_TS", "PIVL_TS", "SXCM_TS", "IVXB_TS"})
_FEW = 8


def check(doc: Document) -> list[Finding]:
    """Judge every coded place of a readable document. Warnings that say the same are one finding, with their number."""
    return list(_Reading(doc).findings()) if doc.root is not None else []


class _Reading:
    """One pass over one document."""

    def __init__(self, doc: Document) -> None:
        self.doc = doc
        self.root: Any = doc.root
        self.namespace = str(self.root.tag)[1:].partition("}")[0] if str(self.root.tag).startswith("{") else ""
        self.said: list[tuple[Objection, Element]] = []
        self.bound: set[tuple[Element, str | None]] = set()
        self.unjudged: Counter[str] = Counter()
        self.used: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """What was objected to in document order, then what could not be judged."""
        self._read()
        repeated: Counter[Objection] = Counter(objection for objection, _ in self.said)
        told: set[Objection] = set()
        for objection, element in self.said:
            if objection.severity is Severity.ERROR:
                yield self._located(objection, element)
            elif objection not in told:
                told.add(objection)
                more = repeated[objection] - 1
                yield self._located(_with_number(objection, more) if more else objection, element)
        if self.unjudged:
            yield self._located(_not_judged(self.unjudged), self.root)
        if self.used:
            yield self._located(_packs(self.used), self.root)

    def _read(self) -> None:
        index = bindings()
        inside = f"{{{self.namespace}}}" if self.namespace else ""
        cut = len(inside)
        for element in self.root.iter("*"):
            tag = element.tag
            local = tag[cut:] if tag.startswith(inside) else name(element)
            if local == "templateId":
                for binding in index.by_template.get(element.get("root") or "", ()):
                    if binding.extension == element.get("extension"):
                        self._judge(binding, element.getparent())
            elif local in index.by_element:
                for binding in index.by_element[local]:
                    self._judge(binding, element, again=False)
            attributes = element.attrib
            if attributes:
                self._attributes(element, local, attributes)

    def _attributes(self, element: Element, local: str, attributes: Any) -> None:
        value = attributes.get("code")
        if value:
            self._code(element, value, attributes)
        root = attributes.get("root")
        if root:
            self._say(forms.identifier(root, attributes.get("extension")), element)
        unit = attributes.get("unit")
        if unit and (element, "unit") not in self.bound:
            self._say(forms.unit(unit), element)
        value = attributes.get("value")
        if value and unit is None:
            if local == "telecom":
                self._say(forms.telecom(value), element)
            elif _is_time(element, local):
                self._say(forms.time(value), element)

    def _code(self, element: Element, value: str, attributes: Any) -> None:
        objections = forms.code(
            value.strip(), attributes.get("codeSystem"), attributes.get("codeSystemName"), attributes.get("displayName")
        )
        judged = (element, None) in self.bound
        for objection in objections:
            if not (judged and objection.rule in ("VOC-CODE-IMPOSSIBLE", "VOC-CODE-UNKNOWN")):
                self.said.append((objection, element))

    def _judge(self, binding: Binding, context: Element, *, again: bool = True) -> None:
        """Judge what a binding finds; with `again` false only what no other has judged."""
        for place in binding.places(context, self.namespace):
            key = (place.element, binding.attribute)
            if not again and key in self.bound:
                continue
            answer = binding.proven().answer(place)
            self._name_pack(binding)
            if answer is Answer.NOT_IN:
                self.bound.add(key)
                self.said.append((_refused(binding, place, name(place.element)), place.element))
            elif answer is Answer.UNKNOWN_HERE:
                self.unjudged[binding.title] += 1
            else:
                self.bound.add(key)

    def _name_pack(self, binding: Binding) -> None:
        found = vocabulary.value_set(binding.set) if binding.set else None
        if found is not None and found.pack is not None:
            self.used.add(found.pack)

    def _say(self, objection: Objection | None, element: Element) -> None:
        if objection is not None:
            self.said.append((objection, element))

    def _located(self, objection: Objection, element: Element) -> Finding:
        return self.doc.finding(
            element, layer=Layer.VOCABULARY, severity=objection.severity, rule=objection.rule,
            message=objection.message, expected=objection.expected, found=objection.found, hint=objection.hint,
        )  # fmt: skip


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
    return Objection(
        binding.rule, severity, said, _wanted(binding),
        f"{place.value} ({vocabulary.title(place.system)})" if place.system else place.value, hint,
    )  # fmt: skip


def _translated(binding: Binding, place: Place) -> bool:
    return binding.attribute is None and any(
        each.get("code") and binding.answer(Place(each, each.get("code"), each.get("codeSystem"))) is not Answer.NOT_IN
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


def _with_number(objection: Objection, more: int) -> Objection:
    return replace(objection, message=f"{objection.message} (and at {more} more place{'' if more == 1 else 's'})")


def _not_judged(counts: Counter[str]) -> Objection:
    listed = ", ".join(
        f"{title} {count}" for title, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )
    return Objection(
        NOT_JUDGED, Severity.INFO, f"codes not judged, because their value sets are not listed here: {listed}", None,
        str(counts.total()), "Import the value sets with vocabulary pack to have them judged.",
    )  # fmt: skip


def _packs(used: set[str]) -> Objection:
    return Objection("VOC-PACK", Severity.INFO, f"judged with vocabulary packs: {', '.join(sorted(used))}")


__all__ = ["NOT_JUDGED", "DeadBinding", "check"]
