"""The reference EHR's FHIR server: resources written from its charts, and the searches of US Core over them."""
