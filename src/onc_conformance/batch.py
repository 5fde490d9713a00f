"""Documents wherever they lie - files, folders, zips, standard input - judged one after another."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from onc_conformance import judging, moments
from onc_conformance.ccda.identity import differences
from onc_conformance.ccda.parsing import MAX_BYTES
from onc_conformance.findings import Finding, Layer, Severity, UsageError
from onc_conformance.judging import gold
from onc_conformance.moments import Days

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from onc_conformance.judging import Judgement
    from onc_conformance.record import Record

SUFFIXES = (".xml",)
"""What a folder or a zip is searched for."""
MAX_DEPTH = 5
"""Zips within zips beyond this are refused."""
MAX_RATIO = 200
"""A member that inflates to more times its size is taken for a bomb; C-CDAs compress about 20 to 1."""
MAX_MEMBERS = 100_000


@dataclass(frozen=True, slots=True)
class Source:
    """One document to judge, or why it could not be had."""

    path: str
    """As given; a member of a zip after `!`."""
    data: bytes
    refusal: Finding | None = None


def documents(paths: Iterable[str | Path]) -> Iterator[Source]:
    """Every document under `paths`: files, folders (searched for *.xml), zips (nested too), `-` for standard input.

    UsageError for a path that does not exist and for a folder that holds none, before anything is read.
    """
    files: list[str] = []
    for path in map(str, paths):
        if path == "-" or Path(path).is_file():
            files.append(path)
        elif Path(path).is_dir():
            inside = sorted(
                str(each) for each in Path(path).rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file()
            )
            if not inside:
                raise UsageError(
                    f"{path}: no document is in this folder; expected {', '.join('*' + each for each in SUFFIXES)}"
                )
            files += inside
        else:
            raise UsageError(f"{path}: no such file or folder")
    if not files:
        raise UsageError("nothing to validate; name a file, a folder, a .zip, or - for standard input")
    return _sources(files)


def _sources(files: Iterable[str]) -> Iterator[Source]:
    for path in files:
        try:
            data = sys.stdin.buffer.read(MAX_BYTES + 1) if path == "-" else _bounded(Path(path))
        except OSError as error:
            yield _refused(path, "XML-UNREADABLE", f"the file cannot be read: {error.strerror}")
            continue
        if data[:4] == b"PK\x03\x04" or path.lower().endswith(".zip"):
            yield from _members(path, io.BytesIO(data) if path == "-" else path, 1)
        else:
            yield Source(path, data)


def _bounded(path: Path) -> bytes:
    """At most one byte more than is judged; zips are opened in place."""
    with path.open("rb") as file:
        return file.read(4) if path.suffix.lower() == ".zip" else file.read(MAX_BYTES + 1)


def _members(path: str, archive: str | io.BytesIO, depth: int) -> Iterator[Source]:
    if depth > MAX_DEPTH:
        yield _refused(path, "ZIP-DEPTH", f"zips are nested more than {MAX_DEPTH} deep")
        return
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [each for each in opened.infolist() if not each.is_dir()]
            wanted = [each for each in names if each.filename.lower().endswith((*SUFFIXES, ".zip"))]
            if len(names) > MAX_MEMBERS:
                yield _refused(path, "ZIP-LIMIT", f"the zip has {len(names)} members; at most {MAX_MEMBERS} are read")
            elif not wanted:
                yield _refused(
                    path,
                    "ZIP-EMPTY",
                    f"no document is in this zip; expected {', '.join('*' + each for each in SUFFIXES)}",
                )
            else:
                for member in wanted:
                    yield from _member(path, opened, member, depth)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield _refused(path, "ZIP-UNREADABLE", f"the zip cannot be read: {error}")


def _member(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, depth: int) -> Iterator[Source]:
    name = f"{path}!{member.filename}"
    allowed = min(MAX_BYTES, max(member.compress_size, 1024) * MAX_RATIO)
    try:
        with archive.open(member) as file:
            # What the header says of the size is the sender's word; only reading tells
            data = file.read(allowed + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        yield _refused(name, "ZIP-UNREADABLE", f"the member cannot be read: {error}")
        return
    except Exception as error:  # noqa: BLE001 - zlib and lzma raise errors of their own for damaged data
        yield _refused(name, "ZIP-UNREADABLE", f"the member is damaged: {error}")
        return
    if len(data) > allowed:
        yield _refused(name, "ZIP-LIMIT", f"the member inflates to more than {allowed} bytes; it is not read on")
    elif member.filename.lower().endswith(".zip"):
        yield from _members(name, io.BytesIO(data), depth + 1)
    else:
        yield Source(name, data)


def _refused(path: str, rule: str, message: str) -> Source:
    finding = Finding(layer=Layer.XML, severity=Severity.ERROR, rule=rule, message=f"{message} ({path})")
    return Source(path, b"", finding)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What documents are held against."""

    edition: str
    records: Sequence[Record] = ()
    window: Days | None = None

    def judge(self, source: Source) -> Judgement:
        """Every layer over one document; with several records, against the one whose patient it names."""
        if source.refusal:
            nothing = judging.judge(b"", self.edition, path=source.path)
            return nothing.but([source.refusal], "fail")
        chosen = self.records[0] if len(self.records) == 1 else self._named(source)
        others = [each for each in self.records if each is not chosen]
        judgement = judging.judge(
            source.data, self.edition, chosen, self.window if chosen else None, others=others, path=source.path
        )
        if self.records and chosen is None and judgement.document_type != "unreadable":
            known = ", ".join(each.id for each in self.records)
            stranger = Finding(
                layer=Layer.CONTENT, severity=Severity.ERROR, rule="IDENTITY",
                message="the document is of none of the expected patients", expected=known,
            )  # fmt: skip
            return judgement.but([*judgement.findings, stranger], "fail")
        return judgement

    def _named(self, source: Source) -> Record | None:
        doc = judging.read(source.data) if self.records else None
        people = doc.people if doc else ()
        return next((each for each in self.records if people and not differences(people[0], each)), None)


def expectation(
    edition: str, expected: str | Path | None = None, first: str | None = None, last: str | None = None
) -> Expectation:
    """What `--edition`, `--expected`, `--from` and `--to` ask for. UsageError where one of them cannot be."""
    window = _window(first, last)
    if window and not expected:
        raise UsageError("--from and --to say which facts of an expected record are due; name it with --expected FILE")
    return Expectation(edition, tuple(gold.load(Path(expected))) if expected else (), window)


def _window(first: str | None, last: str | None) -> Days | None:
    days: Mapping[str, Days | None] = {
        option: moments.iso(text) if text else None for option, text in (("--from", first), ("--to", last))
    }
    for option, text in (("--from", first), ("--to", last)):
        if text and days[option] is None:
            raise UsageError(f"{option} {text}: is no ISO date; expected one like 2015-06-22")
    begin, end = days["--from"], days["--to"]
    window = Days(begin.first if begin else None, end.last if end else None)
    if window.first and window.last and window.first > window.last:
        raise UsageError(f"--from {first} is after --to {last}; exchange them")
    return window if begin or end else None


def validate(
    paths: Iterable[str | Path],
    *,
    edition: str,
    expected: str | Path | None = None,
    first: str | None = None,
    last: str | None = None,
    form: str = "text",
    out: TextIO | None = None,
) -> int:
    """Judge every document and write what was found; the exit code: 0 all pass, 1 one fails, 4 a fault of ours."""
    stream = out or sys.stdout
    against = expectation(edition, expected, first, last)
    verdicts: Counter[str] = Counter()
    not_run: tuple[str, ...] = judging.SECONDS
    for source in documents(paths):
        judgement = _judged(against, source)
        verdicts[judgement.verdict] += 1
        not_run = min(not_run, judgement.layers_not_run, key=len)
        line = json.dumps(judgement.as_json(), ensure_ascii=False) if form == "json" else as_text(judgement)
        stream.write(f"{line}\n")
    if form == "text":
        said = ", ".join(f"{verdicts[each]} {each}" for each in ("pass", "fail", "error") if verdicts[each])
        many = "" if verdicts.total() == 1 else "s"
        missing = ", ".join(not_run) or "none"
        stream.write(f"{verdicts.total()} document{many}: {said}; layers not run: {missing}\n")
    return 4 if verdicts["error"] else 1 if verdicts["fail"] else 0


def as_text(judgement: Judgement) -> str:
    """The verdict, then a line for each finding."""
    head = f"{judgement.path}: {judgement.verdict} ({judgement.document_type}, {judgement.edition})"
    return "\n".join((head, *(f"  {finding}" for finding in judgement.findings)))


def _judged(against: Expectation, source: Source) -> Judgement:
    try:
        return against.judge(source)
    except Exception as error:  # noqa: BLE001 - one document must not take the others with it
        ours = Finding(
            layer=Layer.XML, severity=Severity.INFO, rule="TOOL-FAULT", message=f"a fault in this tool: {error!r}",
            hint="Report it, with the document if you may.",
        )  # fmt: skip
        return judging.judge(b"", against.edition, path=source.path).but([ours], "error")
