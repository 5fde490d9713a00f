"""The types this server knows, with their parameters, combinations and profiles, read from parameters.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir import versions
from onc_conformance.reference.settings import US_CORE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onc_conformance.reference.fhir.parts import Resource

Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type."""

    name: str
    kind: str
    """token, reference, date or string."""
    paths: tuple[Path_, ...]
    system: str = ""
    """Of the codes, where the element is a plain code."""

    def values(self, resource: Resource) -> Iterator[Any]:
        """What the parameter looks at."""
        for path in self.paths:
            yield from _values(resource, path)


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of resource."""

    name: str
    searchable: bool
    parameters: Mapping[str, Parameter]
    profiles: tuple[str, ...]
    include: tuple[str, ...]
    revinclude: tuple[str, ...]
    combinations: tuple[str, ...]

    @property
    def of_patients(self) -> bool:
        """Whether a search has to say whose data it wants."""
        return "patient" in self.parameters


INCLUDED: Mapping[str, Path_] = {
    "CareTeam:participant": ("participant", "member"),
    "MedicationDispense:medication": ("medicationReference",),
    "MedicationRequest:medication": ("medicationReference",),
    "PractitionerRole:endpoint": ("endpoint",),
    "PractitionerRole:practitioner": ("practitioner",),
}
"""Where the references of each `_include` are."""
_ALWAYS = (
    Parameter("_id", "token", (("id",),)),
    Parameter("_lastUpdated", "date", (("meta", "lastUpdated"),)),
)


@cache
def kinds(version: str = US_CORE[-1]) -> Mapping[str, Kind]:
    """Every type of a version of US Core, by name; the last has all of them."""
    content = tomllib.loads((Path(__file__).parent / "parameters.toml").read_text(encoding="utf-8"))
    return {name: _kind(name, entry, version) for name, entry in content.items() if versions.has(version, entry)}


def kind_of(name: str, version: str = US_CORE[-1]) -> Kind:
    """A type by name; of one this server has no special knowledge of, resources are found by id."""
    return kinds(version).get(name) or _kind(name, {}, version)


@cache
def profiles(version: str) -> frozenset[str]:
    """The profiles a version of US Core has, by their short names."""
    return frozenset(name for kind in kinds(version).values() for name in kind.profiles)


def _kind(name: str, entry: Mapping[str, Any], version: str) -> Kind:
    own = [_parameter(each, str(told)) for each, told in entry.get("search", {}).items()]
    further = [each for told in entry.get("further", ()) if versions.has(version, told) for each in told["profiles"]]
    return Kind(
        name=name,
        searchable=entry.get("searchable", True),
        parameters={parameter.name: parameter for parameter in (*_ALWAYS, *own)},
        profiles=(*entry.get("profiles", ()), *further),
        include=tuple(entry.get("include", ())),
        revinclude=tuple(entry.get("revinclude", ())),
        combinations=tuple(entry.get("combinations", ())),
    )


def _parameter(name: str, told: str) -> Parameter:
    kind, paths, *system = told.split(" ")
    return Parameter(name, kind, tuple(tuple(path.split(".")) for path in paths.split(",")), *system)


def _values(value: Any, path: Path_) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def references(resource: Resource, path: Path_) -> Iterator[str]:
    """What the elements at `path` refer to."""
    for value in _values(resource, path):
        if isinstance(value, dict) and isinstance(value.get("reference"), str):
            yield value["reference"]
