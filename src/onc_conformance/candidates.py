"""The targets of a run and the patients each is examined with: named, played by the reference EHR, or recorded."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onc_conformance import procedure, suite, targets
from onc_conformance.findings import UsageError
from onc_conformance.gate import Attestation, load_attestations
from onc_conformance.judging import gold
from onc_conformance.options import RunOptions, env_file, patients_files
from onc_conformance.record import Record, together
from onc_conformance.record import load as load_records
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.settings import BULK, SMART, US_CORE, Settings
from onc_conformance.report import recording

DEFAULT = ("webchart", "ehryourway", "docref", "fhir")
"""The bundled targets that the reference EHR plays, and a run that names none examines, in order."""
PREFIX = "reference:"


@dataclass(frozen=True)
class Candidate:
    """A target with the patients it is examined with."""

    target: targets.Target
    records: Sequence[Record]
    name: str
    """As it was chosen."""
    files: Sequence[Path]
    """Where the records were read."""


@contextmanager
def candidates(options: RunOptions) -> Iterator[list[Candidate]]:
    """The targets chosen, the reference EHR running behind those it plays."""
    names = list(dict.fromkeys(options.targets)) or [PREFIX + name for name in DEFAULT]
    played = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
    for name in played:
        if name not in DEFAULT:
            raise UsageError(f"--target {PREFIX}{name}: the reference EHR plays {', '.join(DEFAULT)}")
    if options.faults and len(played) < len(names):
        raise UsageError("--fault needs the reference EHR: leave --target out, or name reference:TARGET only")
    environment = {**env_file(options.env_file), **os.environ}
    with tempfile.TemporaryDirectory(prefix="onc-conformance-") as folder:
        files = _patients(options.patients, Path(folder))
        if played:
            with _played(names, files, environment, options, Path(folder)) as chosen:
                yield chosen
        else:
            yield [_named(name, environment, files, Path(folder)) for name in names]


def _patients(names: Sequence[str], folder: Path) -> list[Path]:
    """Patients files; what is a gold document or a bundle is written into `folder` as one."""
    return gold.as_patients_files([path for name in names for path in patients_files(name)], folder)


@contextmanager
def _played(
    names: Sequence[str], files: Sequence[Path], environment: Mapping[str, str], options: RunOptions, folder: Path
) -> Iterator[list[Candidate]]:
    """The reference EHR open, its FHIR server following the edition's US Core, SMART App Launch and Bulk Data."""
    edition = procedure.edition(options.edition)
    settings = Settings(
        us_core=next((each for each in US_CORE if each == edition.us_core), US_CORE[-1]),
        smart=next((each for each in SMART if each == edition.smart), SMART[-1]),
        bulk_version=next((each for each in BULK if each == edition.bulk), BULK[-1]),
    )
    try:
        ehr = ReferenceEHR(patients=files or None, faults=tuple(options.faults), settings=settings)
    except ValueError as error:
        raise UsageError(str(error)) from None
    with ehr:
        patients = folder / "patients.toml"
        patients.write_text(ehr.patients_toml, encoding="utf-8")
        records = load_records(patients)
        yield [
            Candidate(targets.load(name.removeprefix(PREFIX), {**environment, **ehr.env}), records, name, [patients])
            if name.startswith(PREFIX)
            else _named(name, environment, files, folder)
            for name in names
        ]


def _named(name: str, environment: Mapping[str, str], files: Sequence[Path], folder: Path) -> Candidate:
    target = targets.load(name, environment)
    if not files and environment.get("ONC_PATIENTS"):
        files = _patients([environment["ONC_PATIENTS"]], folder)
    if not files:
        raise UsageError(f"--target {name}: no test patients; name a patients file with --patients or in ONC_PATIENTS")
    return Candidate(target, together((file, load_records(file)) for file in files), name, files)


@contextmanager
def replayed(options: RunOptions, replay: recording.Recording) -> Iterator[list[Candidate]]:
    """The targets of a recording, or those chosen of them; no server is started and none is asked."""
    if options.faults:
        raise UsageError("--fault needs the reference EHR running; --replay judges what was recorded")
    environment = {**env_file(options.env_file), **os.environ}
    with tempfile.TemporaryDirectory(prefix="onc-conformance-") as folder:
        files = _patients(options.patients, Path(folder))
        chosen: list[Candidate] = []
        for name in options.targets or [each.id for each in replay.inputs.targets]:
            recorded = replay.target(name)
            if recorded:
                target = replay.described(recorded, environment)
            else:
                target, recorded = replay.redescribed(name, environment)
            own = files or replay.patients(recorded)
            chosen.append(Candidate(target, together((file, load_records(file)) for file in own), recorded.name, own))
        yield chosen


def attestations(options: RunOptions, chosen: Sequence[Candidate]) -> tuple[Attestation, ...]:
    """The entries of the file named, or those of the reference EHR where nothing else is examined."""
    if options.attestations:
        return load_attestations(options.attestations)
    if all(candidate.name.startswith(PREFIX) for candidate in chosen):
        return load_attestations(suite.schemas() / "attestations" / "reference.toml")
    return ()
