"""One HTTP request and its answer, as evidence: recorded once, timed, digested, and never followed elsewhere."""

from __future__ import annotations

import base64
import hashlib
import shlex
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from onc_conformance.transport import KEPT, Carrier, Headers, Received, Receiver, Transport
from onc_conformance.trouble import Trouble, host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from onc_conformance.redaction import Secrets

REDIRECTS = 5
OBSERVED = "TLS"
"""The method of an exchange that looked at a port below HTTP."""
STREAMED, BEGINNING = 8 * 1024 * 1024, 16 * 1024
"""Bytes kept of all streamed answers together, and of each that comes after those."""
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_COMPUTED = frozenset({"host", "content-length", "connection", "accept-encoding"})
_AGENT = "onc-conformance (conformance test client)"


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
    """Hex digest of the answer's body."""
    error: str | None = None
    trouble: Trouble | None = None
    """The kind of `error`, where the network or the answer's form is to blame."""
    key: str = ""
    """What the request is recognised by when the recording is judged again: it names no secret, host or moment."""
    omitted: int = 0
    """Bytes of a streamed answer that came after those of `response_body`."""

    def header(self, name: str) -> str | None:
        """The first answer header of this name, whatever its case."""
        return next((value for key, value in self.response_headers if key.lower() == name.lower()), None)

    @property
    def media_type(self) -> str:
        """Content-Type of the answer in lower case and without parameters; empty if there was none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


@dataclass
class Journal:
    """All exchanges of a run, by id, in the order they were made."""

    secrets: Secrets
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    until: float | None = None
    """When the time of the run ends, on the monotonic clock; no exchange outlasts it."""
    prefix: str = ""
    """What ids begin with, so that those of several processes differ."""
    sleep: Callable[[float], None] = time.sleep
    """How to wait between requests."""
    _streamed: int = 0
    """Bytes kept of streamed answers."""
    _carrier: Carrier = field(default_factory=Carrier, repr=False)

    def close(self) -> None:
        """Let go of kept connections."""
        self._carrier.close()

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
        receiver: Receiver | None = None,
        patience_s: float | None = None,
    ) -> Exchange:
        """Send exactly these bytes once and record what happened; failure to get an answer is recorded, not raised.

        A `receiver` takes the answer as it comes, for `patience_s` seconds at the most; its beginning is recorded.
        """
        way, lines = transport or Transport(), _completed(url, tuple(headers))
        keep = max(BEGINNING, min(KEPT, STREAMED - self._streamed))

        def carried(at_most: float | None) -> Received:
            return self._carrier.carry(
                method,
                url,
                headers=lines,
                body=body,
                transport=way,
                at_most=at_most,
                receiver=receiver,
                patience_s=patience_s,
                keep=keep,
            )

        return self._recorded(carried, method, url, target=target, purpose=purpose, lines=lines, body=body, key=key)

    def observe(
        self,
        url: str,
        *,
        target: str,
        purpose: str,
        look: Callable[[float | None], Received],
        key: str,
        method: str = OBSERVED,
    ) -> Exchange:
        """Record what `look` saw of a server by other means than a request of ours; it is told how long it may take."""
        return self._recorded(look, method, url, target=target, purpose=purpose, key=key)

    def _recorded(
        self,
        carry: Callable[[float | None], Received],
        method: str,
        url: str,
        *,
        target: str,
        purpose: str,
        key: str,
        lines: Headers = (),
        body: bytes = b"",
    ) -> Exchange:
        started, clock = datetime.now(UTC), time.monotonic()
        answer = carry(None if self.until is None else self.until - clock)
        self._streamed += len(answer.body) if answer.streamed else 0
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
            sha256=answer.sha256 or hashlib.sha256(answer.body).hexdigest(),
            error=answer.error,
            trouble=answer.trouble,
            key=key,
            omitted=answer.omitted,
        )
        self.exchanges[exchange.id] = exchange
        return exchange

    def next_id(self) -> str:
        """The id of the exchange to come."""
        return f"{self.prefix}{len(self.exchanges) + 1:04d}"

    def object_to(self, exchange: Exchange, error: str) -> Exchange:
        """Note what is wrong with an exchange beyond what it shows by itself; the exchange as it is recorded then."""
        noted = replace(exchange, error=exchange.error or error)
        self.exchanges[noted.id] = noted
        return noted

    def fetch(self, url: str, purpose: str, target: str, transport: Transport | None = None) -> tuple[Exchange, ...]:
        """An anonymous GET of a page, redirects followed: every hop in order, the last one being the page."""
        chain = [self.send("GET", url, target=target, purpose=purpose, transport=transport, key=purpose)]
        while (onward := redirect(chain[-1])) and (why := astray(chain, onward)) is None:
            key = f"{purpose}\nonward to {onward}"
            chain.append(self.send("GET", onward, target=target, purpose=purpose, transport=transport, key=key))
        if onward and why:
            chain[-1] = self.object_to(chain[-1], why)
        return tuple(chain)


def redirect(exchange: Exchange) -> str | None:
    """Where the answer sends the client, made absolute; None if it does not."""
    location = exchange.header("location")
    return joined(exchange.url, location) if exchange.status in _REDIRECT and location else None


def joined(base: str, told: str) -> str | None:
    """An address out of an answer, made absolute; None where it is none, as with half a bracket."""
    try:
        made = urljoin(base, told)
        urlsplit(made).port  # noqa: B018 - raises where there is none that could be
    except ValueError:
        return None
    return made


def origin(url: str) -> tuple[str, str]:
    """The server of an address: scheme, and host with port."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of one server: scheme, host and port."""
    return origin(one) == origin(other)


def astray(chain: Sequence[Exchange], onward: str) -> str | None:
    """Why redirects are not followed any further: they go round in a circle, or do not end; None if they may be."""
    if sum(each.url == onward for each in chain) > 1:  # once more may be meant: the server has seen us now
        return f"a redirect loop: {onward} leads back to itself; correct the address, or the server"
    if len(chain) > REDIRECTS:
        return f"more than {REDIRECTS} redirects, the last one to {onward}; correct the address, or the server"
    return None


def curl(exchange: Exchange, secrets: Secrets) -> str:
    """One shell line that makes the request again, secrets masked."""
    if exchange.method == OBSERVED:
        port = urlsplit(exchange.url).port or 443
        return f"openssl s_client -connect {urlsplit(exchange.url).hostname}:{port}  # {exchange.purpose}"
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
