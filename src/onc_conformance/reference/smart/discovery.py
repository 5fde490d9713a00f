"""The SMART configuration: where the endpoints are and what the server can do."""

from __future__ import annotations

from typing import Any

from onc_conformance.reference import jose
from onc_conformance.reference.fhir.catalog import kinds
from onc_conformance.reference.smart import clients
from onc_conformance.reference.smart import faults as misdone
from onc_conformance.reference.smart.scopes import LASTING, LEVELS, OF_LAUNCH

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)


def scopes() -> list[str]:
    """Those that can be asked for, but for the granular ones."""
    types = ("*", *kinds())
    of_resources = [f"{level}/{kind}.{right}" for level in LEVELS for right in ("rs", "read") for kind in types]
    return [*OF_LAUNCH, *LASTING, *of_resources]


def configuration(issuer: str, faults: frozenset[str]) -> dict[str, Any]:
    """What SMART App Launch 2.2 wants published below a FHIR server's base address."""
    published = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks",
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "management_endpoint": f"{issuer}/manage",
        "token_endpoint_auth_methods_supported": list(clients.METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(jose.ALGORITHMS),
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": scopes(),
        "capabilities": list(CAPABILITIES),
    }
    return misdone.through(misdone.CONFIGURED, published, faults)
