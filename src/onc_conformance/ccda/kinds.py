"""Where each class of facts, and each element of a fact, lives in a C-CDA (schemas/ccda/facts.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from onc_conformance import suite
from onc_conformance.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """One element of a class of facts."""

    paths: tuple[str, ...]
    """From the entry; the first that says something counts."""
    manner: str
    """How it is compared (`record.details`)."""
    attribute: str
    """Which one holds a text; none for the element's own words."""
    absent: Severity
    """How grave it is that nothing is said where the record says something."""
    spoken: bool = False
    """Whether the narrative may say it in place of the entry."""


@dataclass(frozen=True, slots=True)
class Where:
    """How one class of facts is written."""

    kind: str
    sections: frozenset[str]
    """LOINC codes; empty for any section."""
    what: tuple[str, ...]
    dates: tuple[str, ...]
    dated_by: frozenset[str]
    """Local names of elements around an entry whose time is the fact's."""
    member: tuple[str, ...]
    header: Mapping[str, str]
    """Elements of the header that name a person of the class -> path to the name."""
    nested: frozenset[str]
    """Templates of entries that are facts of their own within another entry of the class."""
    value: bool
    narrated: bool
    """Whether text, not a code, is what it says."""
    extra: Severity | None
    """How grave a fact is that the expected record does not list; None where a record need not list all."""
    unknown: frozenset[str]
    """Codes by which it says that nothing is known."""
    counted: bool
    """Whether a section tells each fact once."""
    dated: bool
    """Whether a fact that lost its date is wrong."""
    due: bool
    """Whether its end is the day by which it is to be achieved, and no day of its own."""
    elements: Mapping[str, Place]
    manners: Mapping[str, str]
    """How each element is compared."""


@dataclass(frozen=True, slots=True)
class Table:
    """Every `Where`, by what an entry declares."""

    by_template: Mapping[str, tuple[Where, ...]]
    by_code: Mapping[str, tuple[Where, ...]]
    of: Mapping[str, Where]


_PROVENANCE = Place(paths=("author", "../../author"), manner="provenance", attribute="", absent=Severity.ERROR)
"""Of every class: an entry's own author, or that of the organizer or act around it."""


@cache
def table() -> Table:
    """schemas/ccda/facts.toml."""
    content = tomllib.loads((suite.schemas() / "ccda" / "facts.toml").read_text(encoding="utf-8"))
    by_template: dict[str, tuple[Where, ...]] = {}
    by_code: dict[str, tuple[Where, ...]] = {}
    of: dict[str, Where] = {}
    for kind, entry in content.items():
        where = of[kind] = _where(kind, entry)
        for template in entry["templates"]:
            by_template[template] = (*by_template.get(template, ()), where)
        for code in entry.get("codes", ()):
            by_code[code] = (*by_code.get(code, ()), where)
    return Table(by_template, by_code, of)


def _where(kind: str, entry: Mapping[str, Any]) -> Where:
    elements = {"provenance": _PROVENANCE} | {name: _place(each) for name, each in entry.get("elements", {}).items()}
    return Where(
        kind=kind,
        sections=frozenset(entry["sections"]),
        what=tuple(entry["what"]),
        dates=tuple(entry.get("dates", ["effectiveTime"])),
        dated_by=frozenset(entry.get("dated_by", ["organizer"])),
        member=tuple(entry.get("member", ())),
        header=MappingProxyType(entry.get("header", {})),
        nested=frozenset(entry.get("nested", ())),
        value=entry.get("value", False),
        narrated=entry.get("narrated", False),
        extra=Severity(entry["extra"]) if "extra" in entry else None,
        unknown=frozenset(entry.get("unknown", ())),
        counted=entry.get("counted", False),
        dated=entry.get("dated", False),
        due=entry.get("due", False),
        elements=MappingProxyType(elements),
        manners=MappingProxyType({name: place.manner for name, place in elements.items()}),
    )


def _place(entry: Mapping[str, Any]) -> Place:
    return Place(
        paths=tuple(entry["paths"]),
        manner=entry["as"],
        attribute=entry.get("attribute", ""),
        absent=Severity(entry.get("absent", "error")),
        spoken=entry.get("spoken", False),
    )
