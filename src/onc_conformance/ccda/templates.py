"""The layer of template rules: what a document owes to the templates it declares."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from onc_conformance import vocabulary
from onc_conformance.ccda import constraints, declared
from onc_conformance.ccda.engine import RuleSet
from onc_conformance.ccda.found import Sight, sight
from onc_conformance.ccda.tables import Origin, patterns, tables
from onc_conformance.findings import Finding, Layer
from onc_conformance.vocabulary import packs

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document
    from onc_conformance.ccda.rules import Assertion


def check(doc: Document) -> list[Finding]:
    """Every rule of every known template the document declares, each broken one once per element, in document order."""
    if doc.root is None:
        return []
    _value_sets()
    rules, _ = ruleset()
    findings: list[Finding] = []
    said: set[tuple[str, Any]] = set()
    for assertion, element in rules.judge(doc.root):
        if (assertion.id, element) in said:
            continue
        said.add((assertion.id, element))
        words, look = _told(assertion)
        findings.append(Finding(**words, found=look(element), **doc.place(element)))
    return findings + declared.check(doc)


@cache
def _told(assertion: Assertion) -> tuple[dict[str, Any], Sight]:
    """What is the same wherever it fails, and what to look at there."""
    origin = ruleset()[1][assertion]
    words = {
        "layer": Layer.TEMPLATE,
        "severity": assertion.severity,
        "rule": assertion.id,
        "message": origin.message(tables().names),
        "expected": origin.expected,
        "hint": origin.hint,
    }
    return words, sight(origin.fact)


@cache
def ruleset() -> tuple[RuleSet, dict[Assertion, Origin]]:
    """The rules of all tables, compiled as their templates are seen."""
    made, origins = patterns()
    functions = {(constraints.NAMESPACES["onc"], "in-value-set"): _in_value_set}
    return RuleSet(made, constraints.NAMESPACES, functions), origins


def _in_value_set(_: Any, oid: str, code: str) -> bool:
    """False without a code or where it is surely not of the set: what cannot be known here breaks no rule."""
    return bool(code) and _holds(oid, code)


@lru_cache(maxsize=4096)
def _holds(oid: str, code: str) -> bool:
    return vocabulary.contains(oid, code, None) is not vocabulary.Answer.NOT_IN


def _value_sets() -> None:
    """Forget what was asked of value sets once there are other packs."""
    state = packs.state()
    if _STATE != [state]:
        _STATE[:] = [state]
        _holds.cache_clear()


_STATE: list[object] = []
"""The packs that `_holds` answers for."""
