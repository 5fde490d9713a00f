"""The embedded reference EHR: what the suite is tried on, right by default and wrong in any of a catalogue of ways."""

from onc_conformance.reference.ehr import ReferenceEHR
from onc_conformance.reference.settings import Settings

__all__ = ["ReferenceEHR", "Settings"]
