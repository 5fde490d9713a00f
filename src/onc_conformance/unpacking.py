"""Content encodings undone a little at a time, so that a small answer cannot become a large one in one step."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER = 47
"""zlib's word for: gzip or zlib, as the data says."""
_PIECE = 64 * 1024


class Unpacker:
    """Undoes a content encoding piece by piece, a little at a time whatever the pieces swell to."""

    def __init__(self, encoding: str) -> None:
        self._inflater = zlib.decompressobj(_EITHER) if encoding in _COMPRESSED else None
        self._bare = encoding == "deflate"  # which many servers take to mean: without a header
        self._begun = False

    @property
    def done(self) -> bool:
        """Whether nothing is missing."""
        return self._inflater is None or self._inflater.eof or not self._begun

    def __call__(self, piece: bytes) -> Iterator[bytes]:
        if self._inflater is None:
            yield piece
            return
        more = False
        while piece or more:
            if self._inflater.eof:
                if not piece.strip(b"\0"):  # padding after the last member
                    return
                self._inflater = zlib.decompressobj(_EITHER)
            plain, piece = self._inflate(piece)
            yield plain
            more = len(plain) == _PIECE and not self._inflater.eof

    def _inflate(self, piece: bytes) -> tuple[bytes, bytes]:
        assert self._inflater is not None
        try:
            plain = self._inflater.decompress(piece, _PIECE)
        except zlib.error:
            if self._begun or not self._bare:
                raise
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            plain = self._inflater.decompress(piece, _PIECE)
        self._begun = True
        return plain, self._inflater.unconsumed_tail or self._inflater.unused_data
