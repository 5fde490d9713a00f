"""Rules of a guide that are wrong as published (schemas/us-core/errata.toml): set aside, and counted."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from onc_conformance import suite
from onc_conformance.findings import Finding, set_aside


@dataclass(frozen=True, slots=True)
class Erratum:
    """A rule that is wrong as published."""

    rule: str
    digest: str
    """Of its expression."""
    at: str
    """The element it stands on."""
    reason: str
    source: str

    def counted(self, many: int) -> Finding:
        """What a report says of findings that were set aside."""
        return set_aside(self.rule, self.reason, self.source, many)


@cache
def errata() -> dict[tuple[str, str], Erratum]:
    """By digest and element."""
    text = (suite.schemas() / "us-core" / "errata.toml").read_text(encoding="utf-8")
    return {(each["digest"], each["at"]): Erratum(**each) for each in tomllib.loads(text)["erratum"]}
