"""FHIR resources judged: R4 itself, and the profiles of US Core and of packages a user imported."""

from onc_conformance.fhir.errata import SUPPRESSED
from onc_conformance.fhir.references import within
from onc_conformance.fhir.structure import ADVICE
from onc_conformance.fhir.support import seen
from onc_conformance.fhir.tables import DEFAULT, Element, Profile, Tables, load, versions
from onc_conformance.fhir.validating import entries, profiles, validate

__all__ = [
    "ADVICE",
    "DEFAULT",
    "SUPPRESSED",
    "Element",
    "Profile",
    "Tables",
    "entries",
    "load",
    "profiles",
    "seen",
    "validate",
    "versions",
    "within",
]
