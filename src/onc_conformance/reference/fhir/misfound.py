"""Searches and reads that find what they should not, or fail to find what they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.records import Records
    from onc_conformance.reference.fhir.search import Clause, Query

_OLD = "2012"


def _next_patient(issued: list[str], records: Records) -> list[str]:
    order = [one["id"] for one in records.of_type("Patient")]
    return [order[(order.index(each) + 1) % len(order)] if each in order else each for each in issued]


def _first_patient(issued: list[str], records: Records) -> list[str]:
    return [one["id"] for one in records.of_type("Patient")[:1]] if issued else []


def _more(found: list[Resource], query: Query, records: Records) -> list[Resource]:
    """A resource of the same patient that does not fit."""
    asked = query.patients()
    others = [one for one in records.of_patients(query.kind.name, asked) if one not in found]
    return found + others[:1]


def _foreign(found: list[Resource], query: Query, records: Records) -> list[Resource]:
    """A resource of the next patient who has one."""
    asked = query.patients()
    own = [one["id"] for one in records.of_patients(query.kind.name, asked)]
    others = [one for one in records.of_type(query.kind.name) if one["id"] not in own]
    return found + others[:1] if asked else found


def _recent(found: list[Resource], query: Query, records: Records) -> list[Resource]:  # noqa: ARG001 - all are asked alike
    return [one for one in found if _day(one) >= _OLD]


def _day(resource: Resource) -> str:
    """The day a resource is about, as far as it says; the future where it says none."""
    for name in ("effectiveDateTime", "performedDateTime", "occurrenceDateTime", "onsetDateTime", "authoredOn"):
        if name in resource:
            return str(resource[name])
    return "9"


def _by_bare_id(found: list[Resource], query: Query, records: Records) -> list[Resource]:  # noqa: ARG001
    typed = any("/" in value for clause in query.of("patient") for value in clause.values)
    return [] if typed else found


def _spelt_alike(found: list[Resource], query: Query, records: Records) -> list[Resource]:  # noqa: ARG001
    """Those that begin with a text in just these letters, large and small."""
    texts = [clause for clause in query.clauses if clause.parameter.kind == "string"]
    return [one for one in found if all(_begins(one, clause) for clause in texts)]


def _begins(resource: Resource, clause: Clause) -> bool:
    return any(str(told).startswith(clause.values) for told in clause.parameter.values(resource))


def _second(issued: str, kind: str, records: Records) -> str:
    """The resource after the one that is meant, of the same type."""
    order = [one["id"] for one in records.of_type(kind)]
    if kind == "Patient" or issued not in order:
        return issued
    return str(order[(order.index(issued) + 1) % len(order)])


PATIENTS: dict[str, Callable[[list[str], Records], list[str]]] = {
    "fhir-wrong-patient": _next_patient,
    "fhir-hole-other-patients": _next_patient,
    "fhir-patient-ignored": _first_patient,
}
FOUND: dict[str, Callable[[list[Resource], Query, Records], list[Resource]]] = {
    "fhir-every-second-dropped": lambda found, *_: found[::2],
    "fhir-last-dropped": lambda found, *_: found[:-1] or found,
    "fhir-row-too-many": _more,
    "fhir-row-of-another-patient": _foreign,
    "fhir-row-twice": lambda found, *_: found[:1] + found,
    "fhir-old-data-lost": _recent,
    "fhir-conditions-empty": lambda found, query, _: [] if query.kind.name == "Condition" else found,
    "fhir-typed-patient-not-found": _by_bare_id,
    "fhir-name-by-letter-case": _spelt_alike,
    "fhir-id-search-empty": lambda found, query, _: [] if query.of("_id") else found,
}
READ: dict[str, Callable[[str, str, Records], str]] = {
    "fhir-read-another": _second,
    "fhir-read-fails": lambda issued, kind, _: f"{issued}-gone" if kind == "Observation" else issued,
    "fhir-provenance-unreadable": lambda issued, kind, _: f"{issued}-gone" if kind == "Provenance" else issued,
}
INCLUDED: dict[str, Callable[[list[Resource]], list[Resource]]] = {
    "fhir-provenance-missing": lambda found: [one for one in found if one["resourceType"] != "Provenance"],
    "fhir-include-missing": lambda found: [one for one in found if one["resourceType"] == "Provenance"],
}
