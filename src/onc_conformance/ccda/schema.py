"""A document against the CDA R2 schema with the SDTC extensions (schemas/cda)."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from onc_conformance import suite
from onc_conformance.ccda import explaining, violations
from onc_conformance.ccda.nodepaths import NodePaths
from onc_conformance.ccda.tree import Element
from onc_conformance.findings import Finding, Layer, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.ccda.document import Document
    from onc_conformance.ccda.violations import Violation

EXPLAINED = 20
"""As many findings of a document carry the reason `xmlschema` gives."""
LISTED = 1000
"""As many violations of a large document are listed, and one finding says that there are more."""
LARGE = 1024 * 1024
"""Bytes up to which every violation is listed, unless the document is WIDE."""
WIDE = 3000
"""Children of one element up to which that is so: libxml2 counts the siblings before each violation, in square time."""
_CHUNK = 16 * 1024
_ID = re.compile(rb"\sID\s*=\s*(\"[^\"]*\"|'[^']*')")
# A validator keeps its errors in itself
_LOCK = threading.Lock()


def check(doc: Document) -> list[Finding]:
    """Every violation of the schema, in the order libxml2 meets them. An unknown root gives nothing."""
    found: list[Finding] = []
    for top in _judged(doc):
        entry = "cda" if doc.is_whole else "fragments"
        part = _beginning(doc.data, entry) if doc.bytes > LARGE or _is_wide(top) else None
        seen = _once(_violations(top, entry) if part is None else _begun(top, part, entry))
        for violation in seen:
            hint = explaining.explain(violation, top) if len(found) < EXPLAINED else None
            found.append(_finding(doc, violation, hint))
        if part is not None:
            message = f"the document breaks the schema in more than {LISTED} places; only the first are listed"
            found.append(
                doc.finding(top, layer=Layer.SCHEMA, severity=Severity.ERROR, rule="SCHEMA-MORE", message=message)
            )
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
    # The beginning of a large one could not be judged by itself
    if doc.bytes > LARGE or _is_wide(doc.root):
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


def _is_wide(top: Element) -> bool:
    return bool(top.xpath(f"boolean(descendant-or-self::*[*[{WIDE}]])"))


@cache
def _schema(entry: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(suite.schemas() / "cda" / f"{entry}.xsd"))


@cache
def _fragments() -> frozenset[str]:
    """Names of the elements that can be judged by themselves."""
    root = etree.parse(suite.schemas() / "cda" / "fragments.xsd").getroot()
    return frozenset(f"{{{violations.V3}}}{each.get('name')}" for each in root.iterchildren("{*}element"))


def _violations(top: Element, entry: str) -> Iterator[Violation]:
    paths = NodePaths(top)
    for error in _errors(top, entry):
        yield violations.read(error, paths.at(paths.places(error.path)))


def _errors(top: Element, entry: str) -> list[Any]:
    with _LOCK:
        schema = _schema(entry)
        log: Any = schema.error_log if not schema.validate(top) else ()
        return list(log)


def _beginning(data: bytes, entry: str) -> bytes | None:
    """The document up to where there are enough violations; None if there are not. A repeated ID is taken for one."""
    with _LOCK:
        schema = _schema(entry)
    parser = etree.XMLParser(schema=schema, recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    known: set[bytes] = set()
    repeated = 0
    for end in range(_CHUNK, len(data) + _CHUNK, _CHUNK):
        chunk = data[end - _CHUNK : end]
        parser.feed(chunk)
        for each in _ID.findall(chunk):
            repeated += each in known
            known.add(each)
        if repeated + len(parser.feed_error_log) >= LISTED:
            return data[:end]
    return None


def _begun(top: Element, data: bytes, entry: str) -> Iterator[Violation]:
    """Violations in the beginning of a document, as violations of the document itself."""
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    begun = etree.fromstring(data, parser)
    unfinished = set(_last(begun))
    paths, same = NodePaths(begun), NodePaths(top)
    for error in _errors(begun, entry):
        places = paths.places(error.path)
        if error.type != etree.ErrorTypes.SCHEMAV_ELEMENT_CONTENT or paths.at(places) not in unfinished:
            yield violations.read(error, same.at(places))


def _last(root: Element) -> Iterator[Element]:
    """Elements whose end was cut off, perhaps: the last, and all around it."""
    node = root
    while node is not None:
        yield node
        node = node[-1] if len(node) else None
