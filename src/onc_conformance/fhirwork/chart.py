"""Everything a FHIR server tells of one patient, gathered once: searched for by type, references followed by reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from onc_conformance.fhir.bundle import Bundle
from onc_conformance.fhir.tables import Tables
from onc_conformance.fhir.told import told as facts_told
from onc_conformance.fhirwork import demands, guidance, parameters
from onc_conformance.fhirwork.asking import Found, Got, Parameters, Server, key, local
from onc_conformance.fhirwork.parameters import Resource
from onc_conformance.judging.accounts import Account
from onc_conformance.reply import Subject

BY_PATIENT = ("subject", "patient", "beneficiary")
"""The elements by which a resource says whose it is."""
_DEPTH = 3
"""How far references are followed from what belongs to the patient."""


@dataclass(frozen=True)
class Kept:
    """A resource, and the answer it came in."""

    resource: Resource
    got: Got
    place: str = ""
    """FHIRPath within the answer; empty where the resource is the answer."""

    @property
    def key(self) -> tuple[str, str]:
        """Type and id."""
        return key(self.resource)

    @property
    def name(self) -> str:
        """`Type/id`."""
        return "/".join(self.key)


@dataclass(frozen=True)
class Reference:
    """A reference that a resource makes."""

    holder: Kept
    path: str
    told: str
    target: Got | Kept | None
    """What it leads to, or the answer of the read that failed; None for what is not at this server."""


@dataclass(eq=False)
class Chart:
    """One patient's data."""

    server: Server
    subject: Subject
    tables: Tables
    _reads: dict[str, Got] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The patient's id at the server."""
        return self.server.id_of(self.subject)

    def asked(self, kind: str, beside: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The parameters of a search within this patient's data."""
        own = ("_id", self.id) if kind == "Patient" else ("patient", self.id)
        return (own, *beside.items())

    def search(self, kind: str, asked: Parameters, *, form: bool = False) -> Found:
        """The answer to a search; once more with every status where a server refuses to search without one.

        US Core lets it do so with HTTP 400 and an OperationOutcome.
        """
        found = self.server.search(self.subject, kind, asked, form=form)
        if "status" not in dict(asked) and found.first.refused and (every := demands.statuses(self.tables, kind)):
            again = self.server.search(self.subject, kind, (*asked, ("status", ",".join(every))), form=form)
            return again if again.ok else found
        return found

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The types that are searched for by patient in this version of the guide, but those the product has not."""
        return tuple(
            kind
            for kind in parameters.types()
            if kind not in self.server.table.without and demands.by_patient(self.tables, kind)
        )

    @cached_property
    def gathered(self) -> Mapping[str, tuple[Found, ...]]:
        """The searches that found everything, by type."""
        return {
            kind: tuple(self.search(kind, self.asked(kind, beside)) for beside in parameters.gathering(kind))
            for kind in self.kinds
        }

    @cached_property
    def own(self) -> Mapping[tuple[str, str], Kept]:
        """The patient's own resources by type and id."""
        kept: dict[tuple[str, str], Kept] = {}
        for searches in self.gathered.values():
            for found in searches:
                for entry in found.matches:
                    if whose(entry.resource) in {self.id, None}:
                        kept.setdefault(entry.key, Kept(entry.resource, entry.page, entry.place))
        return kept

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every reference in the patient's resources and in what they lead to, followed."""
        found: list[Reference] = []
        ahead = list(self.own.values())
        done = {each.key for each in ahead}
        for _ in range(_DEPTH):
            fresh: list[Kept] = []
            for holder in ahead:
                for path, told in referring(holder.resource, holder.key[0]):
                    reference = self._followed(holder, path, told)
                    found.append(reference)
                    target = reference.target
                    if isinstance(target, Got) and target.ok and target.resource and key(target.resource) not in done:
                        done.add(key(target.resource))
                        fresh.append(Kept(target.resource, target))
            ahead = fresh
        return tuple(found)

    def _followed(self, holder: Kept, path: str, told: str) -> Reference:
        if told.startswith("#"):
            inner = holder.resource.get("contained")
            for each in inner if isinstance(inner, list) else ():
                if isinstance(each, dict) and each.get("id") == told[1:]:
                    return Reference(holder, path, told, Kept(each, holder.got))
            return Reference(holder, path, told, None)
        name = local(told, self.server.base)
        if name is None:
            return Reference(holder, path, told, None)
        kind, _, id_ = name.partition("/")
        if (kind, id_) in self.own:
            return Reference(holder, path, told, self.own[kind, id_])
        if name not in self._reads:
            self._reads[name] = self.server.read(self.subject, name)
        return Reference(holder, path, told, self._reads[name])

    @cached_property
    def pool(self) -> Mapping[tuple[str, str], Kept]:
        """The patient's resources and everything they lead to."""
        led = (
            Kept(each.target.resource, each.target)
            for each in self.references
            if isinstance(each.target, Got) and each.target.ok and each.target.resource
        )
        return {**{each.key: each for each in led}, **self.own}

    @cached_property
    def account(self) -> Account:
        """The patient's expected record held against what the resources tell."""
        bundle = Bundle(
            {"resourceType": "Bundle", "entry": [{"resource": each.resource} for each in self.pool.values()]}
        )
        own = [each for each in facts_told(bundle) if whose(each.resource) in {self.id, None}]
        return Account(self.subject.record, own, frozenset(guidance.told()["facts"]))

    @cached_property
    def coded(self) -> Mapping[tuple[str, str, str], list[Kept]]:
        """The patient's resources by type, and system and code of each coding in them."""
        found: dict[tuple[str, str, str], list[Kept]] = {}
        for kind in {*self.kinds, *(type_ for type_, _ in self.pool)}:
            for kept in self.of(kind):
                for system, code in dict.fromkeys(_codings(self.whole(kept))):
                    found.setdefault((kind, system, code), []).append(kept)
        return found

    def whole(self, kept: Kept) -> Resource:
        """A resource, with the Medication it refers to where the drug is named there."""
        told = kept.resource.get("medicationReference")
        name = local(str(told.get("reference")), self.server.base) if isinstance(told, dict) else None
        kind, _, id_ = (name or "").partition("/")
        medication = self.pool.get((kind, id_)) if name else None
        return {**kept.resource, "medication": medication.resource} if medication else kept.resource

    def of(self, kind: str) -> list[Kept]:
        """The patient's resources of a type; of one that is not searched for by patient, what references lead to."""
        there = self.own if kind in self.kinds else self.pool
        return [each for (type_, _), each in there.items() if type_ == kind]


def whose(resource: Resource) -> str | None:
    """The id of the patient a resource belongs to; None where it belongs to nobody."""
    kind, id_ = key(resource)
    if kind == "Patient":
        return id_
    for name in BY_PATIENT:
        reference = resource.get(name)
        told = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(told, str) and "Patient/" in told:
            return told.rpartition("Patient/")[2].partition("/")[0]
    return None


def referring(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every literal reference in a resource, with its FHIRPath; those of contained resources too."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from referring(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        told = value.get("reference")
        if isinstance(told, str):
            yield path, told
        for name, each in value.items():
            yield from referring(each, f"{path}.{name}")


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _codings(each)
    elif isinstance(value, dict):
        if isinstance(value.get("code"), str) and isinstance(value.get("system"), str):
            yield value["system"], value["code"]
        for each in value.values():
            yield from _codings(each)


def texts(value: Any) -> Iterator[str]:
    """Every text in a resource, but those about the resource itself."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name != "meta":
                yield from texts(each)
