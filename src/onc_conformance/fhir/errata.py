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
    reason: str
    source: str
    digest: str = ""
    """Of its expression; empty for a binding."""
    at: str = ""
    """The element an expression stands on."""
    code: str = ""
    """What a binding objects to wrongly; empty for an expression."""

    def counted(self, many: int) -> Finding:
        """What a report says of findings that were set aside."""
        return set_aside(self.rule, self.reason, self.source, many)


@cache
def errata() -> dict[tuple[str, str], Erratum]:
    """Of expressions, by digest and element."""
    return {(each.digest, each.at): each for each in _all() if each.digest}


@cache
def misbound() -> dict[str, Erratum]:
    """Of bindings, by rule."""
    return {each.rule: each for each in _all() if each.code}


@cache
def _all() -> tuple[Erratum, ...]:
    text = (suite.schemas() / "us-core" / "errata.toml").read_text(encoding="utf-8")
    return tuple(Erratum(**each) for each in tomllib.loads(text)["erratum"])
