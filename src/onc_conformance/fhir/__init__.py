"""FHIR R4 and US Core: resources judged, and what they say of a patient. Each name is loaded when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onc_conformance.fhir.references import within
    from onc_conformance.fhir.structure import ADVICE
    from onc_conformance.fhir.tables import DEFAULT, Element, Profile, Tables, load, versions
    from onc_conformance.fhir.validating import entries, of_type, profiles, validate

_HOMES = {
    "ADVICE": "structure",
    "DEFAULT": "tables",
    "Element": "tables",
    "Profile": "tables",
    "Tables": "tables",
    "entries": "validating",
    "load": "tables",
    "of_type": "validating",
    "profiles": "validating",
    "validate": "validating",
    "versions": "tables",
    "within": "references",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "ADVICE",
    "DEFAULT",
    "Element",
    "Profile",
    "Tables",
    "entries",
    "load",
    "of_type",
    "profiles",
    "validate",
    "versions",
    "within",
]
