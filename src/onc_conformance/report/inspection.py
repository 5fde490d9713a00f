"""inspection.html: what only eyes can judge, to be printed and ticked; beside the dossier, which leads to it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Template

from onc_conformance.judging.inspection import Sheet
from onc_conformance.report import pages
from onc_conformance.report.folder import put
from onc_conformance.report.run import Run

NAME = "inspection.html"


def sheets(run: Run) -> list[tuple[str, Sheet]]:
    """Target and sheet of every document there is one for; none where evidence keeps no bodies."""
    if not run.bodies:
        return []
    return [(result.target, each) for result in run.results for each in result.sheets]


def write(run: Run, path: Path) -> None:
    """Write the sheets where there are any; the run is masked already."""
    found = sheets(run)
    if found:
        put(path, render(run, found))


def render(run: Run, found: list[tuple[str, Sheet]]) -> str:
    """The page as text."""
    titles = dict(run.patients)
    return _template().render(run=run, sheets=found, titles=titles)


@cache
def _template() -> Template:
    return pages.environment().get_template("inspection.html.j2")
