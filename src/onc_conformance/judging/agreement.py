"""Two answers about one patient held against each other: both must tell the same facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda.kinds import table
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging.evidence import gather
from onc_conformance.judging.presence import learned
from onc_conformance.record.comparing import differences

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from onc_conformance.ccda import Document
    from onc_conformance.moments import Days
    from onc_conformance.record import Fact, Record


def disagreement(
    one: Sequence[Document],
    other: Sequence[Document],
    record: Record,
    kinds: Collection[str],
    *,
    within: Days | None = None,
    rule: str,
) -> list[Finding]:
    """Errors for facts of some classes that one answer alone tells, or both in two ways; each names both exchanges.

    `record` says whose they are, and no more. `within` leaves out what `one` tells of other days, or of none.
    """
    evidence = gather(other, replace(record, facts=tuple(_union(one, record, kinds))), kinds=kinds)
    here, there = _exchanges(one), _exchanges(other)
    findings: list[Finding] = []
    for number, fact in enumerate(evidence.facts):
        position = evidence.matched[number][0] if number in evidence.matched else evidence.moved.get(number)
        if number in evidence.equal or not _within(fact, within):
            continue
        if position is None:
            if not evidence.came_back(number):
                message = f"{uscdi.title(fact.kind)}: told in {here} and not in {there}"
                findings.append(
                    _finding(next(iter(other), None), None, rule, message, expected=str(fact), found="nothing")
                )
            continue
        doc, seen = evidence.seen[position]
        findings += [
            _finding(
                doc,
                seen.element if each.element is None else each.element,
                rule,
                f"{uscdi.title(fact.kind)}: the {each.what} of {fact} is told in two ways in {here} and {there}",
                expected=each.expected,
                found=each.found,
            )
            for each in differences(fact, seen)
            if each.grave
        ]
    for position in evidence.surplus:
        doc, seen = evidence.seen[position]
        message = f"{uscdi.title(seen.kind)}: told in {there} and not in {here}"
        findings.append(_finding(doc, seen.element, rule, message, expected="nothing", found=str(seen)))
    return findings


def _finding(
    doc: Document | None, element: object | None, rule: str, message: str, *, expected: str, found: str
) -> Finding:
    made = Finding(
        layer=Layer.CONTENT, severity=Severity.ERROR, rule=rule, message=message, expected=expected, found=found
    )
    return doc.locate(made, element) if doc is not None else made


def _union(docs: Sequence[Document], record: Record, kinds: Collection[str]) -> list[Fact]:
    """What the documents tell together: a fact as often as the one tells it that tells it most."""
    kept: Counter[tuple[object, ...]] = Counter()
    facts: list[Fact] = []
    for doc in docs:
        own: Counter[tuple[object, ...]] = Counter()
        for fact in map(_coded, learned([doc], record).facts):
            key = (fact.kind, fact.codes, fact.text, fact.stated, str(fact.attributes))
            own[key] += 1
            if fact.kind in kinds and own[key] > kept[key]:
                kept[key] += 1
                facts.append(replace(fact, id=f"{fact.kind}-{len(facts)}"))
    return facts


def _coded(fact: Fact) -> Fact:
    """A fact with a code is known by it: the same words stand otherwise in another table."""
    return replace(fact, text="") if fact.codes or fact.member or fact.attributes.get("udi") else fact


def _within(fact: Fact, window: Days | None) -> bool:
    if table().of[fact.kind].narrated and not fact.codes:
        return False  # words alone, which each answer may set in its own way
    return window is None or any(days.standing(window) == "in" for days in fact.stated)


def _exchanges(docs: Sequence[Document]) -> str:
    ids = list(dict.fromkeys(doc.exchange for doc in docs if doc.exchange))
    return f"exchange {', '.join(ids)}" if ids else "the other answer"
