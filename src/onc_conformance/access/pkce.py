"""Proof Key for Code Exchange (RFC 7636): a secret that only the app that asked for a code has."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pkce:
    """A verifier, and the challenge that is made of it."""

    verifier: str

    @classmethod
    def fresh(cls) -> Pkce:
        """A new one, of 64 characters."""
        return cls(secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """The challenge by S256 (RFC 7636, 4.2)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
