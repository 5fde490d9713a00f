"""Who answers for the charts on both APIs, and where the faults in what is answered are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.faults import bent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.reference.people import Encounter, People, Person, StoredDocument, Window

_CUT = 200


class Clerk:
    """Answers questions about persons truthfully, but for the faults."""

    def __init__(self, people: People, faults: frozenset[str]) -> None:
        self._people = people
        self._faults = faults

    def fragment(self, person: Person, category: str, window: Window | None, encounter: Encounter | None) -> bytes:
        """One category as a bare fragment."""
        whose, category = self._for_category(person, category)
        visit = encounter.key if encounter and encounter in whose.encounters else None
        return whose.fragment(category, bent(window, "category", self._faults), visit)

    def excerpt(self, person: Person, categories: Sequence[str], window: Window | None) -> bytes:
        """The categories as a document."""
        whose, answered = person, []
        for category in categories:
            whose, instead = self._for_category(whose, category)
            answered.append(instead)
        return whose.excerpt(answered, bent(window, "category", self._faults))

    def stored(self, person: Person, document: StoredDocument, window: Window | None) -> bytes:
        """A document of the chart."""
        whose = self._for_document(person, window)
        key = document.key if document in whose.documents else whose.documents[-1].key
        return self._sent(whose.stored(key, bent(window, "document", self._faults)))

    def summary(self, person: Person, window: Window | None) -> bytes:
        """All of the chart."""
        return self._sent(self._for_document(person, window).summary(bent(window, "document", self._faults)))

    def _for_category(self, person: Person, category: str) -> tuple[Person, str]:
        if "category-wrong-patient" in self._faults:
            person = self._people.next_to(person)
        if "category-always-problems" in self._faults:
            category = "problems"
        if "category-empty" in self._faults and category == "immunizations":
            person = person.without("immunizations")
        if "category-drops-fact" in self._faults and category == "medications":
            person = person.without_last("medications")
        if "category-leaks-entry" in self._faults and category == "problems":
            person = person.with_one_of(self._people.next_to(person), "problems")
        return person, category

    def _for_document(self, person: Person, window: Window | None) -> Person:
        if "document-wrong-patient" in self._faults:
            return self._people.next_to(person)
        if window and "document-window-empty" in self._faults:
            return person.blank()
        if "document-leaks-entry" in self._faults:
            return person.with_one_of(self._people.next_to(person), "problems")
        return person

    def _sent(self, document: bytes) -> bytes:
        if "document-not-xml" in self._faults:
            return b"The summary of this chart is being prepared. Please come back later."
        return document[:-_CUT] if "document-truncated" in self._faults else document
