"""Zips, in bounded memory whatever they hold: zips within zips, members that inflate without end, damaged ones."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from onc_conformance.ccda.parsing import MAX_BYTES
from onc_conformance.findings import Finding, Layer, Severity

LINES = ".ndjson"
"""What holds a resource on each line."""
SUFFIXES = (".xml", ".json", LINES)
"""What a folder or a zip is searched for and is judged."""
MAX_DEPTH = 5
"""Zips within zips beyond this are refused."""
MAX_RATIO = 200
"""What inflates to more times its size is taken for a bomb; C-CDAs compress about 20 to 1."""
MAX_MEMBERS = 100_000
_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
_MAX_DIRECTORY = 16 * 1024 * 1024
"""The list of members is read at once, whatever number it claims; 100,000 usual names take two thirds of this."""


@dataclass(frozen=True, slots=True)
class Source:
    """One document to judge, or why it could not be had."""

    path: str
    """As given; a member of a zip after `!`."""
    data: bytes
    refusal: Finding | None = None
    size: int | None = None
    """Bytes of what was refused, where that is known."""
    line: int | None = None
    """Where it stands in a file that has a document on each line."""
    together: tuple[tuple[int, bytes], ...] = ()
    """Instead of data, all lines of such a file by their numbers, to be held against a record together."""


def with_wholes(sources: Iterable[Source]) -> Iterator[Source]:
    """The sources, and after the last line of a file that has a document on each, all its lines together."""
    lines: list[tuple[int, bytes]] = []
    name = ""
    for source in sources:
        here = source.path.rpartition(":")[0] if source.line else ""
        if lines and here != name:
            yield Source(name, b"", together=tuple(lines))
            lines = []
        name = here
        if source.line:
            lines.append((source.line, source.data))
        yield source
    if lines:
        yield Source(name, b"", together=tuple(lines))


def refused(path: str, rule: str, message: str, size: int | None = None) -> Source:
    """A document that cannot be had is judged by saying so."""
    said = f"{message} ({printable(path)})"
    finding = Finding(layer=Layer.XML, severity=Severity.ERROR, rule=rule, message=said)
    return Source(path, b"", finding, size)


def printable(text: str) -> str:
    """The same on one line, with nothing in it that a terminal would obey or an encoding refuse."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def is_litter(name: str) -> bool:
    """What macOS and Emacs leave beside documents: resource forks and lock files, named like documents."""
    path = PurePosixPath(name)
    return path.name.startswith(("._", ".#")) or "__MACOSX" in path.parts


def left_out(others: Counter[str]) -> str:
    """What was found and is not judged, in words; nothing where there is none."""
    zips = others[".zip"]
    if not zips:
        return ""
    return f"{zips} *.zip in folders {'was' if zips == 1 else 'were'} left out: name a zip to have it opened"


def documents(path: str, file: BinaryIO, begin: bytes = b"") -> Iterator[Source]:
    """The document on each line of a file, `begin` having been read of it already; one line is in memory at a time."""
    number = 0
    for line in _lines(file, begin):
        number += 1
        name = f"{path}:{number}"
        if len(line) > MAX_BYTES:
            size = len(line) + _skipped(file)
            yield refused(name, "JSON-TOO-LARGE", f"the line has {size} bytes; at most {MAX_BYTES} are read", size)
        elif line.strip():
            yield Source(name, line, line=number)
    if not number:
        yield refused(path, "JSON-EMPTY", "the file has no line")


def _lines(file: BinaryIO, begin: bytes) -> Iterator[bytes]:
    """Lines with their ends; of one that is too long, a byte more than is judged."""
    for part in begin.splitlines(keepends=True) or [b""]:
        if line := part if part.endswith(b"\n") else part + file.readline(MAX_BYTES + 1 - len(part)):
            yield line
    while line := file.readline(MAX_BYTES + 1):
        yield line


def _skipped(file: BinaryIO) -> int:
    """Go to the next line; how many bytes that were."""
    size = 0
    while rest := file.readline(_CHUNK):
        size += len(rest)
        if rest.endswith(b"\n"):
            break
    return size


@contextmanager
def seekable(file: BinaryIO, begin: bytes) -> Iterator[BinaryIO]:
    """The file as one that can be sought in, `begin` having been read of it already; a stream is put on disk."""
    if file.seekable():
        file.seek(0)
        yield file
        return
    with tempfile.TemporaryFile() as whole:
        whole.write(begin)
        shutil.copyfileobj(file, whole, _CHUNK)
        whole.seek(0)
        yield whole


class _Allowance:
    """How many bytes a zip, with every zip within it, may still inflate to."""

    def __init__(self, size: int) -> None:
        self.total = self.left = max(size * MAX_RATIO, MAX_BYTES)


class Archive:
    """A zip and its documents, in its own order; `others` counts what is told of and not judged."""

    def __init__(
        self, path: str, file: BinaryIO, others: Counter[str], within: tuple[_Allowance, int] | None = None
    ) -> None:
        self._path, self._file, self._others = path, file, others
        self._size = file.seek(0, 2)
        self._allowance, self._depth = within or (_Allowance(self._size), 1)

    def __iter__(self) -> Iterator[Source]:
        if self._depth > MAX_DEPTH:
            yield refused(self._path, "ZIP-DEPTH", f"zips are nested more than {MAX_DEPTH} deep")
            return
        try:
            if (directory := _directory(self._file, self._size)) > _MAX_DIRECTORY:
                yield self._limit(f"the list of members takes {directory} bytes; at most {_MAX_DIRECTORY} are read")
                return
            with zipfile.ZipFile(self._file) as opened:
                yield from self._documents(opened)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            yield refused(self._path, "ZIP-UNREADABLE", f"the zip cannot be read: {error}")

    def _documents(self, archive: zipfile.ZipFile) -> Iterator[Source]:
        files = [each for each in archive.infolist() if not each.is_dir() and not is_litter(each.filename)]
        if len(files) > MAX_MEMBERS:
            yield self._limit(f"the zip has {len(files)} members; at most {MAX_MEMBERS} are read")
            return
        suffixes = [PurePosixPath(each.filename).suffix.lower() for each in files]
        if not {*SUFFIXES, ".zip"}.intersection(suffixes):
            kinds = ", ".join(f"*{each}" for each in SUFFIXES)
            yield refused(self._path, "ZIP-EMPTY", f"no document is in this zip; expected {kinds}")
        for member, suffix in zip(files, suffixes, strict=True):
            if suffix in SUFFIXES or suffix == ".zip":
                yield from self._member(archive, member, is_zip=suffix == ".zip")
                if self._allowance.left <= 0:
                    yield self._limit(f"the zip inflates to more than {self._allowance.total} bytes; it is not read on")
                    return

    def _member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, is_zip: bool) -> Iterator[Source]:
        name = f"{self._path}!{member.filename}"
        # What the header says of the size is the sender's word; only reading tells
        allowed = min(self._allowance.left, max(member.compress_size, 1024) * MAX_RATIO)
        allowed = allowed if is_zip else min(allowed, MAX_BYTES)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as whole:
            try:
                with archive.open(member) as file:
                    while whole.tell() <= allowed and (chunk := file.read(min(_CHUNK, allowed + 1 - whole.tell()))):
                        whole.write(chunk)
            except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
                yield refused(name, "ZIP-UNREADABLE", f"the member cannot be read: {error}")
                return
            except Exception as error:  # noqa: BLE001 - zlib and lzma raise errors of their own for damaged data
                yield refused(name, "ZIP-UNREADABLE", f"the member is damaged: {error}")
                return
            finally:
                self._allowance.left -= whole.tell()
            if whole.tell() > allowed:
                if self._allowance.left > 0:
                    said = f"the member inflates to more than {allowed} bytes; it is not read on"
                    yield refused(name, "ZIP-LIMIT", said)
            elif is_zip:
                within = (self._allowance, self._depth + 1)
                yield from Archive(name, whole, self._others, within)  # type: ignore[arg-type]
            elif name.lower().endswith(LINES):
                whole.seek(0)
                yield from documents(name, whole)  # type: ignore[arg-type]
            else:
                whole.seek(0)
                yield Source(name, whole.read())

    def _limit(self, said: str) -> Source:
        return refused(self._path, "ZIP-LIMIT", said)


def _directory(archive: BinaryIO, size: int) -> int:
    """Bytes of the list of members, which zipfile reads whole and at once (APPNOTE 4.3.14, 4.3.16); 0 if untold."""
    archive.seek(max(0, size - 65_557))
    tail = archive.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return 0
    (told,) = struct.unpack_from("<L", tail, at + 12)
    record = tail.rfind(b"PK\x06\x06", 0, at)
    if told == 0xFFFFFFFF and 0 <= record <= len(tail) - 56:
        (told,) = struct.unpack_from("<Q", tail, record + 40)
    return int(told)
