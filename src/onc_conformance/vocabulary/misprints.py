"""Codes that ONC's own test data print wrong (schemas/vocabulary/misprints.json): nobody is failed for copying them."""

from __future__ import annotations

from dataclasses import dataclass

from onc_conformance.vocabulary.tables import facts


@dataclass(frozen=True, slots=True)
class Misprint:
    """A code that its system does not have."""

    code: str
    meant: str
    source: str

    @property
    def reason(self) -> str:
        """Why the code is let pass, in a few words."""
        return f"{self.code} is a misprint of {self.meant}"


def misprinted(oid: str, code: str) -> Misprint | None:
    """The misprint that a code of a system is; None for any other code."""
    told = facts("misprints").get(oid, {}).get(code)
    return Misprint(code, told["meant"], told["source"]) if told else None
