"""The tables of facts under schemas/: FHIR's types and codes, and a guide's profiles, read once and in part."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from onc_conformance import suite
from onc_conformance.fhir import vitalsigns
from onc_conformance.findings import UsageError

DEFAULT = "6.1.0"
"""The version of US Core judged by where none is named."""
US_CORE = "hl7.fhir.us.core"
DEFINITION = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type an element may have."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    """URLs of what a reference may name; empty for anything."""
    must_support: bool = False
    must_support_targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """How strongly an element is bound to which value set."""

    strength: str
    value_set: str
    never_outside: str | None = None
    """A wider set that no code may lie outside of, whatever the strength."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """What tells the slices of an element apart."""

    by: tuple[tuple[str, str], ...]
    """Kind of discriminator and path."""
    rules: str
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule of a guide's own."""

    id: str
    severity: str
    digest: str
    """Of its expression: one id means one thing here and another there."""


@dataclass(frozen=True, slots=True)
class Element:
    """What a profile adds at one place to what FHIR says of it."""

    id: str
    """As the guide has it: `Observation.category:us-core.coding`."""
    min: int = 0
    max: int | None = None
    """None where FHIR's own maximum stands, -1 for unbounded."""
    types: tuple[Kind, ...] = ()
    """Empty where FHIR's own types stand."""
    fixed: Any = None
    pattern: Any = None
    slicing: Slicing | None = None
    binding: Binding | None = None
    must_support: bool = False
    uscdi: bool = False
    """Not marked must-support, and yet to be supported by a certified server, since USCDI asks for it."""
    invariants: tuple[Invariant, ...] = ()

    @property
    def path(self) -> str:
        """The id without names of slices."""
        return ".".join(part.partition(":")[0] for part in self.id.split("."))


@dataclass(frozen=True, eq=False)
class Profile:
    """A profile of a resource, a type, or an extension."""

    url: str
    id: str
    name: str
    type: str
    base: str
    context: tuple[str, ...] | None
    """Where an extension may stand; None for any other profile."""
    _rows: Mapping[str, Any] = field(repr=False)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """What it adds, in the order of the guide."""
        return tuple(_element(name, told) for name, told in self._rows.items())


@dataclass(frozen=True, eq=False)
class Tables:
    """A guide, in one version."""

    package: str
    version: str
    path: Path
    _told: Mapping[str, Any] = field(repr=False)

    @cached_property
    def profiles(self) -> Mapping[str, Profile]:
        """By URL; with FHIR's own of vital signs, where the guide leaves these to them."""
        beside = vitalsigns.profiles(self.version) if self.package == US_CORE else {}
        return {
            url: Profile(
                url, told["id"], told["name"], told["type"], told["base"],
                tuple(told["context"]) if "context" in told else None, told["elements"],
            )
            for url, told in (*self._told["profiles"].items(), *beside.items())
        }  # fmt: skip

    @cached_property
    def of_type(self) -> Mapping[str, tuple[Profile, ...]]:
        """The profiles of each type of resource that a server is asked for, in the order of their URLs."""
        found: dict[str, list[Profile]] = {}
        for each in self.profiles.values():
            found.setdefault(each.type, []).append(each)
        return {name: tuple(sorted(each, key=lambda one: one.url)) for name, each in found.items()}

    def profile(self, name: str) -> Profile | None:
        """A profile by URL, with or without a version, or by id; None where the guide has none of that name."""
        bare = name.partition("|")[0]
        return self.profiles.get(bare) or next((each for each in self.profiles.values() if each.id == bare), None)

    @property
    def searches(self) -> Mapping[str, Any]:
        """By resource type: `strength`, `parameters`, `combinations`, `includes`, `revincludes`, `interactions`."""
        found: Mapping[str, Any] = self._told["searches"]
        return found

    @property
    def value_sets(self) -> Mapping[str, Any]:
        """By URL: `in`, `out` and `of`."""
        found: Mapping[str, Any] = self._told["value_sets"]
        return found

    @property
    def code_systems(self) -> Mapping[str, list[str]]:
        """The codes of the systems the guide defines, by URL."""
        found: Mapping[str, list[str]] = self._told["code_systems"]
        return found

    @property
    def expressions(self) -> Mapping[str, str]:
        """The invariants as the guide writes them by digest, where a user imported the guide; else empty."""
        found: Mapping[str, str] = self._told.get("expressions", {})
        return found


def versions() -> list[str]:
    """The versions of US Core at hand, oldest first."""
    found = {each.stem for each in (suite.schemas() / "us-core").glob("*.json")}
    kept = (suite.imported() / "standards").glob(f"{US_CORE}-*.package.json")
    found |= {each.name.removeprefix(f"{US_CORE}-").removesuffix(".package.json") for each in kept}
    return sorted(found, key=lambda each: [int(part) if part.isdigit() else -1 for part in each.split(".")])


def load(version: str = DEFAULT) -> Tables:
    """US Core in a version: as a user imported it, or as we state it. UsageError where it is not there."""
    if version not in versions():
        raise UsageError(f"US Core {version} is not at hand; expected one of {', '.join(versions())}")
    kept = imported(US_CORE, version)
    return read(kept if kept.is_file() else suite.schemas() / "us-core" / f"{version}.json")


def imported(package: str, version: str) -> Path:
    """Where a package is kept once it is imported."""
    return suite.imported() / "standards" / f"{package}-{version}.json"


def read(path: Path) -> Tables:
    """A table of a guide, from a file of ours or of an import. UsageError where it is damaged."""
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, _changed: int) -> Tables:
    try:
        return _tables(path)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: no table of a guide ({type(error).__name__}); import the package again") from None


def _tables(path: Path) -> Tables:
    told = json.loads(path.read_bytes())
    return Tables(told["package"], told["version"], path, told)


@cache
def codes() -> Mapping[str, Mapping[str, Any]]:
    """FHIR's own `value_sets` and `code_systems`."""
    found: Mapping[str, Mapping[str, Any]] = json.loads((suite.schemas() / "fhir-r4" / "codes.json").read_bytes())
    return found


@cache
def unpacked() -> Mapping[str, Mapping[str, Any]]:
    """Value sets by URL that the guides and FHIR do not list, or not right (schemas/us-core/value-sets.toml)."""
    told = tomllib.loads((suite.schemas() / "us-core" / "value-sets.toml").read_text(encoding="utf-8"))["set"]
    return {each["url"]: {"in": [list(part) for part in each["codes"].items()]} for each in told}


@cache
def types() -> Mapping[str, Mapping[str, Any]]:
    """FHIR's own types by name, groups by path."""
    found: Mapping[str, Mapping[str, Any]] = _fhir()["types"]
    return found


@cache
def severities() -> Mapping[str, str]:
    """The severity of each of FHIR's own invariants."""
    found: Mapping[str, str] = _fhir()["invariants"]
    return found


@cache
def _fhir() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((suite.schemas() / "fhir-r4" / "types.json").read_bytes())
    return found


def resource_types() -> Iterator[str]:
    """The name of every type of resource."""
    return (name for name, each in types().items() if each["kind"] == "resource")


def _element(name: str, told: Mapping[str, Any]) -> Element:
    slicing = told.get("slicing")
    return Element(
        id=name,
        min=told.get("min", 0),
        max=told.get("max"),
        types=tuple(_kind(each) for each in told.get("types", ())),
        fixed=told.get("fixed"),
        pattern=told.get("pattern"),
        slicing=Slicing(
            tuple((each[0], each[1]) for each in slicing["by"]), slicing["rules"], slicing.get("ordered", False)
        )
        if slicing
        else None,
        binding=Binding(*told["binding"]) if "binding" in told else None,
        must_support=told.get("ms", False),
        uscdi=told.get("uscdi", False),
        invariants=tuple(Invariant(*each) for each in told.get("inv", ())),
    )


def _kind(told: Mapping[str, Any]) -> Kind:
    return Kind(
        told["code"], tuple(told.get("profiles", ())), tuple(told.get("targets", ())), told.get("ms", False),
        tuple(told.get("ms_targets", ())),
    )  # fmt: skip
