"""The boundary table: what the reference EHR answers at the edge of every fact, and what the judges say of it.

`python tools/boundaries.py [PATIENTS [ID]] [--every N] [--fault ID ...]`: a row for each kind of window and each way of
answering, the honest one first. Each window is answered by one CCD, or by two that together cover it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from onc_conformance import judging, record, suite, windows
from onc_conformance.findings import Severity
from onc_conformance.moments import Days
from onc_conformance.record import KINDS
from onc_conformance.reference import ccd, charts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from onc_conformance.record import Record
    from onc_conformance.reference.charts import Chart

HONEST = "as asked"
FAULTS = ("document-day-early", "document-start-exclusive", "document-end-exclusive", "window-by-encounter")
FILTER = dict.fromkeys(KINDS, "filter")
Row = tuple[str, str]


def answered(chart: Chart, window: Days, faults: Collection[str], *, parts: int) -> list[judging.Document]:
    """What the reference EHR writes for a window: one document, or two for its halves."""
    from onc_conformance.reference.faults import bent

    halves = [window]
    if parts == 2 and window.first and window.last and window.first < window.last:
        middle = window.first + (window.last - window.first) // 2
        halves = [Days(window.first, middle), Days(middle + windows.DAY, window.last)]
    asked = [bent((each.first, each.last), "document", frozenset(faults)) for each in halves]
    return [judging.read(ccd.document(chart, document_id="1", window=each, faults=faults)) for each in asked]


def objections(chart: Chart, person: Record, window: Days, faults: Collection[str], *, parts: int = 1) -> int:
    """How many errors the judges find in the answer to one window."""
    docs = answered(chart, window, faults, parts=parts)
    found = judging.dates(docs, person, window, FILTER) + judging.foreign(docs, person, (), rule="BOUNDARY")
    return sum(each.severity is Severity.ERROR for each in found)


def table(path: Path, name: str, ways: Sequence[str], every: int, share: tuple[int, int]) -> Counter[tuple[Row, bool]]:
    """(kind of window, way of answering), whether the judges object -> how many windows, of one share of the facts."""
    [chart] = [each for each in charts.load([path]) if each.id == name]
    [person] = [each for each in record.load(path) if each.id == name]
    told: dict[tuple[Days, str, int], bool] = {}
    counted: Counter[tuple[Row, bool]] = Counter()
    number, of = share
    for place, boundary in enumerate(list(windows.boundaries(person))[::every]):
        if place % of != number:
            continue
        for way in ways:
            parts = 2 if way == HONEST and boundary.window.first != boundary.window.last else 1
            key = (boundary.window, way, parts)
            if key not in told:
                faults = () if way == HONEST else (way,)
                told[key] = objections(chart, person, boundary.window, faults, parts=parts) > 0
            counted[(boundary.name, way), told[key]] += 1
    return counted


def measured(path: Path, name: str, ways: Sequence[str], every: int = 1, jobs: int = 2) -> Counter[tuple[Row, bool]]:
    """The whole table, over some processes."""
    with ProcessPoolExecutor(jobs) as workers:
        shares = [workers.submit(table, path, name, ways, every, (number, jobs)) for number in range(jobs)]
        return sum((share.result() for share in shares), Counter())


def written(counted: Counter[tuple[Row, bool]]) -> str:
    """The table as text."""
    rows = sorted({row for row, _ in counted}, key=lambda row: (row[1] != HONEST, row[1], row[0]))
    lines = [f"{'window':<22} {'answered':<26} {'windows':>7} {'objected to':>11}"]
    lines += [
        f"{name:<22} {way:<26} {counted[(name, way), True] + counted[(name, way), False]:>7} "
        f"{counted[(name, way), True]:>11}"
        for name, way in rows
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where an honest answer is objected to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patients", nargs="?", type=Path, default=suite.schemas() / "patients" / "reference-long.toml")
    parser.add_argument("id", nargs="?", default="long")
    parser.add_argument("--every", type=int, default=1, help="only every so many windows")
    parser.add_argument("--fault", action="append", default=[], choices=FAULTS)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    jobs = min(2, os.cpu_count() or 1)
    counted = measured(options.patients, options.id, (HONEST, *options.fault), options.every, jobs)
    sys.stdout.write(f"{written(counted)}\n{sum(counted.values())} windows in {time.perf_counter() - began:.1f} s\n")
    return int(any(objected and counted[row, objected] for row, objected in counted if row[1] == HONEST))


if __name__ == "__main__":
    raise SystemExit(main())
