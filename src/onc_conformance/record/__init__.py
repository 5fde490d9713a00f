"""Expected records: what a test patient's answers must contain, and what must not be in them."""

from typing import Any

from onc_conformance.record.classes import KINDS
from onc_conformance.record.codes import Code, system_of, systems
from onc_conformance.record.facts import Fact, Name, Record, letters, plain
from onc_conformance.record.loading import load, of_tables, raw, regular, together


def schema() -> dict[str, Any]:
    """The JSON Schema of a patients file, as kept in schemas/record.schema.json."""
    from onc_conformance.record import form  # the models cost time that a command without a patients file can save

    return form.schema()


__all__ = [
    "KINDS",
    "Code",
    "Fact",
    "Name",
    "Record",
    "letters",
    "load",
    "of_tables",
    "plain",
    "raw",
    "regular",
    "schema",
    "system_of",
    "systems",
    "together",
]
