"""FHIR packages a user imported, each a file: the facts of ours, and the package's own expressions for that user."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onc_conformance import suite
from onc_conformance.fhir import tables
from onc_conformance.fhir.derivation import tables as derived
from onc_conformance.fhir.invariants import GUIDE
from onc_conformance.findings import UsageError

_FORM = 1


@dataclass(frozen=True, slots=True)
class Package:
    """An imported package."""

    name: str
    """With its version."""
    path: Path
    source: str
    sha256: str
    """Of the package."""
    imported: str
    """The day."""
    profiles: int
    table_sha256: str


def add(path: Path) -> Package:
    """Import a package; one imported earlier under the same name and version is replaced.

    UsageError where it is none, or cannot be kept.
    """
    table = derived.of_package(path, {"types": tables.types()}, expressions=True)
    if not all(re.fullmatch(r"[\w.+-]+", table[each]) for each in ("package", "version")):
        raise UsageError(f"{path}: {table['package']} {table['version']} is no name and version of a package")
    told = derived.text(table)
    package = Package(
        f"{table['package']} {table['version']}",
        tables.imported(table["package"], table["version"]),
        str(path.resolve()),
        hashlib.sha256(path.read_bytes()).hexdigest(),
        dt.datetime.now(tz=dt.UTC).date().isoformat(),
        len(table["profiles"]),
        hashlib.sha256(told.encode()).hexdigest(),
    )
    manifest = {"form": _FORM, **{name: getattr(package, name) for name in package.__slots__ if name != "path"}}
    _put(package.path, told)
    _put(_manifest(package.path), json.dumps(manifest, ensure_ascii=False, indent=1))
    return package


def packages_kept() -> list[Package]:
    """Every imported package by name. UsageError where one is damaged."""
    folder = suite.imported() / "standards"
    return [_read(each) for each in sorted(folder.glob("*.package.json"))] if folder.is_dir() else []


def troubles(package: Package) -> Iterator[str]:
    """What is wrong with an imported package: changed, gone, or with rules nobody can judge."""
    try:
        data = package.path.read_bytes()
    except OSError as error:
        yield f"{package.path}: {error.strerror}"
        return
    if hashlib.sha256(data).hexdigest() != package.table_sha256:
        yield f"{package.path}: it is not what was imported: its sha256 differs; import the package again"
        return
    source = Path(package.source)
    if source.is_file() and hashlib.sha256(source.read_bytes()).hexdigest() != package.sha256:
        yield f"{source} is no longer what was imported; import it again"
    from onc_conformance.fhir.expressions import objection

    for digest, expression in tables.read(package.path).expressions.items():
        if digest not in GUIDE and (why := objection(expression)):
            yield f"the rule {digest} cannot be run: {why}"


def _read(path: Path) -> Package:
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if kept.pop("form") != _FORM:
            raise UsageError(f"{path}: it was written by another version; import the package again")
        return Package(path=path.with_name(path.name.replace(".package.json", ".json")), **kept)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path}: not as it was written ({type(error).__name__}); import the package again, or remove it"
        ) from None


def _manifest(path: Path) -> Path:
    return path.with_name(f"{path.stem}.package.json")


def _put(path: Path, text: str) -> None:
    """Written whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as unfinished:
            new = Path(unfinished) / path.name
            new.write_text(text, encoding="utf-8")
            new.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: the package cannot be kept there: {error.strerror}") from None
