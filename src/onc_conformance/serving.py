"""The reference EHR as a service of its own, and the files that let a run in another terminal find it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from onc_conformance.findings import UsageError
from onc_conformance.judging import gold
from onc_conformance.options import patients_files
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.settings import Settings


def serving(  # noqa: PLR0917 - what the command line says
    host: str,
    port: int,
    charts: Path | None,
    patients: Sequence[str],
    faults: Sequence[str],
    fhir: Sequence[Path] = (),
    us_core: Literal["6.1.0", "7.0.0"] = "6.1.0",
) -> AbstractContextManager[ReferenceEHR]:
    """The reference EHR, not started yet. UsageError for a folder, file, Bundle, fault or port it cannot use."""
    if charts is not None and not charts.is_dir():
        raise UsageError(f"--charts {charts}: no such folder; expected one with C-CDA documents")
    if charts is not None and patients:
        raise UsageError("--charts and --patients exclude each other: charts bring their own patients")
    files = [path for name in patients for path in patients_files(name)]
    try:
        with tempfile.TemporaryDirectory(prefix="onc-conformance-") as folder:
            return ReferenceEHR(
                patients=gold.as_patients_files(files, Path(folder)) or None,
                charts=charts,
                faults=tuple(faults),
                host=host,
                port=port,
                settings=Settings(us_core=us_core),
                fhir=fhir,
            )
    except (ValueError, OSError) as error:
        raise UsageError(f"serve: {error}") from None


def write_env(ehr: ReferenceEHR, path: Path) -> None:
    """Write `NAME=value` for every variable of the bundled descriptions; beside it what they name.

    That is the patients file, the keys of the FHIR server's clients and the certificate of its authority; all but the
    first go when `ehr` closes.
    """
    patients = path.with_name(f"{path.name}.patients.toml").absolute()
    try:
        ehr.place_files(path.absolute())
        lines = [f"{name}={value}" for name, value in {**ehr.env, "ONC_PATIENTS": str(patients)}.items()]
        patients.write_text(ehr.patients_toml, encoding="utf-8")
        # readable by the owner alone: it holds passwords, if only of a toy
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise UsageError(f"--write-env {path}: cannot be written: {error.strerror}") from None
