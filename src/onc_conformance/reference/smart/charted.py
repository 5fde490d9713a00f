"""The patients and visits that people choose among on the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.server import FhirServer


@dataclass(frozen=True, slots=True)
class Choice:
    """One of those to choose among."""

    id: str
    title: str


class Charted:
    """Reads the FHIR server's records, which are made when they are first asked for."""

    def __init__(self, fhir: FhirServer) -> None:
        self._fhir = fhir

    def patients(self) -> list[Choice]:
        return [Choice(one["id"], _named(one)) for one in self._fhir.records.of_type("Patient")]

    def patient(self, issued: str) -> Choice | None:
        found = self._fhir.records.get("Patient", issued)
        return Choice(found[0]["id"], _named(found[0])) if found else None

    def visits(self, patient: str) -> list[Choice]:
        """The latest first."""
        found = self._fhir.records.of_patients("Encounter", [patient])
        latest = sorted(found, key=lambda one: str(one.get("period", {}).get("start", "")), reverse=True)
        return [Choice(one["id"], _dated(one)) for one in latest]

    def another_visit(self, visit: str) -> str:
        """Somebody else's; nothing if there is none."""
        own = self._fhir.records.get("Encounter", visit)
        for one in self._fhir.records.of_type("Encounter"):
            found = self._fhir.records.get("Encounter", one["id"])
            if found and own and found[1] != own[1]:
                return str(one["id"])
        return ""

    def another_patient(self, patient: str) -> str:
        """Somebody else; the same if there is nobody else."""
        return next((one.id for one in self.patients() if one.id != patient), patient)

    def practice(self) -> str:
        """Type/id of the first Location; nothing if there is none."""
        return next((f"Location/{one['id']}" for one in self._fhir.records.of_type("Location")), "")


def _named(patient: Resource) -> str:
    name: Resource = next(iter(patient.get("name", ())), {})
    full = " ".join((*name.get("given", ()), str(name.get("family", "")))).strip()
    return f"{full or patient['id']}, born {patient.get('birthDate', 'unknown')}"


def _dated(encounter: Resource) -> str:
    kind: Resource = next(iter(encounter.get("type", ())), {})
    named = kind.get("text") or next((one.get("display", "") for one in kind.get("coding", ())), "") or "Visit"
    return f"{str(encounter.get('period', {}).get('start', 'undated'))[:10]} {named}"
