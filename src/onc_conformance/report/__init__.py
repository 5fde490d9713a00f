"""Reports of a run: results.json, junit.xml, dossier.html, evidence/, and what Allure needs around its results."""

from __future__ import annotations

from pathlib import Path

from onc_conformance.report import allure, dossier, evidence, junit, results
from onc_conformance.report.folder import EVIDENCE, point_latest, run_folder, writing
from onc_conformance.report.results import timestamp
from onc_conformance.report.run import LayerNotRun, Product, Run

ALLURE_RESULTS = "allure-results"

__all__ = [
    "ALLURE_RESULTS",
    "EVIDENCE",
    "LayerNotRun",
    "Product",
    "Run",
    "point_latest",
    "run_folder",
    "timestamp",
    "write",
]


def write(run: Run, directory: Path) -> None:
    """Write every report of the run into the folder and let `latest` lead to it.

    Call it once all processes of the run have ended and every secret is known; UsageError if the folder cannot be
    written.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        for exchange in run.exchanges:
            evidence.record(exchange, directory / EVIDENCE, run.secrets, bodies=run.bodies)
        entries = evidence.collect(directory / EVIDENCE)
        masked = run.masked()
        results.write(masked, directory / "results.json", len(entries))
        junit.write(masked, directory / "junit.xml")
        dossier.write(masked, entries, directory / "dossier.html")
        if (directory / ALLURE_RESULTS).is_dir():
            allure.write(masked, directory / ALLURE_RESULTS)
            allure.mask_results(directory / ALLURE_RESULTS, run.secrets)
    point_latest(directory)
