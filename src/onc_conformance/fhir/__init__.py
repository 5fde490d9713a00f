"""FHIR resources judged: R4 itself, and the profiles of US Core and of packages a user imported."""
