"""Backend services: the token request of a client without a person, right, and wrong in one thing at a time.

SMART App Launch, backend services (RFC 6749 4.4, RFC 7521 4.2, RFC 7523 2.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from onc_conformance.access.assertions import ALGORITHMS, LIFETIME_S, Key

GRANT = "client_credentials"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUTHENTICATION = ("invalid_client",)
"""The error of whoever did not prove who they are (RFC 6749 5.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A backend service as it is registered, and one of its keys."""

    client_id: str
    key: Key = field(repr=False)
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A token request before it is written down: what is changed here is what is wrong with it."""

    credential: Credential
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    form: Mapping[str, str]
    signed_with: Key | None = field(default=None, repr=False)
    """A key in place of the registered one."""
    sign: Callable[[Asked], str] | None = field(default=None, repr=False)
    """A way of signing in place of the usual one."""

    def written(self) -> dict[str, str]:
        """The form that is posted. The assertion is in it unless the form says otherwise."""
        made = self.sign(self) if self.sign else signed(self)
        form = {"client_assertion": made, **self.form}
        return {name: value for name, value in form.items() if value}


def asked(credential: Credential, *, audience: str, scope: str, now: int, jti: str) -> Asked:
    """The request as it should be; `now` is Unix time, `jti` never repeats."""
    own = credential.client_id
    kid = {"kid": credential.key.kid} if credential.key.kid else {}
    return Asked(
        credential=credential,
        header={"alg": credential.algorithm, "typ": "JWT", **kid},
        claims={"iss": own, "sub": own, "aud": audience, "iat": now, "exp": now + LIFETIME_S, "jti": jti},
        form={"grant_type": GRANT, "client_assertion_type": ASSERTION, "scope": scope},
    )


def signed(request: Asked) -> str:
    """The assertion, signed as its header says."""
    key = request.signed_with or request.credential.key
    payload = json.dumps(dict(request.claims)).encode()
    return jws.serialize_compact(dict(request.header), payload, key, algorithms=[request.credential.algorithm])


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong with a token request, and the errors that fit it."""

    name: str
    """As a sentence says it: `is not signed`."""
    change: Callable[[Asked], Asked]
    errors: tuple[str, ...] = AUTHENTICATION
    must: bool = True
    """Whether it has to be refused; else it only should be."""


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(dict(value)).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unsigned(request: Asked) -> str:
    return f"{_part({**request.header, 'alg': 'none'})}.{_part(request.claims)}."


def _confused(request: Asked) -> str:
    """Signed by HMAC with the public key, which anybody has, for a secret (RFC 8725 2.1)."""
    secret = request.credential.key.as_pem(private=False)
    text = f"{_part({**request.header, 'alg': 'HS384'})}.{_part(request.claims)}"
    return f"{text}.{_part(hmac.new(secret, text.encode(), hashlib.sha384).digest())}"


def _tampered(request: Asked) -> str:
    """Signed before it says what it says."""
    head, _, signature = signed(request).split(".")
    said = {**request.claims, "jti": str(request.claims["jti"]) + "-again"}
    return f"{head}.{_part(said)}.{signature}"


def _strange(request: Asked) -> Asked:
    own = request.credential.key
    kid: KeyParameters | None = {"kid": own.kid} if own.kid else None
    if ALGORITHMS[request.credential.algorithm] == "EC":
        return replace(request, signed_with=ECKey.generate_key("P-384", kid, private=True))
    return replace(request, signed_with=RSAKey.generate_key(2048, kid, private=True))


def _bringing(request: Asked) -> Asked:
    """A stranger's signature, and the key to verify it with in the header, which nobody is to go by (RFC 7515 10.7)."""
    strange = _strange(request)
    key = strange.signed_with
    public = key.as_dict(private=False) if key else {}
    return replace(strange, header={**request.header, "jwk": public})


def _claim(**values: Any) -> Callable[[Asked], Asked]:
    """Claims changed; None takes one away, a function makes it of the right one."""

    def change(request: Asked) -> Asked:
        told = {name: each(request.claims[name]) if callable(each) else each for name, each in values.items()}
        claims = {**request.claims, **told}
        return replace(request, claims={name: value for name, value in claims.items() if value is not None})

    return change


def _form(**values: str) -> Callable[[Asked], Asked]:
    return lambda request: replace(request, form={**request.form, **values})


def _sign(way: Callable[[Asked], str]) -> Callable[[Asked], Asked]:
    return lambda request: replace(request, sign=way)


_PARAMETER = ("invalid_request", "invalid_client")
_ELSEWHERE = "https://elsewhere.example/token"

SIGNATURES: tuple[Wrong, ...] = (
    Wrong("is not signed", _sign(_unsigned)),
    Wrong("is signed by a key that nobody registered", _strange),
    Wrong("is signed by a key that it brings along", _bringing),
    Wrong("is signed with the public key for a secret", _sign(_confused)),
    Wrong("says something else than was signed", _sign(_tampered)),
    Wrong("has run out", _claim(iat=lambda at: at - 4000, exp=lambda at: at - 3600)),
    Wrong("is good for a day", _claim(exp=lambda at: at + 86400), must=False),
    Wrong("is meant for another server", _claim(aud=_ELSEWHERE)),
    Wrong("is issued by another client", _claim(iss="nobody-registered-this", sub="nobody-registered-this")),
    Wrong("is about another client than its issuer", _claim(sub="nobody-registered-this")),
    Wrong("has another issuer than it is about", _claim(iss="nobody-registered-this")),
)
"""Assertions that must not be believed."""
CLAIMS: tuple[Wrong, ...] = tuple(
    Wrong(f"has no {name}", _claim(**{name: None})) for name in ("iss", "sub", "aud", "exp", "jti")
)
"""Assertions that leave a claim out."""
PARAMETERS: tuple[Wrong, ...] = (
    Wrong("has no grant_type", _form(grant_type=""), ("invalid_request", "unsupported_grant_type")),
    Wrong("has another grant_type", _form(grant_type="authorization_code_of_ours"), ("unsupported_grant_type",)),
    Wrong("has no client_assertion_type", _form(client_assertion_type=""), _PARAMETER),
    Wrong("has another client_assertion_type", _form(client_assertion_type=f"{ASSERTION}-of-ours"), _PARAMETER),
    Wrong("has no client_assertion", _form(client_assertion=""), _PARAMETER),
    Wrong(
        "has an assertion that is none", _form(client_assertion="this-is-no-assertion"), (*_PARAMETER, "invalid_grant")
    ),
)
"""Requests with a parameter missing or wrong."""
SCOPES: tuple[Wrong, ...] = (
    Wrong("asks for a scope that nobody knows", _form(scope="system/NoSuchType.rs"), ("invalid_scope",)),
    Wrong("asks for no scope", _form(scope=""), ("invalid_scope", "invalid_request"), must=False),
)
"""Requests for scopes that are not there."""
EVERY: Mapping[str, Wrong] = {each.name: each for each in (*SIGNATURES, *CLAIMS, *PARAMETERS, *SCOPES)}
"""All of them, by name."""
