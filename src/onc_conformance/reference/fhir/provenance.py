"""Who wrote each resource down, and who handed it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.fhir.directory import DOCTOR
from onc_conformance.reference.fhir.parts import TERMS, Pen, Resource, concept

if TYPE_CHECKING:
    from collections.abc import Iterable

_AGENTS = f"{TERMS}/provenance-participant-type"
_OF_US_CORE = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type"
TOLD = frozenset({
    "AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Coverage", "Device", "DiagnosticReport",
    "DocumentReference", "Encounter", "Goal", "Immunization", "MedicationDispense", "MedicationRequest", "Observation",
    "Patient", "Procedure", "QuestionnaireResponse", "RelatedPerson", "ServiceRequest",
})  # fmt: skip
"""Types that the guide wants the origin of."""


def written(pen: Pen, resources: Iterable[Resource]) -> list[Resource]:
    """One Provenance for each."""
    return [_one(pen, resource) for resource in resources if resource["resourceType"] in TOLD]


def _one(pen: Pen, resource: Resource) -> Resource:
    kind = resource["resourceType"]
    practice = pen.directory.organization()
    who, for_practice = _author(pen, resource), {"onBehalfOf": practice}
    author = concept(_AGENTS, "author", "Author")
    transmitter = concept(_OF_US_CORE, "transmitter", "Transmitter")
    changed = resource["meta"]["lastUpdated"]
    return pen.write(
        "Provenance",
        f"{kind}/{resource['id']}",
        ("us-core-provenance",),
        changed,
        target=[{"reference": f"{kind}/{resource['id']}"}],
        recorded=changed,
        agent=[
            {"type": author, "who": who} | ({} if who["reference"].startswith("Organization/") else for_practice),
            {"type": transmitter, "who": practice, **for_practice},
        ],
    )


def _author(pen: Pen, resource: Resource) -> Resource:
    for name in ("recorder", "author", "requester", "performer", "expressedBy"):
        found = resource.get(name)
        found = found[0] if isinstance(found, list) else found
        found = found.get("actor", found) if isinstance(found, dict) else found
        if isinstance(found, dict) and str(found.get("reference", "")).startswith(("Practitioner/", "Organization/")):
            return found
    return pen.directory.practitioner(DOCTOR)
