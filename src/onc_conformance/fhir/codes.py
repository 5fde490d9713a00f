"""Whether a code is in a value set or exists in its system: in, not in, or unknown here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from onc_conformance import vocabulary
from onc_conformance.fhir.tables import Tables, codes, load, unpacked, versions
from onc_conformance.vocabulary import Answer

_UCUM = "http://unitsofmeasure.org"
_FORMS = {
    "http://hl7.org/fhir/ValueSet/mimetypes": "urn:ietf:bcp:13",
    "http://hl7.org/fhir/ValueSet/languages": "urn:ietf:bcp:47",
    "http://hl7.org/fhir/ValueSet/all-languages": "urn:ietf:bcp:47",
}


class Codes:
    """The codes a guide knows, FHIR's own, and those of the vocabulary at hand."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._answers: dict[tuple[str, str | None, str], Answer] = {}
        self._sets: dict[str, frozenset[str]] = {}

    def contains(self, value_set: str, system: str | None, code: str) -> Answer:
        """Whether a code of a system, or of whichever is meant if None, is in a value set."""
        key = (value_set, system, code)
        if key not in self._answers:
            if len(self._answers) > 50_000:
                self._answers.clear()
            self._answers[key] = self._contains(value_set, system, code, frozenset())
        return self._answers[key]

    def exists(self, system: str, code: str) -> Answer:
        """Whether a system has a code."""
        listed = self._system(system)
        if listed is not None:
            return Answer.IN if code in listed else Answer.NOT_IN
        oid = _oid(system)
        return vocabulary.known(oid, code) if oid else Answer.UNKNOWN_HERE

    def misprinted(self, system: str, code: str) -> vocabulary.Misprint | None:
        """The misprint of ONC's test data that a code is."""
        oid = _oid(system)
        return vocabulary.misprinted(oid, code) if oid else None

    def of_another(self, system: str, code: str) -> str | None:
        """The other version of the guide that has the code in a system of the guide's own; None for no such version."""
        if system not in self._tables.code_systems:
            return None
        others = (each for each in versions() if each != self._tables.version)
        return next((each for each in others if code in load(each).code_systems.get(system, ())), None)

    def listed(self, value_set: str, most: int) -> list[str] | None:
        """The codes of a set where they are few enough to be told, for a message."""
        told = self._set(value_set)
        if told is None or "of" in told or "out" in told:
            return None
        found: list[str] = []
        for system, chosen in told["in"]:
            each = chosen if isinstance(chosen, list) else self._system(system) if chosen == "*" else None
            if each is None:
                return None
            found += each
        return sorted(found) if len(found) <= most else None

    def of_units(self, value_set: str) -> bool:
        """Whether a set may have units of UCUM; one that is not known may."""
        told = self._set(value_set)
        return told is None or "of" in told or any(system == _UCUM for system, _ in told["in"])

    def _set(self, value_set: str) -> Mapping[str, Any] | None:
        listed = (self._tables.value_sets, unpacked(), codes()["value_sets"])
        return next((each[value_set] for each in listed if value_set in each), None)

    def _system(self, system: str) -> frozenset[str] | None:
        if system not in self._sets:
            listed = self._tables.code_systems.get(system) or codes()["code_systems"].get(system)
            if listed is None:
                return None
            self._sets[system] = frozenset(listed)
        return self._sets[system]

    def _contains(self, value_set: str, system: str | None, code: str, seen: frozenset[str]) -> Answer:
        if value_set in _FORMS:
            return _formed(value_set, code)
        oid = vocabulary.by_canonical(value_set)
        told = self._set(value_set)
        if told is None or value_set in seen:
            return (
                vocabulary.contains(oid, code, _oid(system) if system else None)
                if oid
                else self._possible(system, code)
            )
        answers = [self._in_part(part, system, code) for part in told["in"]]
        answers += [self._contains(other, system, code, seen | {value_set}) for other in told.get("of", ())]
        best = _best(answers)
        if best is Answer.IN and any(self._in_part(part, system, code) is Answer.IN for part in told.get("out", ())):
            return Answer.NOT_IN
        if best is Answer.UNKNOWN_HERE and oid:
            return vocabulary.contains(oid, code, _oid(system) if system else None)
        return best

    def _in_part(self, part: list[Any], system: str | None, code: str) -> Answer:
        own, chosen = part
        if system is not None and system != own:
            return Answer.NOT_IN
        if isinstance(chosen, list):
            return Answer.IN if code in chosen else Answer.NOT_IN
        if own == _UCUM:
            return self.exists(own, code)
        there = self.exists(own, code)
        return there if chosen == "*" or there is Answer.NOT_IN else Answer.UNKNOWN_HERE

    def _possible(self, system: str | None, code: str) -> Answer:
        """Of a set that is not known: a code that does not exist is not in it."""
        impossible = system is not None and self.exists(system, code) is Answer.NOT_IN
        return Answer.NOT_IN if impossible else Answer.UNKNOWN_HERE


class TrustingCodes(Codes):
    """The same, by which a code is in every set that cannot be told here to lack it."""

    def contains(self, value_set: str, system: str | None, code: str) -> Answer:
        answer = super().contains(value_set, system, code)
        return Answer.IN if answer is Answer.UNKNOWN_HERE else answer


def _best(answers: list[Answer]) -> Answer:
    for each in (Answer.IN, Answer.UNKNOWN_HERE):
        if each in answers:
            return each
    return Answer.NOT_IN


_SHORT = frozenset({"json", "xml", "ttl"})
"""What a capability statement may say for the media types of FHIR itself."""


@cache
def _oid(system: str) -> str | None:
    return vocabulary.by_uri(system)


def _formed(value_set: str, code: str) -> Answer:
    if value_set.endswith("mimetypes"):
        if code in _SHORT:
            return Answer.IN
        kind, slash, rest = code.partition("/")
        return Answer.IN if slash and kind.isascii() and rest and " " not in code.partition(";")[0] else Answer.NOT_IN
    from onc_conformance.vocabulary.languages import language

    return language(code)
