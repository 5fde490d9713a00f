"""The invariants of FHIR and of US Core, each a small rule of ours under the id it has there."""

from onc_conformance.fhir.invariants.base import BASE
from onc_conformance.fhir.invariants.guide import GUIDE
from onc_conformance.fhir.invariants.words import Rule, Scope

__all__ = ["BASE", "GUIDE", "Rule", "Scope"]
