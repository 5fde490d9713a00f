"""Whom the reference EHR keeps charts of: what may be asked about a person, and the numbers issued for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Window = tuple[date | None, date | None]
"""First and last day of a request, both included; None is open."""

HEADER = ("patient_name", "sex", "birth_date", "race", "ethnicity", "preferred_language")
"""Categories that live in a document's header."""

NOTES: Mapping[str, str] = {
    "consultation_note": "11488-4",
    "discharge_summary_note": "18842-5",
    "history_and_physical": "34117-2",
    "imaging_narrative": "18748-4",
    "laboratory_narrative": "11502-2",
    "pathology_narrative": "11526-1",
    "procedure_note": "28570-0",
    "progress_note": "11506-3",
}
"""Kinds of notes by LOINC code of the section or note."""

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "smoking_status": ("29762-2",),
    "problems": ("11450-4",),
    "medications": ("10160-0",),
    "medication_allergies": ("48765-2",),
    "laboratory_tests": ("30954-2",),
    "laboratory_results": ("30954-2",),
    "vital_signs": ("8716-3",),
    "procedures": ("47519-4",),
    "care_team": ("85847-2",),
    "immunizations": ("11369-6",),
    "udi": ("46264-8",),
    "assessment_plan": ("51847-2", "51848-0", "18776-5"),
    "assessment": ("51848-0", "51847-2"),
    "plan": ("18776-5", "51847-2"),
    "goals": ("61146-7",),
    "health_concerns": ("75310-3",),
    "encounters": ("46240-8",),
    "social_history": ("29762-2",),
    "functional_status": ("47420-5",),
    "mental_status": ("10190-7",),
    "reason_for_visit": ("29299-5", "46239-0"),
    "referrals": ("42349-1",),
    "coverage": ("48768-6",),
    "discharge_instructions": ("8653-8",),
    "notes": tuple(NOTES.values()),
    **{name: (code,) for name, code in NOTES.items()},
}
"""The other categories, by the LOINC codes of the sections that hold them, the usual one first."""


@dataclass(frozen=True, slots=True)
class Demographics:
    """What a patient list shows of a person; what is not known is an empty string."""

    family: str
    given: tuple[str, ...]
    birth_date: str
    """ISO, as precise as it is known."""
    sex: str
    """female, male, undifferentiated or unknown."""
    prefix: str = ""
    suffix: str = ""
    race: str = ""
    marital_status: str = ""
    line: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    telecom: Mapping[str, str] = field(default_factory=dict)
    """Values by "home", "work", "mobile" and "email"."""


@dataclass(frozen=True, slots=True)
class Encounter:
    """A visit, by the name the chart itself has for it."""

    key: str
    start: str
    """ISO, as precise as it is known."""
    end: str
    kind: str
    location: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document kept in the chart, by the name the chart itself has for it."""

    key: str
    service_date: date
    title: str


class Person(Protocol):
    """One chart, seen from the servers. Answers are C-CDA, encoded."""

    @property
    def key(self) -> str:
        """Unique among the charts of one EHR."""

    @property
    def demographics(self) -> Demographics: ...

    @property
    def encounters(self) -> Sequence[Encounter]: ...

    @property
    def documents(self) -> Sequence[StoredDocument]:
        """At least one, oldest first."""

    def stored(self, document: str, window: Window | None) -> bytes:
        """The document of that key, narrowed to `window`."""

    def summary(self, window: Window | None) -> bytes:
        """Everything in one document, narrowed to `window`."""

    def fragment(self, category: str, window: Window | None, encounter: str | None) -> bytes:
        """One category as a bare `section` (or part of a header), of one encounter if that is named."""

    def excerpt(self, categories: Sequence[str], window: Window | None) -> bytes:
        """A document with the sections of these categories alone."""

    def without(self, category: str) -> Person:
        """The chart with nothing in that category."""

    def without_last(self, category: str) -> Person:
        """The chart with the last fact of that category missing."""

    def blank(self) -> Person:
        """The chart of the same person with nothing in it."""

    def with_one_of(self, other: Person, category: str) -> Person:
        """The chart with a fact of somebody else's among its own of that category."""

    def with_all_of(self, other: Person) -> Person:
        """The same person with the facts of somebody else in place of the own."""


def number(kind: str, key: str, digits: int = 8) -> str:
    """The number issued for a thing: always the same, and telling nothing about its neighbours' numbers."""
    hashed = int.from_bytes(hashlib.sha256(f"{kind}:{key}".encode()).digest()[:8], "big")
    lowest = int(10 ** (digits - 1))
    return str(lowest + hashed % (9 * lowest))


class People:
    """The persons of one EHR in their order, and the numbers they are known by."""

    def __init__(self, persons: Iterable[Person]) -> None:
        self.all = tuple(persons)
        self._by_number: dict[str, Person] = {}
        self._numbers: dict[str, str] = {}
        self._visits: dict[str, tuple[Person, Encounter]] = {}
        self._documents: dict[str, tuple[Person, StoredDocument]] = {}
        for person in self.all:
            issued = _unused("patient", person.key, self._by_number)
            self._by_number[issued] = person
            self._numbers[person.key] = issued
            for visit in person.encounters:
                self._visits[_unused("encounter", f"{person.key}/{visit.key}", self._visits)] = (person, visit)
            for document in person.documents:
                issued = _unused("document", f"{person.key}/{document.key}", self._documents)
                self._documents[issued] = (person, document)

    def number_of(self, person: Person) -> str:
        return self._numbers[person.key]

    def by_number(self, issued: str) -> Person | None:
        return self._by_number.get(issued)

    def visits(self) -> Mapping[str, tuple[Person, Encounter]]:
        """Every encounter by the number issued for it."""
        return self._visits

    def documents(self) -> Mapping[str, tuple[Person, StoredDocument]]:
        """Every stored document by the number issued for it, persons in order, oldest first."""
        return self._documents

    def namesake(self, person: Person) -> Person:
        """The first of that given and family name."""
        name = _name(person)
        return next((one for one in self.all if _name(one) == name), person)

    def near(self, person: Person) -> Person:
        """The first whose family name is the beginning of this one's, if there is any."""
        family = person.demographics.family
        shorter = (one for one in self.all if family.startswith(one.demographics.family))
        return next((one for one in shorter if one.demographics.family != family), person)

    def next_to(self, person: Person) -> Person:
        """Somebody else, unless there is nobody else."""
        keys = [one.key for one in self.all]
        return self.all[(keys.index(person.key) + 1) % len(self.all)]


def _name(person: Person) -> tuple[str, str]:
    who = person.demographics
    return who.family, who.given[0]


def _unused(kind: str, key: str, taken: Mapping[str, object]) -> str:
    issued = number(kind, key)
    while issued in taken:
        issued = number(kind, f"{key}+{issued}")
    return issued
