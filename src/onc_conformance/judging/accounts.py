"""A record held against what resources tell: facts that are missing, told otherwise, or in no record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from onc_conformance.ccda.kinds import table
from onc_conformance.fhir.told import absences
from onc_conformance.findings import Severity
from onc_conformance.record.comparing import Pairing, differences, likeness, pair, pair_other_days
from onc_conformance.record.index import Index, keys
from onc_conformance.record.seen import Likeness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from onc_conformance.fhir.told import Told
    from onc_conformance.record import Fact, Record
    from onc_conformance.record.details import Difference

SHARED = frozenset({
    "problems", "health_concerns", "encounter_diagnoses", "vital_signs", "laboratory_results", "medications",
})  # fmt: skip
"""Classes of which one resource may tell several facts: systolic and diastolic, a problem that is a concern."""


@dataclass(frozen=True)
class Account:
    """What resources tell of the facts of a record, for some classes."""

    record: Record
    told: Sequence[Told]
    kinds: Collection[str]

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Those that resources could tell."""
        return tuple(
            fact
            for fact in self.record.facts
            if fact.kind in self.kinds and not fact.no_information and not fact.visual and keys(fact)
        )

    @cached_property
    def _pairing(self) -> Pairing:
        return pair(self.facts, self.told)

    @cached_property
    def _moved(self) -> dict[int, int]:
        absent = [number for number in range(len(self.facts)) if number not in self._pairing.pairs]
        return pair_other_days(self.facts, self.told, absent, self._unexplained)

    @cached_property
    def _unexplained(self) -> list[int]:
        mine, taken = Index(enumerate(self.facts)), self._pairing.taken
        return [
            position
            for position, each in enumerate(self.told)
            if position not in taken
            and not each.negated
            and not any(
                likeness(self.facts[number], each) not in {Likeness.OTHER_DAYS, Likeness.OTHER_VALUE}
                for number in mine.about(each)
            )
        ]

    def telling(self, fact: Fact) -> Told | None:
        """The fact of a resource that tells a fact of the record, on its day or another; None where there is none."""
        return self._telling.get(fact.kind, {}).get(fact.id)

    @cached_property
    def _telling(self) -> dict[str, dict[str, Told]]:
        found: dict[str, dict[str, Told]] = {}
        taken = {id(self.told[position].resource) for position in self._pairing.taken}
        for number, fact in enumerate(self.facts):
            position = self._pairing.pairs[number][0] if number in self._pairing.pairs else self._moved.get(number)
            seen = None if position is None else self.told[position]
            if seen is None:
                elsewhere = (each for each in self.told if self._tells(each, fact))
                seen = next((e for e in elsewhere if fact.kind in SHARED or id(e.resource) not in taken), None)
            if seen is not None:
                taken.add(id(seen.resource))
                found.setdefault(fact.kind, {})[fact.id] = seen
        return found

    @property
    def missing(self) -> Iterator[Fact]:
        """Facts that must be told and that no resource tells, on whatever day."""
        return (fact for fact in self.facts if fact.required and self.telling(fact) is None)

    @property
    def differing(self) -> Iterator[tuple[Fact, Told, Difference, Severity]]:
        """Facts that a resource tells otherwise, what is different, and how grave that is."""
        for number, fact in enumerate(self.facts):
            if number in self._pairing.equal:
                continue
            position = self._pairing.pairs[number][0] if number in self._pairing.pairs else self._moved.get(number)
            if position is not None:
                for each in differences(fact, self.told[position]):
                    yield fact, self.told[position], each, _severity(fact, each)

    @property
    def extra(self) -> Iterator[tuple[Told, Severity]]:
        """Facts that the record does not list, of classes of which it lists all; how grave that is."""
        moved = set(self._moved.values())
        listed = {fact.kind for fact in self.facts}
        for position in self._unexplained:
            each = self.told[position]
            severity = table().of[each.kind].extra
            if position in moved or severity is None or each.again or each.kind not in listed & set(self.kinds):
                continue
            if not any((code.system, code.code) in self._mentioned for code in each.codes):
                yield each, severity

    @cached_property
    def _mentioned(self) -> frozenset[tuple[str, str]]:
        """Codes that are an element of a fact: the procedure by which a device came, the diagnosis of an encounter."""
        values = (value for fact in self.record.facts for value in fact.attributes.values())
        return frozenset((each["system"], each["code"]) for each in values if isinstance(each, dict) and "code" in each)

    @staticmethod
    def _tells(told: Told, fact: Fact) -> bool:
        """Whether a fact of another class says the same, as a health concern says a problem."""
        alike = told.negated == fact.negated and not set(keys(told)).isdisjoint(keys(fact))
        return alike and likeness(fact, told) not in {Likeness.OTHER_DAYS, Likeness.OTHER_VALUE}


def _severity(fact: Fact, difference: Difference) -> Severity:
    severity = Severity.ERROR if difference.grave else Severity.WARNING
    if difference.absent:
        severity = absences().get((fact.kind, difference.what), severity)
    lenient = fact.optional or (difference.absent and fact.may_lack(difference.what))
    return Severity.WARNING if lenient and severity is Severity.ERROR else severity
