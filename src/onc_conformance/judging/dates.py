"""Whether an answer to a request for a day or a range holds what belongs to it, and not the whole record.

ONC fixes calendar days and forbids answering a window with everything; which date of a fact counts is the target's to
say (`date_policy`). So only what is certain is an error: a fact wholly inside must come back, a fact wholly outside may
not where the policy excludes it, and dates too vague to tell prove nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onc_conformance import uscdi
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging.evidence import Evidence, gather
from onc_conformance.moments import Days, Standing

if TYPE_CHECKING:
    from onc_conformance.ccda import Document
    from onc_conformance.record import Fact, Record

FILTER, OVERLAP, ENCOUNTER, IGNORE = "filter", "overlap", "encounter", "ignore"
Policy = Mapping[str, str | None]


def dates(
    docs: Sequence[Document],
    record: Record,
    window: Days,
    policy: Policy,
    kinds: Collection[str] | None = None,
    *,
    rule: str | None = None,
    absent: Severity = Severity.ERROR,
) -> list[Finding]:
    """Errors for facts of the window that are absent and for facts that should not have come; see the module.

    `policy` gives the `date_policy` of each fact class; a class it does not name has none documented. `kinds` narrows
    the question to the classes that were asked for; `absent` is how grave it is that a fact of the window is not there.
    """
    findings = [finding for doc in docs for finding in doc.findings]
    if findings and all(doc.root is None for doc in docs):
        return findings
    return findings + among(gather(docs, record, kinds=kinds), window, policy, rule=rule, absent=absent)


def among(
    evidence: Evidence,
    window: Days,
    policy: Policy,
    *,
    rule: str | None = None,
    absent: Severity = Severity.ERROR,
) -> list[Finding]:
    """The same of evidence gathered already; evidence for some classes only was asked for as a category."""
    encounters = {fact.encounter: fact.days for fact in evidence.record.of("encounters")}
    findings: list[Finding] = []
    strayed: list[int] = []
    dated = [number for number, fact in enumerate(evidence.facts) if fact.stated and not fact.no_information]
    for number in dated:
        fact = evidence.facts[number]
        standing = stands(fact, window, policy.get(fact.kind), encounters)
        if standing is Standing.IN and fact.required and not evidence.came_back(number):
            findings.append(_absent(evidence, number, window, rule, absent))
        elif standing is Standing.OUT and evidence.certain(number):
            strayed.append(number)
    return findings + _outside(evidence, dated, strayed, window=window, policy=policy, rule=rule)


def stands(fact: Fact, window: Days, policy: str | None, encounters: Mapping[str | None, Days | None]) -> Standing:
    """Where a fact certainly stands to a window under a policy; PARTLY where its dates do not tell.

    Without a policy, or where dates are ignored, it is outside only if every policy would leave it out.
    """
    if policy == OVERLAP:
        return _active(fact, window)
    if policy == ENCOUNTER:
        around = encounters.get(fact.encounter)
        return around.standing(window) if around else Standing.PARTLY
    stated = {days.standing(window) for days in fact.stated}
    own = Standing.IN if Standing.IN in stated else Standing.OUT if stated == {Standing.OUT} else Standing.PARTLY
    if policy == FILTER or own is not Standing.OUT:
        return own
    around = encounters.get(fact.encounter)
    out = _active(fact, window) is Standing.OUT and (around is None or around.standing(window) is Standing.OUT)
    return Standing.OUT if out else Standing.PARTLY


def _active(fact: Fact, window: Days) -> Standing:
    """IN if it was certainly active on a day of the window, OUT if certainly on none."""
    begin, end = fact.date or fact.start, fact.date or fact.end
    if begin is None:
        # Nobody says since when: certainly active on the day it ended, and never after
        return end.standing(window) if end and end.standing(window) is Standing.IN else _after(end, window)
    whole = Days(begin.first, end.last if end else None)
    if not whole.overlaps(window):
        return Standing.OUT
    if fact.date:
        return fact.date.standing(window)
    surely = Days(begin.last, end.first if end else None)
    backwards = surely.first and surely.last and surely.first > surely.last
    return Standing.IN if not backwards and surely.overlaps(window) else Standing.PARTLY


def _after(end: Days | None, window: Days) -> Standing:
    over = end and end.last and window.first and end.last < window.first
    return Standing.OUT if over else Standing.PARTLY


def _absent(evidence: Evidence, number: int, window: Days, rule: str | None, severity: Severity) -> Finding:
    fact = evidence.facts[number]
    title = uscdi.title(fact.kind)
    doc, element, message, found = (
        next(iter(evidence.docs), None),
        None,
        f"{title}: a fact of the window is absent",
        None,
    )
    if number in evidence.moved:
        doc, seen = evidence.seen[evidence.moved[number]]
        element, message, found = seen.element, f"{title}: came back on other days", ", ".join(map(str, seen.stated))
    finding = Finding(
        layer=Layer.DATES,
        severity=severity,
        rule=rule or "DATES-ABSENT",
        message=message,
        expected=f"{fact}, which belongs to {window}",
        found=found if doc else "no document",
    )
    return doc.locate(finding, element) if doc else finding


def _outside(
    evidence: Evidence, dated: Iterable[int], strayed: list[int], *, window: Days, policy: Policy, rule: str | None
) -> list[Finding]:
    if not strayed:
        return []
    dated = [number for number in dated if evidence.facts[number].required]
    everything = all(evidence.came_back(number) for number in dated)
    unfiltered = [number for number in strayed if policy.get(evidence.facts[number].kind) == IGNORE]
    filtered = [number for number in strayed if number not in set(unfiltered)]
    asked = {evidence.facts[number].kind for number in dated}
    # A class documented as not filtered may come back whole, but not every class: that is the whole record
    whole = filtered or (evidence.kinds is None and all(policy.get(kind) == IGNORE for kind in asked))
    # A category of one fact, as a smoking status, is whole with it: that alone is no sign of a window ignored
    telling = evidence.kinds is None or len(dated) > 1
    if everything and whole and telling:
        message = "the window was ignored: every dated fact came back"
        return [
            _one(
                evidence, filtered or unfiltered, window, severity=Severity.ERROR, rule=rule or "DATES-WHOLE",
                message=message,
            )
        ]  # fmt: skip
    findings: list[Finding] = []
    undocumented: dict[str, list[int]] = {}
    for number in filtered:
        kind = evidence.facts[number].kind
        if not policy.get(kind):
            undocumented.setdefault(kind, []).append(number)
            continue
        message = f"{uscdi.title(kind)}: a fact outside the window, which the policy {policy[kind]!r} excludes"
        severity = Severity.ERROR
        findings.append(
            _one(evidence, [number], window, severity=severity, rule=rule or "DATES-OUTSIDE", message=message)
        )
    for kind, numbers in undocumented.items():
        message = f"{uscdi.title(kind)}: extra data need documentation"
        findings.append(_one(evidence, numbers, window, severity=Severity.WARNING, rule="DATES-EXTRA", message=message))
    return findings


def _one(evidence: Evidence, numbers: Sequence[int], window: Days, **what: Any) -> Finding:
    """One finding for some facts, located at the first that stands in an entry."""
    places = [evidence.seen[evidence.matched[number][0]] for number in numbers if number in evidence.matched]
    doc, element = (places[0][0], places[0][1].element) if places else (evidence.docs[0], None)
    first = evidence.facts[numbers[0]]
    more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    found = f"{uscdi.title(first.kind)}: {first}{more}"
    return doc.finding(element, layer=Layer.DATES, expected=f"facts of {window}", found=found, **what)
