"""Going about in a C-CDA by local name: namespaces vary in fragments, names do not."""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import moments
from onc_conformance.record import Code, system_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.moments import Days

Element = Any  # lxml's stubs know no more
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_PERIODIC = ("PIVL_TS", "EIVL_TS", "PIVL_PPD_TS", "SXPR_TS")


def name(element: Element) -> str:
    """The local name."""
    return str(element.tag).rpartition("}")[2]


def child(element: Element, tag: str) -> Element | None:
    """The first child of that local name."""
    return next(element.iterchildren("{*}" + tag), None)


@cache
def _steps(path: str) -> str:
    return "/".join("{*}" + step for step in path.split("/"))


def down(element: Element, path: str) -> Iterator[Element]:
    """Every element at the end of a path of local names."""
    return iter(element.iterfind(_steps(path)))


@cache
def _stages(path: str) -> tuple[tuple[str, str], ...]:
    return tuple((step.partition("[")[0], step.partition("[")[2].rstrip("]")) for step in path.split("/"))


def walk(element: Element, path: str) -> list[Element]:
    """The same for a path that may go up (`..`) and may ask a step for a templateId (`observation[1.2.3]`)."""
    here = [element]
    for step, template in _stages(path):
        if step == "..":
            here = [parent for each in here if (parent := each.getparent()) is not None]
        else:
            here = [inner for each in here for inner in each.iterchildren("{*}" + step)]
        if template:
            here = [each for each in here if any(t.get("root") == template for t in each.iterchildren("{*}templateId"))]
    return here


def local_type(element: Element) -> str:
    """`xsi:type` without its prefix, or nothing."""
    return str(element.get(_XSI_TYPE) or "").rpartition(":")[2]


def words(element: Element) -> str:
    """All text below an element, in order, set with single spaces."""
    return " ".join(" ".join(element.itertext()).split())


def codes(element: Element) -> Iterator[Code]:
    """The code of a coded element and its translations; none where only a null flavor stands."""
    for each in (element, *element.iterchildren("{*}translation")):
        code = each.get("code")
        if code:
            yield Code(system_of(each.get("codeSystem") or ""), code, each.get("displayName") or "")


def span(element: Element) -> tuple[Days | None, Days | None, Days | None]:
    """(low, high, point) of an HL7 time; a repetition (`PIVL_TS`) has none of its own."""
    if local_type(element) in _PERIODIC:
        return None, None, None
    low, high = child(element, "low"), child(element, "high")
    return _days(low), _days(high), _days(element)


def _days(element: Element | None) -> Days | None:
    value = element.get("value") if element is not None else None
    return moments.hl7(value) if value else None


Positions = dict[Element, "tuple[array[int], dict[str, int]]"]
"""Of each parent seen, the rank of each child among those of its name, and how many there are of each name."""


def xpath(element: Element, positions: Positions, paths: dict[Element, str]) -> str:
    """A path of local names with positions, for a person; `positions` and `paths` remember, so many paths are cheap."""
    below: list[Element] = []
    node: Element | None = element
    path = ""
    while node is not None:
        if (known := paths.get(node)) is not None:
            path = known
            break
        below.append(node)
        node = node.getparent()
    for each in reversed(below):
        parent = each.getparent()
        step = name(each)
        if parent is not None:
            ranks, counts = _ranks(parent, positions)
            step = f"{step}[{ranks[parent.index(each)]}]" if counts[step] > 1 else step
        path = paths[each] = f"{path}/{step}"
    return path


def _ranks(parent: Element, positions: Positions) -> tuple[array[int], dict[str, int]]:
    if parent not in positions:
        counts: dict[str, int] = {}
        # Numbers, not elements: a table may have a million rows
        ranks = array("L")
        for child in parent:
            tag = name(child)
            counts[tag] = counts.get(tag, 0) + 1
            ranks.append(counts[tag])
        positions[parent] = ranks, counts
    return positions[parent]
