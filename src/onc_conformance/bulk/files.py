"""One file of an export, read as it comes: each line a resource of the type announced, shown to whoever watches."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from onc_conformance.bulk.lines import Lines
from onc_conformance.bulk.manifest import Output
from onc_conformance.bulk.service import NDJSON, Service
from onc_conformance.exchange import redirect
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.transport import Headers, Sink

ROOM = 5
"""How many lines of one fault in one file are named."""
Resource = dict[str, Any]


class Watcher(Protocol):
    """Takes note of each resource of an export, in memory that does not grow with it."""

    def __call__(self, file: File, number: int, resource: Resource) -> None: ...


@dataclass
class File:
    """A file, and what became of it."""

    output: Output
    got: Got | None = None
    """None while it is read."""
    lines: int = 0
    """Those that hold something."""
    bytes: int = 0
    problems: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Line and what was found there, by what was expected; the first few of each."""
    many: dict[str, int] = field(default_factory=dict)
    """How many there are of each."""
    refused: str = ""
    """Why it was not asked for."""

    def amiss(self, number: int, expected: str, found: str) -> None:
        """Take note of a line that is not what it should be."""
        self.many[expected] = self.many.get(expected, 0) + 1
        if self.many[expected] <= ROOM:
            self.problems.setdefault(expected, []).append((number, found))

    @property
    def ok(self) -> bool:
        """Whether it came to its end."""
        return self.got is not None and self.got.exchange.status == 200 and self.got.exchange.error is None


def fetched(service: Service, output: Output, what: str, watchers: Sequence[Watcher], *, guarded: bool) -> File:
    """Ask for a file and read it; the token goes along where files are `guarded`, and never to another host."""
    file = File(output)
    if guarded and not service.trusts(output.url):
        file.refused = "it is on another server, which gets no token"
        return file
    token = service.bearer() if guarded else None
    file.got = _asked(service, file, output.url, what, watchers, token)
    onward = redirect(file.got.exchange)
    if onward and not service.trusts(onward) and not file.got.exchange.error:
        file.got = _asked(service, file, onward, f"{what}, redirected", watchers, None)
    return file


def _asked(  # noqa: PLR0917 - what a request is made of
    service: Service, file: File, url: str, what: str, watchers: Sequence[Watcher], token: str | None
) -> Got:
    longest = int(service.table.longest_line_mb * 1_000_000)
    reading: list[_Reading] = []

    def receiver(status: int, _: Headers) -> Sink | None:
        if status != 200:
            return None
        file.lines, file.bytes, file.problems, file.many = 0, 0, {}, {}
        reading[:] = [_Reading(file, watchers, longest)]
        return reading[0]

    got = service.get(url, what, token=token, accept=NDJSON, receiver=receiver)
    if reading and got.exchange.error is None:
        reading[0].end()
    return got


class _Reading:
    """What is done with a file piece by piece."""

    def __init__(self, file: File, watchers: Sequence[Watcher], longest: int) -> None:
        self._file = file
        self._watchers = watchers
        self._lines = Lines(longest)
        self._number = 0

    def __call__(self, piece: bytes) -> None:
        self._file.bytes += len(piece)
        for line in self._lines(piece):
            self._line(line)

    def end(self) -> None:
        """What comes after the last line feed is a line as well."""
        if rest := self._lines.rest():
            self._line(rest)

    def _line(self, line: bytes) -> None:
        self._number += 1
        file, number = self._file, self._number
        if number == 1 and line.startswith(BOM_UTF8):  # which JSON must not have (RFC 8259, 8.1)
            file.amiss(number, "JSON from its first byte on", "a byte order mark")
            line = line.removeprefix(BOM_UTF8)
        if not line.strip():
            return
        file.lines += 1
        try:
            resource = json.loads(line)
        except (ValueError, RecursionError):
            file.amiss(number, "JSON", repr(line[:60].decode("utf-8", "replace")))
            return
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            file.amiss(number, "a resource", "JSON without a resourceType")
            return
        if resource["resourceType"] != file.output.type:
            file.amiss(number, f"a {file.output.type or 'resource of the type announced'}", resource["resourceType"])
        if not isinstance(resource.get("id"), str):
            file.amiss(number, "an id", "none")
        for watch in self._watchers:
            watch(file, number, resource)


def judged(files: Sequence[File], rule: str) -> Iterator[Finding]:
    """Objections to files that did not come, or not as they were announced."""
    for file in files:
        yield from _judged(file, rule)


def _judged(file: File, rule: str) -> Iterator[Finding]:
    output, got = file.output, file.got
    if file.refused or got is None:
        yield Finding(
            layer=Layer.SECURITY,
            severity=Severity.ERROR,
            rule=rule,
            message=f"{output.name}: cannot be asked for: {file.refused}",
            path=output.url,
            expected="an address on the server itself, or requiresAccessToken false",
            found=output.url,
            hint="where that server is the product's, name it in bulk.file_hosts",
        )
        return
    exchange = got.exchange
    if not file.ok:
        yield got.objection(
            rule, "did not come to its end", expected=f"HTTP 200 and {NDJSON}", found=exchange.error or got.said
        )
    elif exchange.media_type != NDJSON:
        yield got.objection(
            rule, f"Content-Type is not {NDJSON}", expected=NDJSON, found=exchange.media_type or "nothing"
        )
    for expected, lines in file.problems.items():
        for number, found in lines:
            yield got.objection(
                rule,
                f"a line is not {expected}",
                layer=Layer.SCHEMA,
                expected=expected,
                found=f"line {number}: {found}",
            )
        if (more := file.many[expected] - len(lines)) > 0:
            yield got.objection(rule, f"{more} more lines are not {expected}", layer=Layer.SCHEMA)
    if file.ok and output.count is not None and output.count != file.lines:
        yield got.objection(
            rule,
            "has another number of lines than the manifest says",
            path=f"$.{output.list}[{output.number - 1}].count",
            expected=f"{output.count:,}",
            found=f"{file.lines:,}",
        )
