"""What the suite makes of a token endpoint for backend services: what it must give, and what it must refuse."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from joserfc.jwk import ECKey, KeyParameters, RSAKey

from onc_conformance.access import backend
from onc_conformance.access.assertions import ALGORITHMS, Key
from onc_conformance.access.keyring import KeyRing
from onc_conformance.bulk.service import Fetched, Service, Token
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity

LONGEST_LIFE = 300
"""Seconds that a token should be good for at the most."""
REPLAYED = "with an assertion that was used before"
_STATUSES = (400, 401)


def given(exam: Examination, algorithm: str | None = None) -> Token:
    """The answer to a token request that is in order."""
    service = exam.exports.service
    if algorithm is None:
        service.bearer()
        return service.token(f"for {service.scope}", scope=service.scope)
    if algorithm not in service.algorithms:
        raise NotApplicable(f"there is no key for {algorithm}")
    return service.token(f"by {algorithm}", algorithm=algorithm)


def granted(token: Token, rule: str) -> Iterator[Finding]:
    """An objection where no token came."""
    if not token.value:
        yield token.got.objection(rule, "no token was given", expected="an access_token", found=_said(token))


def told(token: Token, rule: str) -> Iterator[Finding]:
    """Objections to the fields and headers of an answer with a token."""
    got, fields = token.got, token.told
    if got.exchange.media_type != "application/json":
        yield _amiss(token, rule, "Content-Type", "application/json", got.exchange.media_type)
    if str(fields.get("token_type")).casefold() != "bearer":
        yield _amiss(token, rule, "token_type", "bearer", fields.get("token_type"))
    life = fields.get("expires_in")
    if isinstance(life, bool) or not isinstance(life, (int, float)) or life <= 0:
        yield _amiss(token, rule, "expires_in", "a number of seconds", life)
    elif life > LONGEST_LIFE:
        yield _amiss(token, rule, "expires_in", f"at most {LONGEST_LIFE}", life, severity=Severity.WARNING)
    if not isinstance(fields.get("scope"), str):
        yield _amiss(token, rule, "scope", "the scopes granted", fields.get("scope"))
    if "no-store" not in (got.exchange.header("cache-control") or ""):
        yield _amiss(token, rule, "Cache-Control", "no-store", got.exchange.header("cache-control"))
    if "no-cache" not in (got.exchange.header("pragma") or ""):
        yield _amiss(token, rule, "Pragma", "no-cache", got.exchange.header("pragma"), severity=Severity.WARNING)


def _amiss(
    token: Token, rule: str, place: str, expected: str, found: object, *, severity: Severity = Severity.ERROR
) -> Finding:
    return token.got.objection(
        rule,
        f"{place} is not {expected}",
        severity=severity,
        path=place,
        expected=expected,
        found=str(found or "nothing"),
    )


def wrong(exam: Examination, name: str) -> tuple[backend.Wrong, Token]:
    """The answer to a request that is wrong in this way. NotTested where a right one is not answered."""
    service, how = exam.exports.service, backend.EVERY[name]
    service.bearer()
    return how, service.token(f"with a request that {name}", how.change)


def refused(asked: tuple[backend.Wrong, Token], rule: str) -> Iterator[Finding]:
    """An objection where a wrong request is answered with a token."""
    how, token = asked
    if token.told.get("access_token"):
        yield token.got.objection(
            rule, "was answered with a token", layer=Layer.SECURITY,
            severity=Severity.ERROR if how.must else Severity.WARNING,
            expected="no token", found=f"HTTP {token.got.exchange.status} and an access_token",
        )  # fmt: skip


def errors(exam: Examination, several: Iterable[backend.Wrong]) -> list[tuple[backend.Wrong, Token]]:
    """Those of the wrong requests that are refused, as they all should be."""
    found = [wrong(exam, each.name) for each in several]
    return [(how, token) for how, token in found if not token.told.get("access_token")]


def fitting(found: Iterable[tuple[backend.Wrong, Token]], rule: str) -> Iterator[Finding]:
    """Objections to errors that do not fit what was wrong."""
    for how, token in found:
        status, wanted = token.got.exchange.status, " or ".join(how.errors)
        if status not in _STATUSES or token.error not in how.errors:
            yield token.got.objection(
                rule, "the error does not fit", path="error",
                expected=f"HTTP {' or '.join(map(str, _STATUSES))} and {wanted}", found=_said(token),
            )  # fmt: skip


def repeated(exam: Examination, rule: str) -> Iterator[Finding]:
    """An objection where one assertion is worth two tokens."""
    exam.exports.service.bearer()
    first, second = exam.exports.service.repeated(REPLAYED)
    if not first.value:
        raise NotTested(f"the assertion was not even taken once: {_said(first)}", "AUT-SYS-1")
    if second.told.get("access_token"):
        yield second.got.objection(
            rule, "was answered with a token", layer=Layer.SECURITY, expected="no token: the jti was seen before",
            found=f"HTTP {second.got.exchange.status} and an access_token",
        )  # fmt: skip


def beyond(exam: Examination) -> Token:
    """The answer to a request for a scope that the service is not registered for. NotTested where none is known."""
    service = exam.exports.service
    scope = service.value("client", "beyond_scope")
    service.bearer()
    return service.token(f"for {scope}, beyond what is registered", scope=f"{service.scope} {scope}")


def within(exam: Examination, token: Token, rule: str) -> Iterator[Finding]:
    """An objection where a scope was granted that nobody registered."""
    scope = exam.exports.service.value("client", "beyond_scope")
    if token.told.get("access_token") and set(scope.split()) & token.scopes:
        yield token.got.objection(
            rule, "a scope was granted that the service is not registered for", layer=Layer.SECURITY, path="scope",
            expected=f"no token, or one without {scope}", found=" ".join(sorted(token.scopes)),
        )  # fmt: skip


def _said(token: Token) -> str:
    detail = token.error or ("an access_token" if token.told.get("access_token") else token.got.said)
    return f"HTTP {token.got.exchange.status}, {detail}" if token.error else detail


# --- keys at an address of the app's own


def fetched_keys(exam: Examination) -> Fetched:
    """Tokens by keys that the server has to fetch, asked for once; the answer with the keys forbids to keep them.

    NotTested where no service is registered that way.
    """
    exports = exam.exports
    if exports.keys is None:
        service = exports.service
        client_id, listen = service.value("keys", "client"), service.value("keys", "listen")
        exports.keys = _replayed(service) if service.recorded else _fetched(service, client_id, listen)
    exports.service.note(token.got.exchange.id for token in exports.keys.tokens)
    return exports.keys


_NAMES = ("by a key at its own address", "by the key after it", "by the key that was taken away")


def _replayed(service: Service) -> Fetched:
    return Fetched([service.token(name) for name in _NAMES], times=None)


def _fetched(service: Service, client_id: str, listen: str) -> Fetched:
    host, _, port = listen.rpartition(":")
    if not port.isdecimal():
        raise NotTested(f"bulk.keys.listen is {listen}; expected HOST:PORT")
    first, second = _made(service, 0), _made(service, 1)
    tokens = []
    try:
        certificate = service.optional("keys", "certificate")
        with KeyRing(host or "127.0.0.1", int(port), certificate=certificate) as ring:
            for name, key, shown in zip(_NAMES, (first, second, first), (first, second, second), strict=True):
                ring.keys = [shown]
                who = replace(service.credential(), client_id=client_id, key=key)
                tokens.append(service.token(name, credential=who))
            return Fetched(tokens, times=len(ring.fetched), secure=certificate is not None)
    except OSError as problem:
        raise NotTested(f"nothing can listen at {listen}: {problem.strerror or problem}") from None


def _made(service: Service, number: int) -> Key:
    algorithm = service.algorithms[0]
    told: KeyParameters = {"kid": f"onc-conformance-{number}-{int(time.time())}", "use": "sig", "alg": algorithm}
    if ALGORITHMS[algorithm] == "EC":
        return ECKey.generate_key("P-384", told, private=True)
    return RSAKey.generate_key(2048, told, private=True)


def used(keys: Fetched, rule: str) -> Iterator[Finding]:
    """An objection where the key at the app's address is not fetched, or not used."""
    first, nobody = keys.tokens[0], keys.times == 0
    if nobody or not first.value:
        yield first.got.objection(
            rule, "the key at the registered address is not used", expected="an access_token, and the keys fetched",
            found=f"{_said(first)}, and nobody fetched the keys" if nobody else _said(first),
        )  # fmt: skip
    elif not keys.secure:
        yield first.got.objection(
            rule, "the key was fetched without TLS, so nobody saw whether TLS is spoken", severity=Severity.WARNING,
            expected="a fetch by TLS", found="plain HTTP", hint="name a certificate in bulk.keys.certificate",
        )  # fmt: skip


def fresh(keys: Fetched, rule: str) -> Iterator[Finding]:
    """Objections to keys that are kept although the app's answer forbids it."""
    first, second, third = keys.tokens
    if keys.times == 0 or not first.value:
        raise NotTested("the key at the app's address was not used", "AUT-SYS-4")
    if not second.value:
        yield second.got.objection(
            rule, "the key that came after it is not known", expected="an access_token: Cache-Control was no-store",
            found=_said(second),
        )  # fmt: skip
    if third.told.get("access_token"):
        yield third.got.objection(
            rule, "is still believed", layer=Layer.SECURITY, expected="invalid_client: the key is not there any more",
            found=_said(third),
        )  # fmt: skip
