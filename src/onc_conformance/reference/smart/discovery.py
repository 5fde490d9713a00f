"""The SMART configuration: where the endpoints are and what the server can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onc_conformance.reference import jose
from onc_conformance.reference.fhir.catalog import kinds
from onc_conformance.reference.smart import clients
from onc_conformance.reference.smart import faults as misdone
from onc_conformance.reference.smart.scopes import LASTING, LEVELS, OF_LAUNCH

if TYPE_CHECKING:
    from onc_conformance.reference.settings import Settings

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-user",
)
SINCE_2 = (
    "authorize-post",
    "client-confidential-asymmetric",
    "permission-online",
    "permission-v1",
    "permission-v2",
)
"""Further capabilities of SMART App Launch 2."""


def scopes(settings: Settings) -> list[str]:
    """Those that can be asked for, but for the granular ones."""
    types = ("*", *kinds(settings.us_core))
    rights = ("read",) if settings.smart == "1.0.0" else ("rs", "read")
    of_resources = [f"{level}/{kind}.{right}" for level in LEVELS for right in rights for kind in types]
    return [*OF_LAUNCH, *LASTING, *of_resources]


def configuration(issuer: str, settings: Settings, faults: frozenset[str]) -> dict[str, Any]:
    """What SMART App Launch wants published below a FHIR server's base address."""
    published: dict[str, Any] = {
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "management_endpoint": f"{issuer}/manage",
        "token_endpoint_auth_methods_supported": list(clients.METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(jose.ALGORITHMS),
        "response_types_supported": ["code"],
        "scopes_supported": scopes(settings),
        "capabilities": list(CAPABILITIES),
    }
    if settings.smart != "1.0.0":
        published |= {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/jwks",
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [*CAPABILITIES, *SINCE_2],
        }
    return misdone.through(misdone.CONFIGURED, published, faults)
