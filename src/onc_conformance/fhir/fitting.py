"""Which profiles a resource is judged by: those it names, or those of the guide that fit what it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.nodes import Item, Node, items, tree
from onc_conformance.fhir.slicing import bound, fits, says
from onc_conformance.fhir.tables import Profile, Tables

TELLING = ("code", "category", "type")
"""The elements that say which of several profiles of a type is meant."""
_FEW = 40


def profiles(resource: dict[str, Any], tables: Tables, codes: Codes) -> tuple[list[Profile], list[str]]:
    """The profiles to judge by, and the names the resource gives of profiles of this guide that are not there."""
    meta = resource.get("meta")
    told = meta.get("profile") if isinstance(meta, dict) else None
    names = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
    known = [found for each in names if (found := tables.profile(each))]
    own = [each for each in known if each.type == resource.get("resourceType")]
    strange = [each for each in names if not tables.profile(each) and "/us/core/" in each]
    strange += [each for each in names if (found := tables.profile(each)) and found not in own]
    return own or fitting(resource, tables, codes), strange


def fitting(resource: dict[str, Any], tables: Tables, codes: Codes) -> list[Profile]:
    """The profiles of the resource's type whose code, category or type it has; the only one of its type always.

    What none of these claims is judged by those that demand no code and offer what it has, as US Core's profile of
    simple observations does.
    """
    named = resource.get("resourceType")
    able = tables.of_type.get(named, ()) if isinstance(named, str) else ()
    if len(able) == 1:
        return list(able)
    item = Item(resource, None, "")
    answers = [(each, _fits(tree(each), item, codes)) for each in able]
    return [each for each, fitting in answers if fitting] or [
        each for each, fitting in answers if fitting is None and _offers(tree(each), item, codes)
    ]


def _fits(root: Node, item: Item, codes: Codes) -> bool | None:
    """Whether a resource has all that tells; None where nothing does."""
    asked = None
    for name in TELLING:
        node = root.within.get(name)
        if node is None:
            continue
        found = items(item, name)
        for place, there in ((node, found), *_codings(node, found)):
            for wanted in _conditions(place, codes):
                asked = True
                if not any(_meets(place, wanted, each, codes) for each in there):
                    return False
    return asked


def _offers(root: Node, item: Item, codes: Codes) -> bool:
    """Whether a resource has one of the codes that a profile offers for its code, category or type."""
    for name in TELLING:
        if (node := root.within.get(name)) is None:
            continue
        sets = [node, *node.slices.values()]
        named = [each.element.binding.value_set for each in sets if each.element.binding]
        if any(_few(each, codes) and bound(each, one.value, codes) for each in named for one in items(item, name)):
            return True
    return False


def _codings(node: Node, found: list[Item]) -> list[tuple[Node, list[Item]]]:
    coding = node.within.get("coding")
    return [(coding, [each for one in found for each in items(one, "coding")])] if coding else []


def _meets(node: Node, wanted: Node, item: Item, codes: Codes) -> bool:
    if wanted is not node:
        return fits(node, wanted, item, codes)
    element = node.element
    if element.fixed is None and element.pattern is None and element.binding:
        return bound(element.binding.value_set, item.value, codes)
    return says(node, item, codes)


def _conditions(node: Node, codes: Codes) -> Sequence[Node]:
    """The place itself where it fixes a value or few codes, and each slice that must be there.

    The few codes of an extensible set tell, too, what is meant by a code: another is of another kind.
    """
    element = node.element
    told = element.fixed is not None or element.pattern is not None
    strengths = ("required", "extensible") if node.name == "code" else ("required",)
    few = element.binding and element.binding.strength in strengths and _few(element.binding.value_set, codes)
    own = [node] if told or few else []
    return own + [each for each in node.slices.values() if each.element.min]


@lru_cache(maxsize=1024)
def _few(value_set: str, codes: Codes) -> bool:
    return codes.listed(value_set, _FEW) is not None
