"""EHR Your Way's request signatures: an Authorization header with an HMAC over seven named parts of the request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("(request-target)", "host", "date", "digest", "content-length", "nonce", "x-authorization-timestamp")
"""What is signed, in this order."""
_PARAMETER = re.compile(r'\s*([A-Za-z]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
_INDIA = 19800


class BadSignature(ValueError):  # noqa: N818 - what is bad is the signature
    """The request is not signed as it has to be; the message says what to change."""


def parameters(authorization: str) -> dict[str, str]:
    """The parameters of a `Signature` header, in whatever order they came."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.casefold() != "signature":
        raise BadSignature("The Authorization header is missing or its scheme is not Signature.")
    found: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if not match or match.group(1) in found:
            raise BadSignature('The Authorization header is not a list of different name="value" parameters.')
        found[match.group(1)] = match.group(2)
        at = match.end()
    for name in ("keyId", "accessToken", "nonce", "headers", "signature"):
        if name not in found:
            raise BadSignature(f"The Authorization header lacks the parameter {name}.")
    if found.get("algorithm", "hmac-sha256") != "hmac-sha256":
        raise BadSignature("The algorithm is not hmac-sha256.")
    if found["headers"] != " ".join(PARTS):
        raise BadSignature(f'The parameter headers is not "{" ".join(PARTS)}".')
    return found


def digest(body: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(body).hexdigest()


def signing_string(path: str, headers: Mapping[str, str], body: bytes, nonce: str) -> str:
    """The seven lines of a POST to `path`; `headers` has lower-case names, absent ones count as empty."""
    values = {
        "(request-target)": f"post {path}",
        "digest": digest(body),
        "content-length": str(len(body)),
        "nonce": nonce,
    }
    return "\n".join(f"{name}: {values.get(name) or headers.get(name, '')}" for name in PARTS)


def signature(password: str, text: str) -> str:
    """Base64 of the HMAC-SHA256, whose key is the hexadecimal SHA-256 of the password as ASCII."""
    return _hmac(digest(password.encode()).encode(), text)


def _hmac(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def verify(sent: Mapping[str, str], password: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
    """BadSignature, with a hint where a usual mistake explains it, unless the request is signed with `password`."""
    if headers.get("digest", "") != digest(body):
        raise BadSignature("The digest header is not the lower-case hexadecimal SHA-256 of the body.")
    text = signing_string(path, headers, body, sent["nonce"])
    given = sent["signature"]
    if hmac.compare_digest(given.encode(), signature(password, text).encode()):
        return
    hashed = hashlib.sha256(password.encode())
    variants = {
        "the upper-case hexadecimal SHA-256 of the password": hashed.hexdigest().upper().encode(),
        "the bytes of the SHA-256 of the password": hashed.digest(),
        "the password itself": password.encode(),
    }
    for name, key in variants.items():
        if hmac.compare_digest(given.encode(), _hmac(key, text).encode()):
            raise BadSignature(
                f"The signature was made with {name} as the key; use the lower-case hexadecimal SHA-256 as ASCII."
            )
    raise BadSignature("The signature does not match the request.")


class Freshness:
    """Timestamps near enough to now, and nonces not seen before. Safe between threads."""

    def __init__(self, skew: float, *, local: bool) -> None:
        self._skew = skew
        self._local = local
        self._seen: dict[str, float] = {}
        self._lock = Lock()

    def check_time(self, headers: Mapping[str, str]) -> None:
        """BadSignature unless the request was made just now."""
        try:
            stamp = int(headers.get("x-authorization-timestamp", ""))
        except ValueError:
            raise BadSignature("The header X-Authorization-Timestamp is not Unix time in seconds.") from None
        ahead = stamp - time.time()
        if min(abs(ahead), abs(ahead - _INDIA) if self._local else abs(ahead)) > self._skew:
            raise BadSignature(f"The timestamp is {ahead:+.0f} s from the server's clock.")
        try:
            parsedate_to_datetime(headers.get("date", ""))
        except ValueError:
            raise BadSignature("The Date header is missing or not an HTTP date.") from None

    def check_nonce(self, nonce: str, headers: Mapping[str, str]) -> None:
        """BadSignature unless this nonce comes for the first time; a nonce header must repeat it."""
        if not nonce or headers.get("nonce", nonce) != nonce:
            raise BadSignature("The nonce is empty, or the header nonce differs from the parameter.")
        now = time.time()
        with self._lock:
            # As long as a timestamp could be accepted a second time, its nonce has to be remembered.
            keep = now - 2 * self._skew - (_INDIA if self._local else 0)
            self._seen = {seen: at for seen, at in self._seen.items() if at > keep}
            if nonce in self._seen:
                raise BadSignature("The nonce was used before.")
            self._seen[nonce] = now
