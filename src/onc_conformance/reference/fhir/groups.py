"""Groups of patients, which a population's data are exported for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.people import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onc_conformance.reference.fhir.parts import Resource

OWNER = ""
"""Whose a Group is: nobody's, so that a token for one patient does not open it."""
NAMES = ("population", "latest")
CHANGED = "2026-10-01T12:00:00Z"


def written(patients: Sequence[str]) -> list[Resource]:
    """A Group of all these patients, and one of the last of them alone; of ids issued for Patients."""
    return [_group(*each) for each in zip(NAMES, (patients, patients[-1:]), strict=True) if patients]


def ids() -> list[str]:
    """The ids of both."""
    return [number("fhir Group", name, 12) for name in NAMES]


def members(group: Resource) -> Iterator[str]:
    """The ids of the patients in a Group."""
    for member in group.get("member", ()):
        kind, _, issued = str(member.get("entity", {}).get("reference", "")).rpartition("/")
        if kind.endswith("Patient") and not member.get("inactive"):
            yield issued


def _group(name: str, patients: Sequence[str]) -> Resource:
    return {
        "resourceType": "Group",
        "id": number("fhir Group", name, 12),
        "meta": {"lastUpdated": CHANGED},
        "active": True,
        "type": "person",
        "actual": True,
        "name": f"reference EHR: {name}",
        "quantity": len(patients),
        "member": [{"entity": {"reference": f"Patient/{issued}"}} for issued in patients],
    }
