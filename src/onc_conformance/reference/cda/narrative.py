"""What a person reads: a table for each section, a row for each fact, times and values as the chart has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from onc_conformance.reference.cda.markup import el, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.reference.charts import Fact


_EVENTS = {"HS": "at the hour of sleep", "AC": "before meals", "PC": "after meals"}


def table(columns: Sequence[str], rows: Sequence[str]) -> str:
    """A table of rows that are markup already."""
    head = el("tr", {}, *(words("th", column) for column in columns))
    return el("table", {"border": "1", "width": "100%"}, el("thead", {}, head), el("tbody", {}, *rows))


class Named(NamedTuple):
    """A cell that an entry points at by itself."""

    name: str
    text: str


def row(fact: Fact, cells: Sequence[object]) -> str:
    """The row an entry points at by its ID, and those of its cells that have one of their own."""
    return el("tr", {"ID": fact.anchor}, *(_cell(fact, each) for each in cells))


def _cell(fact: Fact, cell: object) -> str:
    if isinstance(cell, Named):
        return words("td", cell.text, {"ID": f"{fact.anchor}-{cell.name}"} if cell.text else None)
    return words("td", str(cell))


def when(fact: Fact) -> str:
    """The fact's time as written; an interval with both its ends."""
    if fact.text("date"):
        return fact.text("date")
    start, end = fact.text("start"), fact.text("end")
    return f"{start} to {end}".strip() if end else start and f"since {start}"


def measured(fact: Fact) -> str:
    """Value and unit; a value the chart does not have is unknown."""
    found = fact.values.get("value")
    spoken = str(fact.code("value") or found) if found not in (None, "") else "unknown"
    return f"{spoken} {fact.text('unit')}".strip()


def answer(fact: Fact) -> str:
    """The finding, wherever the chart keeps it."""
    return measured(fact) if "value" in fact.values else row_title(fact)


def usual(fact: Fact) -> str:
    """The reference range, as far as it has bounds."""
    bounds = fact.values.get("range") or {}
    return " to ".join(str(bounds[key]) for key in ("low", "high") if key in bounds) or str(bounds.get("text", ""))


def dose(fact: Fact) -> str:
    """How much, by which route, how often, what for."""
    amount, every = fact.values.get("dose"), fact.values.get("every")
    parts = [f"{amount['value']} {amount.get('unit', '')}".strip()] if amount else []
    parts += [str(fact.code("route") or fact.text("route_words"))]
    parts += [f"every {every['value']} {every.get('unit', 'h')}"] if every else []
    parts += [_EVENTS.get(fact.text("event"), fact.text("event"))]
    parts += ["as needed"] if fact.values.get("as_needed") else []
    parts += [f"for {fact.code('indication')}"] if fact.code("indication") else []
    return ", ".join(filter(None, parts))


def row_title(fact: Fact) -> str:
    """What a person reads first of a fact: its own words, else what its code is called."""
    return fact.text("text") or fact.text("look_for") or str(fact.code() or "No information")
