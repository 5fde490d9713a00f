"""A client that proves itself with a key: the signed assertion of SMART backend services and RFC 7523."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}
"""The algorithms of SMART App Launch 2, and the type of key each takes."""
LIFETIME_S = 240
"""Servers refuse assertions that live longer than five minutes."""

Key = RSAKey | ECKey


class KeyFileError(ValueError):
    """A key that cannot be used. One line."""


def read_key(path: str, algorithm: str) -> Key:
    """The private key for an algorithm out of a JWK file, or out of a JWK set; KeyFileError if there is none."""
    file = Path(path).expanduser()
    try:
        return _key(file, file.read_bytes(), algorithm)
    except OSError as problem:
        raise KeyFileError(f"{file}: {problem.strerror or 'cannot be read'}; expected a JWK file") from None


@lru_cache(maxsize=8)
def _key(file: Path, text: bytes, algorithm: str) -> Key:
    """Checking an RSA key takes longer than most requests, and every login needs one."""
    kind = ALGORITHMS[algorithm]
    try:
        value = json.loads(text)
    except ValueError:
        raise KeyFileError(f"{file}: not JSON; expected a JWK file") from None
    keys = value.get("keys", [value]) if isinstance(value, dict) else []
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, dict) and key.get("kty") == kind and "d" in key and key.get("crv", "P-384") == "P-384":
            try:
                return RSAKey.import_key(key) if kind == "RSA" else ECKey.import_key(key)
            except (JoseError, ValueError, TypeError) as problem:
                raise KeyFileError(f"{file}: not a usable JWK: {problem}") from None
    wanted = "a private RSA key" if kind == "RSA" else "a private EC key on P-384"
    raise KeyFileError(f"{file}: holds no key for {algorithm}; expected {wanted}")


def client_assertion(key: Key, algorithm: str, *, client_id: str, audience: str, now: int, jti: str) -> str:
    """The assertion of a client about itself, good for LIFETIME_S seconds; `now` is Unix time, `jti` never repeats."""
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key.kid} if key.kid else {})
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + LIFETIME_S, "jti": jti}
    return jwt.encode(header, claims, key, algorithms=[algorithm])
