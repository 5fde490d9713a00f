"""How far a batch is, as one line on a terminal that is gone when the batch is done."""

from __future__ import annotations

import os
import shutil
import time
from typing import TextIO

from onc_conformance.batch.archives import printable

_EVERY = 0.1
_WIDTH = 20
_ERASE = "\r\x1b[K"


class Progress:
    """Says nothing unless `stream` is a terminal that can erase a line. `many` is None where nobody knows."""

    def __init__(self, stream: TextIO, many: int | None) -> None:
        self._stream, self._many = stream, many
        self._done, self._next, self._shown = 0, 0.0, False

    @staticmethod
    def fits(stream: TextIO) -> bool:
        """Whether the stream is such a terminal."""
        return stream.isatty() and os.environ.get("TERM") not in {None, "", "dumb"}

    def hide(self) -> None:
        """Before anything else is written."""
        if self._shown:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._shown = False

    def step(self, path: str) -> None:
        """One more document is on its way."""
        self._done += 1
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(_ERASE + f"{self._bar()} {printable(path)}"[:width])
            self._stream.flush()
            self._shown = True

    def _bar(self) -> str:
        if not self._many:
            return f"{self._done} documents"
        full = min(_WIDTH, _WIDTH * self._done // self._many)
        return f"[{'#' * full}{'.' * (_WIDTH - full)}] {self._done}/{self._many}"
