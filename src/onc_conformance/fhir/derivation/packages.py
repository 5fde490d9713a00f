"""A FHIR package, read in bounded memory: the resources it defines, never its examples unless asked."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onc_conformance.findings import UsageError

MAX_MEMBER = 32 * 1024 * 1024
MAX_TOTAL = 1024 * 1024 * 1024
_KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "CapabilityStatement")


def is_package(data: bytes) -> bool:
    """Whether these are the first bytes of a gzip, which is what a package is sent as."""
    return data[:2] == b"\x1f\x8b"


def members(path: Path, folder: str = "package") -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of each JSON object directly in a folder of the package. UsageError where it cannot be read."""
    total = 0
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                parent, _, name = member.name.removeprefix("./").rpartition("/")
                if not member.isfile() or parent != folder or not name.endswith(".json") or name.startswith("."):
                    continue
                total += member.size
                if member.size > MAX_MEMBER or total > MAX_TOTAL:
                    raise UsageError(f"{path}: {member.name} makes the package larger than is read")
                file = archive.extractfile(member)
                told = json.loads(file.read()) if file else None
                if isinstance(told, dict):
                    yield name, told
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UsageError(f"{path}: no FHIR package: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: a definition in it is not JSON: {error}") from None


def manifest_and_definitions(path: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """What the package says of itself, and its definitions by kind. UsageError where it is no FHIR package."""
    manifest: dict[str, Any] = {}
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
    for name, told in members(path):
        if name == "package.json":
            manifest = told
        elif told.get("resourceType") in found:
            found[told["resourceType"]].append(told)
    if not isinstance(manifest.get("name"), str) or not isinstance(manifest.get("version"), str):
        raise UsageError(f"{path}: no FHIR package: package/package.json with a name and a version is not in it")
    if not found["StructureDefinition"]:
        raise UsageError(
            f"{path}: package {manifest['name']} defines no profile; expected package/StructureDefinition-*"
        )
    versions = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or ["4.0.1"]
    if not any(str(each).startswith("4.0") for each in versions):
        raise UsageError(f"{path}: written for FHIR {', '.join(map(str, versions))}; expected 4.0")
    return manifest, found


def bundled(path: Path) -> Iterator[dict[str, Any]]:
    """The resources of one of the definition Bundles HL7 publishes with FHIR itself, gzipped or not."""
    data = path.read_bytes()
    told = json.loads(gzip.decompress(data) if is_package(data) else data)
    for entry in told["entry"]:
        yield entry["resource"]
