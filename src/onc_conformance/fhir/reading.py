"""JSON as FHIR has it, read with care: encoding, keys there twice, depth, Bundles too large at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from onc_conformance.findings import Finding, Layer, Severity

MAX_BYTES = 256 * 1024 * 1024
"""Larger documents are refused unread."""
LARGE = 4 * 1024 * 1024
"""A Bundle from this size on is read entry by entry."""
DEEPEST = 200
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)
_COLON = re.compile(rb"\s*:")
_BOMS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


@dataclass(slots=True)
class Reading:
    """What a document holds, or why that cannot be told."""

    resource: Any = None
    findings: list[Finding] = field(default_factory=list)
    readable: bool = True
    """Whether `resource` is what the document holds."""


def is_json(data: bytes) -> bool:
    """Whether a document means to be JSON, by how it begins."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") or data[:4] in (b'{\0"\0', b"\xff\xfe{\0")


def read(data: bytes) -> Reading:
    """The JSON of a document. Never raises."""
    reading = Reading()
    if len(data) > MAX_BYTES:
        said = f"the document has {len(data)} bytes; at most {MAX_BYTES} are read"
        return _refused(reading, "JSON-TOO-LARGE", said)
    for mark, name in _BOMS:
        if data.startswith(mark) or data[1:2] == b"\0":
            return _refused(reading, "JSON-ENCODING", "the document is not UTF-8", expected="UTF-8", found=name)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        _say(reading, "JSON-BOM", "a byte order mark stands before the JSON; RFC 8259 forbids it", Severity.WARNING)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        return _refused(reading, "JSON-ENCODING", "the document is not UTF-8", line=line, expected="UTF-8", found=found)
    if _too_deep(data):
        return _refused(reading, "JSON-DEPTH", "the JSON is nested too deeply", expected=f"at most {DEEPEST} levels")
    twice: list[str] = []
    try:
        reading.resource = json.loads(text, object_pairs_hook=_hook(twice), parse_constant=_constant)
    except json.JSONDecodeError as error:
        said = f"this is no JSON: {error.msg[0].lower()}{error.msg[1:]}"
        return _refused(reading, "JSON-SYNTAX", said, line=error.lineno, found=f"column {error.colno}")
    except (ValueError, RecursionError) as error:
        return _refused(reading, "JSON-SYNTAX", f"this is no JSON: {str(error) or 'nested too deeply'}")
    for key in dict.fromkeys(twice):
        said = "a key is there twice in one object; what the first held is lost to most readers"
        _say(reading, "JSON-DUPLICATE", said, Severity.ERROR, line=_second(text, key), found=key[:120])
    return reading


@dataclass(slots=True)
class Entries:
    """A Bundle as bytes, and where its entries are."""

    data: bytes
    spans: list[tuple[int, int]]
    begin: int
    end: int
    """Of what stands between the brackets of `entry`."""

    @property
    def shell(self) -> bytes:
        """The Bundle without its entries."""
        return self.data[: self.begin] + self.data[self.end :]

    def __iter__(self) -> Iterator[Reading]:
        return (read(self.data[begin:end]) for begin, end in self.spans)


def large_bundle(data: bytes) -> Entries | None:
    """The entries of a Bundle that is better read one by one; None where a document is no such thing, or not whole."""
    if not LARGE <= len(data) <= MAX_BYTES or b'"Bundle"' not in data[:4096] + data[-4096:]:
        return None
    depth, begin, start = 0, -1, -1
    spans: list[tuple[int, int]] = []
    key = b""
    for match in _TOKENS.finditer(data):
        token = match[0]
        if token[:1] == b'"':
            if depth == 1 and _COLON.match(data, match.end()):
                key = token
        elif token in b"{[":
            depth += 1
            if depth == 2 and key == b'"entry"' and begin < 0:
                begin = match.end()
            elif depth == 3 and begin >= 0:
                start = match.start()
        else:
            depth -= 1
            if depth == 2 and start >= 0:
                spans.append((start, match.end()))
                start = -1
            elif depth == 1 and begin >= 0:
                return Entries(data, spans, begin, match.start())
    return None


def _too_deep(data: bytes) -> bool:
    """Whether it nests beyond DEEPEST; looked at only where so many brackets stand together as to allow it."""
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for match in _TOKENS.finditer(data):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
            if depth > DEEPEST:
                return True
        elif token in (b"}", b"]"):
            depth -= 1
    return False


def _hook(twice: list[str]) -> Any:
    def pairs(told: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(told)
        if len(found) != len(told):
            seen: set[str] = set()
            twice.extend(key for key, _ in told if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return found

    return pairs


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _second(text: str, key: str) -> int:
    """The line of the second time a key is written; where several objects have it, a guess at the first of them."""
    written = json.dumps(key, ensure_ascii=False)
    first = text.find(written)
    return text.count("\n", 0, max(text.find(written, first + 1), 0)) + 1


def _refused(
    reading: Reading, rule: str, said: str, *, line: int | None = None, expected: str | None = None,
    found: str | None = None,
) -> Reading:  # fmt: skip
    reading.readable = False
    reading.findings.append(
        Finding(
            layer=Layer.XML, severity=Severity.ERROR, rule=rule, message=said, line=line, expected=expected, found=found
        )
    )
    return reading


def _say(
    reading: Reading, rule: str, said: str, severity: Severity, *, line: int | None = 1, found: str | None = None
) -> None:
    reading.findings.append(
        Finding(layer=Layer.XML, severity=severity, rule=rule, message=said, line=line, found=found)
    )
