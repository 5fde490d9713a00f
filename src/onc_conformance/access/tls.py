"""What a port says to TLS of each version and to plain HTTP: asked byte by byte, bounded in time and size."""

from __future__ import annotations

import json
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum

PATIENCE_S = 5.0
"""Seconds that one conversation may take in all."""
LARGEST = 256 * 1024
"""Bytes a server may send before the conversation is given up."""
_RECORD, _TYPE = 5, {20: "change cipher spec", 21: "alert", 22: "handshake", 23: "data"}
_HELLO = 2
_VERSIONS = {
    b"\x03\x00": "SSL 3.0", b"\x03\x01": "TLS 1.0", b"\x03\x02": "TLS 1.1", b"\x03\x03": "TLS 1.2",
}  # fmt: skip
_PIECE = 16 * 1024


class Said(StrEnum):
    """What came of one conversation."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNTRUSTED = "untrusted"
    """TLS is spoken, and the certificate does not stand."""
    SILENT = "silent"
    """The connection was accepted and nothing, or not enough, was said in time."""
    GARBLED = "garbled"
    """Something was said that is neither TLS nor HTTP."""
    UNREACHABLE = "unreachable"
    IMPOSSIBLE = "impossible"
    """The TLS library of this computer cannot ask this."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One conversation: what came of it, in which version or with which status, and why."""

    said: Said
    version: str = ""
    status: int | None = None
    """Of an answer to plain HTTP."""
    why: str = ""
    location: str = ""
    """Where an answer to plain HTTP leads."""

    def as_bytes(self) -> bytes:
        """As it is recorded."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, recorded: bytes) -> Seen:
        """What `as_bytes` wrote."""
        told = json.loads(recorded)
        return cls(**{**told, "said": Said(told["said"])})


def verified(
    host: str,
    port: int,
    *,
    authorities: str | None = None,
    client_cert: str | tuple[str, str] | None = None,
    seconds: float = PATIENCE_S,
) -> Seen:
    """A handshake of TLS 1.2 or better that checks chain, dates and name of the certificate.

    `authorities` is a PEM file to trust in place of the system's.
    """
    try:
        context = ssl.create_default_context(cafile=authorities)
        if client_cert:
            context.load_cert_chain(*([client_cert] if isinstance(client_cert, str) else client_cert))
    except OSError as problem:
        return Seen(Said.IMPOSSIBLE, why=f"{authorities or 'client_cert'}: {problem.strerror or problem}")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with _conversation(host, port, seconds) as (line, opened):
        return _shaken(line, context, host) if line else opened


def offered(host: str, port: int, version: ssl.TLSVersion, *, seconds: float = PATIENCE_S) -> Seen:
    """What the server says to a client that knows this one version and is content with every cipher.

    The first record of the answer decides: a ServerHello accepts, whatever the library here makes of it.
    """
    hello = client_hello(version, host)
    if hello is None:
        return Seen(Said.IMPOSSIBLE, why=f"{ssl.OPENSSL_VERSION} cannot offer it")
    with _conversation(host, port, seconds) as (line, opened):
        if line is None:
            return opened
        line.say(hello)
        return _greeted(line)


def plain(host: str, port: int, path: str, *, seconds: float = PATIENCE_S) -> Seen:
    """What the server says to a GET without TLS: ACCEPTED is any answer in HTTP, whatever its status."""
    name = f"[{host}]" if ":" in host else host
    asked = f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    with _conversation(host, port, seconds) as (line, opened):
        if line is None:
            return opened
        line.say(asked.encode("ascii", "replace"))
        head = line.until(b"\r\n\r\n")
    if not head:
        return Seen(Said.SILENT if line.late else Said.REFUSED, why=line.ended)
    status, _, fields = head.partition(b"\r\n")
    words = status.split()
    if not status.startswith(b"HTTP/") or len(words) < 2 or not words[1].isdigit():
        kind = _TYPE.get(head[0], "")
        return Seen(Said.REFUSED, why="a TLS alert") if kind == "alert" else Seen(Said.GARBLED, why=_glimpse(head))
    location = next((each[9:].strip() for each in fields.split(b"\r\n") if each[:9].lower() == b"location:"), b"")
    return Seen(Said.ACCEPTED, status=int(words[1]), location=location.decode("latin-1"))


def client_hello(version: ssl.TLSVersion, host: str) -> bytes | None:
    """The first message of a client that knows this version alone; None where the library cannot make it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that the version is old is the point
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        except (ssl.SSLError, ValueError):
            return None
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=host).do_handshake()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError:
        return None
    written = outgoing.read()
    wanted = int(version).to_bytes(2, "big") if version is not ssl.TLSVersion.TLSv1_3 else b"\x03\x03"
    return written if written[9:11] == wanted else None


class _Line:
    """A connection that ends at a moment, and after so many bytes."""

    def __init__(self, made: socket.socket, until: float) -> None:
        self._made, self._until, self._had = made, until, 0
        self.late = self.full = False
        self.ended = ""
        """Why nothing more is heard."""

    def say(self, data: bytes) -> None:
        try:
            self._made.settimeout(max(0.001, self._until - time.monotonic()))
            self._made.sendall(data)
        except OSError as problem:  # what was said before may still be heard
            self.ended = str(problem)

    def hear(self) -> bytes:
        """Some bytes; none at the end, when time is up, or when too much was said."""
        left = self._until - time.monotonic()
        if left <= 0:
            self.late, self.ended = True, "time is up"
            return b""
        if self._had >= LARGEST:
            self.full = True
            self.ended = f"more than {LARGEST >> 10} KB were said"
            return b""
        try:
            self._made.settimeout(left)
            piece = self._made.recv(_PIECE)
        except TimeoutError:
            self.late, self.ended = True, "time is up"
            return b""
        except OSError as problem:
            self.ended = problem.strerror or str(problem)
            return b""
        self._had += len(piece)
        self.ended = "" if piece else "the connection was closed"
        return piece

    def until(self, mark: bytes) -> bytes:
        """Everything up to a mark, or as much as was said."""
        heard = bytearray()
        while mark not in heard and (piece := self.hear()):
            heard += piece
        return bytes(heard.partition(mark)[0])

    def exactly(self, many: int) -> bytes:
        """So many bytes, or fewer at the end."""
        heard = bytearray()
        while len(heard) < many and (piece := self.hear()):
            heard += piece
        return bytes(heard)


@contextmanager
def _conversation(host: str, port: int, seconds: float) -> Iterator[tuple[_Line | None, Seen]]:
    until = time.monotonic() + seconds
    try:
        made = socket.create_connection((host, port), timeout=seconds)
    except (OSError, UnicodeError) as problem:
        late = isinstance(problem, TimeoutError)
        why = "no connection in time" if late else getattr(problem, "strerror", None) or str(problem)
        yield None, Seen(Said.UNREACHABLE, why=why)
        return
    with made:
        yield _Line(made, until), Seen(Said.ACCEPTED)


def _shaken(line: _Line, context: ssl.SSLContext, host: str) -> Seen:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            talk.do_handshake()
            line.say(outgoing.read())
            return Seen(Said.ACCEPTED, version=(talk.version() or "").replace("TLSv", "TLS "))
        except ssl.SSLWantReadError:
            line.say(outgoing.read())
            piece = line.hear()
            if not piece:
                said = Said.SILENT if line.late else Said.GARBLED if line.full else Said.REFUSED
                return Seen(said, why=line.ended)
            incoming.write(piece)
        except ssl.SSLCertVerificationError as problem:
            line.say(outgoing.read())
            return Seen(Said.UNTRUSTED, why=problem.verify_message)
        except ssl.SSLError as problem:
            alert = "ALERT" in (problem.reason or "")
            old = "UNSUPPORTED_PROTOCOL" in (problem.reason or "") or "PROTOCOL_VERSION" in (problem.reason or "")
            said = Said.REFUSED if alert or old else Said.GARBLED
            return Seen(said, why=(problem.reason or str(problem)).lower().replace("_", " "))


def _greeted(line: _Line) -> Seen:
    """What the first record says to a ClientHello."""
    start = line.exactly(_RECORD + 2)
    if not start:
        return Seen(Said.SILENT if line.late else Said.REFUSED, why=line.ended)
    kind = _TYPE.get(start[0])
    if kind == "alert" and start[1:2] == b"\x03":
        return Seen(Said.REFUSED, why="a TLS alert")
    start += line.exactly(_RECORD + 6 - len(start))
    if kind == "handshake" and len(start) >= _RECORD + 6 and start[_RECORD] == _HELLO:
        chosen = start[_RECORD + 4 : _RECORD + 6]
        return Seen(Said.ACCEPTED, version=_VERSIONS.get(chosen, f"version {chosen.hex()}"))
    if line.late:
        return Seen(Said.SILENT, why=line.ended)
    return Seen(Said.GARBLED, why=_glimpse(start))


def _glimpse(data: bytes) -> str:
    return f"it begins with {data[:16]!r}"
