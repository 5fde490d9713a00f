"""What is noticed of the resources of an export while they go by, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from onc_conformance.bulk.files import File, Resource
from onc_conformance.fhir import fitting, validate
from onc_conformance.fhir.nodes import Item, Node, tree
from onc_conformance.fhir.tables import Profile, Tables
from onc_conformance.fhir.validating import codes_of
from onc_conformance.fhirwork import guidance, ledger
from onc_conformance.fhirwork.asking import key
from onc_conformance.fhirwork.chart import Kept, whose
from onc_conformance.fhirwork.contents import different
from onc_conformance.findings import Finding, Layer, Severity

ROOM = 3
"""How many lines of one rule are told."""
RULES = 100
"""How many rules are told."""
SAMPLE = 2_000
"""How many resources are remembered by id and moment."""


@dataclass
class Form:
    """Errors and advice of the judges of FHIR: the first lines of each rule, and how many there are."""

    tables: Tables
    _kept: dict[str, list[tuple[File, Finding]]] = field(default_factory=dict)
    _many: dict[str, int] = field(default_factory=dict)
    resources: int = 0

    def __call__(self, file: File, number: int, resource: Resource) -> None:
        self.resources += 1
        for finding in validate(resource, self.tables):
            rule = f"{finding.severity} {finding.rule}"
            many = self._many[rule] = self._many.get(rule, 0) + 1
            room = ROOM if finding.severity is Severity.ERROR else 1
            if many <= room and (rule in self._kept or len(self._kept) < RULES):
                name = "/".join(key(resource))
                message = f"{file.output.name}, line {number}, {name}: {finding.message}"
                self._kept.setdefault(rule, []).append((file, replace(finding, message=message, line=number)))

    def findings(self) -> Iterator[Finding]:
        """All that is kept, tied to the files."""
        for rule, kept in self._kept.items():
            for place, (file, finding) in enumerate(kept, 1):
                more = self._many[rule] - len(kept)
                told = f"{finding.message} (and at {more:,} more places)" if more and place == len(kept) else None
                exchange = file.got.exchange.id if file.got else None
                yield replace(finding, message=told or finding.message, exchange=exchange)


@dataclass
class _Shown:
    profile: Profile
    root: Node
    unseen: dict[str, ledger.Line]
    resources: int = 0
    first: str = ""


@dataclass
class Support:
    """Which profiles and must-support elements are shown."""

    tables: Tables
    _shown: dict[str, _Shown] = field(default_factory=dict)

    def __call__(self, file: File, number: int, resource: Resource) -> None:  # noqa: ARG002 - a watcher
        codes = codes_of(self.tables)
        for profile in fitting.profiles(resource, self.tables, codes)[0]:
            if profile.context is not None or guidance.unneeded(profile, self.tables):
                continue
            shown = self._shown.get(profile.id)
            if shown is None:
                shown = self._shown[profile.id] = _Shown(profile, tree(profile), ledger.lines(profile, self.tables))
            shown.resources += 1
            shown.first = shown.first or "/".join(key(resource))
            if shown.unseen:
                item = Item(resource, None, "/".join(key(resource)))
                ledger.sight(self.tables).walk(shown.root, [item], profile.type, shown.unseen)
                shown.unseen = {name: line for name, line in shown.unseen.items() if not line.seen}

    def without(self, kinds: Collection[str]) -> list[Profile]:
        """The profiles of these types that a certified server shows, and nothing here did."""
        needed = (each for each in ledger.needed(self.tables) if each.type in kinds)
        return [each for each in needed if each.id not in self._shown]

    def gaps(self, rule: str) -> Iterator[Finding]:
        """A warning for each element that nothing showed."""
        every: list[ledger.Line] = []
        for shown in self._shown.values():
            told = ledger.lines(shown.profile, self.tables)
            for name, line in told.items():
                line.seen += [] if name in shown.unseen else [shown.first]
            every += told.values()
        for line in ledger.Ledger(self.tables, every, dict.fromkeys(self._shown, ()), ()).missing:
            shown = self._shown[line.profile.id]
            yield Finding(
                layer=Layer.USCDI,
                severity=Severity.WARNING,
                rule=rule,
                message=f"{line.profile.name}: nothing exported shows {line.element}, which is must-support",
                path=f"{line.profile.type}.{line.element}",
                expected="one resource that has it",
                found=f"none of {shown.resources:,}, {shown.first} among them",
                hint=f"enter {line.element} for {shown.first}, or for any other of them",
            )


@dataclass
class People:
    """Which patients there are, and whose data."""

    members: Collection[str]
    seen: set[str] = field(default_factory=set)
    """The ids of Patients, members or not, the first few thousand."""
    strangers: list[tuple[File, int, str, str]] = field(default_factory=list)
    """File, line, resource and patient of data of nobody in the group; the first few."""
    many: int = 0

    def __call__(self, file: File, number: int, resource: Resource) -> None:
        patient = whose(resource)
        if patient is None:
            return
        if resource["resourceType"] == "Patient" and (patient in self.members or len(self.seen) < SAMPLE):
            self.seen.add(patient)
        if patient not in self.members:
            self.many += 1
            if len(self.strangers) < ROOM:
                self.strangers.append((file, number, "/".join(key(resource)), patient))


@dataclass
class Likeness:
    """What of the data of single patients goes by, and whether it is told alike."""

    single: Mapping[tuple[str, str], Kept]
    unseen: set[tuple[str, str]] = field(default_factory=set)
    unlike: list[tuple[File, int, Kept, str]] = field(default_factory=list)
    """File, line, the single patient's resource and the element that differs."""

    def __post_init__(self) -> None:
        self.unseen = set(self.single)

    def __call__(self, file: File, number: int, resource: Resource) -> None:
        kept = self.single.get(key(resource))
        if kept is None:
            return
        self.unseen.discard(kept.key)
        odd = different(kept.resource, resource)
        if odd is not None:
            self.unlike.append((file, number, kept, odd))


@dataclass
class Changes:
    """When resources changed: a sample of them, and those that had changed by a moment already."""

    by: datetime | None = None
    sample: dict[tuple[str, str], datetime] = field(default_factory=dict)
    older: list[tuple[File, int, str, str]] = field(default_factory=list)
    """File, line, resource and moment; the first few."""
    many: int = 0
    dated: int = 0
    repeats: list[tuple[File, int, str]] = field(default_factory=list)
    """File, line and name of resources of the sample that came before; the first few."""

    def __call__(self, file: File, number: int, resource: Resource) -> None:
        meta = resource.get("meta")
        changed = moment(meta.get("lastUpdated")) if isinstance(meta, dict) else None
        if changed is None:
            return
        self.dated += 1
        if key(resource) in self.sample and len(self.repeats) < ROOM:
            self.repeats.append((file, number, "/".join(key(resource))))
        if len(self.sample) < SAMPLE:
            self.sample[key(resource)] = changed
        if self.by is not None and changed <= self.by:
            self.many += 1
            if len(self.older) < ROOM:
                self.older.append((file, number, "/".join(key(resource)), changed.isoformat()))


@dataclass
class Messages:
    """What an export says went wrong: the first few errors of its OperationOutcomes."""

    told: list[tuple[File, int, str]] = field(default_factory=list)
    """File, line and text."""

    def __call__(self, file: File, number: int, resource: Resource) -> None:
        issues = resource.get("issue")
        for issue in issues if isinstance(issues, list) else ():
            if isinstance(issue, dict) and issue.get("severity") in {"error", "fatal"} and len(self.told) < ROOM:
                self.told.append((file, number, str(issue.get("diagnostics") or issue.get("code"))[:200]))


def moment(text: object) -> datetime | None:
    """An instant; None for what is none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
