"""The keys of SMART Backend Services: a client's key pair, and its signed assertions checked."""

from __future__ import annotations

import base64
import binascii
import json
import time
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, RSAKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

Algorithm = Literal["RS384", "ES384"]
ALGORITHMS: tuple[Algorithm, ...] = ("RS384", "ES384")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300
"""Seconds an assertion may be good for."""


class BadAssertion(ValueError):  # noqa: N818 - it is the assertion that is bad
    """What is wrong with it, for the error_description."""


@cache
def key(algorithm: Algorithm, owner: str = "reference") -> RSAKey | ECKey:
    """A key pair of its own for each process and owner: making one takes longer than a test."""
    parameters: KeyParameters = {"use": "sig", "alg": algorithm, "kid": f"{owner}-{algorithm.lower()}"}
    if algorithm == "ES384":
        return ECKey.generate_key("P-384", parameters, private=True)
    return RSAKey.generate_key(2048, parameters, private=True)


class Assertions:
    """Judges what registered clients sign; each assertion is good once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}
        self._lock = Lock()

    def check(
        self,
        assertion: str,
        *,
        client_id: str,
        keys: Callable[[Mapping[str, Any]], Iterable[RSAKey | ECKey]],
        audience: str,
        lenient: Collection[str] = (),
    ) -> None:
        """BadAssertion unless it is the client's, for `audience`, in time, new, and signed by one of its `keys`.

        Let pass are those of `lenient`: signature, algorithm, issuer, audience, time, replay.
        """
        header = _part(assertion, 0)
        known = header.get("alg") in ALGORITHMS
        if not known and "algorithm" not in lenient:
            raise BadAssertion(f"alg of the client_assertion is one of {', '.join(ALGORITHMS)}.")
        unread = not known or "signature" in lenient
        claims = _part(assertion, 1) if unread else _verified(assertion, keys(header))
        if "issuer" not in lenient and (claims.get("iss") != client_id or claims.get("sub") != client_id):
            raise BadAssertion("iss and sub of the client_assertion are both the client id.")
        aud = claims.get("aud")
        if "audience" not in lenient and audience not in (aud if isinstance(aud, list) else [aud]):
            raise BadAssertion("aud of the client_assertion is the address of the token endpoint.")
        expires = claims.get("exp")
        if "time" not in lenient:
            self._check_time(expires)
        if "replay" not in lenient:
            until = float(expires) if isinstance(expires, (int, float)) else time.time() + LONGEST
            self._check_new(client_id, claims.get("jti"), until)

    @staticmethod
    def _check_time(expires: object) -> None:
        if isinstance(expires, bool) or not isinstance(expires, (int, float)):
            raise BadAssertion("exp of the client_assertion is a number of seconds.")
        now = time.time()
        if not now < expires <= now + LONGEST + 5:
            raise BadAssertion(f"exp of the client_assertion lies ahead, by {LONGEST} s at most.")

    def _check_new(self, client_id: str, jti: object, expires: float) -> None:
        if not isinstance(jti, str) or not jti:
            raise BadAssertion("jti of the client_assertion is a text of its own.")
        with self._lock:
            now = time.time()
            self._seen = {one: until for one, until in self._seen.items() if until > now}
            if (client_id, jti) in self._seen:
                raise BadAssertion("jti of the client_assertion was used before.")
            self._seen[client_id, jti] = expires


def claims(assertion: str) -> dict[str, Any]:
    """Every claim, not verified; BadAssertion if it is no JSON Web Token."""
    return _part(assertion, 1)


def claimed(assertion: str, name: str) -> str:
    """The text of a claim, not verified; BadAssertion if it is no JSON Web Token."""
    value = _part(assertion, 1).get(name)
    return value if isinstance(value, str) else ""


def _verified(assertion: str, keys: Iterable[RSAKey | ECKey]) -> dict[str, Any]:
    for one in keys:
        try:
            return dict(jwt.decode(assertion, one, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, RecursionError):
            continue
    raise BadAssertion("The signature of the client_assertion is not that of a registered key.")


def _part(assertion: str, place: int) -> dict[str, Any]:
    try:
        body = assertion.split(".")[place]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError) as error:
        raise BadAssertion("The client_assertion is no JSON Web Token.") from error
    if not isinstance(found, dict):
        raise BadAssertion("The client_assertion is no JSON Web Token.")
    return found
