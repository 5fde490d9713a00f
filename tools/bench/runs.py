"""What runs on the reference EHR take, and a document held against its record: python tools/bench/runs.py.

Every run is a process of its own, suite and reference EHR in one. With `--against SRC` another version of the package
takes turns with this one, so that a busy machine is as busy for both; seconds of CPU tell more than those of the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
OWN = HERE.parents[1] / "src"
DOCUMENTS = ("reference:webchart", "reference:ehryourway", "reference:docref")
RUNS: dict[str, tuple[str, ...]] = {
    "(g)(7) to (g)(9), two targets": ("--criterion", "g7,g8,g9", "--target", *DOCUMENTS[:2]),
    "(g)(7) to (g)(9), three targets": ("--criterion", "g7,g8,g9", "--target", *DOCUMENTS),
    "all four criteria, four targets": (),
}
COMMAND = """
import atexit, sys
sys.path.insert(0, sys.argv.pop(1))
from contenders import peak
from onc_conformance import cli
atexit.register(lambda: sys.stderr.write(f"peak {peak()}"))
cli.main(["run", *sys.argv[1:]])
"""
COMPARING = """
import statistics, sys, tempfile, time
from pathlib import Path
from onc_conformance import judging
from onc_conformance.judging.judgement import LAYERS, Case
from onc_conformance.record import load
from onc_conformance.reference import charted, charts, patientsfile

people = [charted.ChartedPerson(chart) for chart in charts.load(charts.bundled())]
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "patients.toml"
    file.write_text(patientsfile.written(people), "utf-8")
    records = {record.id: record for record in load(file)}
person = min(people, key=lambda each: abs(len(each.summary(None)) - 100_000))
data = person.summary(None)
others = [record for name, record in records.items() if name != person.key]
case = Case(edition="uscdi-v3", record=records[person.key], others=others)
content = next(layer for layer in LAYERS if layer.name == "content")
took = []
for _ in range(60):
    document = judging.read(data)
    began = time.thread_time()
    content.judge(document, case)
    took.append(time.thread_time() - began)
print(f"{len(data) / 1000:.0f} {1000 * statistics.median(took):.2f} {1000 * min(took):.2f}")
"""


@dataclass(frozen=True, slots=True)
class Took:
    """What a run took: seconds of the clock and of the CPU, and MB at the most."""

    wall: float
    cpu: float
    peak: float


def run(source: Path, options: tuple[str, ...]) -> Took:
    """The command with these options; its exit code is 0, or this raises."""
    before, began = _spent(), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-run-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, str(HERE), *options, "--reports", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True, env=_surroundings(source),
        )  # fmt: skip
        wall = time.perf_counter() - began
    return Took(wall, _spent() - before, float(done.stderr.rpartition("peak ")[2]))


def comparing(source: Path) -> tuple[str, ...]:
    """Size in KB of a document of about 100 KB; median and least ms of CPU that its comparison takes."""
    command = [sys.executable, "-c", COMPARING]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=_surroundings(source))
    return tuple(done.stdout.split())


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _surroundings(source: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(source), "NO_COLOR": "1"}


def main() -> None:
    """Every row, for every version."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--against", type=Path, nargs="*", default=(), metavar="SRC", help="src of other versions")
    options.add_argument("--times", type=int, default=3, help="how often each is run; the median counts; default 3")
    chosen = options.parse_args()
    sources = [OWN, *(path.resolve() for path in chosen.against)]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| what | version | s | s of CPU | peak MB |\n| --- | --- | --- | --- | --- |")
    for name, arguments in RUNS.items():
        turns = [[run(source, arguments) for source in sources] for _ in range(chosen.times)]
        for number, source in enumerate(sources):
            took = [turn[number] for turn in turns]
            wall, cpu, peak = (statistics.median(getattr(each, what) for each in took) for what in Took.__slots__)
            print(f"| {name} | {source.parent.name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True)
    print("\n| held against its record | version | median ms of CPU | least |\n| --- | --- | --- | --- |")
    for source in sources:
        size, median, least = comparing(source)
        print(f"| a document of {size} KB | {source.parent.name} | {median} | {least} |")


if __name__ == "__main__":
    main()
