"""The list of service base addresses, as every developer publishes it: Endpoints and Organizations for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Resource = dict[str, Any]
_ENDPOINT = "service-base"
_NOBODY = {
    "resourceType": "Organization",
    "id": "practice",
    "active": True,
    "name": "Reference practice",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
    "address": [{"line": ["1 Main Street"], "city": "Beaverton", "state": "OR", "postalCode": "97005"}],
}
"""Whom the server serves where its data name no organization."""


def bundle(organizations: Sequence[Resource], base: str, faults: frozenset[str]) -> Resource:
    """A Bundle of the Endpoint at `base` and of whoever is served there."""
    kept = ("resourceType", "id", "active", "name", "identifier", "address", "telecom", "type")
    served = [{key: each[key] for key in kept if key in each} for each in organizations] or [dict(_NOBODY)]
    if "fhir-endpoints-of-nobody" not in faults:
        served = [{**each, "endpoint": [{"reference": f"Endpoint/{_ENDPOINT}"}]} for each in served]
    endpoint = {
        "resourceType": "Endpoint",
        "id": _ENDPOINT,
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "hl7-fhir-rest",
        },
        "name": "FHIR R4 with US Core",
        "payloadType": [{"text": "FHIR R4 resources"}],
        "address": "https://fhir.example/r4" if "fhir-endpoints-elsewhere" in faults else base,
    }
    resources = [endpoint, *served]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"{base}/{each['resourceType']}/{each['id']}", "resource": each} for each in resources],
    }
