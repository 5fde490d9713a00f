"""A run on a terminal: how far it is, and at the end what came of each criterion, what to look at, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from onc_conformance.findings import Finding, Outcome, Severity
from onc_conformance.gate import StepResult, TargetOutcome
from onc_conformance.report import attesting, changes, results
from onc_conformance.report.run import Run

_STYLES = {
    Outcome.ERROR: "bold magenta",
    Outcome.FAILED: "bold red",
    Outcome.NOT_TESTED: "yellow",
    Outcome.ATTESTED: "cyan",
    Outcome.PASSED: "green",
    Outcome.NOT_APPLICABLE: "dim",
}
_GLANCE = 160
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
    columns = (
        BarColumn(bar_width=20, table_column=Column(min_width=20)),
        MofNCompleteColumn(table_column=Column(min_width=9, no_wrap=True)),
        TimeElapsedColumn(table_column=Column(min_width=7, no_wrap=True)),
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task("", total=None)

        def told(scenario: str, number: int, total: int) -> None:
            bar.update(task, description=scenario, completed=number - 1, total=total)

        yield told


def close(run: Run, folder: Path, console: Console) -> None:
    """Print the closing lines of a run; a table on a terminal, plain lines in a pipe."""
    run = run.masked()
    counted = list(_by_criterion(run))
    if console.is_terminal:
        console.print(_table(counted))
    else:
        for criterion, target, counts in counted:
            told = ", ".join(f"{counts[each]} {_words(each)}" for each in Outcome if counts[each])
            _say(console, f"{criterion} {target}: {told}")
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
    if unsigned := run.settlement.unsigned:
        steps = ", ".join(dict.fromkeys(step.id for step, _ in unsigned))
        where = "with --attestations"
        _say(console, f"to be attested: {steps}; fill in {folder / attesting.FILE} and name it {where}", "cyan")
    summary = run.settlement.summary
    extras = [f"{summary[key]} {key.replace('_', ' ')}" for key in ("warnings", "codes_not_judged", "suppressed")]
    asked = f"{len(run.exchanges)} request{'' if len(run.exchanges) == 1 else 's'}"
    _say(console, f"{', '.join(extras)}; {asked}, {run.seconds:.1f} s{'; interrupted' if run.interrupted else ''}")
    _say(console, f"dossier: {folder / 'dossier.html'}", whole=True)


def _since_baseline(run: Run) -> Iterator[str]:
    if compared := results.comparison(run):
        yield f"since the baseline {compared.old}:"
        yield from (f"  {line}" for line in changes.lines(compared, shown=_COMPARED))


def _table(counted: Sequence[tuple[str, str, Counter[Outcome]]]) -> Table:
    """Criteria and targets by outcome; an outcome that never came has no column, so that eighty characters suffice."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("criterion", no_wrap=True)
    table.add_column("target", overflow="fold")
    shown = [each for each in Outcome if each is Outcome.FAILED or any(counts[each] for _, _, counts in counted)]
    for each in shown:
        table.add_column(Text(_words(each).replace(" ", "\n"), style=_STYLES[each]), justify="right", vertical="bottom")
    for criterion, target, counts in counted:
        cells = [Text(str(counts[each]), style=_STYLES[each]) if counts[each] else Text("·", "dim") for each in shown]
        table.add_row(criterion, Text(target), *cells)
    return table


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
        said = _told_of(errors[0]) if errors else None
        if len(errors) > 1:
            said = f"{said} (and {len(errors) - 1} more)"
    return f"{result.step.id} [{outcome.target}]" + (f" {said}" if said else "")


def _told_of(finding: Finding) -> str:
    """What is wrong and, where a person can read it at a glance, what was there instead."""
    found = " ".join((finding.found or "").split())
    return f"{finding.message}; found {found}" if found and len(found) <= _GLANCE else finding.message


def _binding(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR


def _words(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")


def _say(console: Console, line: str, style: str = "", *, whole: bool = False) -> None:
    # no markup or highlighting of what a vendor sent; in a pipe one line of ours stays one line
    wrapped = console.is_terminal and not whole
    console.print(Text(line.replace("\n", " "), style=style), soft_wrap=not wrapped, highlight=False)
