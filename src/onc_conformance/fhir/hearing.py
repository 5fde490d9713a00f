"""What is gathered while one resource is judged: findings, references, codes nobody can judge here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from onc_conformance import vocabulary
from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.errata import Erratum
from onc_conformance.fhir.tables import Tables
from onc_conformance.findings import Finding, Layer, Severity

MOST = 1000
"""Findings told of one resource."""
LIMIT = "FHIR-MANY"
"""Rule of the finding that says how many more there are."""


@dataclass(slots=True)
class Named:
    """A reference that was met."""

    path: str
    told: str


@dataclass(slots=True)
class Hearing:
    """One resource before its judges."""

    tables: Tables
    codes: Codes
    resource: dict[str, Any]
    resolve: Callable[[str], dict[str, Any] | None] | None = None
    findings: list[Finding] = field(default_factory=list)
    references: list[Named] = field(default_factory=list)
    not_judged: set[tuple[str, str | None, str]] = field(default_factory=set)
    """Place, system and code."""
    aside: Counter[Erratum] = field(default_factory=Counter)
    """Findings of rules that are wrong as published."""
    more: int = 0
    _settled: dict[str, set[str]] = field(default_factory=dict)
    """By path, the profiles, by URL, that say themselves which codes are meant there."""
    _doubted: list[tuple[Finding, str]] = field(default_factory=list)
    """Objections by bindings that do not require their set, and the profile that has them; empty for FHIR itself."""
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def object(
        self,
        rule: str,
        message: str,
        path: str,
        *,
        layer: Layer = Layer.SCHEMA,
        severity: Severity = Severity.ERROR,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
        doubted: str | None = None,
    ) -> None:
        """Say what is wrong at a place; the same about the same place is said once.

        `doubted` is the profile, empty for FHIR itself, whose binding does not require its set: a profile made of it
        may know better.
        """
        key = (rule, path, found or "")
        if key in self._told:
            return
        if len(self.findings) >= MOST:
            self.more += 1
            return
        self._told.add(key)
        made = Finding(
            layer=layer, severity=severity, rule=rule, message=message, path=path, expected=expected, found=found,
            hint=hint,
        )  # fmt: skip
        self.findings.append(made)
        if doubted is not None:
            self._doubted.append((made, doubted))

    def settle(self, path: str, profile: str) -> None:
        """Note that a profile says which codes are meant at a place: it requires them, fixes them, or lists what came.

        Of a code that is fixed, the Coding, the concept or the quantity around it is settled, too.
        """
        self._settled.setdefault(path, set()).add(profile)
        outer, dot, last = path.rpartition(".")
        if dot and (last == "code" or last.startswith("coding[")):
            self.settle(outer, profile)

    def closing(self, path: str) -> list[Finding]:
        """All findings, and how much could not be told or judged."""
        withdrawn = {id(made) for made, doubted in self._doubted if self._answered(made, doubted)}
        self.findings = [each for each in self.findings if id(each) not in withdrawn]
        self.findings += [erratum.counted(many) for erratum, many in self.aside.items()]
        if self.not_judged:
            self.findings.append(
                Finding(
                    layer=Layer.VOCABULARY,
                    severity=Severity.INFO,
                    rule=vocabulary.NOT_JUDGED,
                    message="codes of value sets that are not listed here were not judged; a pack of them would tell",
                    path=path,
                    found=str(len(self.not_judged)),
                )
            )
        if self.more:
            self.findings.append(
                Finding(
                    layer=Layer.SCHEMA,
                    severity=Severity.ERROR,
                    rule=LIMIT,
                    message=f"more is wrong than the {MOST} findings that are told",
                    path=path,
                    found=str(self.more),
                )
            )
        return self.findings

    def _answered(self, made: Finding, doubted: str) -> bool:
        """Whether a profile made of the one that objects says which codes are meant there."""
        return any(self._made_of(profile, doubted) for profile in self._settled.get(made.path or "", ()))

    def _made_of(self, profile: str, other: str) -> bool:
        while profile and profile != other:
            known = self.tables.profiles.get(profile)
            profile = known.base if known else ""
        return profile == other


def shown(value: Any) -> str:
    """A value on one line and short."""
    told = value if isinstance(value, str) else repr(value)
    told = " ".join(told.split())
    return told if len(told) <= 120 else f"{told[:120]}…"
