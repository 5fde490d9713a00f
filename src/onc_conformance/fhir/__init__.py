"""FHIR R4 and US Core: resources, and what they say of a patient."""
