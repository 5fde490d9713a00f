"""`standards`: the template rules at hand, ours and imported ones, where they come from, and whether they work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from onc_conformance import fhir, suite
from onc_conformance.ccda import templates
from onc_conformance.ccda.engine import RuleSet
from onc_conformance.ccda.standards import canary, store
from onc_conformance.ccda.standards.store import Standard
from onc_conformance.exits import Exit
from onc_conformance.fhir import imports, tables
from onc_conformance.fhir.derivation.packages import is_package
from onc_conformance.fhir.errata import errata
from onc_conformance.fhir.invariants import GUIDE
from onc_conformance.findings import Severity, UsageError


def told(out: TextIO) -> Exit:
    """A line for each rule table and each imported standard: name, sha256, what it is, where it comes from, when."""
    for path in _tables():
        row = ("built-in", path.stem, _sha256(path), "-", "-")
        out.write("\t".join(row) + "\n")
    for version in _guides():
        row = (
            "built-in",
            f"US Core {version}",
            _sha256(suite.schemas() / "us-core" / f"{version}.json"),
            "FHIR 4.0.1",
            "-",
        )
        out.write("\t".join(row) + "\n")
    for package in imports.packages_kept():
        row = (
            "imported", package.name, package.sha256, f"{package.profiles} profiles",
            f"from {package.source} on {package.imported}",
        )  # fmt: skip
        out.write("\t".join(row) + "\n")
    for each in store.standards():
        meant = f"US Realm Header {', '.join(each.releases)}" if each.releases else "-"
        known = ", ".join(filter(None, (each.title, each.said))) or "-"
        row = ("imported", each.name, each.sha256, meant, f"{known}; from {each.source} on {each.imported}")
        out.write("\t".join(row) + "\n")
    return Exit.CONFORMS


def taken_in(path: Path, codes: Path | None, out: TextIO) -> Exit:
    """Import a rule file, or a FHIR package, and say what of it is kept."""
    if _is_package(path):
        package = imports.add(path)
        out.write(f"imported {package.name}: {package.profiles} profiles, sha256 {package.sha256}\n")
        out.writelines(f"  not run: {each}\n" for each in imports.troubles(package))
        return Exit.CONFORMS
    standard = store.add(path, codes)
    out.write(f"imported {standard.name}: {standard.assertions} rules, sha256 {standard.sha256}\n")
    out.writelines(f"  not run: {name}: {why}\n" for name, why in standard.not_run)
    if missing := sorted(set(standard.looks_up) - set(standard.looked_up)):
        out.write(
            f"  looked up, but without codes: {', '.join(missing)}; rules that need them are judged only where the "
            "vocabulary at hand has them, else reported as not judged\n"
        )
    return Exit.CONFORMS


def checked(out: TextIO) -> Exit:
    """Whether every rule table and standard is whole, compiles, and finds fault with a document that is all wrong."""
    failed = False
    packages = [("imported", each.name, list(imports.troubles(each))) for each in imports.packages_kept()]
    guides = [("built-in", f"US Core {each}", list(_unjudged(each))) for each in _guides()]
    for kind, name, troubles in (_ours(), *guides, *packages, *map(_imported, store.standards())):
        failed = failed or bool(troubles)
        out.write(f"{'failed' if troubles else 'ok':<8}{kind}\t{name}\n")
        out.writelines(f"        {each}\n" for each in troubles)
    return Exit.OBJECTIONS if failed else Exit.CONFORMS


def _is_package(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_package(file.read(2))
    except OSError:
        return False


def _guides() -> list[str]:
    return sorted(each.stem for each in (suite.schemas() / "us-core").glob("*.json"))


def _unjudged(version: str) -> Iterator[str]:
    """Of a guide of ours: rules nobody judges, and a resource with nothing in it that no profile objects to."""
    guide = tables.read(suite.schemas() / "us-core" / f"{version}.json")
    for profile in guide.profiles.values():
        for element in profile.elements:
            for rule in element.invariants:
                if rule.digest not in GUIDE and (rule.digest, element.path) not in errata():
                    yield f"{profile.id}: the rule {rule.id} ({rule.digest}) at {element.id} is not judged"
        resource = {"resourceType": profile.type}
        if profile.context is None and not any(
            each.severity is Severity.ERROR for each in fhir.validate(resource, guide, [profile.id])
        ):
            yield f"{profile.id}: finds no error in a resource with nothing in it; it judges nothing"


def _ours() -> tuple[str, str, list[str]]:
    return "built-in", ", ".join(path.stem for path in _tables()), list(_troubles(templates.ruleset()[0]))


def _imported(standard: Standard) -> tuple[str, str, list[str]]:
    try:
        rules = store.ruleset(standard)
    except UsageError as error:
        return "imported", standard.name, [str(error)]
    source = Path(standard.source)
    changed = []
    if source.is_file() and _sha256(source) != standard.sha256:
        changed = [f"{source} is no longer what was imported; import it again"]
    known = dict(standard.not_run)
    return "imported", standard.name, changed + [each for each in _troubles(rules) if each.split(": ")[0] not in known]


def _troubles(rules: RuleSet) -> Iterator[str]:
    yield from rules.problems()
    if not canary.sings(rules):
        yield "finds no error in a document that is all wrong; these rules judge nothing"


def _tables() -> list[Path]:
    return sorted((suite.schemas() / "ccda" / "templates").glob("*.json"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
