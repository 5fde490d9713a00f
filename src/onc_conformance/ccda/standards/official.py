"""The layer of template rules as an imported standard has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lxml import etree

from onc_conformance.ccda.document import Document
from onc_conformance.ccda.rules import Assertion
from onc_conformance.ccda.standards import schematron, store
from onc_conformance.ccda.standards.errata import errata
from onc_conformance.ccda.standards.store import Standard
from onc_conformance.ccda.tree import Element
from onc_conformance.findings import Finding, Layer, Severity, UsageError

PUBLISHED = (
    "https://github.com/HL7/CDA-ccda-2.1 (R2.1) or https://github.com/HL7/CDA-ccda (3.0, 4.0), folder validation"
)
NOT_JUDGED = "RULE-NOT-JUDGED"
"""Rule of the findings that say how often a rule could not be judged, in `found`, and why."""
NONE_FITS = "RULE-SET-NONE"
"""Rule of the finding that says no imported standard has rules for the document."""

_CONF = re.compile(r"\d+-\d+")
_LONGEST = 400


def available() -> list[Standard]:
    """The imported standards, each whole. UsageError where there is none: a run that judged nothing is not green."""
    found = store.standards()
    for each in found:
        store.content(each)
    if not found:
        raise UsageError(
            f"--rules official: no standard is imported; fetch HL7's Schematron from {PUBLISHED}, "
            "and run: onc-conformance standards import FILE.sch"
        )
    return found


def check(doc: Document) -> list[Finding]:
    """What every imported standard that fits says of a document, known defects of it set aside and counted."""
    if doc.root is None:
        return []
    chosen = fitting(doc, store.standards() or available())
    if not chosen:
        declared = ", ".join(sorted(" ".join(filter(None, each)) for each in doc.templates)) or "none"
        return [
            doc.finding(
                None,
                layer=Layer.TEMPLATE,
                severity=Severity.INFO,
                rule=NONE_FITS,
                message="no imported standard has rules for a template of this document; it is not judged by templates",
                found=declared,
            )
        ]
    return [finding for standard in chosen for finding in judged(doc, standard)]


def judged(doc: Document, standard: Standard) -> list[Finding]:
    """What one standard says of a document."""
    unjudged: list[tuple[Assertion, Element]] = []
    aside: Counter[str] = Counter()
    findings: list[Finding] = []
    known = errata(standard.releases)
    rules = store.ruleset(standard)
    for assertion, element in rules.judge(doc.root, unjudged):
        number = rule_number(assertion)
        if number in known:
            aside[number] += 1
            continue
        findings.append(
            doc.finding(
                element,
                layer=Layer.TEMPLATE,
                severity=assertion.severity,
                rule=number,
                message=_message(assertion, element, rules.namespaces),
            )
        )
    findings += [doc.locate(known[number].counted(many), None) for number, many in sorted(aside.items())]
    return findings + _not_judged(doc, [assertion for assertion, _ in unjudged])


def fitting(doc: Document, among: Sequence[Standard]) -> list[Standard]:
    """The standards whose rules are meant for a document, by the document templates it declares.

    Of several written for the same declaration the one that knows most of its templates is taken, and of equals the
    later; where none knows the declaration, every one that knows a template of it.
    """
    found = doc.root.iter("{urn:hl7-org:v3}templateId") if doc.root is not None else ()
    used = {(each.get("root") or "", each.get("extension") or "") for each in found}
    known = {each.name: sum(each.knows(*key) for key in used) for each in among}
    chosen: list[Standard] = []
    for root, extension in sorted(doc.templates):
        able = [each for each in among if extension and (root, extension) in each.documents]
        if able:
            chosen.append(max(able, key=lambda each: (known[each.name], each.name)))
    return list({each.name: each for each in chosen or [each for each in among if known[each.name]]}.values())


def rule_number(assertion: Assertion) -> str:
    """The bare CONF number where it has one, else its id."""
    found = _CONF.match(assertion.id)
    return found[0] if found else assertion.id


def _message(assertion: Assertion, element: Element, namespaces: Mapping[str, str]) -> str:
    parts = assertion.message.split(schematron.VALUE)
    parts[1::2] = [_value(each, element, namespaces) for each in parts[1::2]]
    said = "".join(parts) or "the rule does not hold; the standard says no more"
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _value(expression: str, element: Element, namespaces: Mapping[str, str]) -> str:
    try:
        found: Any = element.xpath(f"string({expression})", namespaces=dict(namespaces))
    except etree.XPathError:
        return "?"
    return " ".join(str(found).split())


def _not_judged(doc: Document, assertions: Iterable[Assertion]) -> list[Finding]:
    many = Counter(assertions)
    return [
        doc.finding(
            None,
            layer=Layer.TEMPLATE,
            severity=Severity.INFO,
            rule=NOT_JUDGED,
            message=f"{rule_number(assertion)} is not judged: {assertion.unjudged}",
            found=str(times),
        )
        for assertion, times in many.items()
    ]
