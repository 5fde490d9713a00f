"""Several targets at once: pytest-xdist gives each target to one worker, and what came of each scenario comes back.

The process that was started holds the reference EHR, hands every worker the same assignment, and gathers; a worker
examines, and sends each result with the exchanges it rests on. Both ends of the pipes are this program.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from onc_conformance import procedure, scheduling
from onc_conformance.examination import Examination
from onc_conformance.exchange import Exchange, Journal
from onc_conformance.gate import ScenarioResult
from onc_conformance.plugin import Conduct, disk_full, out_of_time
from onc_conformance.record import Record
from onc_conformance.redaction import Known, Secrets
from onc_conformance.report import recording
from onc_conformance.targets import Target

_INPUT = "onc_conformance_assignment"
_DELIVERY = "onc_conformance_delivery"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What a worker has to know to examine any of the targets."""

    candidates: Sequence[tuple[Target, Sequence[Record]]]
    criteria: Collection[str]
    edition: str
    replay: Path | None
    """The folder of the run whose recording answers, or None."""
    until: float | None
    """When the time of the run ends, on the clock that all processes share."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a worker has to tell after a scenario."""

    result: ScenarioResult
    exchanges: tuple[Exchange, ...]
    """Those made since the last delivery, unmasked: they are masked when all secrets of the run are known."""
    known: Known
    trouble: Mapping[str, str]
    notes: Mapping[str, tuple[str, ...]]
    """What a report should say of the way the requests went, by target."""
    late: int
    disk: OSError | None
    steps: frozenset[str]
    total: int


class Worker(Conduct):
    """The conduct of a worker: every result goes out with the report of its test."""

    def __init__(self, assignment: Assignment, number: int) -> None:
        secrets, prefix = Secrets(), f"{number}-"
        replay = recording.load(assignment.replay) if assignment.replay else None
        self._journal = replay.journal(secrets, prefix) if replay else Journal(secrets, prefix=prefix)
        self._journal.until = assignment.until
        self._sent = 0
        edition = procedure.edition(assignment.edition)
        super().__init__(
            {
                target.id: Examination(target, self._journal, records, edition)
                for target, records in assignment.candidates
            },
            assignment.criteria,
            assignment.edition,
            until=assignment.until,
            mark=scheduling.MARK,
        )

    def told(self, report: pytest.TestReport, result: ScenarioResult) -> None:
        exchanges = tuple(self._journal.exchanges.values())
        delivery = Delivery(
            result=result,
            exchanges=exchanges[self._sent :],
            known=self._journal.secrets.known,
            trouble=dict(self.trouble),
            notes={result.target: self.examinations[result.target].client.notes},
            late=self.late,
            disk=self.disk,
            steps=frozenset(self.steps),
            total=self.total,
        )
        self._sent = len(exchanges)
        setattr(report, _DELIVERY, pickle.dumps(delivery))


@dataclass
class Gathering:
    """What the process that was started gathers from its workers."""

    assignment: Assignment
    secrets: Secrets
    progress: Callable[[str, int, int], None] | None = None
    results: list[ScenarioResult] = field(default_factory=list)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stopped: bool = False
    """Whether somebody pressed Ctrl-C."""
    disk: OSError | None = None
    """Why a worker can write nothing more."""
    steps: set[str] = field(default_factory=set)
    _late: dict[str, int] = field(default_factory=dict)
    lost: str | None = None
    """What became of a worker that ended before its work was done."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a report should say of the way the run went."""
        return out_of_time(sum(self._late.values()))

    def full(self, error: BaseException) -> bool:
        """Whether it is a disk that takes no more, which ends the run."""
        if not disk_full(error):
            return False
        self.disk = self.disk or error
        return True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.stopped = self.stopped or excinfo.type is KeyboardInterrupt

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        return scheduling.ByTarget(config, log)

    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[_INPUT] = pickle.dumps(self.assignment)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        packed = getattr(report, _DELIVERY, None)
        if packed is None:
            return
        delivery: Delivery = pickle.loads(packed)  # noqa: S301 - a worker of ours wrote it
        self.results.append(delivery.result)
        self.exchanges |= {each.id: each for each in delivery.exchanges}
        self.secrets.learn(delivery.known)
        self.trouble |= delivery.trouble
        self.notes |= delivery.notes
        self.disk = self.disk or delivery.disk
        self._late[report.node.gateway.id] = delivery.late
        self.steps |= delivery.steps
        if self.progress:
            name = f"{delivery.result.name} [{delivery.result.target}]"
            self.progress(name, len(self.results), delivery.total)

    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        if error and error != "keyboard-interrupt":
            self.lost = f"worker {node.gateway.id} ended before its work was done"


def pytest_configure(config: pytest.Config) -> None:
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    if _INPUT in given:
        assignment: Assignment = pickle.loads(given[_INPUT])  # noqa: S301 - the process that started this one wrote it
        number = int("".join(filter(str.isdigit, given["workerid"]))) + 1
        config.pluginmanager.register(Worker(assignment, number))
