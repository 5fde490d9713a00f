"""SNOMED CT identifiers: length, partition, namespace and check digit (SNOMED CT Release File Specification, SCTID)."""

from __future__ import annotations

import re

from onc_conformance.vocabulary.digits import verhoeff

_PARTITIONS = {"00": "concept", "01": "description", "02": "relationship", "10": "concept", "11": "description",
               "12": "relationship"}  # fmt: skip
_IDENTIFIER = re.compile(r"[1-9][0-9]{5,17}")
_EXPRESSION = re.compile(r"[:+={},()|]")
MAX_EXPRESSION = 8_000
"""Characters; longer texts are no expression anybody wrote."""


def objection(code: str) -> str | None:
    """Why this can be no SNOMED CT concept or postcoordinated expression, in a few words; None if it can be."""
    if _EXPRESSION.search(code) and len(code) <= MAX_EXPRESSION:
        concepts = re.findall(r"[0-9]{6,}", re.sub(r"\|[^|]*\|", " ", code))
        if not concepts:
            return "an expression names at least one concept"
        return next(filter(None, map(_concept, concepts)), None)
    return _concept(code)


def _concept(code: str) -> str | None:
    if not _IDENTIFIER.fullmatch(code):
        return "an identifier has 6 to 18 digits and does not begin with 0"
    if not verhoeff(code):
        return "its last digit is not the check digit of the others"
    kind = _PARTITIONS.get(code[-3:-1])
    if kind is None:
        return f"{code[-3:-1]} is no partition"
    if kind != "concept":
        return f"it identifies a {kind}, not a concept"
    if code[-3] == "1" and len(code) < 11:
        return "an identifier of an extension has a namespace of 7 digits"
    return None
