"""A run on a terminal: how far it is, and at the end what came of each criterion, what to look at, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from onc_conformance.findings import Finding, Outcome, Severity
from onc_conformance.gate import StepResult, TargetOutcome
from onc_conformance.report import changes, results
from onc_conformance.report.run import Run

_STYLES = {
    Outcome.ERROR: "bold magenta",
    Outcome.FAILED: "bold red",
    Outcome.NOT_TESTED: "yellow",
    Outcome.ATTESTED: "cyan",
    Outcome.PASSED: "green",
    Outcome.NOT_APPLICABLE: "dim",
}
_SHOWN = 20
"""Objections told one by one; the reports have them all."""
_COMPARED = 5
"""Changes of one kind told one by one; the reports have them all."""


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str, int, int], None] | None]:
    """Something to tell each scenario that starts, its number and how many there are; None in a pipe."""
    if not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def told(scenario: str, number: int, total: int) -> None:
            bar.update(task, description=scenario, completed=number - 1, total=total)

        yield told


def close(run: Run, folder: Path, console: Console) -> None:
    """Print the closing lines of a run; a table on a terminal, plain lines in a pipe."""
    run = run.masked()
    _tell_counts(run, console)
    objections = [(each, outcome) for each in run.settlement.steps for outcome in each.targets if _told(outcome)]
    for result, outcome in objections[:_SHOWN]:
        _say(console, f"{_words(outcome.outcome)}: {_objection(result, outcome)}", _STYLES[outcome.outcome])
    if len(objections) > _SHOWN:
        _say(console, f"and {len(objections) - _SHOWN} more in the reports")
    for product in run.targets:
        if product.unreachable:
            _say(console, f"{product.id} was not reached: {product.unreachable}", "bold red")
    for warning in run.cautions:
        _say(console, f"warning: {warning}", "yellow")
    for line in _since_baseline(run):
        _say(console, line)
    summary = run.settlement.summary
    extras = [f"{summary[key]} {key.replace('_', ' ')}" for key in ("warnings", "codes_not_judged", "suppressed")]
    _say(console, f"{', '.join(extras)}; {run.seconds:.1f} s{'; interrupted' if run.interrupted else ''}")
    _say(console, f"dossier: {folder / 'dossier.html'}")


def _tell_counts(run: Run, console: Console) -> None:
    counted = list(_by_criterion(run))
    if console.is_terminal:
        table = Table("criterion", "target")
        for each in Outcome:
            table.add_column(Text(_words(each), style=_STYLES[each]), justify="right")
        for criterion, target, counts in counted:
            cells = [Text(str(counts[each]), style=_STYLES[each] if counts[each] else "dim") for each in Outcome]
            table.add_row(criterion, target, *cells)
        console.print(table)
    else:
        for criterion, target, counts in counted:
            told = ", ".join(f"{counts[each]} {_words(each)}" for each in Outcome if counts[each])
            _say(console, f"{criterion} {target}: {told}")


def _since_baseline(run: Run) -> Iterator[str]:
    if compared := results.comparison(run):
        yield f"since the baseline {compared.old}:"
        yield from (f"  {line}" for line in changes.lines(compared, shown=_COMPARED))


def _by_criterion(run: Run) -> Iterator[tuple[str, str, Counter[Outcome]]]:
    for criterion in run.criteria:
        for target in run.targets:
            counts = Counter(
                outcome.outcome
                for each in run.settlement.steps
                if each.step.criterion == criterion.id
                for outcome in each.targets
                if outcome.target == target.id
            )
            if counts:
                yield f"({criterion.id[0]})({criterion.id[1:]})", target.id, counts


def _told(outcome: TargetOutcome) -> bool:
    return outcome.objectionable or outcome.outcome is Outcome.ERROR


def _objection(result: StepResult, outcome: TargetOutcome) -> str:
    said = outcome.reason
    if outcome.outcome is Outcome.FAILED:
        errors = [finding for scenario in outcome.scenarios for finding in scenario.findings if _binding(finding)]
        said = errors[0].message if errors else None
        if len(errors) > 1:
            said = f"{said} (and {len(errors) - 1} more)"
    return f"{result.step.id} [{outcome.target}]" + (f" {said}" if said else "")


def _binding(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR


def _words(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")


def _say(console: Console, line: str, style: str = "") -> None:
    # one line of ours stays one line: no wrapping, no markup or highlighting of what a vendor sent
    console.print(Text(line.replace("\n", " "), style=style), soft_wrap=True)
