"""Faults of content that are data: what faults.toml says of charts under `change`.

`in` names what is written from the changed chart: `document`, `category`, either with ` window` behind it, or
`narrative`. `of` is a class of facts, `any` or `person`; `at` the place in the class, all if left out; `bound` keeps
to facts on the first or last day of the window. What is done: `set` and `unset` values by dotted path, `drop`,
`repeat`, `shift` by days, `add` a fact, `say` words instead of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from onc_conformance.reference import faults as catalogue
from onc_conformance.reference.charts import Chart, Fact, days_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from onc_conformance.reference.people import Window

_ADDED = 8000
"""Where the numbers of facts begin that no patients file has."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to a chart."""

    scope: str
    of: str
    values: Mapping[str, Any]

    def apply(self, chart: Chart, window: Window | None = None) -> Chart:
        """The chart with the change; the same where it has nothing to change."""
        if self.of == "person":
            return replace(chart, person=_changed(chart.person, self.values))
        if "add" in self.values:
            return chart.only((*chart.facts, Fact(self.of, _ADDED, self.values["add"])))
        chosen = {fact.anchor for fact in self._chosen(chart, window)}
        return chart.only(
            each for fact in chart.facts for each in (self._of(fact) if fact.anchor in chosen else [fact])
        )

    def _chosen(self, chart: Chart, window: Window | None) -> tuple[Fact, ...]:
        facts = chart.facts if self.of == "any" else chart.of(self.of)
        if self.values.get("bound"):
            facts = tuple(fact for fact in facts if any(day in (window or ()) for day in _days(fact)))
        at = self.values.get("at")
        if at is None:
            return facts
        return facts[at : at + 1 or None]

    def _of(self, fact: Fact) -> list[Fact]:
        if self.values.get("drop"):
            return []
        if self.values.get("repeat"):
            return [fact, replace(fact, number=_ADDED + fact.number)]
        values = _changed(fact.values, self.values)
        if by := self.values.get("shift"):
            values = {**values, **{key: _shifted(values[key], by) for key in ("date", "start", "end") if key in values}}
        return [replace(fact, values=values)]


def known() -> frozenset[str]:
    """Ids of the faults that are data."""
    return frozenset(fault.id for fault in catalogue.CATALOGUE if fault.change)


def applied(chart: Chart, faults: Collection[str], scope: str, window: Window | None = None) -> Chart:
    """The chart as some part of an answer is written from it."""
    for change in _in(faults, scope):
        if "say" not in change.values:
            chart = change.apply(chart, window)
    return chart


def sayings(faults: Collection[str]) -> dict[str, str]:
    """What is written in place of the rows of a class."""
    return {change.of: change.values["say"] for change in _in(faults, "narrative") if "say" in change.values}


def _in(faults: Collection[str], scope: str) -> Iterator[Change]:
    if faults:
        for fault in catalogue.CATALOGUE:
            if fault.id in faults:
                yield from (Change(each["in"], each["of"], each) for each in fault.change if each["in"] == scope)


def _days(fact: Fact) -> list[Any]:
    return [days_of(text)[0] for text in fact.dates if len(text) >= 10]


def _shifted(text: str, by: int) -> str:
    """A date without a day stays."""
    return (days_of(text)[0] + timedelta(days=by)).isoformat() + text[10:] if len(text) >= 10 else text


def _changed(values: Mapping[str, Any], change: Mapping[str, Any]) -> Mapping[str, Any]:
    for path in change.get("unset", ()):
        values = _at(values, path.split("."), None)
    for path, value in change.get("set", {}).items():
        values = _at(values, path.split("."), value)
    return values


def _at(tree: Any, path: list[str], value: Any) -> Any:
    """The tree with another value at the path, None being none; the same where it has no such place."""
    first, rest = path[0], path[1:]
    here: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    key: Any = first if isinstance(here, dict) else int(first)
    there = key in here if isinstance(here, dict) else key < len(here)
    if not there and (rest or value is None or not isinstance(here, dict)):
        return tree
    if rest:
        here[key] = _at(here[key], rest, value)
    elif value is None:
        del here[key]
    else:
        here[key] = value
    return here
