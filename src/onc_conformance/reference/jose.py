"""The keys of SMART Backend Services: a client's key pair, and its signed assertions checked."""

from __future__ import annotations

import base64
import binascii
import json
import time
from functools import cache
from threading import Lock
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, RSAKey

Algorithm = Literal["RS384", "ES384"]
ALGORITHMS: tuple[Algorithm, ...] = ("RS384", "ES384")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300
"""Seconds an assertion may be good for."""


class BadAssertion(ValueError):  # noqa: N818 - it is the assertion that is bad
    """What is wrong with it, for the error_description."""


@cache
def key(algorithm: Algorithm) -> RSAKey | ECKey:
    """A key pair of its own for each process: making one takes longer than a test."""
    parameters: KeyParameters = {"use": "sig", "alg": algorithm, "kid": f"reference-{algorithm.lower()}"}
    if algorithm == "ES384":
        return ECKey.generate_key("P-384", parameters, private=True)
    return RSAKey.generate_key(2048, parameters, private=True)


class Assertions:
    """What one registered client may sign; each assertion is good once."""

    def __init__(self, client_id: str, algorithm: Algorithm) -> None:
        self._client_id = client_id
        self._algorithm = algorithm
        self._seen: dict[str, float] = {}
        self._lock = Lock()

    def check(self, assertion: str, audience: str, *, signature: bool = True) -> None:
        """BadAssertion unless it is the client's, for `audience`, in time and new; `signature` may be let pass."""
        try:
            token = jwt.decode(assertion, key(self._algorithm), algorithms=[self._algorithm])
            claims = token.claims
        except (JoseError, ValueError) as error:
            if signature:
                raise BadAssertion(
                    "The signature of the client_assertion is not that of the registered key."
                ) from error
            claims = _unverified(assertion)
        if claims.get("iss") != self._client_id or claims.get("sub") != self._client_id:
            raise BadAssertion("iss and sub of the client_assertion are both the client id.")
        aud = claims.get("aud")
        if audience not in (aud if isinstance(aud, list) else [aud]):
            raise BadAssertion("aud of the client_assertion is the address of the token endpoint.")
        self._check_time(claims.get("exp"))
        self._check_new(claims.get("jti"), float(claims["exp"]))

    @staticmethod
    def _check_time(expires: object) -> None:
        if isinstance(expires, bool) or not isinstance(expires, (int, float)):
            raise BadAssertion("exp of the client_assertion is a number of seconds.")
        now = time.time()
        if not now < expires <= now + LONGEST + 5:
            raise BadAssertion(f"exp of the client_assertion lies ahead, by {LONGEST} s at most.")

    def _check_new(self, jti: object, expires: float) -> None:
        if not isinstance(jti, str) or not jti:
            raise BadAssertion("jti of the client_assertion is a text of its own.")
        with self._lock:
            now = time.time()
            self._seen = {one: until for one, until in self._seen.items() if until > now}
            if jti in self._seen:
                raise BadAssertion("jti of the client_assertion was used before.")
            self._seen[jti] = expires


def _unverified(assertion: str) -> dict[str, Any]:
    try:
        body = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error) as error:
        raise BadAssertion("The client_assertion is no JSON Web Token.") from error
    if not isinstance(claims, dict):
        raise BadAssertion("The client_assertion is no JSON Web Token.")
    return claims
