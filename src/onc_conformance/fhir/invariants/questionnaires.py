"""The invariants of a Questionnaire and its items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onc_conformance.fhir.invariants.words import Rule, Scope, chosen, distinct, has, items

_OF_LENGTH = ("boolean", "decimal", "integer", "string", "text", "url", "open-choice")
_OF_OPTIONS = ("choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity")


def _links(item: Any) -> Iterator[Any]:
    for each in items(item, "item"):
        if isinstance(each, dict):
            yield each.get("linkId")
            yield from _links(each)


def _display(value: Any, *names: str) -> bool:
    return value.get("type") != "display" or not any(has(value, each) for each in names)


def _grouped(value: Any, _: Scope) -> bool:
    return (value.get("type") != "group" or has(value, "item")) and _display(value, "item")


QUESTIONNAIRES = (
    Rule("que-1", _grouped, "items in every group, and in no display"),
    Rule("que-2", lambda v, _: distinct(list(_links(v))), "each linkId once"),
    Rule("que-3", lambda v, _: _display(v, "code"), "no code on a display"),
    Rule("que-4", lambda v, _: not (has(v, "answerOption") and has(v, "answerValueSet")), "options or a value set"),
    Rule(
        "que-5",
        lambda v, _: v.get("type") in _OF_OPTIONS or not (has(v, "answerOption") or has(v, "answerValueSet")),
        "options only where answers can be chosen",
    ),
    Rule("que-6", lambda v, _: _display(v, "required", "repeats"), "neither required nor repeats on a display"),
    Rule(
        "que-7",
        lambda v, _: v.get("operator") != "exists" or chosen(v, "answer") == "answerBoolean",
        "answerBoolean beside the operator exists",
    ),
    Rule("que-8", lambda v, _: v.get("type") not in ("group", "display") or not has(v, "initial"), "no initial answer"),
    Rule("que-9", lambda v, _: _display(v, "readOnly"), "no readOnly on a display"),
    Rule("que-10", lambda v, _: v.get("type") in _OF_LENGTH or not has(v, "maxLength"), "a maxLength only of text"),
    Rule("que-11", lambda v, _: not (has(v, "answerOption") and has(v, "initial")), "no initial beside answerOption"),
    Rule(
        "que-12",
        lambda v, _: len(items(v, "enableWhen")) <= 2 or has(v, "enableBehavior"),
        "an enableBehavior for several conditions",
    ),
    Rule("que-13", lambda v, _: v.get("repeats") is True or len(items(v, "initial")) <= 1, "one initial answer"),
)
