"""What a version of US Core demands of a server, by type of resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onc_conformance.fhir import shapes
from onc_conformance.fhir.tables import Tables
from onc_conformance.fhir.validating import codes_of

PROVENANCE = "Provenance:target"
_STATUSES = 20


def served(tables: Tables, kind: str) -> bool:
    """Whether a certified server has to have the type."""
    return kind in tables.searches and tables.searches[kind]["strength"] == "SHALL"


def by_patient(tables: Tables, kind: str) -> bool:
    """Whether a patient's resources of the type are searched for; the directory is only read."""
    if kind == "Patient" or not served(tables, kind):
        return kind == "Patient"
    told = tables.searches[kind]
    strengths = [strength for strength, names in told["combinations"] if "patient" in names]
    able = "patient" in told["parameters"]
    return able and ("SHALL" in strengths or told["parameters"]["patient"]["strength"] != "SHOULD")


def combinations(tables: Tables, kind: str) -> list[tuple[str, ...]]:
    """The parameters, alone and together, by which the type has to be found."""
    told = tables.searches[kind]
    alone = [(name,) for name, each in told["parameters"].items() if each["strength"] == "SHALL"]
    return alone + [tuple(names) for strength, names in told["combinations"] if strength == "SHALL"]


def statuses(tables: Tables, kind: str) -> list[str]:
    """The codes of `status`, where the type is searched for by them; none where it is not."""
    binding = (place := shapes.type_of(kind).places.get("status")) and place.binding
    if not binding or "status" not in tables.searches[kind]["parameters"]:
        return []
    return codes_of(tables).listed(binding.value_set, _STATUSES) or []


def provenance(tables: Tables, kind: str) -> bool:
    """Whether Provenance has to come along; 3.1.1 names the parameter without saying how strongly, ONC demands it."""
    return served(tables, kind) and tables.searches[kind]["revincludes"].get(PROVENANCE, "MAY") in {None, "SHALL"}


def profiled(tables: Tables, kind: str) -> bool:
    """Whether the type has a profile."""
    return kind in tables.of_type


def medications(tables: Tables, kind: str) -> bool:
    """Whether the type names medications that may have to come along."""
    return served(tables, kind) and f"{kind}:medication" in tables.searches[kind]["includes"]


OF_STEPS: Mapping[str, Callable[[Tables, str], bool]] = {
    "SH-PAT-2": served,
    "SH-PAT-3": provenance,
    "DAT-PAT-2": profiled,
    "DAT-PAT-5": medications,
}
"""Of the steps that are done type by type: whether a version has something to be done of a type."""
