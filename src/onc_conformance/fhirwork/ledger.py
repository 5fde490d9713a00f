"""The must-support ledger: each element a certified server has to show, where it was seen, what closes a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from onc_conformance.fhir import fitting, slicing, vitalsigns
from onc_conformance.fhir.codes import Codes, TrustingCodes
from onc_conformance.fhir.nodes import Item, Node, items, tree
from onc_conformance.fhir.references import type_of
from onc_conformance.fhir.tables import Element, Profile, Tables
from onc_conformance.fhir.validating import codes_of
from onc_conformance.fhirwork import guidance
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.fhirwork.contents import ABSENT
from onc_conformance.findings import Finding, Layer, Severity

ROOM = 4
"""How many resources a finding names."""
_SAME = {"SimpleQuantity": "Quantity"}


@dataclass
class Line:
    """One must-support element of a profile."""

    profile: Profile
    element: str
    """Its id without the type: `category:us-core`."""
    seen: list[str] = field(default_factory=list)
    """FHIRPaths, the first few."""


@dataclass
class Ledger:
    """The lines of every profile that has a resource, and the profiles that have none."""

    guide: Tables
    lines: list[Line]
    resources: Mapping[str, Sequence[Kept]]
    """By id of profile."""
    without: tuple[Profile, ...]

    @property
    def missing(self) -> list[Line]:
        """Elements that nothing showed, where no other place may stand in for them."""
        return [line for line in self.lines if not line.seen and not any(map(self._shown, self.instead_of(line)))]

    def instead_of(self, line: Line) -> list[guidance.Place]:
        """The places that may stand in for an element."""
        return list(guidance.alternatives(line.profile, self.guide, line.element))

    def _shown(self, place: guidance.Place) -> bool:
        profile, element = place
        if not element:
            return profile in self.resources
        return any(each.seen for each in self.lines if (each.profile.id, each.element) == place)


def keep(pool: Iterable[Kept], tables: Tables, kinds: Iterable[str]) -> Ledger:
    """The ledger of these resources; `kinds` are the types the product has."""
    codes = codes_of(tables)
    by_profile: dict[str, list[Kept]] = {}
    for kept in pool:
        for profile in fitting.profiles(kept.resource, tables, codes)[0]:
            by_profile.setdefault(profile.id, []).append(kept)
    found: list[Line] = []
    eyes = sight(tables)
    for profile in (each for of_type in tables.of_type.values() for each in of_type):
        kept_of = by_profile.get(profile.id, [])
        if kept_of and profile.context is None and not guidance.unneeded(profile, tables):
            found += _lines(profile, kept_of, eyes)
    served = frozenset(kinds)
    without = tuple(each for each in needed(tables) if each.type in served and each.id not in by_profile)
    return Ledger(tables, found, by_profile, without)


def needed(tables: Tables) -> Iterator[Profile]:
    """The profiles of resources that a certified server has to show."""
    yield from declared(tables)
    for url in vitalsigns.required(tables.version):
        yield tables.profiles[url]


def declared(tables: Tables) -> Iterator[Profile]:
    """Those of them that the guide wants in a capability statement."""
    for kind, search in tables.searches.items():
        for url in search["profiles"] if search["strength"] == "SHALL" else ():
            profile = tables.profile(url)
            if profile and profile.type == kind and not guidance.unneeded(profile, tables):
                yield profile


def seen(resource: Mapping[str, Any], profile: Profile, tables: Tables) -> frozenset[str]:
    """The must-support elements of a profile that one resource shows, by id without the type."""
    wanted = {name: Line(profile, name) for name in _wanted(profile)}
    sight(tables).walk(tree(profile), [Item(resource, None, profile.type)], profile.type, wanted)
    return frozenset(name for name, line in wanted.items() if line.seen)


def _wanted(profile: Profile) -> Iterator[str]:
    rows = {each.id: each for each in profile.elements}
    for each in profile.elements:
        if (each.must_support or each.uscdi) and not any(_optional(rows[name]) for name in _around(each.id, rows)):
            yield each.id.partition(".")[2]


def _around(name: str, rows: Mapping[str, Element]) -> Iterator[str]:
    """The slices an element stands in."""
    parts = name.split(".")
    paths = (".".join(parts[:place]) for place in range(2, len(parts)))
    return (path for path in paths if ":" in path.rpartition(".")[2] and path in rows)


def _optional(slice_: Element) -> bool:
    """Whether nobody has to show a slice; what its elements are marked with, they have of the element itself."""
    return not (slice_.must_support or slice_.uscdi or slice_.min)


def lines(profile: Profile, guide: Tables) -> dict[str, Line]:
    """A line for each element of a profile that has to be shown, by its id without the type."""
    return {name: Line(profile, name) for name in _wanted(profile) if not guidance.unneeded(profile, guide, name)}


def _lines(profile: Profile, resources: Sequence[Kept], eyes: Sight) -> Iterator[Line]:
    wanted = lines(profile, eyes.guide)
    for kept in resources:
        eyes.walk(tree(profile), [Item(kept.resource, None, kept.name)], profile.type, wanted)
    yield from wanted.values()


@dataclass(frozen=True)
class Sight:
    """What counts as shown: a value that says more than why it is absent, of a type the profile marks.

    Where slices are told apart by a set that is not listed here, whatever may be of one is taken to be.
    """

    guide: Tables
    codes: Codes

    def walk(self, node: Node, found: list[Item], type_: str, wanted: Mapping[str, Line]) -> None:
        """Note in the lines wanted what the values at a place, and within them, show."""
        there = [item for item in found if _valued(item)]
        line = wanted.get(node.id.removeprefix(f"{type_}."))
        if line is not None:
            shown = [item.path for item in there if self._marked(node, item)]
            line.seen += shown[: max(0, ROOM - len(line.seen))]
        for inner in node.within.values():
            if below := [each for item in there for each in items(item, inner.name)]:
                self.walk(inner, below, type_, wanted)
        for into in node.slices.values():
            if of_slice := [item for item in there if slicing.fits(node, into, item, self.codes)]:
                self.walk(into, of_slice, type_, wanted)

    def _marked(self, node: Node, item: Item) -> bool:
        marked = [kind for kind in node.element.types if kind.must_support]
        if marked and item.kind and item.kind not in {_SAME.get(kind.code, kind.code) for kind in marked}:
            return False
        targets = {url for kind in node.element.types for url in kind.must_support_targets}
        told = item.value.get("reference") if isinstance(item.value, dict) else None
        named = type_of(told) if targets and isinstance(told, str) else None
        profiles = self.guide.profiles
        able = {profiles[url].type if url in profiles else url.rpartition("/")[2] for url in targets}
        return named is None or named in able


@cache
def sight(tables: Tables) -> Sight:
    """By a guide, made once."""
    return Sight(tables, TrustingCodes(tables))


def _valued(item: Item) -> bool:
    value = item.value
    if isinstance(value, dict):
        told = value.get("extension")
        absent = isinstance(told, list) and any(isinstance(each, dict) and each.get("url") == ABSENT for each in told)
        return bool(value) and not (absent and value.keys() <= {"id", "extension"})
    return value is not None


def gaps(ledger: Ledger, rule: str) -> Iterator[Finding]:
    """A warning for each element that nothing showed, with the smallest change of data that closes it."""
    for line in ledger.missing:
        resources = ledger.resources[line.profile.id]
        names = ", ".join(kept.name for kept in resources[:ROOM])
        yield Finding(
            layer=Layer.USCDI,
            severity=Severity.WARNING,
            rule=rule,
            message=f"{line.profile.name}: nothing shows {_typed(line)}, which the profile marks must-support",
            path=f"{line.profile.type}.{line.element}",
            expected="one resource that has it",
            found=f"none of {len(resources)}: {names}",
            hint=f"enter {_or(ledger, line)} for {resources[0].name}, or for any other of them",
            exchange=resources[0].got.exchange.id,
        )


def _typed(line: Line) -> str:
    """The element, with its types where not every one of them counts."""
    for each in line.profile.elements:
        marked = [kind.code for kind in each.types if kind.must_support]
        if each.id.partition(".")[2] == line.element and each.id.endswith("[x]") and 0 < len(marked) < len(each.types):
            return f"{line.element} as {' or '.join(marked)}"
    return line.element


def _or(ledger: Ledger, line: Line) -> str:
    """What to enter: the element, or whatever may stand in for it."""
    own = [_typed(line)]
    for profile, element in ledger.instead_of(line):
        if profile != line.profile.id:
            own.append(f"{element} of {profile}" if element else f"a {profile}")
        elif not guidance.within(line.element, element):
            own.append(element)
    return " or ".join(dict.fromkeys(own))
