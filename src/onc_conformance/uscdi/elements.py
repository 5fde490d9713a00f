"""The data elements of each edition: their names, their code systems, their places in a C-CDA and in FHIR."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import procedure, suite
from onc_conformance.uscdi.categories import categories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CCDS = "ccds"
"""The version that is the Common Clinical Data Set, an extract of USCDI v1."""


class Enforcement(StrEnum):
    """What a code system outside an element's own means: an error, a warning, nothing."""

    HARD = "hard"
    SOFT = "soft"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One step down a C-CDA, by local name."""

    name: str
    deep: bool
    """Any number of levels down, not one."""
    body: bool
    """From the sections of the body, not from the document."""
    wanted: tuple[tuple[tuple[str, frozenset[str]], ...], ...]
    """Each must hold; each holds if one of its (kind, values) does."""
    unwanted: tuple[tuple[tuple[str, frozenset[str]], ...], ...]
    named: str | None
    """A condition on order or use, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where values of an element stand."""

    steps: tuple[Step, ...]
    held: str
    """What makes a node there a value, by name."""


@dataclass(frozen=True, slots=True)
class FhirPlace:
    """Where an element stands in the US Core of its edition."""

    profile: str
    """Id of the StructureDefinition."""
    path: str
    """Id of the element in it, must-support or marked as a requirement of USCDI."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A value set that a release of C-CDA binds."""

    release: str
    strength: str
    oid: str


@dataclass(frozen=True, slots=True)
class Element:
    """One data element of one version of USCDI."""

    id: str
    data_class: str
    title: str
    enforcement: Enforcement
    systems: frozenset[str]
    """OIDs of the code systems it may use."""
    sections: tuple[str, ...]
    """LOINC codes of where it is expected; none for the header."""
    places: tuple[Place, ...]
    fhir: tuple[FhirPlace, ...]
    value_sets: tuple[ValueSet, ...]
    shared_with: tuple[str, ...]
    """Other elements at the same places: a value there proves none of them."""
    silent_entries: bool
    """Whether an entry with a null flavor explains that there is no value."""
    excused: bool
    """Whether certification no longer asks for it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What ONC's validator demands of every summary."""

    id: str
    element: str
    """Id of the element it is about."""
    title: str
    where: str
    at: str | None
    """LOINC code of the section it is missed in; None for the header."""
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A place where a document says why an element has no value."""

    element: str
    why: str
    place: Place


@dataclass(frozen=True, slots=True)
class Silence:
    """How a document says that there is nothing to say."""

    codes: frozenset[str]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """The only codes an overlay takes for an element within a template."""

    element: str
    template: str
    system: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """An element that (g)(9) wants within one template."""

    element: str
    within: str
    where: str


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """All elements of an edition and the rules about them."""

    version: str
    elements: tuple[Element, ...]
    demands: tuple[Demand, ...]
    reasons: tuple[Reason, ...]
    codes: tuple[Codes, ...]
    placed: tuple[Placed, ...]
    silence: Silence


def of_edition(edition: str) -> DataSet:
    """What an edition of schemas/editions.yaml asks for; raises UsageError for an unknown one."""
    asked = procedure.edition(edition).uscdi
    return data_set(asked["elements"], asked.get("overlay"))


@cache
def data_set(version: str, overlay: str | None = None) -> DataSet:
    """A version of USCDI, or CCDS, with the overlay that eases it."""
    table = json.loads((suite.schemas() / "uscdi" / "elements.json").read_text(encoding="utf-8"))
    rules = tomllib.loads((suite.schemas() / "uscdi" / "rules.toml").read_text(encoding="utf-8"))
    listed = {each for category in categories().values() if category.ccds for each in category.elements}
    rows = [
        row for row in table["elements"] if (row["id"] in listed if version == CCDS else version in row["versions"])
    ]
    excused = {each for rule in rules["excused"] if rule["overlay"] == overlay for each in rule["elements"]}
    named = {rule["element"]: rule["title"] for rule in rules["named"] if version in rule["versions"]}
    systems = {rule["element"]: rule["oids"] for rule in rules["systems"] if version in rule["versions"]}
    us_core = table["versions"].get(version, {}).get("us_core")
    elements = [
        _element(row, version=version, us_core=us_core, excused=excused, named=named, systems=systems) for row in rows
    ]
    return DataSet(
        version=version,
        elements=tuple(_as_shared(each, elements) if each.shared_with else each for each in elements),
        demands=tuple(
            Demand(rule["id"], rule["element"], rule["title"], rule["where"], rule.get("at"), _places(rule["places"]))
            for rule in rules["demand"]
            if version in rule["versions"]
        ),
        reasons=tuple(Reason(rule["element"], rule["why"], *_places([rule])) for rule in rules["reason"]),
        codes=tuple(
            Codes(rule["element"], rule["template"], rule["system"], frozenset(rule["codes"]))
            for rule in rules["codes"]
            if rule["overlay"] == overlay
        ),
        placed=tuple(Placed(rule["element"], rule["within"], rule["where"]) for rule in rules["placed"]),
        silence=Silence(frozenset(rules["silence"]["codes"]), tuple(rules["silence"]["words"])),
    )


def _element(
    row: Mapping[str, Any],
    *,
    version: str,
    us_core: str | None,
    excused: Iterable[str],
    named: Mapping[str, str],
    systems: Mapping[str, list[str]],
) -> Element:
    return Element(
        id=row["id"],
        data_class=row.get("classes", {}).get("v1" if version == CCDS else version, row["class"]),
        title=named.get(row["id"], row["element"]),
        enforcement=Enforcement(row["enforcement"]),
        systems=frozenset(systems.get(row["id"], row["systems"])),
        sections=tuple(row["sections"]),
        places=_places(row["places"]),
        fhir=tuple(FhirPlace(each["profile"], each["path"]) for each in row["fhir"] if us_core in each["us_core"]),
        value_sets=tuple(ValueSet(**each) for each in row["value_sets"]),
        shared_with=tuple(each for each in row.get("shared_with", ()) if each != row["id"]),
        silent_entries=bool(row.get("silent_entries")),
        excused=row["id"] in excused,
    )


def _as_shared(element: Element, elements: Iterable[Element]) -> Element:
    """What stands where it stands may be any of its fellows: their systems are allowed, the mildest of them rules."""
    fellows = [each for each in elements if each.id in element.shared_with or element.id in each.shared_with]
    mild = Enforcement.NONE if any(not each.systems for each in fellows) else Enforcement.SOFT
    strict = all(each.enforcement is Enforcement.HARD for each in (element, *fellows))
    return Element(
        **{name: getattr(element, name) for name in element.__slots__ if name not in {"enforcement", "systems"}},
        enforcement=element.enforcement if strict or element.enforcement is Enforcement.NONE else mild,
        systems=element.systems.union(*(each.systems for each in fellows)),
    )


def _places(rows: Iterable[Mapping[str, Any]]) -> tuple[Place, ...]:
    return tuple(Place(tuple(_step(step) for step in row["steps"]), row["held"]) for row in rows)


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        name=row["name"],
        deep=row.get("deep", False),
        body=row.get("body", False),
        wanted=_conditions(row.get("if", ())),
        unwanted=_conditions(row.get("unless", ())),
        named=row.get("is"),
    )


def _conditions(rows: Iterable[Mapping[str, list[str]]]) -> tuple[tuple[tuple[str, frozenset[str]], ...], ...]:
    return tuple(tuple((kind, frozenset(values)) for kind, values in row.items()) for row in rows)
