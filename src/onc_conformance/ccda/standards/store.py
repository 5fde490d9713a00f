"""Where imported standards are kept: a folder each, with what is known of it and its rules in a form read at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from onc_conformance import suite, vocabulary
from onc_conformance.ccda import contexts
from onc_conformance.ccda.engine import RuleSet
from onc_conformance.ccda.rules import Assertion, Pattern, Rule
from onc_conformance.ccda.standards import lookups, schematron
from onc_conformance.ccda.standards.schematron import Schematron
from onc_conformance.findings import Severity, UsageError

HEADER = "2.16.840.1.113883.10.20.22.1.1"
"""Root of the US Realm Header template, which every C-CDA release dates anew."""
ANY = "*"
"""Stands for every extension."""
_FORM = 1
_MANIFEST, _RULES = "standard.json", "rules.json"

TemplateKey = tuple[str, str]
"""Root and extension; the extension is empty where there is none."""


@dataclass(frozen=True)
class Standard:
    """An imported rule file."""

    name: str
    title: str | None
    said: str | None
    """What the file says of where it comes from."""
    source: str
    """The file as it was named when it was imported."""
    sha256: str
    """Of that file."""
    imported: str
    """The day."""
    rules_sha256: str
    """Of the rules as kept."""
    assertions: int
    not_run: tuple[tuple[str, str], ...]
    """What of it cannot be run, and why."""
    looks_up: tuple[str, ...]
    """Value sets its tests look codes up in."""
    looked_up: tuple[str, ...]
    """Those whose codes came with it."""
    documents: tuple[TemplateKey, ...]
    """Document templates it has rules for."""
    templates: tuple[TemplateKey, ...]
    """All templates it has rules for."""

    def knows(self, root: str, extension: str) -> bool:
        """Whether it has rules for a template."""
        return not self._known.isdisjoint({(root, extension), (root, ANY)})

    @cached_property
    def _known(self) -> frozenset[TemplateKey]:
        return frozenset(self.templates)

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return _folder() / self.name

    @property
    def releases(self) -> tuple[str, ...]:
        """Extensions of the US Realm Header it was written for, the latest first."""
        return tuple(sorted((extension for root, extension in self.documents if root == HEADER), reverse=True))


def standards() -> list[Standard]:
    """Every imported standard by name. UsageError where one is damaged."""
    folder = _folder()
    if not folder.is_dir():
        return []
    kept = (each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith("."))
    return [_manifest(each, _changed(each / _MANIFEST)) for each in kept]


def add(path: Path, codes: Path | None = None) -> Standard:
    """Import a rule file; one imported earlier under the same name is replaced.

    `codes` holds the value sets its tests look up; without it the file they name is looked for beside it, and what is
    not found there is asked of the vocabulary at hand when a document is judged. UsageError where it cannot be used.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    read = schematron.load(data, str(path))
    found = _codes(path, codes, read.lookups)
    content = _dump(read, found)
    templates, documents = _templates(read)
    rules = RuleSet(read.patterns, _namespaces(read.namespaces), lookups.functions(found), read.variables)
    not_run = dict(read.not_run)
    not_run.update(each for each in (_told(problem) for problem in rules.problems()))
    standard = Standard(
        name=re.sub(r"[^\w.+-]+", "-", path.stem).strip(".-") or "standard",
        title=read.title,
        said=read.said,
        source=str(path.resolve()),
        sha256=hashlib.sha256(data).hexdigest(),
        imported=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        rules_sha256=hashlib.sha256(content).hexdigest(),
        assertions=len({each.id for pattern in read.patterns for rule in pattern.rules for each in rule.assertions}),
        not_run=tuple(sorted(not_run.items())),
        looks_up=tuple(sorted({oid for _, oid in read.lookups})),
        looked_up=tuple(sorted(found)),
        documents=documents,
        templates=templates,
    )
    _keep(standard, content)
    return standard


def ruleset(standard: Standard) -> RuleSet:
    """Its rules, ready to judge; read once. UsageError where they are damaged."""
    return _ruleset(standard.folder, standard.rules_sha256)


def content(standard: Standard) -> bytes:
    """Its rules as kept. UsageError where they are not what was imported."""
    return _content(standard.folder / _RULES, standard.rules_sha256)


def _content(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _damaged(path, error.strerror or "unreadable") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _damaged(path, "it is not what was imported: its sha256 differs")
    return data


@cache
def _ruleset(folder: Path, sha256: str) -> RuleSet:
    kept = json.loads(_content(folder / _RULES, sha256))
    codes = {**_from_vocabulary(kept["lookups"]), **kept["codes"]}
    severities = {each.value: each for each in Severity}
    assertions = [
        Assertion(name, test, severities[severity], message, unjudged=unjudged or _unknown(test, codes))
        for name, test, severity, message, unjudged in kept["assertions"]
    ]
    patterns = [
        Pattern(
            name,
            tuple(
                Rule(context, tuple(assertions[number] for number in numbers), tuple((n, v) for n, v in variables))
                for context, variables, numbers in rules
            ),
        )
        for name, rules in kept["patterns"]
    ]
    return RuleSet(patterns, _namespaces(kept["namespaces"]), lookups.functions(codes), kept["variables"])


def _folder() -> Path:
    return suite.imported() / "standards"


def _namespaces(own: Mapping[str, str]) -> dict[str, str]:
    return {**own, lookups.PREFIX: lookups.NAMESPACE}


def _codes(path: Path, given: Path | None, wanted: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    by_file: dict[str, set[str]] = {}
    for file, oid in wanted:
        by_file.setdefault(file, set()).add(oid)
    for file, oids in by_file.items():
        # Only a file beside it: a rule file has no business elsewhere on the disk
        beside = given or path.parent / Path(file).name
        if given or beside.is_file():
            found.update(lookups.codes(beside, oids))
    return found


def _from_vocabulary(oids: Iterable[str]) -> dict[str, set[str]]:
    found = {}
    for oid in oids:
        known = vocabulary.value_set(oid)
        if known is not None and known.closed:
            found[oid] = {code for codes in known.codes.values() for code in codes}
    return found


def _unknown(test: str, codes: Mapping[str, Any]) -> str | None:
    missing = sorted(lookups.named(test) - set(codes))
    if not missing:
        return None
    return f"the codes of value set {', '.join(missing)} are not at hand; import the rules with voc.xml beside them"


def _dump(read: Schematron, codes: Mapping[str, Iterable[str]]) -> bytes:
    numbers: dict[Assertion, int] = {}
    patterns = [
        [
            pattern.id,
            [
                [
                    rule.context,
                    [list(each) for each in rule.variables],
                    [numbers.setdefault(each, len(numbers)) for each in rule.assertions],
                ]
                for rule in pattern.rules
            ],
        ]
        for pattern in read.patterns
    ]
    kept = {
        "namespaces": read.namespaces,
        "variables": read.variables,
        "lookups": sorted({oid for _, oid in read.lookups}),
        "codes": {oid: list(each) for oid, each in codes.items()},
        "assertions": [[each.id, each.test, each.severity, each.message, each.unjudged] for each in numbers],
        "patterns": patterns,
    }
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def _templates(read: Schematron) -> tuple[tuple[TemplateKey, ...], tuple[TemplateKey, ...]]:
    every: set[TemplateKey] = set()
    documents: set[TemplateKey] = set()
    for pattern in read.patterns:
        for rule in pattern.rules:
            for each in contexts.read(rule.context, read.namespaces):
                if each.template and each.tag:
                    extension = ANY if each.template.any_extension else each.template.extension or ""
                    every.add((each.template.root, extension))
                    if each.tag.endswith("}ClinicalDocument"):
                        documents.add((each.template.root, extension))
    return tuple(sorted(every)), tuple(sorted(documents))


def _told(problem: str) -> tuple[str, str]:
    name, _, why = problem.partition(": ")
    return name, why


def _keep(standard: Standard, content: bytes) -> None:
    """Written whole or not at all."""
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as unfinished:
            new = Path(unfinished) / "new"
            new.mkdir()
            (new / _RULES).write_bytes(content)
            manifest = {"form": _FORM, **asdict(standard)}
            (new / _MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
            if standard.folder.exists():
                standard.folder.rename(Path(unfinished) / "old")
            new.rename(standard.folder)
    except OSError as error:
        raise UsageError(f"{folder}: the standard cannot be kept there: {error.strerror}") from None


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@cache
def _manifest(folder: Path, _changed: int) -> Standard:
    path = folder / _MANIFEST
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept.pop("form") != _FORM:
            raise _damaged(path, "it was written by another version")
        pairs = {name: tuple(tuple(each) for each in kept[name]) for name in ("not_run", "documents", "templates")}
        lists = {name: tuple(kept[name]) for name in ("looks_up", "looked_up")}
        standard = Standard(**{**kept, **pairs, **lists})
    except OSError as error:
        raise _damaged(path, error.strerror or "unreadable") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"not as it was written ({type(error).__name__})") from None
    return replace(standard, name=folder.name)


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(f"{path}: {why}; import the standard again, or remove {path.parent}")
