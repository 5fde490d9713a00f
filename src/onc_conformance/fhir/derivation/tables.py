"""The tables written: FHIR's own definitions into one folder, a guide's package into one file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onc_conformance.fhir.derivation import codes, packages, profiles, searches, types


def of_fhir(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Types, and codes, out of the folder of FHIR's definitions."""
    definitions = [
        each
        for name in ("profiles-types", "profiles-resources")
        for each in packages.bundled(_file(folder, name))
        if each["resourceType"] == "StructureDefinition"
    ]
    nodes = types.types(definitions)
    described = [each for name in ("valuesets", "v3-codesystems") for each in packages.bundled(_file(folder, name))]
    told = [each for each in described if each["resourceType"] == "CodeSystem"]
    by_url = {each["url"]: each for each in told}
    named = {row[3][1] for node in nodes.values() for row in node["elements"].values() if row[3]}
    # What only an example binds to is not kept; a guide may bind to any other
    every = codes.value_sets((each for each in described if each["resourceType"] == "ValueSet"), by_url)
    sets = {url: told for url, told in every.items() if url in named or len(json.dumps(told)) < 4_000}
    used = {system for told in sets.values() for system, _ in (*told["in"], *told.get("out", ()))}
    listed = {url: each for url, each in codes.systems(told).items() if url in used}
    rules = {name: severity for name, (severity, _) in sorted(types.invariants(definitions).items())}
    return {"version": "4.0.1", "types": nodes, "invariants": rules}, {"value_sets": sets, "code_systems": listed}


def of_package(path: Path, base: Mapping[str, Any], *, expressions: bool = False) -> dict[str, Any]:
    """One guide: what it says of itself, profiles, codes, searches.

    With `expressions` its invariants as it writes them, by digest, too: for a user's own use, never to be shipped.
    """
    manifest, found = packages.manifest_and_definitions(path)
    described = {each["url"]: each for each in found["CodeSystem"] if "url" in each}
    definitions = found["StructureDefinition"]
    told: dict[str, Any] = {
        "package": manifest["name"],
        "version": manifest["version"],
        "fhir": "4.0.1",
        "profiles": profiles.profiles(definitions, base["types"]),
        "value_sets": codes.value_sets(found["ValueSet"], described),
        "code_systems": codes.systems(found["CodeSystem"]),
        "searches": searches.searches(found["CapabilityStatement"], found["SearchParameter"]),
    }
    if expressions:
        own = {
            rule[2]
            for each in told["profiles"].values()
            for row in each["elements"].values()
            for rule in row.get("inv", ())
        }
        every = {
            profiles.digest(rule["expression"]): rule["expression"]
            for each in definitions
            for element in each.get("snapshot", {}).get("element", ())
            for rule in element.get("constraint", ())
            if rule.get("expression")
        }
        told["expressions"] = {digest: every[digest] for digest in sorted(own & every.keys())}
    return told


def text(table: Mapping[str, Any]) -> str:
    """A table as JSON, a line for each entry of its parts: read at once, and fit to be compared by lines."""
    return "".join(_lines(table))


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    yield "{\n"
    yield from _joined((f"{_json(name)}:{_part(value)}" for name, value in table.items()), ",\n")
    yield "\n}\n"


def _part(value: Any) -> str:
    if isinstance(value, dict) and value:
        entries = ",\n".join(f"{_json(name)}:{_json(each)}" for name, each in sorted(value.items()))
        return f"{{\n{entries}}}"
    return _json(value)


def _joined(parts: Iterable[str], between: str) -> Iterator[str]:
    for number, part in enumerate(parts):
        yield between + part if number else part


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _file(folder: Path, name: str) -> Path:
    return next(path for path in (folder / f"{name}.json.gz", folder / f"{name}.json") if path.is_file())
