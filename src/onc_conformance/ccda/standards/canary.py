"""A document that is wrong by any standard: rules that find nothing in it are dead, however green they look."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from onc_conformance.ccda import contexts
from onc_conformance.ccda.engine import RuleSet
from onc_conformance.ccda.tree import Element
from onc_conformance.findings import Severity

_NAMESPACE = "urn:hl7-org:v3"
_TEMPLATE_ID = f"{{{_NAMESPACE}}}templateId"


def sings(rules: RuleSet) -> bool:
    """Whether the rules find an error in elements that have nothing but the templateIds they are about."""
    return any(assertion.severity is Severity.ERROR for assertion, _ in rules.judge(document(rules)))


def document(rules: RuleSet) -> Element:
    """A ClinicalDocument that declares every template the rules are about and keeps the promises of none."""
    wanted = {
        (each.tag, each.template.root, each.template.extension)
        for pattern in rules.patterns
        for rule in pattern.rules
        for each in contexts.read(rule.context, rules.namespaces)
        if each.tag and each.template
    }
    root: Element = etree.fromstring(f'<ClinicalDocument xmlns="{_NAMESPACE}"/>')
    _declare(root, (key[1:] for key in wanted if key[0] == root.tag))
    for tag, template, extension in sorted(wanted, key=str):
        if tag != root.tag:
            _declare(etree.SubElement(root, tag), [(template, extension)])
    return root


def _declare(element: Element, templates: Iterable[tuple[str, str | None]]) -> None:
    for root, extension in sorted(templates, key=str):
        declared = etree.SubElement(element, _TEMPLATE_ID, root=root)
        if extension:
            declared.set("extension", extension)
