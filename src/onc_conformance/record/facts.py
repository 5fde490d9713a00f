"""The expected record: who a test patient is, and every fact a complete answer about that patient must contain."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from onc_conformance.moments import Days

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from onc_conformance.record.codes import Code


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name in its parts."""

    family: str
    given: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing a record says of its patient; what follows from it is asked for at every answer, and kept."""

    id: str
    kind: str
    """The class: `problems`, `vital_signs`, …"""
    codes: tuple[Code, ...] = ()
    """The code, then further codes that may stand for it."""
    text: str = ""
    start: Days | None = None
    end: Days | None = None
    date: Days | None = None
    """Of a point event; a partial date is the span of days it names."""
    encounter: str | None = None
    optional: bool = False
    visual: bool = False
    no_information: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What else the file says: dose, value, unit, member, … (schemas/record-classes.toml)"""

    @cached_property
    def stated(self) -> tuple[Days, ...]:
        """Each date the fact states."""
        return tuple(days for days in (self.date, self.start, self.end) if days)

    @property
    def days(self) -> Days | None:
        """Its own interval: of a point event its day, without an end ongoing; None if it states no date."""
        if self.date:
            return self.date
        if not (self.start or self.end):
            return None
        return Days(self.start.first if self.start else None, self.end.last if self.end else None)

    @property
    def look_for(self) -> str:
        """What a person must see: the fact's own words, or those beside what the machine judges."""
        return str(self.attributes.get("look_for") or (self.text if self.visual else ""))

    def may_lack(self, key: str) -> bool:
        """Whether an answer may leave this out; `date` is any of its dates."""
        named = self.attributes.get("may_lack", ())
        return key in named or (key == "date" and "start" in named)

    @property
    def required(self) -> bool:
        """Whether a machine may ask for it."""
        return not (self.optional or self.visual or self.no_information)

    @cached_property
    def negated(self) -> bool:
        """Whether it says that something was not done, as a vaccine refused."""
        return self.attributes.get("status") in {"not_done", "refused"}

    @cached_property
    def member(self) -> Name | None:
        """The person a care team fact is about."""
        name = self.attributes.get("member")
        return (
            Name(name["family"], (name["given"],) if isinstance(name["given"], str) else tuple(name["given"]))
            if name
            else None
        )

    @cached_property
    def about(self) -> tuple[Hashable, ...]:
        """What it is about: a device its identifier, for another of the same type is another fact; see `keys`."""
        if udi := self.attributes.get("udi"):
            return (("udi", "".join(str(udi).split())),)
        return (about_person(self.member),) if self.member else about_codes(self.codes)

    def __str__(self) -> str:
        when = " ".join(
            filter(None, (f"of {self.date}" if self.date else "", f"from {self.start}" if self.start else ""))
        )
        member = self.member
        who = f"{' '.join(member.given)} {member.family}" if member else ""
        named = (self.attributes.get(key) for key in ("udi", "organization"))
        what = str(self.codes[0]) if self.codes else str(next(filter(None, named), ""))
        text = self.text if len(self.text) <= 60 else self.text[:57] + "…"
        return " ".join(filter(None, (who or what or f"“{text}”", when)))


@dataclass(frozen=True, kw_only=True)
class Record:
    """A test patient, described once; what every answer of another patient is held against is kept."""

    id: str
    title: str
    setting: str
    vars: Mapping[str, str]
    name: Name
    previous_names: tuple[Name, ...]
    birth_date: str
    """ISO, as written."""
    sex: str
    birth_sex: str | None
    race: tuple[Code, ...]
    ethnicity: Code | None
    language: str | None
    marital_status: Code | None
    address: tuple[Mapping[str, Any], ...]
    telecom: tuple[Mapping[str, Any], ...]
    facts: tuple[Fact, ...]
    death_date: str | None = None
    """ISO, as written."""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tells patients apart: family name, first given name, birth date, sex."""
        return letters(self.name.family), letters(self.name.given[0]), self.birth_date[:10], self.sex

    @cached_property
    def about(self) -> Mapping[tuple[str, Hashable], tuple[Fact, ...]]:
        """The facts by class and what they are about."""
        found: dict[tuple[str, Hashable], tuple[Fact, ...]] = {}
        for fact in self.facts:
            for key in fact.about:
                found[fact.kind, key] = (*found.get((fact.kind, key), ()), fact)
        return found

    @cached_property
    def words(self) -> str:
        """The words of all facts, one after the other."""
        return " ".join(plain(fact.text) for fact in self.facts)

    @cached_property
    def in_words(self) -> tuple[Fact, ...]:
        """The facts that have words."""
        return tuple(fact for fact in self.facts if fact.text)

    def of(self, *kinds: str) -> tuple[Fact, ...]:
        """The facts of these classes."""
        return tuple(fact for fact in self.facts if fact.kind in kinds)

    def patient_variables(self) -> dict[str, str]:
        """What templates of a target description call `patient.*`."""
        return {
            "id": self.id,
            "family": self.name.family,
            "given": self.name.given[0],
            "middle": " ".join(self.name.given[1:]),
            "prefix": self.name.prefix,
            "suffix": self.name.suffix,
            "dob": self.birth_date[:10],
            "sex": self.sex,
        }


_KINDS = frozenset({"actcode"})
"""Systems whose codes say what kind of thing it is, as an ambulatory visit, and not which."""


def about_person(member: Name) -> Hashable:
    """What a fact about this person is found by."""
    return "member", letters(member.family), letters(member.given[0] if member.given else "")


def about_codes(codes: tuple[Code, ...]) -> tuple[Hashable, ...]:
    """What a fact with these codes is found by."""
    return tuple(code for code in codes if code.system not in _KINDS) or codes


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The words of a text alone, for comparing texts however they are set: no case, marks of punctuation or layout."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def letters(text: str) -> str:
    """The letters of a name alone, without case, accents, apostrophes, hyphens or spaces."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())
