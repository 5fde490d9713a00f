"""One HTTP request carried out: bounded in time and size, verified, and never resent or sent on by itself."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

import requests
from onc_conformance.trouble import Trouble, explain, named, sentence, timed_out
from onc_conformance.unpacking import Unpacker
from onc_conformance.watch import CURRENT, Watch

Headers = tuple[tuple[str, str], ...]
Sink = Callable[[bytes], None]
"""Takes an answer piece by piece, content encodings undone; raises Halt where it wants no more."""
Receiver = Callable[[int, Headers], Sink | None]
"""The sink for an answer with this status and these headers; None where it is not to be streamed."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer, as it travels and unpacked."""
KEPT = 1024 * 1024
"""Bytes kept of an answer that is larger, or did not come to its end."""
CONNECT_SECONDS = 10.0
IN_ALL = 4
"""How many times `timeout_s` a request and its answer may take together, however steadily they trickle."""
SWELLING = 200
"""How many times its size an answer may unpack to where it is streamed."""
_CHUNK = 64 * 1024
_NOT_ASKED_FOR = frozenset({"br", "zstd", "compress", "x-compress"})


class Halt(Exception):  # noqa: N818 - what a sink says
    """No more of the answer is wanted; the reason, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How a target is reached: TLS, proxy and patience."""

    timeout_s: float = 30.0
    tls_verify: bool | str = True
    """False checks nothing; a path is a file of trusted certificate authorities."""
    client_cert: str | tuple[str, str] | None = None
    proxy: str | None = None


@dataclass(slots=True)
class Received:
    """What came back; `error` and `trouble` say why nothing, or not everything, did."""

    status: int | None = None
    headers: Headers = ()
    body: bytes = b""
    error: str | None = None
    trouble: Trouble | None = None
    omitted: int = 0
    """Bytes of a streamed answer that are not in `body`."""
    sha256: str = ""
    """Hex digest of a streamed answer, as far as it came; empty for any other."""

    @property
    def streamed(self) -> bool:
        """Whether a receiver took it."""
        return bool(self.sha256)


class Carrier:
    """Sends requests over kept connections."""

    def __init__(self) -> None:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the reports say it once
        logging.getLogger(urllib3.__name__).setLevel(logging.INFO)  # below, it tells addresses, and those bear tokens
        self._session = requests.Session()
        self._session.trust_env = False  # ~/.netrc would add credentials nobody declared
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=4))

    def close(self) -> None:
        """Let go of kept connections."""
        self._session.close()

    def carry(
        self,
        method: str,
        url: str,
        *,
        headers: Headers,
        body: bytes,
        transport: Transport,
        at_most: float | None = None,
        receiver: Receiver | None = None,
        patience_s: float | None = None,
        keep: int = KEPT,
    ) -> Received:
        """Send exactly these bytes once; whatever keeps the answer away is told, not raised.

        `at_most` are seconds that everything may take if they are fewer than `patience_s`, or what the transport
        allows. What a `receiver` takes may be of any size, and its first `keep` bytes are kept.
        """
        allowed = IN_ALL * transport.timeout_s if patience_s is None else patience_s
        allowed = allowed if at_most is None else max(0.0, min(allowed, at_most))
        patience = (min(CONNECT_SECONDS, transport.timeout_s), transport.timeout_s)
        received, answer = Received(), bytearray()
        with Watch(allowed) as watch:
            try:
                with self._session.get_adapter(url).send(
                    _prepared(method, url, headers, body),
                    timeout=patience,
                    verify=_verify(transport),
                    cert=transport.client_cert,
                    proxies=_proxies(url, transport),
                    stream=True,
                ) as response:
                    received.status = response.status_code
                    received.headers = tuple(response.raw.headers.items())
                    sink = receiver(received.status, received.headers) if receiver else None
                    if sink is None:
                        received.trouble, received.error = _read(response.raw, answer)
                    else:
                        _streamed(response.raw, sink, received, answer, keep)
            except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as why:
                received.trouble, received.error = explain(why, url, patience)
        if watch.expired:
            received.trouble = Trouble.TIMEOUT
            received.error = (
                f"{named(url)} did not answer within {allowed:g} s in all; if it is slow, raise timeout_s"
                if received.status is None
                else f"the answer was still coming after {allowed:g} s; if it is slow, raise timeout_s"
            )
        received.body = bytes(answer[:KEPT] if received.trouble else answer)
        return received


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _watched(made)
        return made

    def request(self, *positional: Any, **named: Any) -> None:
        if self.sock is not None:  # kept from an earlier exchange
            _watched(self.sock)
        super().request(*positional, **named)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        super().init_poolmanager(*positional, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *positional: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*positional, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _prepared(method: str, url: str, headers: Headers, body: bytes) -> requests.PreparedRequest:
    """Exactly these bytes, as `requests` wants them; ValueError, or an error of its own, on an impossible address."""
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    request.method, request.url, request.body = method.upper(), url, body or None
    request.headers = CaseInsensitiveDict(headers)
    if body or method in {"POST", "PUT", "PATCH"}:
        request.headers["Content-Length"] = str(len(body))
    return request


def _watched(line: socket.socket) -> None:
    if (watch := CURRENT.get()) is not None:
        watch.over(line)


def _read(raw: Any, body: bytearray) -> tuple[Trouble | None, str | None]:
    """Fill `body` with the answer, or as much of it as came and is wanted; why it is not all."""
    encoding = raw.headers.get("Content-Encoding", "").strip().lower()
    length = raw.headers.get("Content-Length", "")
    announced = int(length) if length.isdigit() else 0
    limit = LARGEST_ANSWER if announced <= LARGEST_ANSWER else min(KEPT, LARGEST_ANSWER)
    unpack, travelled = Unpacker(encoding), 0
    try:
        while piece := raw.read1(_CHUNK, decode_content=False):
            travelled += len(piece)
            for part in unpack(piece):
                body += part
                if max(len(body), travelled) > limit:
                    return Trouble.TOO_LARGE, (
                        f"the answer is larger than {LARGEST_ANSWER >> 20} MB; a request should bring less, "
                        f"and no more than the first {KEPT >> 20} MB were kept"
                    )
    except zlib.error as why:
        return Trouble.BROKEN, f"the answer is not the {encoding} it says it is: {why}"
    except (urllib3.exceptions.HTTPError, HTTPException, OSError) as why:
        share = f"{travelled} of {announced} bytes" if announced else f"{travelled} bytes: {sentence(why)}"
        return Trouble.TIMEOUT if timed_out(why) else Trouble.BROKEN, f"the answer broke off after {share}"
    if not unpack.done:
        return Trouble.BROKEN, f"the answer broke off after {travelled} bytes, in the middle of its {encoding}"
    if encoding in _NOT_ASKED_FOR and body:
        return (
            Trouble.BROKEN,
            f"the answer is packed as {encoding}, which was not asked for; expected gzip or nothing",
        )
    return None, None


def _streamed(raw: Any, sink: Sink, received: Received, kept: bytearray, keep: int) -> None:
    """Hand the answer to `sink` as it comes; its beginning is kept, the rest counted and digested."""
    encoding = raw.headers.get("Content-Encoding", "").strip().lower()
    length = raw.headers.get("Content-Length", "")
    unpack, travelled, unpacked = Unpacker(encoding), 0, 0
    digest = hashlib.sha256()
    try:
        while piece := raw.read1(_CHUNK, decode_content=False):
            travelled += len(piece)
            for part in unpack(piece):
                unpacked += len(part)
                digest.update(part)
                kept += part[: max(0, keep - len(kept))]
                _bearable(travelled, unpacked)
                sink(part)
        _ended(unpack, travelled, length)
    except Halt as why:
        received.trouble, received.error = Trouble.TOO_LARGE, str(why)
    except zlib.error as why:
        received.trouble, received.error = Trouble.BROKEN, f"the answer is not the {encoding} it says it is: {why}"
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, EOFError) as why:
        share = f"{travelled} of {length} bytes" if length.isdigit() else f"{travelled} bytes: {sentence(why)}"
        received.trouble = Trouble.TIMEOUT if timed_out(why) else Trouble.BROKEN
        received.error = f"the answer broke off after {share}"
    received.omitted, received.sha256 = unpacked - len(kept), digest.hexdigest()


def _bearable(travelled: int, unpacked: int) -> None:
    if unpacked > SWELLING * travelled + KEPT:
        raise Halt(f"the answer swells to more than {SWELLING} times its size, which nobody unpacks")


def _ended(unpack: Unpacker, travelled: int, length: str) -> None:
    if not unpack.done or (length.isdigit() and travelled < int(length)):
        raise EOFError("before its end")


def _verify(transport: Transport) -> bool | str:
    if transport.tls_verify is not True:
        return transport.tls_verify
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True


def _proxies(url: str, transport: Transport) -> dict[str, str]:
    if transport.proxy:
        return {"http": transport.proxy, "https": transport.proxy}
    if urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}:
        return {}
    return dict(get_environ_proxies(url))
