"""dossier.html: one page a test lab can read, print and follow down to the exchange behind a verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from onc_conformance.findings import Finding, Outcome, Severity
from onc_conformance.gate import Exit, StepResult, TargetOutcome
from onc_conformance.judging.inspection import Sheet
from onc_conformance.procedure import Criterion
from onc_conformance.report import attesting, changes, results
from onc_conformance.report.evidence import Entry
from onc_conformance.report.folder import put
from onc_conformance.report.run import Run

PLACES = 8
"""Places shown of one finding; results.json has all."""
GROUPS = 40
"""Different findings shown of one step on one target; results.json has all."""
CITED = 8
"""Exchanges named under one step on one target, besides those of its findings; results.json has all."""
CHANGED = 60
"""Steps and findings shown of those that differ from the baseline; results.json has all."""

_ROLES = {"SUT": "the system under test shows", "TLV": "the test lab verifies"}
_GLYPHS = {
    Outcome.ERROR: "!",
    Outcome.FAILED: "✕",
    Outcome.NOT_TESTED: "○",
    Outcome.ATTESTED: "✎",
    Outcome.PASSED: "✓",
    Outcome.NOT_APPLICABLE: "·",
}
_MEANINGS = {
    Outcome.ERROR: "this tool went wrong; neither a pass nor a failure of the product",
    Outcome.FAILED: "at least one binding requirement was seen broken",
    Outcome.NOT_TESTED: "nothing can be said, for the reason given",
    Outcome.ATTESTED: "a person has signed for it, with evidence",
    Outcome.PASSED: "every check of the step was made and held",
    Outcome.NOT_APPLICABLE: "not claimed, or not part of the edition",
}
_VERDICTS = {
    Exit.CONFORMS: "Nothing to object to.",
    Exit.OBJECTIONS: "There is something to object to.",
    Exit.USAGE: "Nothing ran, so nothing can be said.",
    Exit.UNREACHABLE: "No target could be reached or logged in to.",
    Exit.FAULT: "This tool went wrong in part; the steps concerned say nothing about the product.",
    Exit.INTERRUPTED: "The run was interrupted; this is what had been gathered.",
}
_TONES = {
    Exit.CONFORMS: Outcome.PASSED,
    Exit.OBJECTIONS: Outcome.FAILED,
    Exit.USAGE: Outcome.NOT_TESTED,
    Exit.UNREACHABLE: Outcome.NOT_TESTED,
    Exit.FAULT: Outcome.ERROR,
    Exit.INTERRUPTED: Outcome.NOT_TESTED,
}


@dataclass(frozen=True, slots=True)
class Group:
    """The same finding at several places."""

    example: Finding
    count: int
    places: tuple[Finding, ...]

    @property
    def more(self) -> int:
        """How many places are not shown."""
        return self.count - len(self.places)


@dataclass(frozen=True, slots=True)
class Objections:
    """The findings of one step on one target, grouped, the binding ones first; informational ones are only counted."""

    groups: tuple[Group, ...]
    more: int
    notes: int


def write(run: Run, entries: Sequence[Entry], path: Path) -> None:
    """Write the dossier beside its evidence folder; the run is masked already."""
    put(path, render(run, entries))


def render(run: Run, entries: Sequence[Entry]) -> str:
    """The page as text."""
    steps = run.settlement.steps
    cited = _cited(steps)
    shown = [entry for entry in entries if entry.id in cited]
    return _template().render(
        run=run,
        started=run.started.astimezone(UTC),
        verdict=_VERDICTS[Exit(run.exit_code)],
        worst=_TONES[Exit(run.exit_code)],
        outcomes=list(Outcome),
        meanings=_MEANINGS,
        counts=list(_counts(run)),
        attention=_attention(steps),
        criteria=[(criterion, list(_paragraphs(criterion, steps))) for criterion in run.criteria],
        entries=entries,
        shown=shown,
        known={entry.id for entry in shown},
        answers=defaultdict(lambda: None, {entry.id: entry.response for entry in shown}),
        cited=CITED,
        headline=headline,
        objections=objections,
        exchanges=_exchanges,
        comparison=results.comparison(run),
        changed=_changed,
        sheets=list(_sheets(run)),
        titles=dict(run.patients),
        states=changes.MEANINGS,
        attesting=attesting.FILE,
    )


def objections(outcome: TargetOutcome) -> Objections:
    """What the scenarios of a step found on a target."""
    order = list(Severity)
    findings = dict.fromkeys(finding for scenario in outcome.scenarios for finding in scenario.findings)
    grouped: dict[tuple[Severity, str, str, str], list[Finding]] = {}
    for finding in findings:
        if finding.severity is not Severity.INFO:
            grouped.setdefault((finding.severity, finding.layer, finding.rule, finding.message), []).append(finding)
    ranked = sorted(grouped.values(), key=lambda group: order.index(group[0].severity))
    return Objections(
        groups=tuple(Group(each[0], len(each), tuple(each[:PLACES])) for each in ranked[:GROUPS]),
        more=max(0, len(ranked) - GROUPS),
        notes=sum(finding.severity is Severity.INFO for finding in findings),
    )


def headline(outcome: TargetOutcome) -> str:
    """One line on why a step wants attention."""
    binding = [group for group in objections(outcome).groups if group.example.severity is Severity.ERROR]
    if outcome.outcome is Outcome.FAILED and binding:
        more = f" (and {len(binding) - 1} more)" if len(binding) > 1 else ""
        return f"{binding[0].example.message}{more}"
    return outcome.reason or ""


def criterion_name(criterion: str) -> str:
    """g10 as the regulation writes it, (g)(10)."""
    return f"({criterion[:1]})({criterion[1:]})"


def _attention(steps: Sequence[StepResult]) -> list[tuple[StepResult, TargetOutcome]]:
    """What a reader should see first, the worst first."""
    order = (Outcome.ERROR, Outcome.FAILED, Outcome.NOT_TESTED)
    wanting = ((each, outcome) for each in steps for outcome in each.targets if outcome.outcome in order)
    return sorted(wanting, key=lambda pair: order.index(pair[1].outcome))


def _counts(run: Run) -> Iterator[tuple[Criterion, str, Counter[Outcome]]]:
    for criterion in run.criteria:
        for target in run.targets:
            yield (
                criterion,
                target.id,
                Counter(
                    outcome.outcome
                    for each in run.settlement.steps
                    if each.step.criterion == criterion.id
                    for outcome in each.targets
                    if outcome.target == target.id
                ),
            )


def _paragraphs(criterion: Criterion, steps: Sequence[StepResult]) -> Iterator[tuple[str, str, list[StepResult]]]:
    own = (each for each in steps if each.step.criterion == criterion.id)
    for (paragraph, title), members in groupby(own, key=lambda each: (each.step.paragraph, each.step.title)):
        yield paragraph, title, list(members)


def _cited(steps: Sequence[StepResult]) -> set[str]:
    """Ids of the exchanges that some step on the page names."""
    cited: set[str] = set()
    for outcome in (outcome for each in steps for outcome in each.targets):
        cited.update(_exchanges(outcome)[:CITED])
        places = (place for group in objections(outcome).groups for place in group.places)
        cited.update(place.exchange for place in places if place.exchange)
    return cited


def _exchanges(outcome: TargetOutcome) -> tuple[str, ...]:
    return tuple(dict.fromkeys(exchange for scenario in outcome.scenarios for exchange in scenario.exchanges))


def _sheets(run: Run) -> Iterator[tuple[str, Sheet]]:
    """Target and what it leaves to a person's eyes, document by document; none where evidence keeps no bodies."""
    if run.bodies:
        yield from ((result.target, each) for result in run.results for each in result.sheets)


def _changed(told: Sequence[changes.StepChange | changes.FindingChange]) -> list[Any]:
    """What differs from the baseline, in the order of the states; what is still there is only counted."""
    return [each for state in changes.STATES for each in told if each.state == state != "still"][:CHANGED]


def _words(value: str) -> str:
    return value.replace("_", " ")


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 10_000 else f"{count / 1000:,.0f} kB"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words=_words, size=_size, criterion=criterion_name)
    environment.globals.update(glyphs=_GLYPHS, roles=_ROLES)
    return environment.get_template("dossier.html.j2")
