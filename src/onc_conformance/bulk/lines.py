"""Lines out of pieces of bytes, one at a time, none longer than allowed."""

from __future__ import annotations

from collections.abc import Iterator

from onc_conformance.transport import Halt


class Lines:
    """Cuts what comes at line feeds; Halt where a line does not end in time."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held: list[bytes] = []
        self._size = 0

    def __call__(self, piece: bytes) -> Iterator[bytes]:
        """The lines that end in this piece, without their ends."""
        first, *others = piece.split(b"\n")
        self._held.append(first)
        self._size += len(first)
        if others:
            yield self.rest()
            *whole, last = others
            yield from whole
            self._held, self._size = [last], len(last)
        if self._size > self._longest:
            self._held, size, self._size = [], self._size, 0
            raise Halt(f"a line is longer than {self._longest:,} bytes: {size:,} came without its end")

    def rest(self) -> bytes:
        """What came after the last line feed."""
        line = b"".join(self._held)
        self._held, self._size = [], 0
        return line
