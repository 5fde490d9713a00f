"""A results.json as a comparison reads it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from onc_conformance.findings import Layer, Outcome, Severity, UsageError
from onc_conformance.report import reading


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Finding(_Read):
    """A finding of a step, without what a comparison does not look at."""

    layer: Layer
    severity: Severity
    rule: str
    message: str
    xpath: str | None
    expected: str | None
    found: str | None
    target: str | None


class _Step(_Read):
    id: str
    criterion: str
    by_target: dict[str, Outcome]
    reason_by_target: dict[str, str | None]
    findings: tuple[Finding, ...]


class _Suppression(_Read):
    step: str
    target: str


class _Tool(_Read):
    version: str
    rules: dict[str, str]


class _Patient(_Read):
    id: str


class Results(_Read):
    """Of a results.json, what a comparison looks at."""

    tool: _Tool
    targets: tuple[str, ...]
    edition: str
    started: str
    interrupted: bool
    criteria: tuple[str, ...]
    patients: tuple[_Patient, ...]
    steps: tuple[_Step, ...]
    suppressions: tuple[_Suppression, ...] = Field(default=())
    source: str = ""
    """The file it was read from."""


def load(path: Path) -> Results:
    """The results of a run, by its folder or its results.json; UsageError names file and key."""
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder; expected a results.json or the folder of a run")
    file = path / "results.json" if path.is_dir() else path
    return reading.read(file, Results).model_copy(update={"source": str(path)})
