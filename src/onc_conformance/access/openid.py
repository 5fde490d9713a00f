"""An id_token and the keys it is signed with (OpenID Connect Core 3.1.3.7, RFC 7517): read, verified, complained of."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
"""What every provider signs with where nothing else was agreed on (OpenID Connect Core 3.1.3.7)."""
LEEWAY_S = 60
"""Seconds by which clocks may differ."""
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a key set or a token."""

    id: str
    """A stable name of what was looked at: alg, kid, signature, or the name of a claim."""
    message: str
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class IdToken:
    """An id_token taken apart; nothing is believed yet."""

    text: str = field(repr=False)
    header: dict[str, Any]
    claims: dict[str, Any]
    trouble: str | None = None
    """Why it cannot be taken apart."""


def take_apart(text: str) -> IdToken:
    """The header and claims of a compact JWS."""
    parts = text.split(".")
    if len(parts) != 3:
        return IdToken(text, {}, {}, f"it has {len(parts)} parts; a signed token has three")
    try:
        header, claims = (json.loads(_decoded(part)) for part in parts[:2])
    except (ValueError, RecursionError):
        return IdToken(text, {}, {}, "its parts are no JSON in base64url")
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return IdToken(text, {}, {}, "its header and claims are no JSON objects")
    return IdToken(text, header, claims)


def keys_of(document: dict[str, Any]) -> tuple[list[RSAKey], list[Complaint]]:
    """The keys of a JWKS that an id_token can be verified with, and what is wrong with the set."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        return [], [Complaint("keys", "the key set has no list of keys", "keys", ", ".join(document) or "nothing")]
    keys: list[RSAKey] = []
    complaints: list[Complaint] = []
    for number, key in enumerate(listed, 1):
        if not isinstance(key, dict):
            complaints.append(Complaint("keys", f"key {number} of the set is no JSON object"))
        elif private := [name for name in _PRIVATE if name in key]:
            complaints.append(
                Complaint("private", f"key {number} of the set is published with its private part", "public keys alone",
                          ", ".join(private))
            )  # fmt: skip
        elif key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and key.get("alg", ALGORITHM) == ALGORITHM:
            try:
                keys.append(RSAKey.import_key(key))
            except (JoseError, ValueError, TypeError) as problem:
                complaints.append(Complaint("keys", f"key {number} of the set cannot be used: {problem}"))
    if not keys:
        kinds = ", ".join(str(each.get("kty")) for each in listed if isinstance(each, dict)) or "no key"
        complaints.append(Complaint("keys", f"the key set has no key for {ALGORITHM}", "a public RSA key", kinds))
    return keys, complaints


def signed_badly(token: IdToken, keys: list[RSAKey]) -> Iterator[Complaint]:
    """What is wrong with the signature of an id_token."""
    algorithm = token.header.get("alg")
    if algorithm != ALGORITHM:
        yield Complaint("alg", "the id_token is not signed as it must be", ALGORITHM, str(algorithm))
        return
    named = token.header.get("kid")
    kids = [key.kid for key in keys]
    fitting = [key for key in keys if named is None or key.kid == named]
    if not fitting:
        yield Complaint(
            "kid", "the key that signed the id_token is not published", str(named), ", ".join(map(str, kids))
        )
        return
    if len(keys) > 1 and named is None:
        yield Complaint("kid", "the id_token does not say which of several keys signed it", "kid in its header")
    if not any(_verifies(token.text, key) for key in fitting):
        yield Complaint("signature", "the signature of the id_token does not fit the published key")


def claimed_badly(
    token: IdToken, *, issuer: str, client: str, nonce: str, now: int, leeway: int = LEEWAY_S
) -> Iterator[Complaint]:
    """What is wrong with the claims of an id_token; `now` is Unix time, an empty `issuer` is not compared."""
    claims = token.claims
    if issuer and claims.get("iss") != issuer:
        yield Complaint("iss", "the id_token names another issuer", issuer, str(claims.get("iss")))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client not in audiences:
        yield Complaint("aud", "the id_token is for somebody else", client, ", ".join(map(str, audiences)))
    elif len(audiences) > 1 and claims.get("azp") != client:
        yield Complaint("azp", "the id_token is for several, and does not say for whom it was made", client,
                        str(claims.get("azp")))  # fmt: skip
    elif claims.get("azp", client) != client:
        yield Complaint("azp", "the id_token was made for another party", client, str(claims["azp"]))
    yield from _timed_badly(claims, now, leeway)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        yield Complaint("sub", "the id_token names no subject", "a text of up to 255 characters", str(subject))
    if nonce and claims.get("nonce") != nonce:
        yield Complaint("nonce", "the id_token was not made for this launch", "the nonce of the request",
                        "another" if claims.get("nonce") else "none")  # fmt: skip


def _timed_badly(claims: dict[str, Any], now: int, leeway: int) -> Iterator[Complaint]:
    expires, issued = _moment(claims.get("exp")), _moment(claims.get("iat"))
    if expires is None:
        yield Complaint("exp", "the id_token does not say until when it is good", "seconds since 1970",
                        str(claims.get("exp")))  # fmt: skip
    elif expires <= now - leeway:
        yield Complaint("exp", f"the id_token ran out {now - expires:.0f} s ago; compare the clocks", f"after {now}",
                        f"{expires:.0f}")  # fmt: skip
    starts = _moment(claims.get("nbf"))
    if starts is not None and starts > now + leeway:
        yield Complaint("nbf", f"the id_token is not good for another {starts - now:.0f} s; compare the clocks",
                        f"up to {now}", f"{starts:.0f}")  # fmt: skip
    if issued is None:
        yield Complaint("iat", "the id_token does not say when it was made", "seconds since 1970",
                        str(claims.get("iat")))  # fmt: skip
    elif issued > now + leeway:
        yield Complaint("iat", f"the id_token was made {issued - now:.0f} s from now; compare the clocks",
                        f"up to {now}", f"{issued:.0f}")  # fmt: skip


def _moment(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if number and 0 < value < 1e11 else None


def _verifies(text: str, key: RSAKey) -> bool:
    try:
        jws.deserialize_compact(text, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None
