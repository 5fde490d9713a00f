"""A run from its options to its exit code: loaded, asked, settled, written down."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onc_conformance import __version__, judging, procedure, report, suite, targets
from onc_conformance.examination import Examination
from onc_conformance.exchange import Journal
from onc_conformance.findings import UsageError
from onc_conformance.gate import (
    Attestation,
    Exit,
    Settlement,
    exit_code,
    load_attestations,
    load_excuses,
    settle,
)
from onc_conformance.plugin import Conduct
from onc_conformance.record import Record
from onc_conformance.record import load as load_records
from onc_conformance.redaction import Secrets
from onc_conformance.reference import ReferenceEHR

PLAYED = ("webchart", "ehryourway", "docref")
"""The bundled targets that the reference EHR plays, in the order of the default run."""
PREFIX = "reference:"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What `run` was asked for, as typed."""

    targets: Sequence[str] = ()
    edition: str | None = None
    criteria: Sequence[str] | None = None
    patients: Sequence[str] = ()
    env_file: Path | None = None
    attestations: Path | None = None
    excuses: Path | None = None
    tags: str = ""
    evidence: str = "full"
    reports: Path | None = Path("reports")
    """Where to write; None writes nothing."""
    faults: Sequence[str] = ()
    max_seconds: float | None = None
    """How long the run may take: what is not tested by then is reported as not tested."""
    command: str = ""


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


@dataclass(frozen=True)
class Candidate:
    """A target with the patients it is examined with."""

    target: targets.Target
    records: Sequence[Record]


def run(options: RunOptions, progress: Progress | None = None) -> Finished:
    """Do the whole run. Raises UsageError for wrong usage or configuration, before anything is asked of a target."""
    edition = procedure.edition(options.edition)
    criteria = procedure.load().select(options.criteria)
    excuses = load_excuses(options.excuses) if options.excuses else ()
    started = datetime.now(UTC)
    until = None if options.max_seconds is None else time.monotonic() + options.max_seconds
    with candidates(options) as chosen:
        attestations = _attestations(options)
        folder = report.run_folder(options.reports, started) if options.reports else None
        secrets = Secrets()
        journal = Journal(secrets, until=until)
        examinations = {
            candidate.target.id: Examination(candidate.target, journal, candidate.records, edition)
            for candidate in chosen
        }
        trouble = {name: why for name, exam in examinations.items() if (why := exam.trouble())}
        conduct = Conduct(examinations, criteria, edition.id, trouble, progress, until)
        status = _ask(conduct, options.tags, folder)
        if folder and conduct.disk:
            report.give_up(folder, conduct.disk, secrets)
        results = tuple(conduct.results)
        settlement = settle(
            procedure.load().steps.values(),
            results,
            edition=edition.id,
            claims={name: exam.target.criteria for name, exam in examinations.items()},
            criteria=criteria,
            today=started.date(),
            attestations=attestations,
            excuses=excuses,
            only=conduct.steps if options.tags else None,
            interrupted=status is pytest.ExitCode.INTERRUPTED,
        )
        code = exit_code(
            settlement,
            ran=len(results),
            targets=tuple(examinations),
            unreachable=tuple(trouble),
            interrupted=status is pytest.ExitCode.INTERRUPTED,
        )
        record = report.Run(
            version=__version__,
            rules=rules(),
            targets=tuple(_product(exam, trouble.get(name)) for name, exam in examinations.items()),
            edition=edition,
            criteria=tuple(procedure.load().criteria[name] for name in criteria),
            started=started,
            seconds=(datetime.now(UTC) - started).total_seconds(),
            settlement=settlement,
            exit_code=int(code),
            results=results,
            patients=tuple(dict.fromkeys((each.id, each.title) for one in chosen for each in one.records)),
            layers_not_run=_layers_not_run(),
            warnings=(
                *conduct.warnings,
                *(each for exam in examinations.values() for each in (*exam.target.warnings, *exam.client.notes)),
            ),
            command=options.command,
            interrupted=status is pytest.ExitCode.INTERRUPTED,
            exchanges=tuple(journal.exchanges.values()),
            secrets=secrets,
            bodies=options.evidence == "full",
        )
        if folder:
            report.write(record, folder)
        return Finished(code, record, folder)


@contextmanager
def candidates(options: RunOptions) -> Iterator[list[Candidate]]:
    """The targets chosen, the reference EHR running behind those it plays."""
    names = list(dict.fromkeys(options.targets)) or [PREFIX + name for name in PLAYED]
    played = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
    for name in played:
        if name not in PLAYED:
            raise UsageError(f"--target {PREFIX}{name}: the reference EHR plays {', '.join(PLAYED)}")
    if options.faults and len(played) < len(names):
        raise UsageError("--fault needs the reference EHR: leave --target out, or name reference:TARGET only")
    environment = {**env_file(options.env_file), **os.environ}
    files = [patients_file(name) for name in options.patients]
    if not played:
        yield [_named(name, environment, files) for name in names]
        return
    try:
        ehr = ReferenceEHR(patients=files or None, charts=None, faults=tuple(options.faults))
    except ValueError as error:
        raise UsageError(str(error)) from None
    with ehr, tempfile.TemporaryDirectory(prefix="onc-conformance-") as folder:
        patients = Path(folder) / "patients.toml"
        patients.write_text(ehr.patients_toml, encoding="utf-8")
        records = load_records(patients)
        yield [
            Candidate(targets.load(name.removeprefix(PREFIX), {**environment, **ehr.env}), records)
            if name.startswith(PREFIX)
            else _named(name, environment, files)
            for name in names
        ]


def _named(name: str, environment: Mapping[str, str], files: Sequence[Path]) -> Candidate:
    target = targets.load(name, environment)
    if not files and environment.get("ONC_PATIENTS"):
        files = [patients_file(environment["ONC_PATIENTS"])]
    if not files:
        raise UsageError(f"--target {name}: no test patients; name a patients file with --patients or in ONC_PATIENTS")
    return Candidate(target, [record for file in files for record in load_records(file)])


def patients_file(name: str) -> Path:
    """A file by its path, or a bundled one by its name."""
    if Path(name).exists():
        return Path(name)
    bundled = suite.schemas() / "patients" / f"{name}.toml"
    if bundled.is_file():
        return bundled
    known = ", ".join(sorted(path.stem for path in bundled.parent.glob("*.toml")))
    raise UsageError(f"--patients {name}: no such file, nor one of the bundled {known}")


def env_file(path: Path | None) -> dict[str, str]:
    """`NAME=value` lines; blank lines and `#` comments are passed over."""
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--env-file {path}: cannot be read: {error}; expected NAME=value lines") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{path}, line {number}: expected NAME=value")
        found[name.strip().removeprefix("export ")] = value.strip()
    return found


def _attestations(options: RunOptions) -> tuple[Attestation, ...]:
    if options.attestations:
        return load_attestations(options.attestations)
    if all(name.startswith(PREFIX) for name in options.targets):
        return load_attestations(suite.schemas() / "attestations" / "reference.toml")
    return ()


def _ask(conduct: Conduct, tags: str, folder: Path | None) -> pytest.ExitCode:
    """Run the scenarios with pytest, sealed against the project it happens to stand in."""
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
        "--strict-markers",
        "--capture=no",
        "-q",
    ]  # fmt: skip
    if folder:
        arguments += ["-p", "allure_pytest.plugin", f"--alluredir={(folder / report.ALLURE_RESULTS).resolve()}"]
    if tags:
        arguments += ["-m", tags]
    aside = {name: os.environ.pop(name) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS") if name in os.environ}
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            status = pytest.ExitCode(pytest.main(arguments, plugins=[conduct]))
    except OSError as error:
        if not conduct.full(error):
            raise
        return pytest.ExitCode.INTERRUPTED
    finally:
        os.environ.update(aside)
    if conduct.disk:
        return status
    if status is pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError("the selection selects no scenario; check --criterion, --tags and the target's criteria")
    if status is pytest.ExitCode.USAGE_ERROR:
        raise UsageError(f"--tags {tags}: {_last_line(said.getvalue())}")
    if status is pytest.ExitCode.INTERNAL_ERROR or (status is pytest.ExitCode.INTERRUPTED and not conduct.results):
        raise RuntimeError(f"pytest could not run the suite: {_last_line(said.getvalue())}")
    return status


def _last_line(text: str) -> str:
    """What pytest complained of, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    complaints = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (complaints or lines or ["no word why"])[-1]


def rules() -> dict[str, str]:
    """The sha256 of every file of facts a verdict rests on, by name."""
    root = suite.schemas()
    return {
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
