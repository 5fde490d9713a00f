"""Excuses: steps a run may leave untested for a stated reason and a limited time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from onc_conformance.gate.entries import Entry, read


class _ExcuseEntry(Entry):
    step: str
    target: str | None = None
    reason: str
    expires: date


class _ExcuseFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    excuse: list[_ExcuseEntry] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """Why one step may stay untested, for one target or (target None) for all, and until when."""

    step: str
    target: str | None
    reason: str
    expires: date
    """The last day it excuses."""

    def covers(self, step: str, target: str) -> bool:
        """Whether it speaks of this step on this target, expired or not."""
        return self.step == step and self.target in (None, target)

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires

    def __str__(self) -> str:
        return f"excuse for {self.step}" + (f" on {self.target}" if self.target else "")


def load_excuses(path: Path) -> tuple[Excuse, ...]:
    """Every entry of the file; UsageError names file, line and key."""
    return tuple(Excuse(**entry.model_dump()) for entry in read(path, _ExcuseFile).excuse)
