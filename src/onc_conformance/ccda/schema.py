"""A document against the CDA R2 schema with the SDTC extensions (schemas/cda)."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from onc_conformance import suite
from onc_conformance.ccda import crowded, explaining, nodepaths, violations
from onc_conformance.ccda.tree import Element
from onc_conformance.ccda.violations import Violation
from onc_conformance.findings import Finding, Layer, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.ccda.document import Document

EXPLAINED = 20
"""As many findings of a document carry the reason `xmlschema` gives."""
LISTED = 1000
"""As many violations are listed; of more there is one finding that says so."""
# A validator keeps its errors in itself
_LOCK = threading.Lock()


def check(doc: Document) -> list[Finding]:
    """Every violation of the schema, in the order libxml2 meets them. An unknown root gives nothing."""
    found: list[Finding] = []
    for top in _judged(doc):
        for violation in _once(_violations(doc, top)):
            if len(found) == LISTED:
                message = f"the document breaks the schema in more places than the {LISTED} listed"
                return [*found, _finding(doc, Violation(top, "SCHEMA-MORE", message, None, None), None)]
            hint = explaining.explain(violation, top) if len(found) < EXPLAINED else None
            found.append(_finding(doc, violation, hint))
    return found


def _finding(doc: Document, violation: Violation, hint: str | None) -> Finding:
    return doc.finding(
        violation.element,
        layer=Layer.SCHEMA,
        severity=Severity.ERROR,
        rule=violation.rule,
        message=violation.message,
        expected=violation.expected,
        found=violation.found,
        hint=f"xmlschema says: {hint}" if hint else None,
    )


def _judged(doc: Document) -> list[Element]:
    """The whole document; of a fragment its root, or below a wrapper of no or several meanings what has one."""
    if doc.root is None:
        return []
    if doc.is_whole:
        return [doc.root]
    if doc.root.tag in _fragments():
        return [doc.root]
    # Of a crowded one the beginning could not be judged by itself
    if crowded.is_crowded(doc.root, doc.data):
        return []
    return [each for each in doc.root if each.tag in _fragments()]


def _once(seen: Iterator[Violation]) -> Iterator[Violation]:
    """One violation of each attribute; libxml2 objects to an item and to its list, to xsi:type and to its absence."""
    told: set[tuple[Element, str]] = set()
    for each in seen:
        about = "xsi:type" if each.rule == "SCHEMA-TYPE" else each.attribute
        if about is None:
            yield each
        elif (each.element, about) not in told:
            told.add((each.element, about))
            yield each


@cache
def _schema(entry: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(suite.schemas() / "cda" / f"{entry}.xsd"))


@cache
def _fragments() -> frozenset[str]:
    """Names of the elements that can be judged by themselves."""
    root = etree.parse(suite.schemas() / "cda" / "fragments.xsd").getroot()
    return frozenset(f"{{{violations.V3}}}{each.get('name')}" for each in root.iterchildren("{*}element"))


def _violations(doc: Document, top: Element) -> Iterator[Violation]:
    schema, data = _schema("cda" if doc.is_whole else "fragments"), doc.data
    part = crowded.beginning(top, data, schema, LISTED) if top is doc.root and crowded.is_crowded(top, data) else None
    if part is not None and (begun := list(_begun(part, top, schema))):
        message = "the document is too large to list all that breaks the schema; only its beginning was judged"
        yield from (*begun, Violation(top, "SCHEMA-MORE", message, None, None))
        return
    for error in _errors(top, schema):
        yield violations.read(error, nodepaths.at(top, nodepaths.places(top, error.path)))


def _begun(part: bytes, top: Element, schema: etree.XMLSchema) -> Iterator[Violation]:
    """Violations in the beginning of a document, as violations of the document."""
    begun, unfinished = crowded.begun(part)
    for error in _errors(begun, schema)[: crowded.worth(len(part))]:
        places = nodepaths.places(begun, error.path)
        if error.type != etree.ErrorTypes.SCHEMAV_ELEMENT_CONTENT or nodepaths.at(begun, places) not in unfinished:
            yield violations.read(error, nodepaths.at(top, places))


def _errors(top: Element, schema: etree.XMLSchema) -> list[Any]:
    with _LOCK:
        log: Any = schema.error_log if not schema.validate(top) else ()
        return list(log)
