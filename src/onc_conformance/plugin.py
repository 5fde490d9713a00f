"""The pytest side of the suite: fixtures for the steps, and what each scenario came to.

A run registers a `Conduct` with pytest; it spreads every scenario over the targets, drops what was not selected,
and turns the outcome of each into a ScenarioResult.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import pytest
from pytest_bdd.scenario import scenario_wrapper_template_registry

from onc_conformance import procedure
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, Nonconformity, NotApplicable, NotTested, Outcome, OutOfTime, Severity
from onc_conformance.gate import ScenarioResult
from onc_conformance.report import gherkin

CONDUCT = pytest.StashKey["Conduct"]()
FINDINGS = pytest.StashKey[list[Finding]]()
SHOWN = pytest.StashKey[int]()
"""How many of the findings Allure has been told."""
SKIPPED = pytest.StashKey["NotTested | NotApplicable"]()

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
KINDS = {
    "beyond": "good practice beyond the stated steps",
    "authorization": "how apps are authorized, and what is refused",
    "matrix": "every door tried with every key: hundreds of requests",
    "assertions": "apps that sign, with one thing wrong",
    "waiting": "waits until something has run out",
    "bulk": "tokens and exports of a backend service",
}
_NEEDS_NO_LOGIN = ("Documentation", "Connections")
"""How the names of features begin that can be asked of a target nobody can log in to."""


class Verdict:
    """Takes the findings of a sentence: keeps them all, and ends the scenario when one is an error."""

    def __init__(self, item: pytest.Item, target: str) -> None:
        self._kept = item.stash.setdefault(FINDINGS, [])
        self._target = target

    def __call__(self, findings: Iterable[Finding]) -> None:
        told = [finding.at(None, self._target) for finding in findings]
        self._kept.extend(told)
        if any(finding.severity is Severity.ERROR for finding in told):
            raise Nonconformity(finding for finding in told if finding.severity is not Severity.INFO)


@dataclass
class Conduct:
    """One run's scenarios: which are asked of whom, and what they came to."""

    examinations: Mapping[str, Examination]
    criteria: Collection[str]
    edition: str
    progress: Callable[[str, int, int], None] | None = None
    """Told the scenario that starts, its number and how many there are."""
    until: float | None = None
    """When the time of the run ends, on the monotonic clock: no scenario is begun after it."""
    late: int = 0
    """Scenarios that the time did not allow."""
    stopped: bool = False
    """Whether somebody pressed Ctrl-C: pytest says the same of scenarios that it cannot read."""
    disk: OSError | None = None
    """Why nothing more can be written: the run ends there."""
    mark: str = ""
    """What the name of the target ends in within the name of a test."""
    trouble: dict[str, str] = field(default_factory=dict)
    """Why a target could not be examined, by target."""
    results: list[ScenarioResult] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    """Ids of the steps with a selected scenario."""
    total: int = 0
    """How many scenarios are selected."""
    _met: set[str] = field(default_factory=set)
    _left: Counter[str] = field(default_factory=Counter)
    """How many scenarios of each target are still to come."""
    _begun: float = 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a report should say of the way the run went."""
        return out_of_time(self.late)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[CONDUCT] = self

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Whether it is the room of another criterion: `steps/test_g9.py` has the scenarios of (g)(9)."""
        asked_of = collection_path.stem.removeprefix("test_")
        return (asked_of in procedure.load().criteria and asked_of not in self.criteria) or None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if metafunc.function in scenario_wrapper_template_registry:
            metafunc.fixturenames.append("target_id")
            targets = [pytest.param(name, id=f"{name}{self.mark}") for name in self.examinations]
            metafunc.parametrize("target_id", targets, scope="session")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            (kept if self._selected(item) else dropped).append(item)
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)
        self.total = len(kept)
        self._left = Counter(_target(item) for item in kept)
        self.steps |= {step for item in kept for step in step_ids(item)}

    def _selected(self, item: pytest.Item) -> bool:
        steps = [procedure.load().steps[step] for step in step_ids(item)]
        claimed = self.examinations[_target(item)].target.criteria
        return any(
            step.criterion in self.criteria and step.criterion in claimed and step.applies(self.edition)
            for step in steps
        )

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._begun = time.monotonic()
        target = _target(item)
        if self.progress:
            self.progress(f"{_scenario(item).name} [{target}]", len(self.results) + 1, self.total)
        if target not in self._met:
            self._met.add(target)
            if trouble := self.examinations[target].trouble():
                self.trouble[target] = trouble
        self.examinations[target].used.clear()
        self.examinations[target].sheets.clear()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Targets are examined one after the other, so that one target's answers at a time need be held."""
        target = _target(item)
        self._left[target] -= 1
        if not self._left[target]:
            self.examinations[target].forget()
            _hand_back()

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Any:
        target = _target(pyfuncitem)
        if target in self.trouble and not _scenario(pyfuncitem).feature.name.startswith(_NEEDS_NO_LOGIN):
            self._skip(pyfuncitem, NotTested(self.trouble[target]))
        if self.until is not None and time.monotonic() >= self.until:
            self._skip(pyfuncitem, OutOfTime())
        if why := self.examinations[target].client.hopeless:
            self._skip(pyfuncitem, NotTested(why))
        try:
            return (yield)
        except (NotTested, NotApplicable) as skipped:
            self._skip(pyfuncitem, skipped)

    def _skip(self, item: pytest.Item, why: NotTested | NotApplicable) -> NoReturn:
        item.stash[SKIPPED] = why
        self.late += isinstance(why, OutOfTime)
        raise pytest.skip.Exception(why.reason) from None

    @pytest.hookimpl(wrapper=True, trylast=True)  # before Allure looks
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        objected = call.excinfo is not None and isinstance(call.excinfo.value, Nonconformity)
        if call.excinfo is not None and objected:
            call.excinfo.traceback = call.excinfo.traceback[:0]  # to render its frames costs more than to judge
        report = yield
        if call.excinfo is not None:
            self.full(call.excinfo.value, item.session)
        if objected:
            report.longrepr = None  # the target's fault has no place in our code
        if call.when == "call" or (call.when == "setup" and call.excinfo is not None):
            self.results.append(self._result(item, call))
            self.told(report, self.results[-1])
        return report

    def told(self, report: pytest.TestReport, result: ScenarioResult) -> None:
        """Called with each result and the report of its test."""

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.stopped = self.stopped or excinfo.type is KeyboardInterrupt

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.full(excinfo.value)

    def full(self, error: BaseException, session: pytest.Session | None = None) -> bool:
        """Whether it is a disk that takes no more, which ends the run: no scenario is at fault for it."""
        if not disk_full(error):
            return False
        self.disk = self.disk or error
        if session is not None:
            session.shouldstop = str(error)
        return True

    def _result(self, item: pytest.Item, call: pytest.CallInfo[None]) -> ScenarioResult:
        scenario, target, skipped = _scenario(item), _target(item), item.stash.get(SKIPPED, None)
        error = call.excinfo.value if call.excinfo else None
        reason = skipped.reason if skipped else None
        if error is None:
            outcome = Outcome.PASSED
        elif isinstance(skipped, NotApplicable):
            outcome = Outcome.NOT_APPLICABLE
        elif skipped:
            outcome = Outcome.NOT_TESTED
        elif isinstance(error, Nonconformity):
            outcome = Outcome.FAILED
        else:
            outcome, reason = Outcome.ERROR, f"{type(error).__name__}: {error}"
        step = procedure.load().steps[step_ids(item)[0]]
        told: list[Finding] = item.stash.setdefault(FINDINGS, [])
        return ScenarioResult(
            steps=step_ids(item),
            target=target,
            criterion=step.criterion,
            feature=scenario.feature.name,
            name=scenario.name,
            edition=step.edition(self.edition),
            outcome=outcome,
            beyond="beyond" in _tags(item),
            reason=reason,
            blocked_by=skipped.step if isinstance(skipped, NotTested) else None,
            findings=tuple(told),
            exchanges=tuple(dict.fromkeys(filter(None, self.examinations[target].used))),
            seconds=time.monotonic() - self._begun,
            sheets=tuple(self.examinations[target].sheets),
        )


def disk_full(error: BaseException) -> TypeGuard[OSError]:
    """Whether it is a disk that takes no more."""
    return isinstance(error, OSError) and error.errno in _DISK


def out_of_time(late: int) -> tuple[str, ...]:
    """What to say where so many scenarios came too late."""
    if not late:
        return ()
    told = "1 scenario was" if late == 1 else f"{late} scenarios were"
    return (f"the time allowed ran out: {told} not run; allow more with --max-seconds",)


def _hand_back() -> None:
    """Let the C library give the system back what was freed, where it can: by itself glibc keeps it."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _target(item: pytest.Item) -> str:
    return str(item.callspec.params["target_id"])  # type: ignore[attr-defined]


def _scenario(item: pytest.Item) -> Any:
    template = scenario_wrapper_template_registry[item.obj]  # type: ignore[attr-defined]
    return template.render(item.callspec.params.get("_pytest_bdd_example") or {})  # type: ignore[attr-defined]


def _tags(item: pytest.Item) -> set[str]:
    return {marker.name for marker in item.iter_markers()}


def step_ids(item: pytest.Item) -> tuple[str, ...]:
    """Ids of the procedure steps the scenario is tagged with, in the order of the procedure."""
    tags = _tags(item)
    return tuple(step for step in procedure.load().steps if step in tags)


def pytest_configure(config: pytest.Config) -> None:
    procedures = procedure.load()
    marks = {**KINDS, **{each.id: each.title for each in procedures.criteria.values()}}
    marks |= {step.id: step.paragraph for step in procedures.steps.values()}
    for mark, meaning in marks.items():
        config.addinivalue_line("markers", f"{mark}: {meaning}")


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    _attach(request)


def pytest_bdd_step_error(request: pytest.FixtureRequest) -> None:
    _attach(request)


def _attach(request: pytest.FixtureRequest) -> None:
    conduct = request.config.stash.get(CONDUCT, None)
    if conduct is None or not gherkin.listening(request.config):
        return
    exam, told = conduct.examinations[_target(request.node)], request.node.stash.get(FINDINGS, [])
    objections = [finding for finding in told if finding.severity is not Severity.INFO]
    fresh = objections[request.node.stash.get(SHOWN, 0) :]
    request.node.stash[SHOWN] = len(objections)
    cited = list(dict.fromkeys(finding.exchange for finding in fresh if finding.exchange))
    used = dict.fromkeys(filter(None, exam.used))
    exchanges, secrets = exam.journal.exchanges, exam.journal.secrets
    gherkin.attach_exchanges(request.node, [exchanges[each] for each in used], secrets, cited)
    gherkin.attach_findings(fresh, secrets)


@pytest.fixture
def exam(request: pytest.FixtureRequest, target_id: str) -> Examination:
    """The target the scenario is asked of."""
    return request.config.stash[CONDUCT].examinations[target_id]


@pytest.fixture
def verdict(request: pytest.FixtureRequest, target_id: str) -> Verdict:
    """Where a sentence hands in its findings."""
    return Verdict(request.node, target_id)


@pytest.fixture
def rule(request: pytest.FixtureRequest) -> str:
    """The step that the scenario's findings are filed under: what the lab verifies, where it is tagged with both."""
    edition, known = request.config.stash[CONDUCT].edition, procedure.load().steps
    tagged = step_ids(request.node)
    steps = [step for step in tagged if known[step].applies(edition)] or tagged
    return next((step for step in steps if "-TLV-" in step), steps[0])


@pytest.fixture
def criterion(rule: str) -> str:
    """The scenario's criterion, as in `g9`."""
    return procedure.load().steps[rule].criterion
