"""Answers about one patient held against each other, documents or resources: they must tell the same facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda.kinds import table
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging.accounts import Account
from onc_conformance.judging.evidence import gather
from onc_conformance.judging.presence import learned
from onc_conformance.record import Fact
from onc_conformance.record.comparing import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from onc_conformance.ccda import Document
    from onc_conformance.fhir.told import Told
    from onc_conformance.moments import Days
    from onc_conformance.record import Record


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


def dissent(
    docs: Sequence[Document],
    told: Sequence[Told],
    record: Record,
    kinds: Collection[str],
    *,
    carried: Callable[[Fact], bool],
    source: Callable[[Fact | Told], str],
    rule: str,
) -> list[Finding]:
    """Errors for facts of some classes that documents alone tell, resources alone, or both in two ways.

    `record` says whose they are, and no more; `source` names the exchange a resource came in, or should have come in
    for a fact. A fact that something else of the patient has, as `carried` knows, is told. Of classes of words each
    answer may choose its own, and what FHIR leaves out of a fact is a warning.
    """
    coded = {name for name, each in table().of.items() if name in kinds and not each.narrated}
    account = Account(replace(record, facts=tuple(_union(docs, record, coded))), told, coded)
    here = _exchanges(docs)
    findings: list[Finding] = []

    def object_to(item: Fact | Told, message: str, expected: str, found: str) -> Finding:
        made = _finding(None, None, rule, f"{uscdi.title(item.kind)}: {message}", expected=expected, found=found)
        return replace(made, exchange=source(item), path=None if isinstance(item, Fact) else item.place)

    for fact in account.missing:
        if not carried(fact):
            message = f"told in {here} and not by FHIR in exchange {source(fact)}"
            findings.append(object_to(fact, message, str(fact), "no resource that tells it"))
    for fact, seen, each, severity in account.differing:
        if severity is not Severity.INFO:
            what = f"the {each.what.replace('_', ' ')} of {fact}"
            message = f"{what} is told in two ways, in {here} and by FHIR in exchange {source(seen)}"
            made = object_to(seen, message, each.expected, each.found)
            findings.append(replace(made, severity=Severity.WARNING if each.absent else severity))
    for seen, _ in account.extra:
        message = f"told by FHIR in exchange {source(seen)} and not in {here}"
        findings.append(object_to(seen, message, "nothing", str(seen)))
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
    due = fact.end if table().of[fact.kind].due else None
    return window is None or any(days.standing(window) == "in" for days in fact.stated if days is not due)


def _exchanges(docs: Sequence[Document]) -> str:
    ids = list(dict.fromkeys(doc.exchange for doc in docs if doc.exchange))
    return f"exchange {', '.join(ids)}" if ids else "the other answer"
