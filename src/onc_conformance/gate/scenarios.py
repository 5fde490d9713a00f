"""What one scenario came to on one target: the gate's only input from a run."""

from __future__ import annotations

from dataclasses import dataclass

from onc_conformance.findings import Finding, Outcome, Severity
from onc_conformance.judging.inspection import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One scenario, once, against one target."""

    steps: tuple[str, ...]
    """Ids of the procedure steps it is tagged with."""
    target: str
    criterion: str
    feature: str
    name: str
    edition: str
    outcome: Outcome
    beyond: bool = False
    reason: str | None = None
    blocked_by: str | None = None
    """The step whose failure kept this scenario from running, if that is why it was not tested."""
    findings: tuple[Finding, ...] = ()
    exchanges: tuple[str, ...] = ()
    seconds: float = 0.0
    sheets: tuple[Sheet, ...] = ()
    """What it leaves to a person's eyes."""

    @property
    def objects(self) -> bool:
        """Whether it says the target is at fault; beyond the stated steps only an error finding says so."""
        if self.outcome is not Outcome.FAILED:
            return False
        return not self.beyond or any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def explanation(self) -> str | None:
        """The reason, naming the step that failed first where there is one."""
        if self.blocked_by is None:
            return self.reason
        if self.reason is None:
            return f"{self.blocked_by} failed first"
        return self.reason if self.blocked_by in self.reason else f"{self.reason} ({self.blocked_by} failed first)"
