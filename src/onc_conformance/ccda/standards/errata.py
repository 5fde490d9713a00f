"""Known defects of published rules (schemas/ccda/errata.toml): their findings are set aside, and counted."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from onc_conformance import suite
from onc_conformance.findings import SUPPRESSED, Finding, set_aside


@dataclass(frozen=True, slots=True)
class Erratum:
    """A rule that is wrong as published."""

    ruleset: str
    """Extension of the US Realm Header template in the rule file that has the defect."""
    rule: str
    reason: str
    source: str
    since: date

    def counted(self, many: int) -> Finding:
        """What a report says of findings that were set aside."""
        return set_aside(self.rule, self.reason, self.source, many)


def errata(releases: Iterable[str]) -> dict[str, Erratum]:
    """By rule, those of a rule file written for these releases of the US Realm Header."""
    return {each.rule: each for each in _all() if each.ruleset in releases}


@cache
def _all() -> tuple[Erratum, ...]:
    text = (suite.schemas() / "ccda" / "errata.toml").read_text(encoding="utf-8")
    return tuple(Erratum(**each) for each in tomllib.loads(text)["erratum"])


def suppressed(findings: Iterable[Finding]) -> int:
    """How many findings these say were set aside."""
    return sum(int(each.found or 0) for each in findings if each.rule == SUPPRESSED)
