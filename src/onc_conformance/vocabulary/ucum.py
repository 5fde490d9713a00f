"""Units by the grammar of The Unified Code for Units of Measure, case sensitive (UCUM 2.2, paragraphs 2 to 12)."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from onc_conformance.vocabulary.tables import facts

MAX_UNIT = 256
"""Characters; no unit anybody measures with is longer, and recursion ends before it hurts."""
_ANNOTATION = re.compile(r"\{[!-z|~]*\}")
_FACTOR = re.compile(r"[1-9][0-9]*|0")
_EXPONENT = re.compile(r"[+-]?[0-9]+")


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether a text is a UCUM unit expression, annotations included; the empty text is none."""
    if not text or len(text) > MAX_UNIT or not text.isascii():
        return False
    end = _term(text, 1 if text.startswith("/") else 0)
    return end == len(text)


def _term(text: str, at: int) -> int:
    """The end of the product of components that begins at `at`, or -1."""
    while True:
        at = _component(text, at)
        if at < 0 or at == len(text) or text[at] not in "./":
            return at
        at += 1


def _component(text: str, at: int) -> int:
    if at >= len(text):
        return -1
    if text[at] == "(":
        end = _term(text, at + 1 + text.startswith("/", at + 1))
        if end < 0 or not text.startswith(")", end):
            return -1
        return _annotated(text, end + 1)
    if text[at] == "{":
        return _annotation(text, at)
    end = _simple(text, at)
    if end < 0:
        factor = _FACTOR.match(text, at)
        return _annotated(text, factor.end()) if factor else -1
    exponent = _EXPONENT.match(text, end)
    return _annotated(text, exponent.end() if exponent else end)


def _annotated(text: str, at: int) -> int:
    return _annotation(text, at) if text.startswith("{", at) else at


def _annotation(text: str, at: int) -> int:
    match = _ANNOTATION.match(text, at)
    return match.end() if match else -1


def _simple(text: str, at: int) -> int:
    """The end of the longest atom, with or without a prefix, that is not cut short inside a word."""
    for length in range(min(_longest(), len(text) - at), 0, -1):
        if text[at : at + length] in _atoms() and _complete(text, at + length):
            return at + length
    return -1


def _complete(text: str, at: int) -> bool:
    return at == len(text) or text[at] in "./){+-" or text[at].isdigit()


@cache
def _atoms() -> frozenset[str]:
    table = facts("ucum")
    metric: frozenset[str] = table["metric"]
    plain: frozenset[str] = table["plain"]
    return metric | plain | {prefix + atom for prefix in table["prefixes"] for atom in metric}


@cache
def _longest() -> int:
    return max(map(len, _atoms()))
