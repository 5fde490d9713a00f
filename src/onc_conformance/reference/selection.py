"""Whom the FHIR server shows to somebody who looks for a patient: the one asked for, but for the faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from onc_conformance.reference.fhir.answers import as_json, outcome
from onc_conformance.reference.screens import login_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.people import People, Person


class Selection:
    """What is done wrong with Patients and their ids."""

    def __init__(self, people: People, faults: frozenset[str]) -> None:
        self._people = people
        self._faults = faults

    @property
    def first(self) -> str:
        """The id of the first person."""
        return self._people.number_of(self._people.all[0])

    def page(self) -> Response | None:
        """A page for people, in place of any answer."""
        if "select-login-page" in self._faults:
            return Response(login_page(), content_type="text/html; charset=utf-8")
        return None

    def error(self) -> Response | None:
        """An error, in place of what was found."""
        if "select-error-body" in self._faults:
            return as_json(outcome("exception", "The request could not be processed."))
        return None

    def meant(self, issued: str) -> str:
        """Whose Patient is read."""
        if self._people.by_number(issued) is None:
            return self.first if issued and "unknown-id-answered" in self._faults else issued
        return self.first if "id-ignored" in self._faults else issued

    def found(self, patients: Iterable[Resource]) -> list[Resource]:
        """The Patients of an answer to a search."""
        shown = [self.shown(one) for one in patients if "'" not in _family(one) or not self._apostrophes_lost]
        if "select-two-rows" in self._faults:
            shown += [one | {"id": one["id"][::-1]} for one in shown]
        return shown

    @property
    def _apostrophes_lost(self) -> bool:
        return "select-apostrophe-lost" in self._faults

    def shown(self, patient: Resource) -> Resource:
        """The Patient, under the id it is shown with."""
        person = self._people.by_number(patient["id"])
        if person is None:
            return patient
        shown = patient | {"id": self._people.number_of(self._named_instead(person))}
        if "select-id-not-accepted" in self._faults:
            shown["id"] = f"9{shown['id']}"
        if "select-no-id" in self._faults:
            del shown["id"]
        return shown

    def _named_instead(self, person: Person) -> Person:
        """Whose id stands in the answer."""
        if "select-same-id" in self._faults:
            return self._people.all[0]
        if "select-namesakes-share-id" in self._faults:
            return self._people.namesake(person)
        if "select-near-name" in self._faults:
            return self._people.near(person)
        return self._people.next_to(person) if "select-wrong-patient" in self._faults else person


def _family(patient: Resource) -> str:
    return str(patient["name"][0].get("family", ""))
