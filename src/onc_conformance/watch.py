"""One exchange may take so long and no longer: whoever still sends or waits then is cut off."""

from __future__ import annotations

import os
import socket
import threading
from contextvars import ContextVar
from time import monotonic
from typing import Self


class Watch:
    """Cuts the connection of one exchange when its time is up: no read time-out ends an answer that trickles."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.until = monotonic() + seconds
        self._line: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._token = CURRENT.set(self)
        _WATCHMAN.take(self)
        return self

    def __exit__(self, *_: object) -> None:
        CURRENT.reset(self._token)
        _WATCHMAN.dismiss(self)
        with self._lock:
            self._let_go()

    def over(self, line: socket.socket) -> None:
        """Watch this connection; a handle of its own outlives whatever TLS and the reader do with theirs."""
        with self._lock:
            self._let_go()
            self._line = socket.fromfd(line.fileno(), line.family, line.type)
            if self.expired:
                self._end()

    def cut(self) -> None:
        """The time is up."""
        with self._lock:
            self.expired = True
            self._end()

    def _end(self) -> None:
        if self._line is not None:
            try:
                self._line.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other side was faster
                self._let_go()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class _Watchman:
    """One thread for the watches of all exchanges: a timer for each would cost more than many an exchange."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._turn = threading.Condition()
        self._wakes: float | None = None
        """When the thread looks again; None while there is no thread."""

    def take(self, watch: Watch) -> None:
        with self._turn:
            self._watches.add(watch)
            if self._wakes is None:
                self._wakes = watch.until
                threading.Thread(target=self._stand, name="watchman", daemon=True).start()
            elif watch.until < self._wakes:
                self._turn.notify()

    def dismiss(self, watch: Watch) -> None:
        with self._turn:
            self._watches.discard(watch)

    def _stand(self) -> None:
        with self._turn:
            while self._watches:
                now = monotonic()
                for watch in [each for each in self._watches if each.until <= now]:
                    self._watches.discard(watch)
                    watch.cut()
                self._wakes = min((each.until for each in self._watches), default=now)
                self._turn.wait(self._wakes - now)
            self._wakes = None


_WATCHMAN = _Watchman()
os.register_at_fork(after_in_child=_WATCHMAN.__init__)  # type: ignore[misc]  # the thread stays with the parent
CURRENT: ContextVar[Watch | None] = ContextVar("CURRENT", default=None)
"""The watch over the exchange that is being made."""
