"""The data elements of an edition judged: what is always demanded, what is silently missing, whose codes are used.

What is absent is held only against a Continuity of Care Document, which claims to be a summary of everything: a
fragment, another type of document and the answer to a window leave things out by right. Code systems are judged
wherever a value is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda import CCD, Document
from onc_conformance.ccda.document import title_of_section
from onc_conformance.ccda.held import holds
from onc_conformance.ccda.tree import child
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging.coverage import Coverage, State
from onc_conformance.record import system_of
from onc_conformance.record.codes import systems as known_systems
from onc_conformance.uscdi import Enforcement

if TYPE_CHECKING:
    from onc_conformance.ccda.tree import Element as Node
    from onc_conformance.judging.coverage import Covered

_CODED = frozenset({"code", "value"})
"""Kinds of values that bring a code with its system."""
_SEVERITIES = {Enforcement.HARD: Severity.ERROR, Enforcement.SOFT: Severity.WARNING}


def data_elements(doc: Document, edition: str, *, rule: str | None = None, silences: bool = False) -> list[Finding]:
    """Errors for what is always demanded of a CCD and for code systems an element may not use; warnings for the rest.

    With `silences` a warning for each element that a CCD neither has nor says why it has not.
    """
    if doc.root is None:
        return list(doc.findings)
    coverage = Coverage(doc, uscdi.of_edition(edition))
    findings = list(_foreign(coverage, rule))
    if CCD in {root for root, _ in doc.templates}:
        findings += _demanded(coverage, rule)
        if silences:
            findings += [*_silent(coverage), *_astray(coverage)]
    return findings


def _demanded(coverage: Coverage, rule: str | None) -> Iterator[Finding]:
    """Errors for what ONC's validator of (g)(9) demands whatever the record says; a stated reason will do."""
    doc = coverage.doc
    for demand in coverage.data.demands:
        if coverage.said(demand.places)[0] is State.ABSENT:
            section = _section(doc, [demand.at] if demand.at else [])
            yield doc.finding(
                section if demand.at else _deepest(coverage, demand.places),
                layer=Layer.USCDI,
                severity=Severity.ERROR,
                rule=rule or f"USCDI-{demand.id}",
                message=f"{demand.title} is missing, which every summary has to state",
                expected=demand.where,
                found="no such entry" if demand.at else None,
                hint="Where it is not known, say so with a nullFlavor.",
            )


def _silent(coverage: Coverage) -> Iterator[Finding]:
    """A warning for each element without a value and without a reason, those of one place together."""
    together: dict[object, list[tuple[uscdi.Element, Covered]]] = defaultdict(list)
    demanded = {demand.element for demand in coverage.data.demands}
    for element, row in zip(coverage.data.elements, coverage.rows, strict=True):
        if row.state is State.ABSENT and element.id not in demanded:
            fellows = frozenset({element.id, *element.shared_with}) if element.shared_with else element.id
            together[fellows].append((element, row))
    for group in together.values():
        element, row = group[0]
        titles = " / ".join(each.title for each, _ in group)
        section = _section(coverage.doc, element.sections)
        if section is not None:
            found = f"the section {title_of_section(element.sections[0])} without it"
        elif element.sections:
            found = f"no section {' or '.join(map(title_of_section, element.sections))}"
        else:
            found = None
        yield coverage.doc.finding(
            section if section is not None or element.sections else _deepest(coverage, element.places),
            layer=Layer.USCDI,
            severity=Severity.INFO if element.excused else Severity.WARNING,
            rule=f"USCDI-{element.id}",
            message=f"{row.data_class}: {titles}: neither a value nor a reason why there is none",
            expected="a value, a nullFlavor, or a statement that there is none",
            found=found,
        )


def _astray(coverage: Coverage) -> Iterator[Finding]:
    """A warning for each value outside the only place that (g)(9) knows for it, unless it is there as well."""
    for rule in coverage.data.placed:
        element = next((each for each in coverage.data.elements if each.id == rule.element), None)
        nodes = [node for held, node in coverage.at(element.places) if holds(held, node)] if element else []
        inside = {node for node in nodes if _is_within(node, rule.within)}
        known = {node.get("extension") for node in inside}
        for node in nodes:
            if element and node not in inside and node.get("extension") not in known:
                yield coverage.doc.finding(
                    node,
                    layer=Layer.USCDI,
                    severity=Severity.WARNING,
                    rule=f"USCDI-{element.id}-PLACE",
                    message=f"{element.data_class}: {element.title}: not where (g)(9) wants it",
                    expected=rule.where,
                    found=node.get("extension"),
                )


def _is_within(node: Node, template: str) -> bool:
    return any(
        each.get("root") == template for around in node.iterancestors() for each in around.iterchildren("{*}templateId")
    )


def _foreign(coverage: Coverage, rule: str | None) -> Iterator[Finding]:
    """A finding for each code system that an element may not use, at its first code, with the number of such codes.

    Null flavors are exempt, with or without a translation. A node that several elements share is judged for the one it
    is certain to be.
    """
    judged: set[Node] = set()
    for element in sorted(coverage.data.elements, key=lambda each: bool(each.shared_with)):
        wrong: dict[frozenset[str], list[Node]] = defaultdict(list)
        for held, node in coverage.at(element.places) if _is_bound(element) else ():
            if held not in _CODED or node in judged or not node.get("code") or node.get("nullFlavor"):
                continue
            judged.add(node)
            used = _systems(node)
            if element.systems.isdisjoint(used):
                wrong[used].append(node)
        for used, nodes in wrong.items():
            first = nodes[0]
            code = f"{first.get('code')} {first.get('displayName') or ''}".strip()
            yield coverage.doc.finding(
                first,
                layer=Layer.USCDI,
                severity=_SEVERITIES[element.enforcement],
                rule=rule or f"USCDI-{element.id}-SYSTEM",
                message=f"{element.data_class}: {element.title}: a code of a system that it does not use",
                expected=" or ".join(_titles(element.systems)),
                found=f"{', '.join(_titles(used)) or 'no code system'}: {code}{_times(nodes)}",
                hint="Give a code of an expected system, or nullFlavor OTH and the code as a translation.",
            )
    yield from _beside(coverage, rule)


def _beside(coverage: Coverage, rule: str | None) -> Iterator[Finding]:
    """Errors for codes beside the few that an overlay takes."""
    for only in coverage.data.codes:
        element = next(each for each in coverage.data.elements if each.id == only.element)
        for _, node in coverage.at(element.places):
            around = node.getparent()
            of_template = any(each.get("root") == only.template for each in around.iterchildren("{*}templateId"))
            if not of_template or not node.get("code") or node.get("nullFlavor"):
                continue
            if node.get("codeSystem") != only.system or node.get("code") not in only.codes:
                yield coverage.doc.finding(
                    node,
                    layer=Layer.USCDI,
                    severity=_SEVERITIES[element.enforcement],
                    rule=rule or f"USCDI-{element.id}-CODE",
                    message=f"{element.data_class}: {element.title}: not one of the codes that it has",
                    expected=f"{' or '.join(sorted(only.codes))} of {', '.join(_titles([only.system]))}",
                    found=f"{node.get('code')} of {', '.join(_titles(_systems(node))) or 'no code system'}",
                )


def _is_bound(element: uscdi.Element) -> bool:
    return bool(element.systems) and element.enforcement in _SEVERITIES


def _systems(node: Node) -> frozenset[str]:
    """OIDs of the systems of a code and of its translations."""
    every = (node, *node.iterchildren("{*}translation"))
    return frozenset(each.get("codeSystem") for each in every if each.get("code") and each.get("codeSystem"))


def _titles(oids: Iterable[str]) -> list[str]:
    return sorted(str(known_systems().get(system_of(oid), {}).get("title", oid)) for oid in oids)


def _times(nodes: list[Node]) -> str:
    return f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""


def _section(doc: Document, loincs: Iterable[str]) -> Node | None:
    wanted = set(loincs)
    return next((section.element for section in doc.sections if section.loinc in wanted), None)


def _deepest(coverage: Coverage, places: Iterable[uscdi.Place]) -> Node | None:
    """How far down the way to the first place leads."""
    here = coverage.doc.root
    for step in next(iter(places)).steps:
        below = child(here, step.name) if here is not None and not step.deep else None
        if below is None:
            break
        here = below
    return here
