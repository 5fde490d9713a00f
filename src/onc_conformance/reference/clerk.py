"""Who answers for the charts on both APIs, and where the faults in what is answered are made."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from onc_conformance.reference.faults import bent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from onc_conformance.reference.people import Encounter, People, Person, StoredDocument, Window

_CUT = 200
_ERROR = b'{"error": "The request could not be processed.", "code": 500}'
_SWAPPED = {"vital_signs": "laboratory_results", "laboratory_results": "vital_signs"}


class Clerk:
    """Answers questions about persons truthfully, but for the faults."""

    def __init__(self, people: People, faults: frozenset[str]) -> None:
        self._people = people
        self._faults = faults
        self._kept: dict[tuple[object, ...], bytes] = {}
        self._lock = Lock()

    def fragment(self, person: Person, category: str, window: Window | None, encounter: Encounter | None) -> bytes:
        """One category as a bare fragment."""
        whose, category = self._for_category(person, category)
        visit = encounter.key if encounter and encounter in whose.encounters else None
        return self._category(
            (person.key, category, visit),
            window,
            lambda: whose.fragment(category, bent(window, "category", self._faults), visit),
        )

    def excerpt(self, person: Person, categories: Sequence[str], window: Window | None) -> bytes:
        """The categories as a document."""
        whose: Person = person
        answered: list[str] = []
        for category in categories:
            whose, instead = self._for_category(whose, category)
            answered.append(instead)
        if window and "window-header-of-another" in self._faults:
            whose = self._people.next_to(person).with_all_of(whose)
        return self._category(
            (person.key, *answered), window, lambda: whose.excerpt(answered, bent(window, "category", self._faults))
        )

    def _category(self, key: tuple[object, ...], window: Window | None, written: Callable[[], bytes]) -> bytes:
        if "category-error-body" in self._faults and "vital_signs" in key:
            return _ERROR
        return self._cached(("category", *key), window, written)

    def stored(self, person: Person, document: StoredDocument, window: Window | None) -> bytes:
        """A document of the chart."""
        whose = self._for_document(person, window)
        key = document.key if document in whose.documents else whose.documents[-1].key
        name = "" if window else key
        return self._document(person, window, name, lambda: whose.stored(key, bent(window, "document", self._faults)))

    def summary(self, person: Person, window: Window | None) -> bytes:
        """All of the chart."""
        whose = self._for_document(person, window)
        return self._document(person, window, "", lambda: whose.summary(bent(window, "document", self._faults)))

    def _document(self, person: Person, window: Window | None, name: str, written: Callable[[], bytes]) -> bytes:
        key = ("document", person.key, name)
        if "cache-without-patient" in self._faults and window is None:
            return self._sent(self._first(("document",), written))
        return self._sent(self._cached(key, window, written))

    # --- a cache that knows too little of what was asked

    def _cached(self, key: tuple[object, ...], window: Window | None, written: Callable[[], bytes]) -> bytes:
        """A range is answered with the day that was asked for before, where there is such a fault."""
        if window is None or "cache-without-dates" not in self._faults:
            return written()
        with self._lock:
            if window[0] == window[1]:
                self._kept[key] = written()
            return self._kept[key] if key in self._kept else written()

    def _first(self, key: tuple[object, ...], written: Callable[[], bytes]) -> bytes:
        """What was answered to the first request that looked like this one."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = written()
            return self._kept[key]

    # --- whose data, and which

    def _for_category(self, person: Person, category: str) -> tuple[Person, str]:
        if "category-wrong-patient" in self._faults:
            person = self._people.next_to(person)
        if "category-always-problems" in self._faults:
            category = "problems"
        if "category-map-swapped" in self._faults:
            category = _SWAPPED.get(category, category)
        if "category-second-part-empty" in self._faults and category == "plan":
            person = person.without("assessment_plan")
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
        if "header-of-another" in self._faults or (window and "window-header-of-another" in self._faults):
            return self._people.next_to(person).with_all_of(person)
        if "sections-of-another" in self._faults:
            return person.with_all_of(self._people.next_to(person))
        if "document-leaks-entry" in self._faults:
            return person.with_one_of(self._people.next_to(person), "problems")
        if "immunization-foreign" in self._faults:
            return person.with_one_of(self._people.next_to(person), "immunizations")
        return person

    def _sent(self, document: bytes) -> bytes:
        if "document-error-body" in self._faults:
            return _ERROR
        if "document-not-xml" in self._faults:
            return b"The summary of this chart is being prepared. Please come back later."
        return document[:-_CUT] if "document-truncated" in self._faults else document
