"""Attestations: what a person saw and signs for, with the evidence it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from onc_conformance.gate.entries import Entry, read


class _AttestationEntry(Entry):
    step: str
    target: str | None = None
    who: str
    when: date
    statement: str
    evidence: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]
    expires: date


class _AttestationFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    demonstration: bool = False
    attestation: list[_AttestationEntry] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One signed statement about one step, for one target or (target None) for all."""

    step: str
    target: str | None
    who: str
    when: date
    statement: str
    evidence: str
    """The evidence file as the entry names it, relative to the attestation file."""
    sha256: str
    expires: date
    """The last day it is valid."""
    demonstration: bool = False
    """From a file that only shows the form; every report says so."""
    defect: str | None = None
    """Why its evidence does not stand, or None."""

    def invalid(self, today: date) -> str | None:
        """Why it does not count on this day, or None."""
        if self.defect:
            return self.defect
        if self.when > today:
            return f"dated in the future, {self.when}"
        return f"expired on {self.expires}" if today > self.expires else None


def load_attestations(path: Path) -> tuple[Attestation, ...]:
    """Every entry of the file, its evidence checked against its sha256; UsageError names file, line and key."""
    content = read(path, _AttestationFile)
    return tuple(
        Attestation(
            **entry.model_dump(exclude={"sha256"}),
            sha256=entry.sha256.lower(),
            demonstration=content.demonstration,
            defect=_defect(path.parent / entry.evidence, entry),
        )
        for entry in content.attestation
    )


def _defect(evidence: Path, entry: _AttestationEntry) -> str | None:
    try:
        found = hashlib.sha256(evidence.read_bytes()).hexdigest()
    except OSError:
        return f"evidence file {entry.evidence} cannot be read"
    if found != entry.sha256.lower():
        return f"evidence file {entry.evidence} has sha256 {found}, not the attested {entry.sha256.lower()}"
    return None


def find(attestations: Iterable[Attestation], step: str, target: str, today: date) -> tuple[Attestation | None, str]:
    """The entry that counts for the step, or None and why there is none; one that names the target goes first."""
    matching = sorted(
        (entry for entry in attestations if entry.step == step and entry.target in (None, target)),
        key=lambda entry: entry.target is None,
    )
    defects = [entry.invalid(today) for entry in matching]
    for entry, defect in zip(matching, defects, strict=True):
        if defect is None:
            return entry, ""
    return None, "attestation missing" + "".join(f": {defect}" for defect in defects[:1])
