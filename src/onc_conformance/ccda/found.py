"""What stands where a rule is broken: a finding's `found`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from onc_conformance.ccda.constraints import NAMESPACES, Condition, Step, path
from onc_conformance.ccda.tree import Element

_SHOWN = 3
"""So many values are shown."""
_LONG = 80
"""So many characters of a value are shown."""
_NAMED = 4
"""So many things of a choice are named."""

Sight = Callable[[Element], str | None]
"""What there is in an element instead of what a rule demands, in a few words."""


def sight(condition: Condition) -> Sight:
    """What to look at where the condition does not hold; it sees nothing if that is more than one thing."""
    match condition:
        case {"path": steps, "has": has}:
            return _asked(steps, has)
        case {"path": [*before, {"step": name, "where": where, **rest}]} if not rest and condition.get("max") != 0:
            return _asked([*before, name], where)
        case {"path": steps}:
            return _counted(steps)
        case {"attribute": name}:
            attribute = _clark(name)
            return lambda element: _value(name, element.get(attribute))
        case {"any": _} | {"all": _} | {"not": _}:
            return _several(condition)
    return lambda _: None


def _asked(steps: Sequence[Step], where: Sequence[Condition]) -> Sight:
    """Of the elements there: the values that were asked for, or how many are as asked."""
    select, what = _compiled(steps), _last(steps)
    last = {"step": steps[-1]} if isinstance(steps[-1], str) else dict(steps[-1])
    met = _compiled([*steps[:-1], {**last, "where": [*last.get("where", ()), *where]}])
    attributes = {each["attribute"]: _clark(each["attribute"]) for each in where if "attribute" in each}
    valued = len(attributes) == len(where)

    def look(element: Element) -> str:
        there = select(element)
        if not there:
            return f"no {what}"
        if not valued:
            return f"{len(met(element)) or 'none'} of {len(there)} {what}"
        values = [" ".join(_value(name, each.get(key)) for name, key in attributes.items()) for each in there[:_SHOWN]]
        return f"{what} with " + ", ".join(values) + (", …" if len(there) > _SHOWN else "")

    return look


def _counted(steps: Sequence[Step]) -> Sight:
    select, what = _compiled(steps), _last(steps)
    return lambda element: f"{len(select(element)) or 'no'} {what}"


def _several(condition: Condition) -> Sight:
    """Of each thing a choice is about, what there is."""
    about = {key: look for key, look in _leaves(condition) if key}
    looks = list(about.values())[:_NAMED]
    return lambda element: ", ".join(filter(None, (look(element) for look in looks))) or None


def _leaves(condition: Condition) -> Iterator[tuple[str, Sight]]:
    match condition:
        case {"any": parts} | {"all": parts}:
            for part in parts:
                yield from _leaves(part)
        case {"not": inner}:
            yield from _leaves(inner)
        case {"attribute": name}:
            yield f"@{name}", sight({"attribute": name})
        case {"path": steps}:
            yield _last(steps), _counted([step if isinstance(step, str) else _bare(step) for step in steps])


def _bare(step: Mapping[str, Any]) -> Step:
    return {key: value for key, value in step.items() if key != "where"}


def _value(name: str, value: str | None) -> str:
    if value is None:
        return f"no @{name}"
    return f'@{name}="{value}"' if len(value) <= _LONG else f'@{name}="{value[:_LONG]}…"'


def _last(steps: Sequence[Step]) -> str:
    return "/".join(step if isinstance(step, str) else str(step["step"]) for step in steps)


def _compiled(steps: Sequence[Step]) -> Any:
    return etree.XPath(path(steps), namespaces=NAMESPACES, extensions={(NAMESPACES["onc"], "in-value-set"): _any})


def _any(*_: Any) -> bool:
    """How many elements have the code at all is what is told; whether it is of the set was the rule's question."""
    return True


def _clark(name: str) -> str:
    prefix, colon, local = name.rpartition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if colon else name
