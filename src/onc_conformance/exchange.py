"""One HTTP request and its answer, as evidence: recorded once, timed, digested, and never followed elsewhere."""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from onc_conformance.redaction import Secrets

Headers = tuple[tuple[str, str], ...]

LARGEST_ANSWER = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
REDIRECTS = 5
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_COMPUTED = frozenset({"host", "content-length", "connection", "accept-encoding"})
_AGENT = "onc-conformance (conformance test client)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How a target is reached: TLS, proxy and patience."""

    timeout_s: float = 30.0
    tls_verify: bool | str = True
    """False checks nothing; a path is a file of trusted certificate authorities."""
    client_cert: str | tuple[str, str] | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request as it was sent and what came back; `error` says why nothing, or not everything, did."""

    id: str
    target: str
    purpose: str
    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int | None
    response_headers: Headers
    response_body: bytes
    """As the server meant it: content encodings such as gzip are undone."""
    started: str
    seconds: float
    sha256: str
    """Hex digest of `response_body`."""
    error: str | None = None
    key: str = ""
    """What the request is recognised by when the recording is judged again: it names no secret, host or moment."""

    def header(self, name: str) -> str | None:
        """The first answer header of this name, whatever its case."""
        return next((value for key, value in self.response_headers if key.lower() == name.lower()), None)

    @property
    def media_type(self) -> str:
        """Content-Type of the answer in lower case and without parameters; empty if there was none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


@dataclass(slots=True)
class _Answer:
    status: int | None = None
    headers: Headers = ()
    body: bytes = b""
    error: str | None = None


@dataclass
class Journal:
    """All exchanges of a run, by id, in the order they were made."""

    secrets: Secrets
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    prefix: str = ""
    """What ids begin with, so that those of several processes differ."""
    sleep: Callable[[float], None] = time.sleep
    """How to wait between requests."""
    _session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        self._session.trust_env = False  # ~/.netrc would add credentials nobody declared
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=4))

    def close(self) -> None:
        """Let go of kept connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        target: str,
        purpose: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        transport: Transport | None = None,
        key: str = "",
    ) -> Exchange:
        """Send exactly these bytes once and record what happened; failure to get an answer is recorded, not raised."""
        transport = transport or Transport()
        lines = _completed(url, tuple(headers))
        started, clock = datetime.now(UTC), time.monotonic()
        answer = self._exchange(method, url, lines, body, transport)
        exchange = Exchange(
            id=self.next_id(),
            target=target,
            purpose=purpose,
            method=method,
            url=url,
            request_headers=lines,
            request_body=body,
            status=answer.status,
            response_headers=answer.headers,
            response_body=answer.body,
            started=started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            seconds=round(time.monotonic() - clock, 6),
            sha256=hashlib.sha256(answer.body).hexdigest(),
            error=answer.error,
            key=key,
        )
        self.exchanges[exchange.id] = exchange
        return exchange

    def next_id(self) -> str:
        """The id of the exchange to come."""
        return f"{self.prefix}{len(self.exchanges) + 1:04d}"

    def fetch(self, url: str, purpose: str, target: str, transport: Transport | None = None) -> tuple[Exchange, ...]:
        """An anonymous GET of a page, redirects followed: every hop in order, the last one being the page."""
        chain = [self.send("GET", url, target=target, purpose=purpose, transport=transport, key=purpose)]
        while (onward := redirect(chain[-1])) and len(chain) <= REDIRECTS:
            key = f"{purpose}\nonward to {onward}"
            chain.append(self.send("GET", onward, target=target, purpose=purpose, transport=transport, key=key))
        return tuple(chain)

    def _exchange(self, method: str, url: str, headers: Headers, body: bytes, transport: Transport) -> _Answer:
        answer = _Answer()
        try:
            request = self._session.prepare_request(requests.Request(method, url))
            request.headers.clear()
            request.headers.update(dict(headers))
            request.url = url
            request.body = body or None
            if body or method in {"POST", "PUT", "PATCH"}:
                request.headers["Content-Length"] = str(len(body))
            with self._session.send(
                request,
                timeout=(CONNECT_SECONDS, transport.timeout_s),
                verify=_verify(transport),
                cert=transport.client_cert,
                proxies=_proxies(url, transport),
                allow_redirects=False,
                stream=True,
            ) as response:
                answer.status = response.status_code
                answer.headers = tuple(response.raw.headers.items())
                answer.body, answer.error = _read(response.raw, transport.timeout_s)
        except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as problem:
            answer.error = _explain(problem, url, transport)
        return answer


def redirect(exchange: Exchange) -> str | None:
    """Where the answer sends the client, made absolute; None if it does not."""
    location = exchange.header("location")
    return urljoin(exchange.url, location) if exchange.status in _REDIRECT and location else None


def host(url: str) -> str:
    """The Host header a client sends for `url`: with the port only where it is not the scheme's own."""
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    return name if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f"{name}:{parts.port}"


def curl(exchange: Exchange, secrets: Secrets) -> str:
    """One shell line that makes the request again, secrets masked."""
    words = ["curl", "-sS", "--compressed", "-X", exchange.method, secrets.mask_text(exchange.url)]
    own_host = host(exchange.url)
    for name, value in secrets.mask_headers(exchange.request_headers):
        if name.lower() not in _COMPUTED or (name.lower() == "host" and value != own_host):
            words += ["-H", f"{name}: {value}"]
    body = secrets.mask_bytes(exchange.request_body)
    if not body:
        return shlex.join(words)
    try:
        return shlex.join([*words, "--data-raw", body.decode()])
    except UnicodeDecodeError:
        piped = shlex.join([*words, "--data-binary", "@-"])
        return f"echo {base64.b64encode(body).decode()} | base64 -d | {piped}"


def _completed(url: str, headers: Headers) -> Headers:
    given = {name.lower() for name, _ in headers}
    usual = (("Host", _host_or_empty(url)), ("User-Agent", _AGENT), ("Accept", "*/*"), ("Accept-Encoding", "gzip"))
    return tuple(pair for pair in usual if pair[0].lower() not in given and pair[1]) + headers


def _host_or_empty(url: str) -> str:
    try:
        return host(url)
    except ValueError:  # a port that is no number: sending says so
        return ""


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


def _read(raw: Any, patience: float) -> tuple[bytes, str | None]:
    """The whole body, or as much as came and why no more."""
    pieces: list[bytes] = []
    size, deadline = 0, time.monotonic() + 4 * patience
    try:
        while piece := raw.read1(_CHUNK, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                return b"".join(pieces), f"the answer is larger than {LARGEST_ANSWER >> 20} MB; reading stopped there"
            if time.monotonic() > deadline:
                return b"".join(pieces), f"the answer was still coming after {4 * patience:g} s; reading stopped there"
    except (urllib3.exceptions.HTTPError, HTTPException, OSError) as problem:
        return b"".join(pieces), f"the answer broke off after {size} bytes: {_sentence(problem)}"
    declared = raw.headers.get("Content-Length", "")
    if declared.isdigit() and "Content-Encoding" not in raw.headers and size < int(declared):
        return b"".join(pieces), f"the answer broke off after {size} of {declared} bytes"
    return b"".join(pieces), None


def _explain(problem: Exception, url: str, transport: Transport) -> str:
    """One line: what kept the request from being answered, and what to look at."""
    where = _host_or_empty(url) or url
    reason = _sentence(problem)
    text = f"{problem} {reason}".lower()
    timed_out = isinstance(problem, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError))
    cases = (
        ("ssl" in text, f"no TLS connection to {where}: {reason}; check the certificate, or set tls_verify"),
        (
            isinstance(problem, requests.exceptions.ProxyError),
            f"no way to {where} through the proxy: {reason}; check proxy, or HTTPS_PROXY",
        ),
        (
            isinstance(problem, requests.exceptions.ConnectTimeout),
            f"{where} did not accept a connection within {CONNECT_SECONDS:g} s; is the address right?",
        ),
        (timed_out, f"{where} did not answer within {transport.timeout_s:g} s; if it is slow, raise timeout_s"),
        ("resol" in text, f"cannot resolve the host name of {where}; is the address right?"),
        ("refused" in text, f"{where} refuses connections; is the server running, and the port right?"),
        (
            isinstance(problem, UnicodeError) or "header" in text,
            f"a header cannot be sent to {where}: {reason}; header values are one line of Latin-1",
        ),
        (
            isinstance(problem, ValueError),
            f"not an address a request can be sent to: {url!r}; expected http://… or https://…",
        ),
    )
    return next((message for fits, message in cases if fits), f"no answer from {where}: {reason}")


def _sentence(problem: BaseException) -> str:
    """The innermost reason, on one line."""
    while (inner := problem.__cause__ or problem.__context__) is not None:
        problem = inner
    return " ".join(str(problem).split()) or type(problem).__name__
