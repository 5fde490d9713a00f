"""Signing a request with a shared key: the string that is signed, and its HMAC."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HASHES = ("sha256", "sha384", "sha512", "sha1")


def signing_string(parts: Iterable[tuple[str, str]], join: str) -> str:
    """`name: value` for each part, joined; nothing after the last (draft-cavage-http-signatures, 2.3)."""
    return join.join(f"{name}: {value}" for name, value in parts)


def hmac_signature(key: str, text: str, *, hash_name: str, out: str) -> str:
    """The HMAC of `text` under the bytes of `key`, written as `out`: base64, base64url or hex."""
    digest = hmac.new(key.encode(), text.encode(), getattr(hashlib, hash_name)).digest()
    if out == "hex":
        return digest.hex()
    return (base64.urlsafe_b64encode if out == "base64url" else base64.b64encode)(digest).decode()
