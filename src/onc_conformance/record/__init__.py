"""Expected records: what a test patient's answers must contain, and what must not be in them."""

from onc_conformance.record.codes import Code, system_of, systems
from onc_conformance.record.facts import Fact, Name, Record, letters, plain
from onc_conformance.record.form import KINDS, schema
from onc_conformance.record.loading import load

__all__ = ["KINDS", "Code", "Fact", "Name", "Record", "letters", "load", "plain", "schema", "system_of", "systems"]
