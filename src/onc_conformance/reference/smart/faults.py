"""What the authorization server can be told to do wrong with what it says: each id names one small change.

What it does not check, it looks for itself; so does what stands in `enforcing`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Content = dict[str, Any]


def through(table: Mapping[str, Callable[[Content], Content]], content: Content, faults: Collection[str]) -> Content:
    """The content, changed by each fault of the table that is told of."""
    for fault, change in table.items():
        if fault in faults:
            content = change(content)
    return content


def _less(*names: str) -> Callable[[Content], Content]:
    return lambda content: {name: value for name, value in content.items() if name not in names}


def _with(**more: Any) -> Callable[[Content], Content]:
    return lambda content: {**content, **more}


def _if_there(name: str, change: Callable[[Any], Any]) -> Callable[[Content], Content]:
    return lambda content: {**content, name: change(content[name])} if name in content else content


def _listed_less(name: str, *gone: str) -> Callable[[Content], Content]:
    return _if_there(name, lambda listed: [one for one in listed if one not in gone])


CLAIMS: dict[str, Callable[[Content], Content]] = {
    "smart-id-token-issuer-wrong": _if_there("iss", lambda issuer: f"{issuer}/elsewhere"),
    "smart-id-token-audience-wrong": _with(aud="another-app"),
    "smart-id-token-nonce-wrong": _with(nonce="n-0S6_WzA2Mj"),
    "smart-id-token-expired": lambda claims: {**claims, "exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200},
    "smart-id-token-subject-missing": _less("sub"),
    "smart-id-token-of-another-party": _with(azp="another-app"),
    "smart-id-token-not-yet-good": lambda claims: {**claims, "nbf": int(time.time()) + 3600},
    "smart-fhir-user-missing": _less("fhirUser"),
    "smart-fhir-user-unresolvable": _if_there("fhirUser", lambda address: f"{address}0"),
}
"""Of id_tokens."""
KEYS: dict[str, Callable[[Content], Content]] = {
    "smart-jwks-empty": _with(keys=[]),
    "smart-jwks-without-modulus": lambda content: {"keys": [_less("n")(key) for key in content["keys"]]},
}
"""Of the JWK Set."""
OPENID: dict[str, Callable[[Content], Content]] = {
    "smart-openid-without-jwks": _less("jwks_uri"),
    "smart-openid-issuer-wrong": _if_there("issuer", lambda issuer: f"{issuer}/elsewhere"),
    "smart-openid-without-algorithms": _less("id_token_signing_alg_values_supported"),
}
"""Of the OpenID configuration."""
CONFIGURED: dict[str, Callable[[Content], Content]] = {
    "smart-configuration-without-token": _less("token_endpoint"),
    "smart-configuration-without-authorize": _less("authorization_endpoint"),
    "smart-configuration-without-issuer": _less("issuer"),
    "smart-configuration-without-jwks": _less("jwks_uri"),
    "smart-configuration-without-grants": _less("grant_types_supported"),
    "smart-configuration-without-challenges": _less("code_challenge_methods_supported"),
    "smart-configuration-with-plain": _with(code_challenge_methods_supported=["S256", "plain"]),
    "smart-configuration-without-capabilities": _less("capabilities"),
    "smart-capability-launch-missing": _listed_less("capabilities", "launch-ehr"),
    "smart-capability-post-missing": _listed_less("capabilities", "authorize-post"),
    "smart-capability-v2-missing": _listed_less("capabilities", "permission-v2"),
    "smart-capability-offline-missing": _listed_less("capabilities", "permission-offline"),
    "smart-capability-encounter-missing": _listed_less("capabilities", "context-ehr-encounter"),
    "smart-configuration-without-services": _listed_less("grant_types_supported", "client_credentials"),
    "smart-configuration-token-relative": _with(token_endpoint="/auth/token"),
}
"""Of the SMART configuration."""


def _another(issued: str) -> str:
    """An id that is well formed and nobody's."""
    return f"{issued}0"


ANSWERED: dict[str, Callable[[Content], Content]] = {
    "smart-expires-as-text": _if_there("expires_in", str),
    "smart-token-type-missing": _less("token_type"),
    "smart-token-type-wrong": _with(token_type="mac"),
    "smart-scope-missing": _less("scope"),
    "smart-access-token-missing": _less("access_token"),
    "smart-id-token-missing": _less("id_token"),
    "smart-refresh-token-missing": _less("refresh_token"),
    "smart-patient-missing": _less("patient"),
    "smart-patient-unknown": _if_there("patient", _another),
    "smart-encounter-missing": _less("encounter"),
    "smart-encounter-unknown": _if_there("encounter", _another),
    "smart-banner-missing": _less("need_patient_banner"),
    "smart-banner-as-text": _if_there("need_patient_banner", lambda told: str(told).lower()),
    "smart-style-missing": _less("smart_style_url"),
    "smart-style-dead": _if_there("smart_style_url", lambda address: f"{address}.old"),
}
"""Of the token endpoint, to an app with a user."""
REFRESHED: dict[str, Callable[[Content], Content]] = {
    "smart-refresh-expires-missing": _less("expires_in"),
    "smart-refresh-scope-missing": _less("scope"),
    "smart-refresh-patient-of-another": _if_there("patient", _another),
}
"""Of the token endpoint, to a refresh token."""
INTROSPECTED: dict[str, Callable[[Content], Content]] = {
    "smart-introspection-scope-missing": _less("scope"),
    "smart-introspection-client-missing": _less("client_id"),
    "smart-introspection-expiry-missing": _less("exp"),
    "smart-introspection-patient-missing": _less("patient"),
    "smart-introspection-of-another-user": _if_there("sub", _another),
    "smart-introspection-active-as-text": _if_there("active", lambda told: str(told).lower()),
}
"""Of introspection, about a token that is good."""
