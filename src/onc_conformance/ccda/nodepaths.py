"""Elements found by the paths that libxml2 writes into its errors: `/*/*[28]/sdtc:raceCode[2]`."""

from __future__ import annotations

import re

from onc_conformance.ccda.tree import Element, name

_STEP = re.compile(r"/(?:(\*)|(?:([^/\[:]+):)?([^/\[]+))(?:\[(\d+)\])?")


class NodePaths:
    """Paths below one element; children are listed once per parent, so that many paths are cheap."""

    def __init__(self, top: Element) -> None:
        self._top = top
        self._children: dict[Element, list[Element]] = {}
        self._named: dict[Element, dict[tuple[str | None, str], list[int]]] = {}

    def places(self, path: str) -> list[int]:
        """Which child to take at each step below the top, which is the first step."""
        places: list[int] = []
        node = self._top
        for step in list(_STEP.finditer(path))[1:]:
            star, prefix, local, position = step.groups()
            at = int(position or 1) - 1
            # An element of a default namespace goes by its place among all, any other among those of its name
            place = at if star else self._by_name(node)[prefix, local][at]
            places.append(place)
            node = self._list(node)[place]
        return places

    def at(self, places: list[int]) -> Element:
        """The element those steps lead to."""
        node = self._top
        for place in places:
            node = self._list(node)[place]
        return node

    def _list(self, node: Element) -> list[Element]:
        if node not in self._children:
            self._children[node] = list(node)
        return self._children[node]

    def _by_name(self, node: Element) -> dict[tuple[str | None, str], list[int]]:
        if node not in self._named:
            named = self._named[node] = {}
            for place, child in enumerate(self._list(node)):
                named.setdefault((child.prefix, name(child)), []).append(place)
        return self._named[node]
