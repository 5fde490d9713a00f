"""`make bench`: our judges beside others on the same documents, in one run, as tables of Markdown.

    python tools/bench [--docs FOLDER] [--sch FILE [--voc FILE] [--phase errors]] [--xsd FILE] [--node] [--sample N]

Each contender is optional: where its package or its rules are not there, the table says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import documents

from onc_conformance import suite

HERE = Path(__file__).parent
LAYERS = ("parse", "schema", "templates", "vocabulary", "uscdi", "content")
NPM = "cda-schematron-validator@1.1.12"
ENOUGH = 20.0
"""Seconds of judging that throughput is measured over, at least."""


@dataclass(frozen=True)
class Took:
    """What a contender took over some documents."""

    start: float
    documents: Sequence[dict[str, float]]
    peak: float

    def milliseconds(self, key: str = "total") -> list[float]:
        """Of each document in a layer, or in all."""
        return [1000 * each[key] for each in self.documents if key in each]


def measured(command: Sequence[str], files: Sequence[Path]) -> Took | str:
    """What the command took, or the last line of what went wrong."""
    names = "".join(f"{each}\n" for each in files)
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=False, env=_surroundings())
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    told = json.loads(done.stdout)
    return Took(told["start"], told["documents"], told["peak"])


def contender(name: str, files: Sequence[Path], rounds: int, **options: Any) -> Took | str:
    """The same for one of contenders.py."""
    return measured([sys.executable, str(HERE / "contenders.py"), name, str(rounds), json.dumps(options)], files)


def of_node(files: Sequence[Path], rounds: int, options: argparse.Namespace, work: Path) -> Took | str:
    """The npm package, installed into a folder that is gone afterwards."""
    if not options.node:
        return "not asked for (NODE=1)"
    if not shutil.which("npm"):
        return "Node is not installed"
    modules = work / "npm"
    modules.mkdir()
    install = [
        "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        str(modules),
        NPM,
    ]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        return f"npm cannot install {NPM}"
    if options.voc:
        shutil.copy(options.voc, work / "voc.xml")
    script = str(HERE / "contender.cjs")
    return measured(["node", script, str(modules), str(options.sch), str(work), str(rounds)], files)


def peers(files: Sequence[Path], options: argparse.Namespace, work: Path) -> Iterator[tuple[str, Took | str]]:
    """Who else judges the same documents, each over the rules it can use."""
    given = {"sch": str(options.sch), "voc": str(options.voc or ""), "phase": options.phase, "work": str(work)}
    xsd = options.xsd or suite.schemas() / "cda" / "cda.xsd"
    yield "xmlschema", contender("xmlschema", files, 1, xsd=str(xsd)) if xsd.is_file() else "no schema (XSD=file)"
    if not options.sch:
        for name in ("lxml ISO-Schematron", "SaxonC", "cda-schematron-validator"):
            yield name, "no Schematron file (SCH=file)"
        return
    yield "lxml ISO-Schematron", contender("isoschematron", files, 1, **given)
    installed = importlib.util.find_spec("saxonche")
    yield "SaxonC", contender("saxonc", files, 1, **given) if installed else "not installed (pip install saxonche)"
    yield "cda-schematron-validator", of_node(files, 1, options, work)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of Markdown, its columns aligned."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
    print()


def compared(files: Sequence[Path], options: argparse.Namespace, work: Path) -> Took:
    """Who takes how long over the same documents; returns what we took over all of them."""
    mine = contender("ours", files, options.rounds)
    if isinstance(mine, str):
        sys.exit(f"our own judges failed: {mine}")
    some = files[:: max(1, -(-len(files) // options.sample))]
    ours = contender("ours", some, options.rounds) if len(some) < len(files) else mine
    assert isinstance(ours, Took)
    kilobytes = sum(each["bytes"] for each in mine.documents) / 1000
    print(f"{len(files)} documents, {kilobytes / len(files):.0f} KB on average; others judge {len(some)} of them\n")
    rows = [
        (f"ours: {layer}", str(len(times)), _ms(statistics.median(times)), _ms(_high(times)), "", "", "")
        for layer in LAYERS
        if (times := mine.milliseconds(layer))
    ]
    times = mine.milliseconds()
    rows.append(("ours: all layers", str(len(times)), _ms(statistics.median(times)), _ms(_high(times)), "1",
                 f"{mine.start:.2f}", f"{mine.peak:.0f}"))  # fmt: skip
    for name, took in peers(some, options, work):
        if isinstance(took, str):
            rows.append((name, f"left out: {took}", "", "", "", "", ""))
            continue
        times = took.milliseconds()
        ratio = f"{statistics.median(times) / statistics.median(ours.milliseconds()):.0f}"
        rows.append((name, str(len(times)), _ms(statistics.median(times)), _ms(_high(times)), ratio,
                     f"{took.start:.2f}", f"{took.peak:.0f}"))  # fmt: skip
    table(("judge", "documents", "median ms", "95 % ms", "times ours", "start s", "peak MB"), rows)
    return mine


def grown_in_size(base: Path, rounds: int, work: Path) -> None:
    """What a kilobyte takes in documents of very different size."""
    rows = []
    for file in documents.of_sizes(base, work):
        took = contender("ours", [file], rounds if file.stat().st_size < 1_000_000 else 1)
        assert isinstance(took, Took), took
        [one] = took.documents
        each = {name: f"{1e6 * one[name] / one['bytes']:.3f}" for name in (*LAYERS, "total") if name in one}
        layers = " ".join(f"{name} {each[name]}" for name in LAYERS if name in each)
        size, total = f"{one['bytes'] / 1000:.0f} KB", _ms(1000 * one["total"])
        rows.append((size, total, each["total"], layers, f"{took.peak:.0f}"))
    table(("document", "ms", "ms per KB", "of these", "peak MB"), rows)


COMMAND = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from contenders import peak
from onc_conformance import cli
cli.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write(f"peak {peak()}")
"""
"""The command, and the most memory it took."""


def command(*arguments: str) -> tuple[float, float]:
    """(seconds, peak MB) of the command as it is typed; processes that it starts have memory of their own."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(HERE), *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, env=_surroundings(),
    )  # fmt: skip
    return time.perf_counter() - began, float(done.stderr.rpartition("peak ")[2])


def typed(files: Sequence[Path], mine: Took, rounds: int) -> None:
    """The command: one document cold, many with one process and with two."""
    one = sorted(files, key=lambda each: each.stat().st_size)[len(files) // 2]
    cold = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "onc_conformance", "validate", str(one)],
            stdout=subprocess.DEVNULL, check=False, env=_surroundings(),
        )  # fmt: skip
        cold.append(time.perf_counter() - began)
    size, middle = one.stat().st_size / 1000, statistics.median(cold)
    print(f"cold, one document of {size:.0f} KB: median {middle:.2f} s, longest {max(cold):.2f} s of {rounds}\n")
    enough = max(1, round(ENOUGH / (sum(mine.milliseconds()) / 1000)))
    rows, speeds = [], []
    for jobs in (1, 2):
        paths = [str(each) for each in files] * enough * jobs
        seconds, peak = command("validate", "--format", "json", "--jobs", str(jobs), *paths)
        speeds.append(len(paths) / seconds)
        times = f"{speeds[-1] / speeds[0]:.2f}"
        rows.append((str(jobs), str(len(paths)), f"{seconds:.1f}", f"{speeds[-1]:.1f}", times, f"{peak:.0f}"))
    table(("--jobs", "documents", "s", "documents per s", "times", "peak MB of the first process"), rows)
    rows = []
    for times in (1, 4, 16):
        paths = [str(each) for each in files] * times
        seconds, peak = command("validate", "--format", "json", *paths)
        rows.append((str(len(paths)), f"{seconds:.1f}", f"{1000 * seconds / len(paths):.1f}", f"{peak:.0f}"))
    table(("documents in one run", "s", "ms each", "peak MB"), rows)


def machine() -> str:
    """What it ran on."""
    from lxml import etree

    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    libxml2 = ".".join(map(str, etree.LIBXML_VERSION))
    return (
        f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GB, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, lxml {etree.__version__}, libxml2 {libxml2}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).is_file() else []


def _surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(suite.PACKAGE.parent), str(HERE)]), "NO_COLOR": "1"}


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f}"


def _high(times: Sequence[float]) -> float:
    return sorted(times)[max(0, -(-len(times) * 95 // 100) - 1)]


def main() -> None:
    """Everything, in one run."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    options.add_argument("--docs", type=Path, help="folder of C-CDA documents; default: the reference EHR's own")
    options.add_argument("--sch", type=Path, help="an official Schematron file, for those that run one")
    options.add_argument("--voc", type=Path, help="the voc.xml it looks codes up in; without it look-ups find nothing")
    options.add_argument("--phase", default="errors", help="of the Schematron file")
    options.add_argument("--xsd", type=Path, help="a schema of CDA for xmlschema; default: ours")
    options.add_argument("--node", action="store_true", help=f"install {NPM} into a temporary folder and run it")
    options.add_argument("--sample", type=int, default=20, help="so many documents at most for the others; default 20")
    options.add_argument("--rounds", type=int, default=5, help="how often we judge each document; default 5")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "own").mkdir()
        files = documents.of_folder(chosen.docs) if chosen.docs else documents.of_reference(work / "own")
        if not files:
            options.error(f"{chosen.docs}: no C-CDA document is in this folder")
        print(f"{machine()}\n")
        mine = compared(files, chosen, work)
        typed(files, mine, chosen.rounds)
        grown_in_size(sorted(files, key=lambda each: each.stat().st_size)[len(files) // 2], chosen.rounds, work)


if __name__ == "__main__":
    main()
