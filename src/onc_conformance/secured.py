"""What the suite makes of the connections to a product: each endpoint in use, its TLS, and what it serves without."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onc_conformance.access import tls
from onc_conformance.access.discovery import OPENID, is_address
from onc_conformance.access.tls import PATIENCE_S, Said, Seen
from onc_conformance.exchange import origin
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.transport import Received

if TYPE_CHECKING:
    from onc_conformance.bulk.manifest import Manifest
    from onc_conformance.examination import Examination

OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
"""Versions below the floor, by name."""
_TOLD = frozenset({400, 403, 421, 426})
"""Statuses by which servers say in HTTP that they speak TLS here."""


@dataclass(frozen=True, slots=True)
class Port:
    """One port, and the endpoints in use behind it: their addresses by name."""

    host: str
    port: int
    endpoints: Mapping[str, str]

    @property
    def names(self) -> str:
        """What is there, and where, for people."""
        return f"{', '.join(self.endpoints)} at {self.host}:{self.port}"

    @property
    def address(self) -> str:
        """The address as it is recorded."""
        return f"https://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def path(self) -> str:
        """The path of the first endpoint: something that would be served."""
        parts = urlsplit(next(iter(self.endpoints.values())))
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True)
class Look:
    """One conversation with one port."""

    port: Port
    seen: Seen
    exchange: str
    offered: str = ""
    """The version that was offered alone."""


def endpoints(exam: Examination) -> dict[str, str]:
    """The addresses in use, by what is there: those published, and wherever a credential was sent."""
    found = {"the FHIR server": f"{exam.fhir.base}/metadata"}
    if exam.target.description.smart is not None and not exam.target.recorded:
        smart = exam.smart
        named = dict(smart.configuration().document.endpoints)
        if issuer := smart.configuration().document.text("issuer"):
            openid = smart.published(f"{issuer.rstrip('/')}/{OPENID}", "fetch the OpenID configuration")
            named |= {name: url for name, url in openid.document.endpoints if name == "jwks_uri"}
        found |= {f"the {name.replace('_', ' ')}": url for name, url in named.items()}
    if exam.target.description.bulk is not None and (told := exam.exports.service.optional("client", "token_url")):
        found["the token endpoint of backend services"] = told
    known = {origin(url) for url in found.values()}
    for exchange in exam.journal.exchanges.values():
        here = origin(exchange.url)
        shown = any(name.lower() == "authorization" for name, _ in exchange.request_headers)
        if exchange.target == exam.target.id and shown and here not in known:
            known.add(here)
            found[f"what is asked with a credential at {urlsplit(exchange.url).path}"] = exchange.url.partition("?")[0]
    return found


def elsewhere(exam: Examination, manifest: Manifest) -> dict[str, str]:
    """Where files of an export are, one for each server but the FHIR server; NotApplicable where there is no other.

    What is no address is objected to where the manifest is judged.
    """
    found: dict[str, str] = {}
    known = {origin(exam.fhir.base)}
    for output in (*manifest.outputs, *manifest.messages):
        if is_address(output.url) and (here := origin(output.url)) not in known:
            known.add(here)
            found[f"the file {output.name}"] = output.url.partition("?")[0]
    if not found:
        raise NotApplicable("the files of the export are on the FHIR server itself")
    return found


def behind_tls(exam: Examination, endpoints: Mapping[str, str], looks: list[Look], rule: str) -> Iterator[Finding]:
    """All objections to these endpoints: no TLS, one that does not stand, an old version, data without it.

    `looks` are the handshakes with those that have an address of TLS.
    """
    yield from unsecured(endpoints, rule)
    yield from trusted(looks, rule)
    for version in OLD if looks else ():
        yield from refused(outdated(exam, endpoints, version), rule)
    yield from closed(unencrypted(exam, endpoints) if looks else [], rule)


def ports(endpoints: Mapping[str, str]) -> list[Port]:
    """The ports of all endpoints that are said to be behind TLS."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for name, url in endpoints.items():
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            found.setdefault((parts.hostname, parts.port or 443), {})[name] = url
    return [Port(host, port, named) for (host, port), named in found.items()]


def unsecured(endpoints: Mapping[str, str], rule: str) -> Iterator[Finding]:
    """An error for each endpoint whose address is not one of TLS."""
    for name, url in endpoints.items():
        if urlsplit(url).scheme != "https":
            yield Finding(
                layer=Layer.SECURITY,
                severity=Severity.ERROR,
                rule=rule,
                message=f"{name} is not secured by TLS",
                path=url,
                expected="an address that begins with https://",
                found=f"{urlsplit(url).scheme}://",
                hint="serve it over TLS alone, and publish that address",
            )


def handshakes(exam: Examination, endpoints: Mapping[str, str]) -> list[Look]:
    """A handshake of TLS 1.2 or better with each port, chain and name checked."""
    way = exam.target.transport
    authorities = way.tls_verify if isinstance(way.tls_verify, str) else None

    def ask(port: Port, seconds: float) -> Seen:
        return tls.verified(port.host, port.port, authorities=authorities, client_cert=way.client_cert, seconds=seconds)

    return _looked(exam, endpoints, "a TLS handshake with the certificate checked", ask)


def outdated(exam: Examination, endpoints: Mapping[str, str], version: str) -> list[Look]:
    """A client that knows nothing newer than `version`, at each port."""

    def ask(port: Port, seconds: float) -> Seen:
        return tls.offered(port.host, port.port, OLD[version], seconds=seconds)

    return _looked(exam, endpoints, f"a client that knows {version} alone", ask, version)


def unencrypted(exam: Examination, endpoints: Mapping[str, str]) -> list[Look]:
    """A request without TLS, at each port of TLS."""

    def ask(port: Port, seconds: float) -> Seen:
        return tls.plain(port.host, port.port, port.path, seconds=seconds)

    return _looked(exam, endpoints, "a request without TLS at the port of TLS", ask)


def trusted(looks: list[Look], rule: str) -> Iterator[Finding]:
    """Objections to handshakes that fail, or whose certificate does not stand."""
    for look in looks:
        if look.seen.said in {Said.IMPOSSIBLE, Said.UNREACHABLE}:
            continue
        if look.seen.said is not Said.ACCEPTED:
            yield _objection(
                look,
                rule,
                f"the certificate does not stand: {look.port.names}"
                if look.seen.said is Said.UNTRUSTED
                else f"no connection by TLS 1.2 or later: {look.port.names}",
                expected="a handshake with a certificate of a trusted authority that bears the server's name",
                hint="name the authority of a test server in tls_verify" if "issuer" in look.seen.why else None,
            )


def refused(looks: list[Look], rule: str) -> Iterator[Finding]:
    """Objections to old versions of TLS that are accepted."""
    for look in looks:
        if look.seen.said is Said.ACCEPTED:
            yield _objection(
                look,
                rule,
                f"{look.offered} is accepted: {look.port.names}",
                expected="a refusal: nothing below TLS 1.2",
                hint="set the lowest version of the server, or of the proxy before it, to TLS 1.2",
            )


def closed(looks: list[Look], rule: str) -> Iterator[Finding]:
    """Objections to ports that serve without TLS; sending the client on to TLS, or saying no, serves nothing."""
    for look in looks:
        seen = look.seen
        sent_on = seen.status in range(300, 400) and seen.location.lower().startswith("https://")
        if seen.said is Said.ACCEPTED and not sent_on and seen.status not in _TOLD:
            yield _objection(
                look,
                rule,
                f"requests are answered without TLS: {look.port.names}",
                expected="no answer, or one that says that TLS is spoken here",
                found=f"status {seen.status}",
            )


def seen_through(looks: list[Look]) -> None:
    """Raise NotTested where some port could not be asked, and say which and why."""
    for look in looks:
        if look.seen.said is Said.IMPOSSIBLE:
            raise NotTested(f"{look.offered or 'TLS'} cannot be tried from this computer: {look.seen.why}")
        if look.seen.said is Said.UNREACHABLE:
            raise NotTested(f"{look.port.names} cannot be reached: {look.seen.why}")


def _looked(
    exam: Examination,
    endpoints: Mapping[str, str],
    what: str,
    ask: Callable[[Port, float], Seen],
    offered: str = "",
) -> list[Look]:
    if exam.target.transport.proxy:
        raise NotTested("the product is reached through a proxy, and TLS can be probed without one alone")
    found = ports(endpoints)
    if not found:
        raise NotTested("no endpoint has an address of TLS")
    looks = []
    for port in found:

        def look(at_most: float | None, port: Port = port) -> Received:
            seconds = PATIENCE_S if at_most is None else max(0.1, min(at_most, PATIENCE_S))
            return Received(body=ask(port, seconds).as_bytes())

        key = f"{what}\n{next(iter(port.endpoints))}"
        exchange = exam.journal.observe(port.address, target=exam.target.id, purpose=what, look=look, key=key)
        exam.used.append(exchange.id)
        looks.append(Look(port, Seen.of(exchange.response_body), exchange.id, offered))
    return looks


def _objection(
    look: Look, rule: str, message: str, *, expected: str, found: str | None = None, hint: str | None = None
) -> Finding:
    seen = look.seen
    return Finding(
        layer=Layer.SECURITY,
        severity=Severity.ERROR,
        rule=rule,
        message=message,
        path=look.port.address,
        expected=expected,
        found=found or ": ".join(filter(None, (seen.said, seen.version or seen.why))),
        hint=hint,
        exchange=look.exchange,
    )
