"""The must-support ledger: each element a certified server has to show, where it was seen, what closes a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onc_conformance.fhir import fitting, slicing
from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.nodes import Item, Node, items, tree
from onc_conformance.fhir.tables import Profile, Tables
from onc_conformance.fhir.validating import codes_of
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.fhirwork.guidance import told
from onc_conformance.findings import Finding, Layer, Severity

ROOM = 4
"""How many resources a finding names."""


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

    lines: list[Line]
    resources: Mapping[str, Sequence[Kept]]
    """By id of profile."""
    without: tuple[Profile, ...]

    @property
    def missing(self) -> list[Line]:
        """Elements that nothing showed, where no other element may stand in for them."""
        return [line for line in self.lines if not line.seen and not self._replaced(line)]

    def _replaced(self, line: Line) -> bool:
        groups = [group for group in told()["either"].get(line.profile.id, []) if line.element in group]
        seen = {each.element for each in self.lines if each.profile is line.profile and each.seen}
        return any(name in seen for group in groups for name in group)


def keep(pool: Iterable[Kept], tables: Tables, kinds: Iterable[str]) -> Ledger:
    """The ledger of these resources; `kinds` are the types the product has."""
    codes = codes_of(tables)
    by_profile: dict[str, list[Kept]] = {}
    for kept in pool:
        for profile in fitting.profiles(kept.resource, tables, codes)[0]:
            by_profile.setdefault(profile.id, []).append(kept)
    kept_lines: list[Line] = []
    for profile in (each for of_type in tables.of_type.values() for each in of_type):
        kept_of = by_profile.get(profile.id, [])
        if kept_of and profile.context is None and profile.id not in unneeded():
            kept_lines += _lines(profile, kept_of, codes)
    served = frozenset(kinds)
    without = tuple(each for each in needed(tables) if each.type in served and each.id not in by_profile)
    return Ledger(kept_lines, by_profile, without)


def needed(tables: Tables) -> Iterator[Profile]:
    """The profiles of resources that a certified server has to show."""
    for kind, search in tables.searches.items():
        for url in search["profiles"] if search["strength"] == "SHALL" else ():
            profile = tables.profile(url)
            if profile and profile.type == kind and profile.id not in unneeded():
                yield profile


def lines(profile: Profile) -> dict[str, Line]:
    """A line for each must-support element that has to be shown, by id."""
    names = [each.id.partition(".")[2] for each in profile.elements if each.must_support]
    return {name: Line(profile, name) for name in names if not _spared(profile, name)}


def unneeded() -> Sequence[str]:
    """The ids of profiles that nobody has to show."""
    found: Sequence[str] = told()["unneeded"]["profiles"]
    return found


def _lines(profile: Profile, resources: Sequence[Kept], codes: Codes) -> Iterator[Line]:
    wanted = lines(profile)
    root = tree(profile)
    for kept in resources:
        walk(root, [Item(kept.resource, None, kept.name)], profile.type, wanted, codes)
    yield from wanted.values()


def _spared(profile: Profile, element: str) -> bool:
    table = told()["unneeded"]["elements"]
    names = [*table.get(profile.type, ()), *table.get(profile.id, ())]
    return any(element == name or element.startswith(f"{name}.") for name in names)


def walk(node: Node, found: list[Item], type_: str, wanted: Mapping[str, Line], codes: Codes) -> None:
    """Note in the lines of a profile where these resources show their elements."""
    line = wanted.get(node.id.removeprefix(f"{type_}."))
    if line is not None:
        line.seen += [item.path for item in found[: max(0, ROOM - len(line.seen))]]
    for inner in node.within.values():
        if there := [each for item in found for each in items(item, inner.name)]:
            walk(inner, there, type_, wanted, codes)
    for into in node.slices.values():
        if there := [item for item in found if slicing.fits(node, into, item, codes)]:
            walk(into, there, type_, wanted, codes)


def gaps(ledger: Ledger, rule: str) -> Iterator[Finding]:
    """A warning for each element that nothing showed, with the smallest change of data that closes it."""
    for line in ledger.missing:
        resources = ledger.resources[line.profile.id]
        names = ", ".join(kept.name for kept in resources[:ROOM])
        yield Finding(
            layer=Layer.USCDI,
            severity=Severity.WARNING,
            rule=rule,
            message=f"{line.profile.name}: nothing shows {line.element}, which the profile marks must-support",
            path=f"{line.profile.type}.{line.element}",
            expected="one resource that has it",
            found=f"none of {len(resources)}: {names}",
            hint=f"enter {line.element} for {resources[0].name}, or for any other of them",
            exchange=resources[0].got.exchange.id,
        )
