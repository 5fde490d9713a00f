"""A run from its options to its exit code: loaded, asked, settled, written down."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onc_conformance import __version__, judging, procedure, report, suite
from onc_conformance.candidates import Candidate, attestations, candidates, replayed
from onc_conformance.examination import Examination
from onc_conformance.exchange import Exchange, Journal
from onc_conformance.findings import UsageError
from onc_conformance.gate import (
    Exit,
    Settlement,
    exit_code,
    load_excuses,
    settle,
)
from onc_conformance.options import RunOptions
from onc_conformance.parallel import Assignment, Gathering
from onc_conformance.plugin import Conduct
from onc_conformance.redaction import Secrets
from onc_conformance.report import recording, resultsfile
from onc_conformance.vocabulary import packs

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Finished:
    """What a run came to."""

    code: Exit
    run: report.Run
    folder: Path | None

    @property
    def settlement(self) -> Settlement:
        """Every selected step with its outcome."""
        return self.run.settlement


def run(options: RunOptions, progress: Progress | None = None) -> Finished:
    """Do the whole run. Raises UsageError for wrong usage or configuration, before anything is asked of a target."""
    replay = recording.load(options.replay) if options.replay else None
    edition = procedure.edition(options.edition or (replay.inputs.edition if replay else None))
    criteria = procedure.load().select(options.criteria or (replay.inputs.criteria if replay else None))
    tags = options.tags or (replay.inputs.tags if replay else "")
    excuses = load_excuses(options.excuses) if options.excuses else ()
    baseline = resultsfile.load(options.baseline) if options.baseline else None
    started = datetime.now(UTC)
    until = None if options.max_seconds is None else time.monotonic() + options.max_seconds
    with replayed(options, replay) if replay else candidates(options) as chosen:
        entries = attestations(options, chosen)
        folder = report.run_folder(options.reports, started) if options.reports else None
        secrets = Secrets()
        journal = replay.journal(secrets) if replay else Journal(secrets)
        journal.until = until
        examinations = {
            candidate.target.id: Examination(candidate.target, journal, candidate.records, edition)
            for candidate in chosen
        }
        # what patients add to the environment is checked here, before anything is asked
        patients = [subject.record for exam in examinations.values() for subject in exam.subjects]
        gathered: Conduct | Gathering = Conduct(examinations, criteria, edition.id, progress, until)
        exchanges: Mapping[str, Exchange] = journal.exchanges
        if (workers := min(options.jobs, len(chosen))) > 1:
            assignment = Assignment(
                candidates=[(each.target, each.records) for each in chosen],
                criteria=criteria,
                edition=edition.id,
                replay=options.replay,
                until=until,
            )
            gathered = Gathering(assignment, secrets, progress)
            exchanges = gathered.exchanges
        status = _ask(gathered, tags, folder, workers)
        journal.close()
        if folder and gathered.disk:
            report.give_up(folder, gathered.disk, secrets)
        interrupted = status is pytest.ExitCode.INTERRUPTED
        order = list(examinations)
        results = tuple(sorted(gathered.results, key=lambda result: order.index(result.target)))
        settlement = settle(
            procedure.load().steps.values(),
            results,
            edition=edition.id,
            claims={name: exam.target.criteria for name, exam in examinations.items()},
            criteria=criteria,
            today=started.date(),
            attestations=entries,
            excuses=excuses,
            only=gathered.steps if tags else None,
            interrupted=interrupted,
        )
        noted = gathered.notes if isinstance(gathered, Gathering) else {}
        lost = gathered.lost if isinstance(gathered, Gathering) else None
        code = exit_code(
            settlement,
            ran=len(results),
            targets=tuple(examinations),
            unreachable=tuple(gathered.trouble),
            interrupted=interrupted,
            fault=lost is not None,
        )
        cautions = (
            [f"replayed from {options.replay}, recorded {replay.inputs.started}: nothing was asked"] if replay else []
        )
        record = report.Run(
            version=__version__,
            rules=rules(),
            targets=tuple(_product(exam, gathered.trouble.get(name)) for name, exam in examinations.items()),
            edition=edition,
            criteria=tuple(procedure.load().criteria[name] for name in criteria),
            started=started,
            seconds=(datetime.now(UTC) - started).total_seconds(),
            settlement=settlement,
            exit_code=int(code),
            results=results,
            patients=tuple(dict.fromkeys((each.id, each.title) for each in patients)),
            layers_not_run=_layers_not_run(),
            warnings=(
                *cautions,
                *([lost] if lost else []),
                *gathered.warnings,
                *(warning for exam in examinations.values() for warning in exam.target.warnings),
                *(note for name, exam in examinations.items() for note in noted.get(name, exam.client.notes)),
            ),
            command=options.command,
            interrupted=interrupted,
            baseline=baseline,
            exchanges=tuple(exchanges.values()),
            secrets=secrets,
            bodies=options.evidence == "full",
        )
        if folder:
            if record.bodies:
                _keep_inputs(record, chosen, tags, folder)
            report.write(record, folder)
        return Finished(code, record, folder)


def _keep_inputs(run: report.Run, chosen: Sequence[Candidate], tags: str, folder: Path) -> None:
    """Write down what a replay of the run needs: descriptions, expected records, names; no value of the environment."""
    names = {file: f"patients-{file.name}" for each in chosen for file in each.files}
    names = {file: f"{number}-{name}" for number, (file, name) in enumerate(names.items(), 1)}
    inputs = recording.Inputs(
        started=report.timestamp(run.started),
        edition=run.edition.id,
        criteria=tuple(each.id for each in run.criteria),
        tags=tags,
        targets=tuple(
            recording.RecordedTarget(
                id=each.target.id,
                name=each.name,
                description=f"{number}-target.toml",
                patients=tuple(names[file] for file in each.files),
                bases=each.target.bases,
                variables=tuple(name for name, value in each.target.env.items() if value),
            )
            for number, each in enumerate(chosen, 1)
        ),
    )
    texts = {f"{number}-target.toml": each.target.text for number, each in enumerate(chosen, 1)}
    recording.keep(folder, inputs, texts, names, run.secrets)


def _ask(conduct: Conduct | Gathering, tags: str, folder: Path | None, workers: int) -> pytest.ExitCode:
    """Run the scenarios with pytest, sealed against the project it happens to stand in."""
    arguments = _arguments(tags, folder, workers if isinstance(conduct, Gathering) else 0)
    aside = {name: os.environ.pop(name) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS") if name in os.environ}
    path, said = list(sys.path), io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            status = pytest.ExitCode(pytest.main(arguments, plugins=[conduct]))
    except OSError as error:
        if not conduct.full(error):
            raise
        return pytest.ExitCode.INTERRUPTED
    finally:
        os.environ.update(aside)
        sys.path[:] = path  # pytest puts steps/ in front, where a worker of a later run would take it for libraries
    if conduct.disk:
        return status
    if isinstance(conduct, Gathering) and conduct.lost and not conduct.results:
        raise RuntimeError(f"{conduct.lost}: {_last_line(said.getvalue())}")
    if status is pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError("the selection selects no scenario; check --criterion, --tags and the target's criteria")
    if status is pytest.ExitCode.USAGE_ERROR:
        raise UsageError(f"--tags {tags}: {_last_line(said.getvalue())}")
    if status is pytest.ExitCode.INTERNAL_ERROR or (status is pytest.ExitCode.INTERRUPTED and not conduct.results):
        raise RuntimeError(f"pytest could not run the suite: {_last_line(said.getvalue())}")
    return status


def _arguments(tags: str, folder: Path | None, workers: int) -> list[str]:
    root = suite.root()
    arguments = [
        str(root / "steps"),
        f"--rootdir={root}",
        f"--confcutdir={root}",
        "-c", os.devnull,
        "--disable-plugin-autoload",
        "-p", "pytest_bdd.plugin",
        "-p", "no:cacheprovider",
        "-p", "no:faulthandler",
        "-p", "no:unraisableexception",  # collects garbage five times over at the end
        "--strict-markers",
        "--capture=no",
        "--tb=short",  # a longer one writes out the arguments: the chart of everybody, and secrets
        "-q",
    ]  # fmt: skip
    if folder:
        arguments += ["-p", "allure_pytest.plugin", f"--alluredir={(folder / report.ALLURE_RESULTS).resolve()}"]
    if tags:
        arguments += ["-m", tags]
    if workers:
        arguments += ["-p", "xdist.plugin", "-p", "onc_conformance.parallel", "-n", str(workers)]
        arguments += ["--dist", "loadgroup", "--max-worker-restart", "0"]
    return arguments


def _last_line(text: str) -> str:
    """What pytest complained of, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    complaints = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (complaints or lines or ["no word why"])[-1]


def rules() -> dict[str, str]:
    """The sha256 of every file of facts and every vocabulary pack a verdict rests on, by name."""
    root = suite.schemas()
    return packs.rules() | {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parts[len(root.parts)] not in {"patients", "attestations"}
    }


def _layers_not_run() -> tuple[report.LayerNotRun, ...]:
    there = {"parse", *(layer.name for layer in judging.LAYERS)}
    return tuple(
        report.LayerNotRun(layer=name, reason="this version has no such judge")
        for name in judging.SECONDS
        if name not in there
    )


def _product(exam: Examination, trouble: str | None) -> report.Product:
    target = exam.target
    product = target.description.product
    return report.Product(
        id=target.id,
        title=target.title,
        name=product.name,
        version=product.version,
        developer=product.developer,
        chpl_id=product.chpl_id,
        setting=product.setting or "",
        criteria=tuple(sorted(target.criteria)),
        base_urls=target.base_urls,
        unreachable=trouble,
    )
