"""The layer of template rules: what a document owes to the templates it declares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import vocabulary
from onc_conformance.ccda import constraints, declared
from onc_conformance.ccda.engine import RuleSet
from onc_conformance.ccda.found import Sight, sight
from onc_conformance.ccda.rulebook import Origin, patterns, rulebook
from onc_conformance.findings import Finding, Layer
from onc_conformance.vocabulary import packs

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document
    from onc_conformance.ccda.rules import Assertion


def check(doc: Document) -> list[Finding]:
    """Every rule of every known template the document declares, each broken one once per element, in document order."""
    if doc.root is None:
        return []
    judge = _judge()
    judge.refresh()
    findings: list[Finding] = []
    said: set[tuple[str, Any]] = set()
    for assertion, element in judge.rules.judge(doc.root):
        # A template and one that takes over its rules may both be declared
        if (assertion.id, element) in said:
            continue
        said.add((assertion.id, element))
        words, look = judge.told(assertion)
        findings.append(doc.finding(element, **words, found=look(element)))
    return findings + declared.check(doc)


def ruleset() -> tuple[RuleSet, Mapping[Assertion, Origin]]:
    """The rules of all tables, and where each assertion comes from."""
    return _judge().rules, _judge().origins


class _Judge:
    """The rules of all tables, compiled as their templates are seen, and what was asked before."""

    def __init__(self) -> None:
        made, self.origins = patterns()
        functions: dict[tuple[str | None, str], Any] = {(constraints.NAMESPACES["onc"], "in-value-set"): self._holds}
        self.rules = RuleSet(made, constraints.NAMESPACES, functions)
        self._told: dict[Assertion, tuple[dict[str, Any], Sight]] = {}
        self._answers: dict[tuple[str, str], bool] = {}
        self._packs: object = None

    def refresh(self) -> None:
        """Forget what value sets were asked once there are other packs."""
        if self._packs != (now := packs.state()):
            self._packs = now
            self._answers.clear()

    def told(self, assertion: Assertion) -> tuple[dict[str, Any], Sight]:
        """What a finding says wherever the rule fails, and what to look at there."""
        told = self._told.get(assertion)
        if told is None:
            origin = self.origins[assertion]
            words = {
                "layer": Layer.TEMPLATE,
                "severity": assertion.severity,
                "rule": assertion.id,
                "message": origin.message(rulebook().names),
                "expected": origin.expected,
                "hint": origin.hint,
            }
            told = self._told[assertion] = words, sight(origin.fact)
        return told

    def _holds(self, _: Any, oid: str, code: str) -> bool:
        """False without a code or where it is surely not of the set: what cannot be known here breaks no rule."""
        answer = self._answers.get((oid, code))
        if answer is None:
            answer = bool(code) and vocabulary.contains(oid, code, None) is not vocabulary.Answer.NOT_IN
            if len(self._answers) < _KEPT:
                self._answers[oid, code] = answer
        return answer


_KEPT = 4096
"""So many answers are remembered; a hostile document may ask for more."""


@cache
def _judge() -> _Judge:
    return _Judge()


__all__ = ["check", "patterns", "ruleset"]
