"""FHIR resources judged: R4 itself, and the profiles of US Core and of packages a user imported."""

from onc_conformance.fhir.references import within
from onc_conformance.fhir.tables import DEFAULT, Element, Profile, Tables, load, versions
from onc_conformance.fhir.validating import entries, validate

__all__ = ["DEFAULT", "Element", "Profile", "Tables", "entries", "load", "validate", "versions", "within"]
