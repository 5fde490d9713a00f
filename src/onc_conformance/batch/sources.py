"""Where documents lie: files, folders, zips, standard input; found in a fixed order and read one at a time."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from onc_conformance.batch import archives
from onc_conformance.batch.archives import SUFFIXES, Source, is_litter, left_out, refused
from onc_conformance.ccda.parsing import MAX_BYTES
from onc_conformance.fhir import reading
from onc_conformance.findings import UsageError

_START = 64
_ZIP = b"PK\x03\x04"


class Sources:
    """Every document under `paths`: files, folders, zips (nested too), `-` for standard input.

    UsageError for a path that does not exist and for a folder that holds none, before anything is read.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._paths = [str(each) for each in paths]
        self.left_out: Counter[str] = Counter()
        """By suffix, the files that folders hold and that are not judged: zips."""
        if not self._paths:
            raise UsageError("nothing to validate; name a file, a folder, a .zip, or - for standard input")
        for path in self._paths:
            if path != "-" and not Path(path).exists():
                raise UsageError(f"{path}: no such file or folder")
            if path != "-" and Path(path).is_dir():
                self._must_hold_one(path)

    @property
    def many(self) -> int | None:
        """How many files there are; None where only reading tells. A walk through every folder."""
        files = list(self._paths)
        if any(each == "-" or each.lower().endswith(".zip") for each in files):
            return None
        return sum(sum(1 for _ in _walk(each, Counter())) if Path(each).is_dir() else 1 for each in files)

    def __iter__(self) -> Iterator[Source]:
        for path in self._paths:
            if path != "-" and Path(path).is_dir():
                for found in _walk(path, self.left_out):
                    if isinstance(found, Source):
                        yield found
                    else:
                        yield from self._file(found)
            else:
                yield from self._file(path)

    def _file(self, path: str) -> Iterator[Source]:
        try:
            with _opened(path) as file:
                begin = file.read(len(_ZIP))
                if begin == _ZIP or path.lower().endswith(".zip"):
                    with archives.seekable(file, begin) as whole:
                        yield from archives.Archive(path, whole, self.left_out)
                elif path.lower().endswith(archives.LINES):
                    yield from archives.documents(path, file, begin)
                else:
                    yield from _documents(path, file, begin)
        except OSError as error:
            yield _unreadable(path, error)

    def _must_hold_one(self, folder: str) -> None:
        others: Counter[str] = Counter()
        if next(_walk(folder, others), None) is None:
            kinds = ", ".join(f"*{each}" for each in SUFFIXES)
            told = f"; {left_out(others)}" if others else ""
            raise UsageError(f"{folder}: no document is in this folder; expected {kinds}{told}")


def _walk(folder: str, others: Counter[str]) -> Iterator[str | Source]:
    """Files of a folder, each level in the order of names, files before folders; links to folders are not followed."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda each: each.name)
    except OSError as error:
        yield _unreadable(folder, error)
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) or is_litter(entry.name):
            continue
        suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - no Path for each of a million names
        if suffix == ".zip":
            others[suffix] += 1
        elif suffix in SUFFIXES and (entry.is_file() or not os.path.exists(entry.path)):  # noqa: PTH110
            yield entry.path
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, others)


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb")


def _documents(path: str, file: BinaryIO, begin: bytes) -> Iterator[Source]:
    """A document, or several, each on a line of its own, where a stream that has no name to say so has them."""
    if path == "-" and begin[:1] == b"{" and not begin.endswith(b"\n"):
        first = begin + file.readline(MAX_BYTES + 1 - len(begin))
        if _is_whole(first):
            yield from archives.documents(path, file, first)
            return
        begin = first
    yield _document(path, file, begin)


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _document(path: str, file: BinaryIO, begin: bytes) -> Source:
    """At most one byte more than is judged is read; of a file that is too large as it is, nothing."""
    try:
        told = os.fstat(file.fileno())
        size = told.st_size if stat.S_ISREG(told.st_mode) else 0
    except OSError:  # a stream that has no descriptor
        size = 0
    begin += file.read(max(0, _START - len(begin)))
    most = reading.MAX_BYTES if reading.is_json(begin) else MAX_BYTES
    if size > most:
        said = f"the document has {size} bytes; at most {most} are read"
        return refused(path, "JSON-TOO-LARGE" if most > MAX_BYTES else "XML-TOO-LARGE", said, size)
    if file.seekable():  # read at once, so that memory never holds it twice
        file.seek(0)
        begin = b""
    rest = file.read(max(0, most + 1 - len(begin)))
    return Source(path, begin + rest if begin else rest)


def _unreadable(path: str, error: OSError) -> Source:
    return refused(path, "XML-UNREADABLE", f"it cannot be read: {error.strerror or error}")
