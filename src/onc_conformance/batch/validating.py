"""`validate` from what was asked for to the exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, TextIO

from onc_conformance.batch.archives import Source, left_out, with_wholes
from onc_conformance.batch.expectation import expectation
from onc_conformance.batch.progress import Progress
from onc_conformance.batch.sources import Sources
from onc_conformance.batch.work import OutOfReach, Tally, Told, Work
from onc_conformance.batch.writers import JsonLines, Sarif, Text, Writer

FORMATS = ("text", "json", "sarif")


class Crew(Protocol):
    """Whoever judges: this process, several, or a cluster."""

    def tell(self, sources: Iterable[Source]) -> Iterator[Told]: ...

    def finished(self) -> list[Told]: ...


class Alone:
    """The process that was started, one document after another."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def tell(self, sources: Iterable[Source]) -> Iterator[Told]:
        """What came of each document."""
        return map(self._work, sources)

    def finished(self) -> list[Told]:
        """Nothing: what has come was told."""
        return []


def validate(
    paths: Iterable[str | Path],
    *,
    edition: str,
    expected: str | Path | None = None,
    first: str | None = None,
    last: str | None = None,
    rules: str = "builtin",
    us_core: str | None = None,
    profiles: Sequence[str] | None = None,
    form: str = "text",
    jobs: int = 1,
    cluster: str | None = None,
    out: TextIO | None = None,
) -> int:
    """Judge every document and write what was found; the exit code: 0 all pass, 1 one fails, 4 a fault of ours.

    UsageError where nothing can be judged, OutOfReach where the cluster is or comes to be; before that and before a
    KeyboardInterrupt goes on, what was gathered is written.
    """
    against, sources = (
        expectation(edition, expected, first, last, rules, us_core=us_core, profiles=profiles),
        Sources(paths),
    )
    stream = out or _standard_output(form)
    writer, tally = _writer(form, stream), Tally()
    progress = Progress(sys.stderr, sources.many) if Progress.fits(sys.stderr) else None
    with _crew(Work(against, writer.form), jobs, cluster) as crew:
        try:
            watched = _watched(sources, progress)
            for told in crew.tell(with_wholes(watched) if against.records else watched):
                _write(writer, tally, told, progress)
        except (KeyboardInterrupt, OutOfReach) as ended:
            tally.interrupted = True
            for told in crew.finished() if isinstance(ended, KeyboardInterrupt) else ():
                _write(writer, tally, told, progress)
            _end(writer, tally, sources)
            raise
        finally:
            if progress:
                progress.hide()
    _end(writer, tally, sources)
    if tally.left_out and form != "text":
        sys.stderr.write(f"onc-conformance: {tally.left_out}\n")
    return tally.exit_code


def _write(writer: Writer, tally: Tally, told: Told, progress: Progress | None) -> None:
    if progress:
        progress.hide()
    tally.count(told)
    writer.tell(told)


def _end(writer: Writer, tally: Tally, sources: Sources) -> None:
    tally.left_out = left_out(sources.left_out)
    writer.end(tally)


def _watched(sources: Iterable[Source], progress: Progress | None) -> Iterator[Source]:
    for source in sources:
        if progress:
            progress.step(source.path)
        yield source


def _crew(work: Work, jobs: int, cluster: str | None) -> AbstractContextManager[Crew]:
    if cluster:
        from onc_conformance.batch.cluster import Cluster

        return Cluster(work, cluster)
    if jobs > 1:
        from onc_conformance.batch.workers import Processes

        return Processes(work, jobs)
    return nullcontext(Alone(work))


def _writer(form: str, stream: TextIO) -> Writer:
    if form == "json":
        return JsonLines(stream)
    if form == "sarif":
        return Sarif(stream)
    return Text(stream, colour=Progress.fits(stream) and not os.environ.get("NO_COLOR"))


def _standard_output(form: str) -> TextIO:
    # What machines read is UTF-8 wherever it is made; what people read must not end over a character
    if isinstance(sys.stdout, io.TextIOWrapper):
        if form == "text":
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout
