"""The two ways to point into an answer: JSONPath, and XPath by local names."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonpath
from lxml import etree

Node = Any
"""A node of lxml's tree."""

_STEP = re.compile(r"([^/\[]+)((?:\[[^\]]*\])*)")
_NAME = re.compile(r"(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")


class PathError(ValueError):
    """A path that cannot be read. One line."""


@cache
def json_path(path: str) -> Any:
    """A compiled JSONPath (RFC 9535)."""
    try:
        return jsonpath.compile(path)
    except jsonpath.JSONPathError as problem:
        raise PathError(f"{path!r} is no JSONPath: {str(problem).splitlines()[0].partition(' ->')[0]}") from None


@cache
def row_path(path: str) -> tuple[Any, Any]:
    """A JSONPath cut after its last `[*]`: the rows, and the value within a row."""
    rows, star, rest = path.rpartition("[*]")
    return json_path(rows + star), json_path(f"${rest}")


@cache
def field_path(name: str) -> Any:
    """The JSONPath of a field within a row: `service_date`, `resource.name[*].family`."""
    return json_path(name if name.startswith("$") else f"$.{name}")


@cache
def xml_path(path: str) -> etree.XPath:
    """A compiled XPath in which every element name is matched by local name, whatever its namespace."""
    pieces = []
    for piece in re.split(r"(/+)", path):
        match = _STEP.fullmatch(piece)
        name = _NAME.fullmatch(match.group(1)) if match else None
        pieces.append(f"*[local-name()='{name.group(1)}']{match.group(2)}" if match and name else piece)
    try:
        return etree.XPath("".join(pieces))
    except etree.XPathError as problem:
        raise PathError(f"{path!r} is no XPath: {problem}") from None


def read_json(body: bytes) -> Any:
    """The JSON value of an answer, None if it is none (or is null)."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def read_xml(body: bytes) -> Node | None:
    """The root element of an answer, None if it is no XML; entities are not expanded, nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body.strip(b"\xef\xbb\xbf \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def scalar(value: Any) -> str | None:
    """A JSON value as the text that travels in the next request; None for null."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def xml_text(found: Any) -> str:
    """What an XPath found as text: an element's whole text content."""
    return "".join(found.itertext()).strip() if hasattr(found, "itertext") else str(found)
