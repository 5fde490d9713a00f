"""The outcome of every step on every target, from what its scenarios came to and what people signed for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from onc_conformance.ccda.standards.errata import suppressed
from onc_conformance.findings import Finding, Outcome, Severity
from onc_conformance.gate.attestations import Attestation, find
from onc_conformance.gate.excuses import Excuse
from onc_conformance.gate.scenarios import ScenarioResult
from onc_conformance.procedure import Step
from onc_conformance.vocabulary import not_judged

_EXPLAINED = frozenset({Outcome.ERROR, Outcome.NOT_TESTED, Outcome.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """What one step came to on one target."""

    target: str
    outcome: Outcome
    reason: str | None
    """Why it was not tested, does not apply, or went wrong in this tool."""
    scenarios: tuple[ScenarioResult, ...] = ()
    attestation: Attestation | None = None
    unsigned: bool = False
    """Whether a person has still to sign for it."""
    excuse: Excuse | None = None
    """The excuse that keeps this untested step from failing the gate."""

    @property
    def suppressed(self) -> bool:
        """Whether an excuse keeps it from failing the gate."""
        return self.excuse is not None

    @property
    def objectionable(self) -> bool:
        """Whether it fails the gate: failed, or not tested and not excused."""
        return self.outcome is Outcome.FAILED or (self.outcome is Outcome.NOT_TESTED and not self.suppressed)


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What one step came to, on each target and over all of them."""

    step: Step
    edition: str
    """The edition it was judged in."""
    targets: tuple[TargetOutcome, ...]

    @cached_property
    def outcome(self) -> Outcome:
        """The worst outcome of any target."""
        return Outcome.worst(each.outcome for each in self.targets)

    @cached_property
    def reason(self) -> str | None:
        """Why the worst target came to its outcome; targets are named where they differ or are only some."""
        worst = {each.target: each.reason for each in self.targets if each.outcome is self.outcome and each.reason}
        if not worst:
            return None
        if len(set(worst.values())) == 1 and len(worst) == len(self.targets):
            return next(iter(worst.values()))
        return "; ".join(f"{target}: {reason}" for target, reason in worst.items())

    @cached_property
    def scenarios(self) -> tuple[ScenarioResult, ...]:
        """Every scenario of the step, target by target."""
        return tuple(scenario for each in self.targets for scenario in each.scenarios)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of its scenarios, each once."""
        return tuple(dict.fromkeys(finding for scenario in self.scenarios for finding in scenario.findings))

    @cached_property
    def exchanges(self) -> tuple[str, ...]:
        """Ids of the exchanges its scenarios rest on, each once."""
        return tuple(dict.fromkeys(exchange for scenario in self.scenarios for exchange in scenario.exchanges))


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """Every selected step with its outcome, and what the gate has to say about the entries it was given."""

    steps: tuple[StepResult, ...]
    attestations: tuple[tuple[Attestation, str | None], ...] = ()
    """Each entry, and why it does not count where it does not."""
    excuses: tuple[Excuse, ...] = ()
    warnings: tuple[str, ...] = ()
    """Stale or expired excuses and attestations, in sentences."""

    @cached_property
    def suppressed(self) -> tuple[tuple[Step, TargetOutcome], ...]:
        """Every outcome an excuse keeps from failing the gate."""
        return tuple((each.step, outcome) for each in self.steps for outcome in each.targets if outcome.suppressed)

    @cached_property
    def unsigned(self) -> tuple[tuple[Step, str], ...]:
        """Every step that a person has still to sign for, with the target."""
        return tuple((each.step, outcome.target) for each in self.steps for outcome in each.targets if outcome.unsigned)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every step, each once."""
        return tuple(dict.fromkeys(finding for each in self.steps for finding in each.findings))

    @cached_property
    def summary(self) -> dict[str, int]:
        """Steps by outcome, then warnings, codes not judged, and suppressions by excuses and by errata of standards."""
        counts = {outcome.value: 0 for outcome in Outcome}
        for each in self.steps:
            counts[each.outcome.value] += 1
        return {
            **counts,
            "warnings": sum(finding.severity is Severity.WARNING for finding in self.findings),
            "codes_not_judged": not_judged(self.findings),
            "suppressed": len(self.suppressed) + suppressed(self.findings),
        }


def settle(
    steps: Iterable[Step],
    results: Iterable[ScenarioResult],
    *,
    edition: str,
    claims: Mapping[str, Collection[str]],
    criteria: Collection[str],
    today: date,
    attestations: Sequence[Attestation] = (),
    excuses: Sequence[Excuse] = (),
    only: Collection[str] | None = None,
    interrupted: bool = False,
) -> Settlement:
    """The outcome of each of `steps` whose criterion is selected.

    `steps` are all there are, so that an entry for an unknown one is noticed; `claims` are the criteria of each
    target, in the order targets are reported; `only` narrows the selection to these step ids.
    """
    every = tuple(steps)
    ran: dict[tuple[str, str], list[ScenarioResult]] = defaultdict(list)
    for result in results:
        for step in result.steps:
            ran[step, result.target].append(result)
    nothing = "the run was interrupted before it" if interrupted else "no scenario ran"

    def outcome(step: Step, target: str) -> TargetOutcome:
        if step.criterion not in claims[target]:
            return TargetOutcome(target=target, outcome=Outcome.NOT_APPLICABLE, reason="not claimed")
        if not step.applies(edition):
            return TargetOutcome(target=target, outcome=Outcome.NOT_APPLICABLE, reason="not in this edition")
        scenarios = tuple(ran[step.id, target])
        signed, unsigned = find(attestations, step.id, target, today)
        verdict, reason = _machine(scenarios, nothing)
        if step.coverage == "attested" and verdict not in (Outcome.ERROR, Outcome.FAILED):
            verdict, reason = (Outcome.ATTESTED, None) if signed else (Outcome.NOT_TESTED, unsigned)
        elif step.coverage == "both" and verdict is Outcome.PASSED and not signed:
            verdict, reason = Outcome.NOT_TESTED, unsigned
        elif step.coverage == "either" and verdict is Outcome.NOT_TESTED:
            told = f"{unsigned}, and the machine cannot tell: {reason}"
            verdict, reason = (Outcome.ATTESTED, None) if signed else (Outcome.NOT_TESTED, told)
        needed = step.coverage in {"attested", "both"} or (step.coverage == "either" and verdict is Outcome.NOT_TESTED)
        excuse = None
        if verdict is Outcome.NOT_TESTED:
            excuse = next((e for e in excuses if e.covers(step.id, target) and not e.expired(today)), None)
        return TargetOutcome(
            target=target,
            outcome=verdict,
            reason=reason,
            scenarios=scenarios,
            attestation=signed if step.coverage != "automated" else None,
            unsigned=needed and not signed and verdict is not Outcome.NOT_APPLICABLE,
            excuse=excuse,
        )

    settled = tuple(
        StepResult(step=step, edition=step.edition(edition), targets=tuple(outcome(step, target) for target in claims))
        for step in every
        if step.criterion in criteria and (only is None or step.id in only)
    )
    known = {step.id: step.coverage for step in every}
    return Settlement(
        steps=settled,
        attestations=tuple((entry, entry.invalid(today)) for entry in attestations),
        excuses=tuple(excuses),
        warnings=(
            *_stale_attestations(attestations, known, today),
            *_stale_excuses(excuses, settled, claims, known, today),
        ),
    )


def _machine(scenarios: Sequence[ScenarioResult], nothing: str) -> tuple[Outcome, str | None]:
    """What the scenarios alone say: those beyond the stated steps only add failures and errors."""
    stated = [scenario for scenario in scenarios if not scenario.beyond]
    outcomes = [scenario.outcome for scenario in stated]
    outcomes += [Outcome.FAILED for scenario in scenarios if scenario.beyond and scenario.objects]
    outcomes += [Outcome.ERROR for scenario in scenarios if scenario.beyond and scenario.outcome is Outcome.ERROR]
    verdict = Outcome.worst(outcomes)
    if not stated and verdict is Outcome.NOT_APPLICABLE:
        return Outcome.NOT_TESTED, nothing
    reasons = dict.fromkeys(
        scenario.explanation
        for scenario in scenarios
        if scenario.outcome is verdict and (not scenario.beyond or verdict is Outcome.ERROR) and scenario.explanation
    )
    return verdict, "; ".join(reasons) or None if verdict in _EXPLAINED else None


def _stale_attestations(entries: Iterable[Attestation], known: Mapping[str, str], today: date) -> Iterable[str]:
    for entry in entries:
        name = f"attestation for {entry.step}" + (f" on {entry.target}" if entry.target else "")
        if entry.step not in known:
            yield f"{name}: no procedure has this step; correct the id"
        elif known[entry.step] == "automated":
            yield f"{name} counts for nothing: the step is judged by machine alone; remove it"
        elif defect := entry.invalid(today):
            yield f"{name} does not count: {defect}"


def _stale_excuses(
    entries: Iterable[Excuse],
    settled: Iterable[StepResult],
    targets: Collection[str],
    known: Collection[str],
    today: date,
) -> Iterable[str]:
    by_id = {each.step.id: each for each in settled}
    used = [outcome.excuse for each in by_id.values() for outcome in each.targets if outcome.excuse]
    for entry in entries:
        if entry.step not in known:
            yield f"{entry}: no procedure has this step; correct the id"
        elif entry.target is not None and entry.target not in targets:
            yield f"{entry} excuses nothing, this run has no such target; it has {', '.join(targets)}"
        elif entry.expired(today):
            yield f"{entry} expired on {entry.expires} and excuses nothing; remove or renew it"
        elif entry.step in by_id and not any(each is entry for each in used):
            covered = [each for each in by_id[entry.step].targets if entry.covers(entry.step, each.target)]
            untested = [each for each in covered if each.outcome is Outcome.NOT_TESTED]
            if untested:
                yield f"{entry} is one too many, another entry excuses the same; remove it"
            else:
                came_to = Outcome.worst(each.outcome for each in covered).replace("_", " ")
                yield f"{entry} is stale, the step is {came_to} now; remove it"
