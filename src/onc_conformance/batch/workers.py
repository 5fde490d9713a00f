"""Documents judged by processes side by side, told in the order they came in.

Each process has one document at a time, so when one dies or hangs it is known which document it had: that one is told
as a fault of ours and another process takes over. How far the quick may run ahead of the slow is bounded.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol, Self

from onc_conformance.batch.archives import Source
from onc_conformance.batch.work import Told

PATIENCE = 120.0
"""Seconds one document may take; 64 MB take fifteen."""
AHEAD = 16
"""Documents per process that may be judged and not yet told."""
LIFE = 2_000
"""Documents after which a process is followed by a fresh one: what libraries keep for names never seen before goes."""
_SOON = 5.0


class Labour(Protocol):
    """What a process does with a document, and what is told when it cannot."""

    def __call__(self, source: Source, /) -> Told: ...

    def lost(self, path: str, said: str, /) -> Told: ...


@dataclass(slots=True, eq=False)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    number: int | None = None
    """That of the document it has."""
    path: str = ""
    until: float = 0.0
    judged: int = 0

    def give(self, number: int, source: Source) -> None:
        self.number, self.path, self.until = number, source.path, time.monotonic() + PATIENCE
        with suppress(OSError):  # it has died: the pipe will say so, and the document is told as lost
            self.pipe.send((source.path, source.line))
            self.pipe.send_bytes(source.data)

    def end(self, *, kill: bool) -> int | None:
        """Its exit code; negative is the number of a signal."""
        self.pipe.close()
        if kill:
            self.process.kill()
        self.process.join(_SOON)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        return self.process.exitcode


class Processes:
    """So many processes that judge. A context: none of them outlives it."""

    def __init__(self, work: Labour, jobs: int) -> None:
        self._work, self._jobs = work, jobs
        self._workers: list[_Worker] = []
        self._done: dict[int, Told] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for worker in self._workers:
            worker.end(kill=kind is not None or worker.number is not None or not worker.ready)
        self._workers.clear()

    def tell(self, sources: Iterable[Source]) -> Iterator[Told]:
        """What came of each document, in the order of `sources`, which is read no faster than documents are judged."""
        numbered = enumerate(sources)
        told, upcoming = 0, next(numbered, None)
        while upcoming or self._done or any(each.number is not None for each in self._workers):
            while upcoming and upcoming[0] - told < AHEAD * self._jobs:
                if upcoming[1].refusal:
                    self._done[upcoming[0]] = self._work(upcoming[1])
                elif idle := self._idle():
                    idle.give(*upcoming)
                else:
                    break
                upcoming = next(numbered, None)
            while told in self._done:
                yield self._done.pop(told)
                told += 1
            self._listen()

    def finished(self) -> list[Told]:
        """What has come and was not told yet, for one who will not wait for the rest."""
        return [self._done.pop(number) for number in sorted(self._done)]

    @property
    def _busy(self) -> list[_Worker]:
        return [each for each in self._workers if each.number is not None or not each.ready]

    def _idle(self) -> _Worker | None:
        for worker in [each for each in self._workers if each.ready and each.number is None and each.pipe.poll()]:
            worker.end(kill=True)  # it has nothing to say: it has died with nothing to do
            self._workers.remove(worker)
        while len(self._workers) < self._jobs:
            self._workers.append(_start(self._work))
        return next((each for each in self._workers if each.ready and each.number is None), None)

    def _listen(self) -> None:
        """Wait for one of the busy to be done, to die, or to take too long."""
        busy = {each.pipe: each for each in self._busy}
        if not busy:
            return
        ends = [each.until for each in busy.values() if each.number is not None]
        for pipe in wait(list(busy), max(0.0, min(ends) - time.monotonic()) if ends else None):
            worker = busy[pipe]  # type: ignore[index]
            try:
                said = worker.pipe.recv()
            except (EOFError, OSError):
                self._lose(worker, _how(worker.end(kill=False)))
                continue
            if worker.ready and worker.number is not None:
                self._done[worker.number] = said
                worker.number, worker.judged = None, worker.judged + 1
                if worker.judged >= LIFE:
                    worker.end(kill=False)
                    self._workers.remove(worker)
            worker.ready = True
        for worker in self._busy:
            if worker.number is not None and worker.until < time.monotonic() and not worker.pipe.poll():
                worker.end(kill=True)
                self._lose(worker, f"judging took longer than {PATIENCE:.0f} s")

    def _lose(self, worker: _Worker, said: str) -> None:
        self._workers.remove(worker)
        if not worker.ready:
            raise RuntimeError(f"a process that judges cannot be started: {said}")
        if worker.number is not None:
            self._done[worker.number] = self._work.lost(worker.path, said)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process that judged it was ended by {signal.Signals(-code).name}; was memory short?"
    return f"the process that judged it ended with code {code}"


def _start(work: Labour) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    with _deaf():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C is for the process that was started; those it starts inherit that they ignore it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, work: Callable[[Source], Told]) -> None:
    """The life of a process: until the pipe ends, which it does when the one that started it is gone."""
    with suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            path, line = pipe.recv()
            pipe.send(work(Source(path, pipe.recv_bytes(), line=line)))
