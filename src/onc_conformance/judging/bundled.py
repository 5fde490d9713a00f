"""A Bundle, or a file with a resource on each line, held against the expected record of its patient."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from onc_conformance import moments, record, uscdi
from onc_conformance.fhir import facts, patients, reading
from onc_conformance.fhir.bundle import Bundle, Passing, Placed
from onc_conformance.fhir.told import Told, told
from onc_conformance.findings import Finding, Layer, Severity, UsageError
from onc_conformance.judging.accounts import Account
from onc_conformance.judging.judgement import SECONDS, Judgement
from onc_conformance.moments import Days, Standing
from onc_conformance.record import Fact, Record, letters
from onc_conformance.record.comparing import likeness
from onc_conformance.record.index import keys
from onc_conformance.record.seen import Likeness

Place = tuple[str | None, int | None]
"""FHIRPath and line of a resource; None where it has none."""
_HEADER = ("death_date", "birth_sex", "race", "ethnicity", "language", "marital_status")
"""What is compared of a Patient beside name, birth date and sex, by which the record is chosen."""


@dataclass(frozen=True)
class Held:
    """Resources of one document, each of which knows where it stands."""

    bundle: Bundle

    def against(self, records: Sequence[Record], window: Days | None = None) -> list[Finding]:
        """What is missing, told otherwise, another patient's, or in no record; of several records, by the patient's."""
        bundle = self.bundle
        people = bundle.of("Patient")
        chosen = _whose(people, records)
        if chosen is None:
            at = _place(people[0]) if people else (None, None)
            known = ", ".join(each.id for each in records)
            who = ", ".join(_called(each) for each in people) or "no Patient"
            message = "the resources are of none of the expected patients"
            return [_finding("IDENTITY", Severity.ERROR, message, known, who, at=at)]
        owner = next((each for each in people if _is(each, chosen)), people[0])
        findings = list(self._identity(people, owner, chosen))
        due = chosen if window is None else replace(chosen, facts=tuple(_due(each, window) for each in chosen.facts))
        account = Account(due, told(bundle), frozenset(row["kind"] for row in facts.table()))
        return [*findings, *self._facts(account, [each for each in records if each is not chosen], window)]

    def _identity(
        self, people: Sequence[Mapping[str, Any]], owner: Mapping[str, Any], chosen: Record
    ) -> Iterator[Finding]:
        place = _place(owner)
        for each in people:
            if each is not owner:
                message = "another Patient is among the resources"
                yield _finding("IDENTITY", Severity.ERROR, message, chosen.id, _called(each), at=_place(each))
        wanted = f"{' '.join(chosen.name.given)} {chosen.name.family}, born {chosen.birth_date[:10]}"
        if not _is(owner, chosen):
            yield _finding("IDENTITY", Severity.ERROR, "the Patient is somebody else", wanted, _called(owner), at=place)
            return
        try:
            [found] = record.of_tables([patients.patient(dict(owner))], Path("Patient"))
        except (ValueError, UsageError):
            return  # the form of the Patient is told elsewhere
        for name in ("sex", *_HEADER):
            expected, there = getattr(chosen, name), getattr(found, name)
            if expected and expected != "unknown" and not _alike(expected, there):
                message = f"the {name.replace('_', ' ')} of the Patient differs"
                severity = Severity.WARNING if not there else Severity.ERROR
                yield _finding(
                    "CONTENT-DIFFERS", severity, message, _spoken(expected), _spoken(there) or "none", at=place
                )

    def _facts(self, account: Account, others: Sequence[Record], window: Days | None) -> Iterator[Finding]:
        for fact in account.missing:
            message = f"{uscdi.title(fact.kind)}: absent"
            there = sum(each.kind == fact.kind for each in account.told)
            yield _finding("CONTENT-MISSING", Severity.ERROR, message, str(fact), f"{there} others", at=(None, None))
        for fact, seen, each, severity in account.differing:
            if severity is not Severity.INFO:
                message = f"{uscdi.title(fact.kind)}: the {each.what.replace('_', ' ')} of {fact} differs"
                place = _place(seen.resource)
                yield _finding("CONTENT-DIFFERS", severity, message, each.expected, each.found, at=place)
        for seen, severity in account.extra:
            if window and not any(days.standing(window) is Standing.IN for days in seen.stated):
                continue
            owner = next((each for each in others if any(_same(fact, seen) for fact in each.facts)), None)
            rule, message = "CONTENT-EXTRA", f"{uscdi.title(seen.kind)}: not in the expected record"
            if owner:
                rule, message = "CONTENT-FOREIGN", f"{uscdi.title(seen.kind)}: belongs to {owner.id}, another patient"
            gravity = Severity.ERROR if owner else severity
            yield _finding(rule, gravity, message, "no such fact", str(seen), at=_place(seen.resource))


def _place(resource: Mapping[str, Any]) -> Place:
    return (resource.path, resource.line) if isinstance(resource, Placed) else (None, None)


def of_entries(again: Callable[[], Iterable[Any]]) -> Held:
    """The resources of a Bundle's entries, which `again` tells anew whenever it is called."""
    return Held(
        Passing(
            lambda: (
                Placed(each["resource"], f"Bundle.entry[{number}].resource")
                for number, each in enumerate(again())
                if isinstance(each, dict) and isinstance(each.get("resource"), dict)
            )
        )
    )


def of_bundle(resource: Mapping[str, Any]) -> Held:
    """The resources of a Bundle that is at hand whole."""
    entries = resource.get("entry")
    return of_entries(lambda: entries if isinstance(entries, list) else ())


def of_lines(lines: Sequence[tuple[int, bytes]]) -> Held:
    """The resources of lines by their numbers; what is no resource is told where the line is judged."""

    def again() -> Iterator[Placed]:
        for number, line in lines:
            resource = reading.read(line).resource
            if isinstance(resource, dict):
                yield Placed(resource, str(resource.get("resourceType")), number)

    return Held(Passing(again))


def judge_lines(
    path: str, lines: Sequence[tuple[int, bytes]], edition: str, records: Sequence[Record], window: Days | None = None
) -> Judgement:
    """All lines of a file together, against the record alone; each by itself is judged elsewhere."""
    began = time.perf_counter()
    findings = of_lines(lines).against(records, window)
    seconds: dict[str, float | None] = dict.fromkeys((*SECONDS, "total"))
    seconds["content"] = seconds["total"] = round(time.perf_counter() - began, 6)
    digest, size = sha256(), 0
    for _, line in lines:
        digest.update(line)
        size += len(line)
    return Judgement(
        path=path,
        sha256=digest.hexdigest(),
        bytes=size,
        document_type="resources on lines",
        edition=edition,
        verdict="fail" if any(each.severity is Severity.ERROR for each in findings) else "pass",
        findings=tuple(dict.fromkeys(findings)),
        seconds=seconds,
    )


def _whose(people: Sequence[Mapping[str, Any]], records: Sequence[Record]) -> Record | None:
    if len(records) == 1 and people:
        return records[0]
    return next((each for each in records if any(_is(one, each) for one in people)), None)


def _is(resource: Mapping[str, Any], wanted: Record) -> bool:
    born, told_of = moments.iso(wanted.birth_date[:10]), moments.iso(str(resource.get("birthDate", "")))
    if born is None or told_of is None or not born.overlaps(told_of):
        return False
    names = (facts.name(each) for each in resource.get("name") or () if isinstance(each, dict))
    mine = letters(wanted.name.family), letters(wanted.name.given[0])
    return any(mine == (letters(each["family"]), letters((each["given"] or [""])[0])) for each in names)


def _called(resource: Mapping[str, Any]) -> str:
    names = [facts.name(each) for each in resource.get("name") or () if isinstance(each, dict)]
    called = " ".join([*names[0]["given"], names[0]["family"]]) if names else "somebody without a name"
    return f"{called}, born {resource.get('birthDate', 'nobody knows when')}"


def _alike(expected: Any, found: Any) -> bool:
    if isinstance(expected, tuple):
        return set(expected) <= set(found)
    if isinstance(expected, str) and isinstance(found, str):
        return expected[:10].casefold() == found[:10].casefold() or found.casefold().startswith(expected.casefold())
    return bool(expected == found)


def _spoken(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value or "")


def _due(fact: Fact, window: Days) -> Fact:
    """A fact that the window does not hold whole need not be told."""
    inside = bool(fact.stated) and all(days.standing(window) is Standing.IN for days in fact.stated)
    return fact if inside else replace(fact, optional=True)


def _same(fact: Fact, seen: Told) -> bool:
    alike = fact.kind == seen.kind and bool(fact.stated) and not set(keys(seen)).isdisjoint(keys(fact))
    return alike and likeness(fact, seen) in {Likeness.SAME, Likeness.SAME_DAYS}


def _finding(rule: str, severity: Severity, message: str, expected: str, found: str, *, at: Place) -> Finding:
    path, line = at
    return Finding(
        layer=Layer.CONTENT, severity=severity, rule=rule, message=message, path=path, line=line, expected=expected,
        found=found,
    )  # fmt: skip
