"""OpenID Connect: the server's key, what is published of it, and the id_tokens signed with it."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from onc_conformance.reference.smart import faults as misdone

if TYPE_CHECKING:
    from onc_conformance.reference.smart.approvals import Approval

LIFE = 300
"""Seconds an id_token is good for."""
_ALGORITHM = "RS256"


@cache
def _key(name: str = "reference-ehr") -> RSAKey:
    """One for each process: making it takes longer than a test."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": _ALGORITHM, "kid": name}, private=True)


class Identity:
    """Says who is logged in."""

    def __init__(self, faults: frozenset[str]) -> None:
        self._faults = faults

    def key_set(self) -> dict[str, Any]:
        """The public half of the key, as a JWK Set."""
        return misdone.through(misdone.KEYS, {"keys": [_key().as_dict(private=False)]}, self._faults)

    def configuration(self, issuer: str) -> dict[str, Any]:
        """What OpenID Connect Discovery 1.0 wants published at the issuer's address."""
        published = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
            "scopes_supported": ["openid", "fhirUser", "profile"],
            "claims_supported": ["sub", "iss", "fhirUser", "profile"],
            "code_challenge_methods_supported": ["S256"],
        }
        return misdone.through(misdone.OPENID, published, self._faults)

    def token(self, approval: Approval, issuer: str, base: str) -> str:
        """The id_token of an approval with a user; `base` is the FHIR server's address."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": approval.user.subject if approval.user else "",
            "aud": approval.app.id,
            "iat": now,
            "exp": now + LIFE,
        }
        if approval.nonce:
            claims["nonce"] = approval.nonce
        if approval.user and {"fhirUser", "profile"} & set(approval.scopes):
            claims["fhirUser"] = f"{base}/{approval.user.resource}"
        claims = misdone.through(misdone.CLAIMS, claims, self._faults)
        if "smart-id-token-unsigned" in self._faults:
            return ".".join((_packed({"alg": "none", "typ": "JWT"}), _packed(claims), ""))
        foreign = "smart-id-token-foreign-key" in self._faults
        key = _key("reference-ehr-forger") if foreign else _key()
        return jwt.encode({"alg": _ALGORITHM, "typ": "JWT", "kid": _key().kid}, claims, key)


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
