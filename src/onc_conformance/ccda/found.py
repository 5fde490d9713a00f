"""What stands where a rule is broken: a finding's `found`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lxml import etree

from onc_conformance.ccda.constraints import NAMESPACES, Condition, Step, path
from onc_conformance.ccda.tree import Element

_SHOWN = 3
"""So many values are shown."""


def found(element: Element, condition: Condition) -> str | None:
    """In a few words; None where the rule is about more than one thing."""
    match condition:
        case {"path": steps, "has": has}:
            return _asked(element, steps, has)
        case {"path": [*before, {"step": name, "where": where, **rest}]} if not rest:
            return _asked(element, [*before, name], where) if condition.get("max") != 0 else _count(element, condition)
        case {"path": _}:
            return _count(element, condition)
        case {"attribute": name}:
            value = element.get(_clark(name))
            return f"no @{name}" if value is None else f'@{name}="{value}"'
    return None


def _asked(element: Element, steps: Sequence[Step], where: Sequence[Condition]) -> str:
    """Of the elements there: the values that were asked for, or how many there are."""
    there = _select(element, steps)
    what = _last(steps)
    if not there:
        return f"no {what}"
    attributes = [each["attribute"] for each in where if "attribute" in each]
    if len(attributes) < len(where) or not attributes:
        met = len(
            _select(element, [*steps[:-1], {**_step(steps[-1]), "where": [*_step(steps[-1]).get("where", ()), *where]}])
        )
        return f"{met or 'none'} of {len(there)} {what}"
    values = [
        " ".join(
            f'@{name}="{value}"' if (value := each.get(_clark(name))) is not None else f"no @{name}"
            for name in attributes
        )
        for each in there[:_SHOWN]
    ]
    return f"{what} with " + ", ".join(values) + (", …" if len(there) > _SHOWN else "")


def _count(element: Element, condition: Condition) -> str:
    there = len(_select(element, condition["path"]))
    return f"{there or 'no'} {_last(condition['path'])}"


def _step(step: Step) -> dict[str, Any]:
    return {"step": step} if isinstance(step, str) else dict(step)


def _last(steps: Sequence[Step]) -> str:
    return "/".join(step if isinstance(step, str) else str(step["step"]) for step in steps)


def _select(element: Element, steps: Sequence[Step]) -> list[Element]:
    return list(_compiled(path(steps))(element))


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    return etree.XPath(expression, namespaces=NAMESPACES)


def _clark(name: str) -> str:
    prefix, colon, local = name.rpartition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if colon else name
