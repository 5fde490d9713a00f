"""Documents judged by the workers of a Dask scheduler, told in the order they came in."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from onc_conformance.batch.work import OutOfReach
from onc_conformance.batch.workers import PATIENCE
from onc_conformance.findings import UsageError

if TYPE_CHECKING:
    from onc_conformance.batch.archives import Source
    from onc_conformance.batch.work import Told, Work

PATIENCE_TO_CONNECT = 10.0
"""Seconds until a scheduler that does not answer is out of reach."""
IN_FLIGHT = 256 * 1024 * 1024
"""Bytes of documents that are under way at once."""
_RECOUNT = 500
"""Documents after which it is asked again how many work; clusters grow and shrink."""
_ONE = threading.Lock()


class Cluster:
    """A Dask scheduler and its workers. UsageError where something is not installed here or there; OutOfReach."""

    def __init__(self, work: Work, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "--cluster needs Dask, which is not installed; pip install 'onc-conformance[cluster]'"
            ) from None
        self._work, self._address = work, address
        self._under_way: deque[tuple[Source, Any]] = deque()
        self._submitted = self._width = 0
        for name in logging.root.manager.loggerDict:  # what becomes of the cluster is told by us, in one line
            if name.startswith("distributed"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self._client = distributed.Client(address, timeout=PATIENCE_TO_CONNECT, set_as_default=False)
        except ValueError as error:
            raise UsageError(f"--cluster {address}: {error}; expected an address like tcp://host:8786") from None
        except OSError as error:
            raise OutOfReach(f"no Dask scheduler answers at {address}: {_line(error)}") from None

    def __enter__(self) -> Self:
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE_TO_CONNECT)
            found = set(self._client.run(version).values())
        except TimeoutError:
            self._client.close()
            raise OutOfReach(f"the Dask scheduler at {self._address} has no workers; start some") from None
        except ImportError:
            self._client.close()
            raise UsageError(
                f"--cluster {self._address}: its workers cannot import onc_conformance; install the same version there"
            ) from None
        if found != {version()}:
            self._client.close()
            raise UsageError(
                f"--cluster {self._address}: its workers have onc-conformance {', '.join(sorted(found))} and here is"
                f" {version()}; install the same version"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._client.status == "running":
            self._client.cancel([future for _, future in self._under_way])
        self._under_way.clear()
        self._client.close()

    def tell(self, sources: Iterable[Source]) -> Iterator[Told]:
        """What came of each document, in the order of `sources`, which is read no faster than documents are judged."""
        for source in sources:
            while not self._room(source) and self._under_way:
                yield self._next()
            self._submitted += 1
            self._under_way.append((source, self._send(source)))
        while self._under_way:
            yield self._next()

    def finished(self) -> list[Told]:
        """What has come and was not told yet, for one who will not wait for the rest."""
        done = [each for each in self._under_way if each[1].status == "finished"]
        return [future.result() for _, future in done]

    def _room(self, source: Source) -> bool:
        if self._submitted % _RECOUNT == 0:
            self._width = 4 * max(1, sum(self._client.ncores().values()))
        size = sum(len(each.data) for each, _ in self._under_way) + len(source.data)
        return len(self._under_way) < self._width and size <= IN_FLIGHT

    def _next(self) -> Told:
        told: Told
        source, future = self._under_way[0]
        for again in (False, True):
            # A document may have been lost for one beside it, of which by now has been told: it gets a second chance
            try:
                told = (self._send(source) if again else future).result(timeout=PATIENCE)
                break
            except TimeoutError:
                self._still_there(source)
                self._stop(future)
                told = self._work.lost(source.path, f"judging took longer than {PATIENCE:.0f} s")
                break
            except Exception as error:  # noqa: BLE001 - a worker was lost
                self._still_there(source)
                told = self._work.lost(source.path, f"the cluster: {_line(error)}")
        self._under_way.popleft()
        return told

    def _send(self, source: Source) -> Any:
        return self._client.submit(judge, self._work, source, pure=False)

    def _still_there(self, source: Source) -> None:
        if self._client.status != "running":
            said = f"the connection to the Dask scheduler at {self._address} was lost"
            raise OutOfReach(f"{said}; {len(self._under_way)} documents were under way, first {source.path}") from None

    def _stop(self, future: Any) -> None:
        """End the worker that hangs; where nobody watches over it (`--no-nanny`), it is left to itself."""
        busy = [worker for worker, keys in self._client.processing().items() if future.key in map(str, keys)]
        future.cancel()
        with suppress(ValueError, TimeoutError):
            self._client.restart_workers(busy, timeout=PATIENCE_TO_CONNECT, raise_for_error=False)


def version() -> str:
    """That of this package, wherever it is asked."""
    import onc_conformance

    return onc_conformance.__version__


def judge(work: Work, source: Source) -> Told:
    """One at a time in a process, however many threads a worker has: the judges share what they have compiled."""
    with _ONE:
        return work(source)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
