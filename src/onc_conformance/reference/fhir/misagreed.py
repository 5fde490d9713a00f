"""Resources that are sound and tell something else than the documents of the same patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.records import Records
    from onc_conformance.reference.fhir.search import Query

_CHOLERA = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "26", "display": "cholera"}]}


def _of_its_own(found: list[Resource], query: Query, records: Records) -> list[Resource]:  # noqa: ARG001
    if query.kind.name != "Immunization" or not found:
        return found
    return [*found, found[0] | {"id": f"{found[0]['id']}0", "vaccineCode": _CHOLERA}]


def _left_out(found: list[Resource], query: Query, records: Records) -> list[Resource]:  # noqa: ARG001
    return found[1:] if query.kind.name == "Immunization" else found


def _twice(found: list[Resource], query: Query, records: Records) -> list[Resource]:  # noqa: ARG001
    if query.kind.name != "Procedure" or not found:
        return found
    return [*found, found[0] | {"id": f"{found[0]['id']}0", "performedDateTime": "2019-01-01"}]


def _value(resource: Resource) -> Resource:
    return _within(resource, "valueQuantity", lambda said: said | {"value": said["value"] + 1})


def _unit(resource: Resource) -> Resource:
    units = {"unit": "mmol/L", "code": "mmol/L"}
    return _within(resource, "valueQuantity", lambda said: said | units if said["unit"] == "mg/dL" else said)


def _onset(resource: Resource) -> Resource:
    return _within(resource, "onsetDateTime", lambda day: f"{int(day[:4]) - 1}{day[4:]}")


def _ended(resource: Resource) -> Resource:
    return _within(resource, "abatementDateTime", lambda day: f"{int(day[:4]) + 1}{day[4:]}")


def _dose(resource: Resource) -> Resource:
    def doubled(rate: Resource) -> Resource:
        return _within(rate, "doseQuantity", lambda said: said | {"value": said["value"] * 2})

    def each(dosage: Resource) -> Resource:
        return _within(dosage, "doseAndRate", lambda rates: [doubled(rate) for rate in rates])

    return _within(resource, "dosageInstruction", lambda told: [each(dosage) for dosage in told])


def _lot(resource: Resource) -> Resource:
    return _within(resource, "lotNumber", lambda lot: f"{lot}9")


def _within(resource: Resource, name: str, change: Callable[[Any], Any]) -> Resource:
    return resource | {name: change(resource[name])} if name in resource else resource


def _in(kind: str, change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    return lambda resource: change(resource) if resource["resourceType"] == kind else resource


FOUND: dict[str, Callable[[list[Resource], Query, Records], list[Resource]]] = {
    "fhir-alone-vaccine": _of_its_own,
    "fhir-alone-procedure": _twice,
    "fhir-alone-left-out": _left_out,
}
SHOWN: dict[str, Callable[[Resource], Resource]] = {
    "fhir-alone-value": _in("Observation", _value),
    "fhir-alone-unit": _in("Observation", _unit),
    "fhir-alone-onset": _in("Condition", _onset),
    "fhir-alone-end": _in("Condition", _ended),
    "fhir-alone-dose": _in("MedicationRequest", _dose),
    "fhir-alone-lot": _in("Immunization", _lot),
}
