"""A FHIR document judged: one resource, or a Bundle with every resource in it."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from onc_conformance import fhir, vocabulary
from onc_conformance.fhir import reading
from onc_conformance.fhir.hearing import MOST
from onc_conformance.findings import SUPPRESSED, Finding, Layer, Severity
from onc_conformance.judging.bundled import Held, of_bundle, of_entries
from onc_conformance.judging.judgement import SECONDS, Judgement
from onc_conformance.moments import Days
from onc_conformance.record import Record

_AT_ONCE = 500
"""Entries of a large Bundle whose outlines are held against its own rules together."""
_ENTRY = re.compile(r"^Bundle\.entry\[(\d+)\]")
_TWICE = "bdl-7"
_OF_THE_FIRST = frozenset({"bdl-11", "bdl-12"})
"""Rules about the first entry of all."""
MOST_OF_ALL = 10 * MOST
"""Findings of each severity told of one document."""


def judge_fhir(
    data: bytes,
    edition: str,
    version: str | None = None,
    profiles: Sequence[str] | None = None,
    *,
    path: str = "-",
    line: int | None = None,
    records: Sequence[Record] = (),
    window: Days | None = None,
) -> Judgement:
    """FHIR JSON by R4 and a version of US Core; a Bundle also by the one of the `records` whose patient it names.

    `line` is where it stands in a file of many.
    """
    began = time.perf_counter()
    guide = fhir.load(version or fhir.DEFAULT)
    seconds: dict[str, float | None] = dict.fromkeys((*SECONDS, "total"))
    spent: dict[str, float] = {}
    bundle = reading.large_bundle(data)
    read = reading.read(data) if bundle is None else reading.Reading()
    if bundle is None:
        seconds["parse"] = time.perf_counter() - began
        findings: Iterable[Finding] = read.findings
        kind = "unreadable"
        if read.readable:
            findings = [*read.findings, *fhir.validate(read.resource, guide, profiles, spent=spent)]
            kind = _kind(read.resource, guide, profiles)
    else:
        seconds["parse"] = time.perf_counter() - began
        findings, kind = _entry_by_entry(bundle, guide, profiles, spent), "Bundle"
    told = _bounded(findings)
    if records and kind.startswith("Bundle"):
        start = time.perf_counter()
        told += (of_bundle(read.resource or {}) if bundle is None else _passing(bundle)).against(records, window)
        seconds["content"] = time.perf_counter() - start
    if kind != "unreadable":
        # Codes are judged where they are met, within the other two
        seconds.update(schema=spent.get("schema", 0.0), templates=spent.get("templates", 0.0), vocabulary=0.0)
    seconds["total"] = time.perf_counter() - began
    if line is not None:
        told = [replace(each, line=line) for each in told]
    return Judgement(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        document_type=kind,
        edition=f"{edition}, US Core {guide.version}",
        verdict="fail" if any(each.severity is Severity.ERROR for each in told) else "pass",
        findings=tuple(dict.fromkeys(told)),
        seconds={name: None if each is None else round(each, 6) for name, each in seconds.items()},
    )


def _passing(bundle: reading.Entries) -> Held:
    return of_entries(lambda: (each.resource for each in bundle))


def _kind(resource: Any, guide: fhir.Tables, asked: Sequence[str] | None) -> str:
    """Its type, and the profiles it is judged by."""
    named = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(named, str):
        return "unknown"
    told = asked if asked and named != "Bundle" else [each.id for each in fhir.profiles(resource, guide)]
    return f"{named} ({', '.join(told)})" if told else named


def _entry_by_entry(
    bundle: reading.Entries, guide: fhir.Tables, profiles: Sequence[str] | None, spent: dict[str, float]
) -> Iterator[Finding]:
    """The Bundle as it is without what its entries hold, and each entry after another: memory holds few."""
    shell = reading.read(bundle.shell)
    yield from shell.findings
    if not shell.readable or not isinstance(shell.resource, dict):
        return
    outlines = _Outlines(shell.resource, guide, spent)
    for number, entry in enumerate(bundle):
        place = f"Bundle.entry[{number}]"
        yield from (replace(each, path=place, line=None) for each in entry.findings)
        told = entry.resource
        if not isinstance(told, dict) or "resource" not in told:
            yield from outlines.add(told)
            continue
        resource = told["resource"]
        yield from outlines.add({**told, "resource": _outline(resource)})
        meant = fhir.of_type(guide, profiles, resource)
        yield from fhir.validate(resource, guide, meant, path=f"{place}.resource", spent=spent)
    yield from outlines.end()


class _Outlines:
    """A Bundle's own rules over entries without their resources, so many of them at once."""

    def __init__(self, shell: dict[str, Any], guide: fhir.Tables, spent: dict[str, float]) -> None:
        self._shell, self._guide, self._spent = shell, guide, spent
        self._kept: list[Any] = []
        self._begin = 0
        self._told: set[Finding] = set()
        self._names: set[int] = set()
        self._twice: Any = None

    def add(self, entry: Any) -> Iterator[Finding]:
        """One entry more; what is wrong with the last few, when there are enough of them."""
        self._kept.append(entry)
        if isinstance(entry, dict) and "fullUrl" in entry:
            resource = entry.get("resource")
            meta = resource.get("meta") if isinstance(resource, dict) else None
            name = hash((str(entry["fullUrl"]), str(meta.get("versionId")) if isinstance(meta, dict) else ""))
            self._twice = self._twice or (entry if name in self._names else None)
            self._names.add(name)
        if len(self._kept) == _AT_ONCE:
            yield from self._judged()

    def end(self) -> Iterator[Finding]:
        """What is wrong with the rest, and with all of them together."""
        if self._kept or not self._begin:
            yield from self._judged()
        if self._twice:
            both = self._of([self._twice, self._twice])
            yield from (each for each in both if each.rule == _TWICE)

    def _judged(self) -> Iterator[Finding]:
        for each in self._of(self._kept):
            first_only = self._begin and each.rule in _OF_THE_FIRST
            if each.rule == _TWICE or first_only or (each.rule == "ele-1" and not self._kept):
                continue
            moved = replace(each, path=_ENTRY.sub(self._moved, each.path or "", count=1) or None)
            if moved not in self._told:
                yield moved
            if moved.path == each.path:  # of the Bundle itself, which stands around every few of them
                self._told.add(moved)
        self._begin += len(self._kept)
        self._kept = []

    def _of(self, entries: list[Any]) -> list[Finding]:
        return fhir.validate({**self._shell, "entry": entries}, self._guide, within=False, spent=self._spent)

    def _moved(self, match: re.Match[str]) -> str:
        return f"Bundle.entry[{int(match[1]) + self._begin}]"


def _outline(resource: Any) -> Any:
    if not isinstance(resource, dict):
        return resource
    return {name: resource[name] for name in ("resourceType", "id", "meta") if name in resource}


def _bounded(findings: Iterable[Finding]) -> list[Finding]:
    """No more than can be told, codes that were not judged and advice added up."""
    told: list[Finding] = []
    added: dict[str, tuple[Finding, int]] = {}
    many: Counter[Severity] = Counter()
    for each in findings:
        counted = each.rule in (vocabulary.NOT_JUDGED, SUPPRESSED)
        if counted or each.rule in fhir.ADVICE:
            number = int(each.found or 0) if counted else 1
            added[each.message] = (each, added.get(each.message, (each, 0))[1] + number)
            continue
        many[each.severity] += 1
        if many[each.severity] <= MOST_OF_ALL:
            told.append(each)
    for each, number in added.values():
        told.append(each if number == 1 and each.rule in fhir.ADVICE else replace(each, path=None, found=str(number)))
    if more := sum(max(0, number - MOST_OF_ALL) for number in many.values()):
        said = f"more is wrong than the {MOST_OF_ALL} findings that are told"
        severity = Severity.ERROR if many[Severity.ERROR] > MOST_OF_ALL else Severity.INFO
        told.append(Finding(layer=Layer.SCHEMA, severity=severity, rule="FHIR-MANY", message=said, found=str(more)))
    return told
