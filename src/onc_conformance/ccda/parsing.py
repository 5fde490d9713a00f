"""Bytes that claim to be XML, read safely: nothing fetched, nothing expanded, every refusal a located finding."""

from __future__ import annotations

import re
import threading
from typing import Any

from lxml import etree

from onc_conformance.findings import Finding, Layer, Severity

MAX_BYTES = 64 * 1024 * 1024
"""Larger answers are refused unread; certified documents with embedded PDFs stay under 20 MB."""

MAX_MARKUP = 800_000
"""Tags and attributes of a document; a tree takes some 230 bytes for each. 10 MB of the densest C-CDA have 600,000."""
_LARGE = 256 * 1024
"""Bytes from which a document is parsed in a thread of its own."""

# Atomic, so that a prolog of ten thousand comments is read once
_PROLOG = rb"\A(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+"
_ENTITIES = re.compile(_PROLOG + rb"<!DOCTYPE[^\[>]*\[(?:(?!\]\s*>).)*?(<!ENTITY)", re.DOTALL | re.IGNORECASE)
_HTML = re.compile(_PROLOG + rb"(<!DOCTYPE\s+html|<html)", re.DOTALL | re.IGNORECASE)
_WIDE = re.compile(rb"\A<\?xml[^>]*\sencoding\s*=\s*[\"'](?:utf-?(?:16|32)|ucs-?[24]|iso-10646)", re.IGNORECASE)
"""An encoding of two or four bytes a character, declared in one of one byte."""
_ENTITY = "the document declares entities of its own; they are never expanded"
_NAMESPACE = etree.ErrorDomains.NAMESPACE


def parse(data: bytes) -> tuple[Any | None, list[Finding]]:
    """The root element, or None with one `xml` finding; a broken namespace declaration gives both. Never raises."""
    if len(data) > MAX_BYTES:
        return None, [_refusal("XML-TOO-LARGE", f"the document has {len(data)} bytes; at most {MAX_BYTES} are read")]
    data = data.removeprefix(b"\xef\xbb\xbf")
    if refusal := _not_xml(data):
        return None, [refusal]
    if (marks := data.count(b"<") + data.count(b"=")) > MAX_MARKUP:
        said = f"the document has {marks} tags and attributes; at most {MAX_MARKUP} are read"
        return None, [_refusal("XML-LIMIT", said)]
    root, errors = _attempt(data, recover=False)
    if root is not None:
        return (None, [_refusal("XML-ENTITY", _ENTITY)]) if _declares_entities(root) else (root, [])
    if errors and all(error.domain == _NAMESPACE for error in errors):
        # Well-formed, so a person can read it and every other layer can judge it; programs may refuse it
        root, _ = _attempt(data, recover=True)
    rule = "XML-NAMESPACE" if root is not None else "XML-MALFORMED"
    error = errors[0] if errors else None
    message = " ".join(error.message.split()) if error else "no element was found"
    if error and error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        rule, message = (
            "XML-LIMIT",
            message.split(" use XML_PARSE_HUGE")[0].split(", try XML_PARSE_HUGE")[0].rstrip(","),
        )
    elif (error and "encoding" in error.message.lower()) or (root is None and _WIDE.match(data)):
        rule = "XML-ENCODING"
    said = {
        "XML-NAMESPACE": "the document breaks the rules of XML namespaces",
        "XML-MALFORMED": "the document is not well-formed XML",
        "XML-LIMIT": "the document exceeds a limit of safe parsing",
        "XML-ENCODING": "the document is not in the encoding it declares (UTF-8 if none)",
    }[rule]
    return root, [_refusal(rule, f"{said}: {message}", error.line if error else 1, error.column if error else 1)]


def _attempt(data: bytes, *, recover: bool) -> tuple[Any | None, list[Any]]:
    """The root and the errors. libxml2 keeps every name it ever met for as long as the thread lives that met it.

    So what can bring many names is parsed in a thread of its own: else a few large documents with names of their own
    would fill the memory, and at 100 MB of names nothing more could be read at all.
    """
    if len(data) < _LARGE:
        return _parsed(data, recover=recover)
    came: list[tuple[Any | None, list[Any]]] = []
    thread = threading.Thread(target=lambda: came.append(_parsed(data, recover=recover)), daemon=True)
    thread.start()
    thread.join()
    if not came:  # nothing else gets out of a parser
        raise MemoryError("the document is too large for the memory there is")
    return came[0]


def _parsed(data: bytes, *, recover: bool) -> tuple[Any | None, list[Any]]:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    return root, [error for error in parser.error_log if error.level >= etree.ErrorLevels.ERROR]


def _declares_entities(root: Any) -> bool:
    """A second barrier, behind the pattern: what the parser itself understood."""
    dtd = root.getroottree().docinfo.internalDTD
    return dtd is not None and next(dtd.iterentities(), None) is not None


def _not_xml(data: bytes) -> Finding | None:
    """What can be told without a parser: nothing there, a page, JSON, or entities of the document's own."""
    text = _as_ascii(data)
    start = text.lstrip()
    if not start:
        return _refusal("XML-EMPTY", "the document is empty; expected a C-CDA")
    if match := _HTML.match(text):
        line, column = _position(text, match.start(1))
        return _refusal("XML-HTML", "an HTML page came back instead of XML; is this a login page?", line, column)
    if start[:1] in (b"{", b"["):
        line, column = _position(text, len(text) - len(start))
        hint = "If the document is inside the JSON, the target description must say where."
        return _refusal("XML-JSON", "JSON came back instead of XML", line, column, hint)
    if match := _ENTITIES.match(text):
        line, column = _position(text, match.start(1))
        return _refusal("XML-ENTITY", _ENTITY, line, column)
    return None


def _as_ascii(data: bytes) -> bytes:
    """The same characters one byte each where the encoding is UTF-16 or UTF-32, so that markup can be looked for."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4]:
        return data.replace(b"\x00", b"").lstrip(b"\xff\xfe")
    return data


def _position(text: bytes, offset: int) -> tuple[int, int]:
    return text.count(b"\n", 0, offset) + 1, offset - text.rfind(b"\n", 0, offset)


def _refusal(rule: str, message: str, line: int = 1, column: int = 1, hint: str | None = None) -> Finding:
    return Finding(
        layer=Layer.XML,
        severity=Severity.ERROR,
        rule=rule,
        message=f"{message} (line {line}, column {column})",
        line=line,
        hint=hint,
    )
