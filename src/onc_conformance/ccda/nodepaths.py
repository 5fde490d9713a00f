"""Elements found by the paths that libxml2 writes into its errors: `/*/*[28]/sdtc:raceCode[2]`."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onc_conformance.ccda.tree import Element

_STEP = re.compile(r"/(?:(\*)|(?:([^/\[:]+):)?([^/\[]+))(?:\[(\d+)\])?")


def places(top: Element, path: str) -> list[int]:
    """Which child to take at each step below the top, which is the first step."""
    taken: list[int] = []
    node = top
    for step in list(_STEP.finditer(path))[1:]:
        star, prefix, local, position = step.groups()
        place = int(position or 1) - 1
        if not star:
            # An element of a default namespace goes by its place among all, any other by that among those of its name
            named = (child for child in node.iterchildren(f"{{*}}{local}") if child.prefix == prefix)
            undeclared = (child for child in node if child.tag == f"{prefix}:{local}")
            place = node.index(next(islice(chain(named, undeclared), place, None)))
        taken.append(place)
        node = node[place]
    return taken


def at(top: Element, taken: list[int]) -> Element:
    """The element those steps lead to."""
    node = top
    for place in taken:
        node = node[place]
    return node
