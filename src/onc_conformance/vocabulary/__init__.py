"""Codes, whatever names them: value sets, check digits, units, languages, timestamps. Pure functions, no documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.vocabulary.answer import Answer
from onc_conformance.vocabulary.misprints import Misprint, misprinted
from onc_conformance.vocabulary.systems import by_uri, called, display, known, objection, title
from onc_conformance.vocabulary.valuesets import ValueSet, by_canonical, contains, value_set, value_sets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.findings import Finding

NOT_JUDGED = "VOC-NOT-JUDGED"
"""Rule of the one finding per document that says how many of its codes could not be judged, in `found`."""


def not_judged(findings: Iterable[Finding]) -> int:
    """How many codes these findings say were not judged."""
    return sum(int(each.found or 0) for each in findings if each.rule == NOT_JUDGED)


__all__ = [
    "NOT_JUDGED",
    "Answer",
    "Misprint",
    "ValueSet",
    "by_canonical",
    "by_uri",
    "called",
    "contains",
    "display",
    "known",
    "misprinted",
    "not_judged",
    "objection",
    "title",
    "value_set",
    "value_sets",
]
