"""Codes held against the value sets they are bound to, and against the systems they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onc_conformance.fhir.errata import Erratum, misbound
from onc_conformance.fhir.hearing import Hearing, shown
from onc_conformance.fhir.tables import Binding
from onc_conformance.findings import Layer, Severity
from onc_conformance.vocabulary import Answer

_SEVERITIES = {"required": Severity.ERROR, "extensible": Severity.WARNING, "preferred": Severity.INFO}
"""A set that may be extended is a question of judgement, and ONC's procedure fails nobody over it: a warning.

It is taken back where a profile made of the one that has the set says which codes are meant: it fixes the code, or
requires a set, or has the code in a set of its own (https://hl7.org/fhir/R4/terminologies.html#extensible).
"""
_FEW = 12


@dataclass(frozen=True, slots=True)
class Judge:
    """Who binds an element."""

    rule: str
    name: str
    profile: str = ""
    """URL; empty for FHIR itself."""


def check(hearing: Hearing, value: Any, bound: Binding, path: str, judge: Judge) -> None:
    """Object to a code, Coding, CodeableConcept, Quantity or text that is not in the value set it is bound to."""
    strength = bound.strength
    pairs = _pairs(value)
    if pairs is None:
        return
    sets = (bound.value_set, *([bound.never_outside] if bound.never_outside else []))
    if _measured(value) and not (pairs and all(map(hearing.codes.of_units, sets))):
        return
    if bound.never_outside and pairs:
        _within(hearing, pairs, bound.never_outside, (path, judge, Severity.ERROR))
    if not pairs:
        if strength == "required" and isinstance(value, dict):
            expected = _expected(hearing, bound.value_set)
            message = f"no code, and {judge.name} requires one"
            hearing.object(judge.rule, message, path, layer=Layer.VOCABULARY, expected=expected, found=_text(value))
        return
    _within(hearing, pairs, bound.value_set, (path, judge, _SEVERITIES[strength]))


def _within(
    hearing: Hearing, pairs: list[tuple[str | None, str]], value_set: str, case: tuple[str, Judge, Severity]
) -> None:
    path, judge, severity = case
    answers = [hearing.codes.contains(value_set, system, code) for system, code in pairs]
    unlisted = Answer.IN not in answers and Answer.UNKNOWN_HERE in answers
    if unlisted:
        hearing.not_judged.update((path, *pair) for pair in pairs)
    allowed = unlisted or Answer.IN in answers
    if severity is Severity.ERROR or (allowed and severity is Severity.WARNING):
        hearing.settle(path, judge.profile)
    if allowed:
        return
    erratum = misbound().get(judge.rule)
    if severity is Severity.ERROR and erratum and erratum.code in {code for _, code in pairs}:
        hearing.aside[erratum] += 1
        return
    found = ", ".join(f"{system or '(no system)'} {code}" for system, code in pairs)
    message = f"no code of the value set that {judge.name} binds this element to"
    hearing.object(
        judge.rule, message, path, layer=Layer.VOCABULARY, severity=severity, expected=_expected(hearing, value_set),
        found=shown(found), doubted=None if severity is Severity.ERROR else judge.profile,
    )  # fmt: skip


def exists(hearing: Hearing, value: dict[str, Any], path: str) -> None:
    """Object to a Coding or Quantity whose code its system cannot have."""
    system, code = value.get("system"), value.get("code")
    if isinstance(system, str) and isinstance(code, str) and hearing.codes.exists(system, code) is Answer.NOT_IN:
        if slip := hearing.codes.misprinted(system, code):
            hearing.aside[Erratum("FHIR-CODE", slip.reason, slip.source)] += 1
            return
        other = hearing.codes.of_another(system, code)
        message = f"is a code of US Core {other}" if other else "the code does not exist in the system it names"
        hearing.object(
            "FHIR-CODE", message, f"{path}.code", layer=Layer.VOCABULARY, expected=f"a code of {system}",
            found=shown(code), severity=Severity.WARNING if other else Severity.ERROR,
        )  # fmt: skip


def _pairs(value: Any) -> list[tuple[str | None, str]] | None:
    """System and code of all codings; None where nothing can be bound."""
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return None
    if "coding" in value or not ({"code", "system"} & value.keys()):
        told = value.get("coding")
        told = told if isinstance(told, list) else []
        return [pair for each in told if isinstance(each, dict) for pair in _pair(each)]
    return _pair(value)


def _measured(value: Any) -> bool:
    """A Quantity: bound only where the set is one of units, and free to have none."""
    return isinstance(value, dict) and bool({"value", "unit", "comparator"} & value.keys())


def _pair(coding: dict[str, Any]) -> list[tuple[str | None, str]]:
    code, system = coding.get("code"), coding.get("system")
    if not isinstance(code, str):
        return []
    # A Coding without a system names no code; it matches no member of any set
    return [(system if isinstance(system, str) else "", code)]


def _text(value: dict[str, Any]) -> str:
    return shown(f"text: {value['text']}") if value.get("text") else "none"


def _expected(hearing: Hearing, value_set: str) -> str:
    listed = hearing.codes.listed(value_set, _FEW)
    return f"one of {', '.join(listed)}" if listed else f"a code of {value_set}"
