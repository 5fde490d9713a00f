"""An app's public keys: as they were registered, or fetched from where the app publishes them."""

from __future__ import annotations

import json
import re
import ssl
import time
from http.client import HTTPException
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jwk import KeySet as JoseKeySet

from onc_conformance.reference.certificates import authority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Key = RSAKey | ECKey
_PATIENCE = 5.0
_LARGEST = 100_000
_PIECE = 8192
_LONGEST = 300.0
"""Seconds a fetched set is believed at most, however long its Cache-Control allows."""


class KeySetError(ValueError):
    """Why there are no keys, for the error_description."""


def read(text: str | bytes) -> list[Key]:
    """The RSA and EC keys of a JWK Set; KeySetError if it is none, or has none."""
    try:
        content = json.loads(text)
        listed: Sequence[Any] = content["keys"]
        keys = JoseKeySet.import_key_set({"keys": [one for one in listed if one.get("kty") in {"RSA", "EC"}]}).keys
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise KeySetError("This is no JWK Set.") from None
    found = [key for key in keys if isinstance(key, (RSAKey, ECKey))]
    if not found:
        raise KeySetError("The JWK Set has neither an RSA nor an EC key.")
    return found


class KeySet:
    """The keys by value, or at an address that is asked as often as its Cache-Control wants."""

    def __init__(
        self,
        keys: Sequence[Key] = (),
        url: str = "",
        clock: Callable[[], float] = time.monotonic,
        faults: Collection[str] = (),
    ) -> None:
        self.url = "" if "bulk-keys-not-fetched" in faults else url
        self._hoards = "bulk-keys-kept" in faults
        self._led = "bulk-assertion-key-brought-along" in faults
        self._keys = list(keys)
        self._clock = clock
        self._until = float("-inf")
        self._lock = Lock()

    def matching(self, header: Mapping[str, Any]) -> list[Key]:
        """The keys a JWT with that header may be signed with; an unknown kid has them fetched anew."""
        if self._led and isinstance(header.get("jwk"), dict):
            return read(json.dumps({"keys": [header["jwk"]]}))
        if self.url and (self._clock() >= self._until or not _fitting(self._keys, header)):
            with self._lock:
                keys, life = _fetched(self.url)
                self._keys = [*self._keys, *keys] if self._hoards else keys
                self._until = self._clock() + life
        return _fitting(self._keys, header)


def _fitting(keys: Sequence[Key], header: Mapping[str, Any]) -> list[Key]:
    kid, kind = header.get("kid"), "EC" if str(header.get("alg", "")).startswith("ES") else "RSA"
    return [key for key in keys if key.key_type == kind and kid in {None, key.kid}]


def _fetched(url: str) -> tuple[list[Key], float]:
    """The keys there, and for how many seconds they may be kept.

    By TLS those are believed whom this machine trusts, or the authority of this server vouches for.
    """
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(cadata=authority().pem.decode())
    asked = Request(url, headers={"Accept": "application/json"})
    try:
        with urlopen(asked, timeout=_PATIENCE, context=trusted) as answer:
            body, until = b"", time.monotonic() + _PATIENCE
            while len(body) <= _LARGEST and time.monotonic() < until:
                if not (piece := answer.read1(_PIECE)):
                    break
                body += piece
            status, told = answer.status, answer.headers.get("Cache-Control", "").casefold()
    except HTTPError as error:
        status, told, body = error.code, "", b""
    except (HTTPException, OSError, ValueError) as error:
        raise KeySetError(f"The JWK Set cannot be fetched: {type(error).__name__}.") from None
    if status != 200 or len(body) > _LARGEST:
        raise KeySetError(f"The JWK Set cannot be fetched: HTTP {status}, {len(body)} bytes.")
    age = re.search(r"max-age=(\d{1,9})", told)
    lasting = float(age[1]) if age and not {"no-cache", "no-store"} & set(re.split(r"[\s,]+", told)) else 0.0
    return read(body), min(lasting, _LONGEST)
