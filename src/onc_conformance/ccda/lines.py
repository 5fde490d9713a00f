"""Line numbers past 65534, of which libxml2 keeps only a guess: the line of the next text it finds."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from onc_conformance.ccda.tree import Element

LAST_KEPT = 65534


def exact(root: Element, data: bytes) -> dict[Element, int]:
    """Line on which the start tag begins, where libxml2 lost it; empty if expat cannot read the bytes."""
    starts = array("L")
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *_: starts.append(parser.CurrentLineNumber)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):
        return {}
    elements = list(root.iter("*"))
    if len(elements) != len(starts):
        return {}
    return {each: line for each, line in zip(elements, starts, strict=True) if (each.sourceline or 0) > LAST_KEPT}
