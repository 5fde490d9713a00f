"""Documents so wide or so full that libxml2 must not be asked for all their violations of a schema at once.

For each violation it counts the siblings before the element, which takes square time, and each violation is kept. So
such a document is first read as a stream that keeps nothing, and of one with too many only the beginning is judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.ccda.tree import Element

WIDE = 3000
"""Children of one element from which on a document is crowded."""
FULL = 1_500_000
"""Brackets and equals signs from which on it is; certified documents of 10 MB stay below."""
_CHUNK = 512
_COST = 100_000_000
_LEAST = 20
_ID = re.compile(rb"\sID\s*=\s*(\"[^\"]*\"|'[^']*')")


def is_crowded(top: Element, data: bytes) -> bool:
    """Whether judging it at once may take too long or too much memory."""
    full = len(data) > FULL and data.count(b"<") + data.count(b"=") > FULL
    return full or bool(top.xpath(f"boolean(descendant-or-self::*[*[{WIDE}]])"))


def beginning(top: Element, data: bytes, schema: etree.XMLSchema, many: int) -> bytes | None:
    """The document up to its `many`th violation, or fewer far down in it; None if it has not as many."""
    parser = etree.XMLPullParser(
        ("start",), tag=top.tag, schema=schema, recover=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    root = None
    known: set[bytes] = set()
    # Read as a stream the schema does not notice an ID that is used twice
    repeated = 0
    for end in range(_CHUNK, len(data) + _CHUNK, _CHUNK):
        chunk = data[end - _CHUNK : end]
        parser.feed(chunk)
        for _, element in parser.read_events():
            root = element if root is None else root
        _forget(root)
        for each in _ID.findall(chunk):
            repeated += each in known
            known.add(each)
        met = repeated + len(parser.feed_error_log)
        if met >= min(many, worth(end)):
            return data[:end]
    return None


def worth(size: int) -> int:
    """How many violations may be told of the first so many bytes: fewer, the further down they may be."""
    return max(_LEAST, _COST // size)


def begun(data: bytes) -> tuple[Element, frozenset[Element]]:
    """The tree of the beginning of a document, and its elements whose end may have been cut off."""
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(data, parser)
    return root, frozenset(_last(root))


def _forget(root: Element | None) -> None:
    """Leave only the elements that are still open, so that memory stays flat."""
    for node in _last(root):
        del node[:-1]


def _last(root: Element | None) -> Iterator[Element]:
    node = root
    while node is not None:
        yield node
        node = node[-1] if len(node) else None
