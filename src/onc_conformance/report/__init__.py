"""Reports of a run: results, JUnit, dossier, evidence, what is still to be attested, and what Allure needs."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from onc_conformance.redaction import Secrets
from onc_conformance.report import allure, attesting, dossier, evidence, junit, results
from onc_conformance.report.folder import EVIDENCE, point_latest, run_folder, writing
from onc_conformance.report.results import timestamp
from onc_conformance.report.run import LayerNotRun, Product, Run

ALLURE_RESULTS = "allure-results"

__all__ = [
    "ALLURE_RESULTS", "EVIDENCE", "LayerNotRun", "Product", "Run", "give_up", "point_latest", "run_folder",
    "timestamp", "write",
]  # fmt: skip


def give_up(directory: Path, problem: OSError, secrets: Secrets) -> NoReturn:
    """End a run whose reports cannot be written any further: UsageError; what is there stays, whole and masked."""
    with writing(directory):
        told = directory / ALLURE_RESULTS
        for unfinished in told.glob("*.tmp"):
            unfinished.unlink()
        allure.finish(told, directory / EVIDENCE, secrets)
        raise problem
    raise AssertionError  # pragma: no cover - writing() raises


def write(run: Run, directory: Path) -> None:
    """Write every report of the run into the folder and let `latest` lead to it.

    Call it once all processes of the run have ended and every secret is known; UsageError if the folder cannot be
    written.
    """
    folder, told = directory / EVIDENCE, directory / ALLURE_RESULTS
    with writing(directory):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            written = [evidence.record(exchange, folder, run.secrets, bodies=run.bodies) for exchange in run.exchanges]
            entries = evidence.collect(folder, written)
            masked = run.masked()
            results.write(masked, directory / "results.json", len(entries))
            junit.write(masked, directory / "junit.xml")
            attesting.write(masked, directory / attesting.FILE)
            dossier.write(masked, entries, directory / "dossier.html")
            if told.is_dir():
                allure.write(masked, told)
        finally:  # a full disk must not leave Allure's results unmasked
            if told.is_dir():
                allure.finish(told, folder, run.secrets)
    point_latest(directory)
