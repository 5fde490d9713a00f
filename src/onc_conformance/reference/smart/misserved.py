"""What the token endpoint can be told to do wrong with backend services, and with no other client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from flask import Response

    from onc_conformance.reference.smart.apps import App

SERVICES = frozenset({"reference-bulk-client", "reference-keyed-client"})
"""Those it is done wrong with: the client of `$docref` is none of them."""
_LENIENT = {
    "bulk-assertion-signature-unchecked": "signature",
    "bulk-assertion-algorithm-unchecked": "algorithm",
    "bulk-assertion-issuer-unchecked": "issuer",
    "bulk-assertion-audience-unchecked": "audience",
    "bulk-assertion-expired-accepted": "time",
    "bulk-assertion-replay-accepted": "replay",
    "bulk-unknown-client-accepted": "issuer",
}
_CLAIMS = {"bulk-assertion-without-expiry-accepted": "exp", "bulk-assertion-without-jti-accepted": "jti"}


def _less(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {key: value for key, value in answer.items() if key != name}


_TOLD: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "bulk-token-without-expiry": _less("expires_in"),
    "bulk-token-without-type": _less("token_type"),
    "bulk-token-without-scope": _less("scope"),
}


def lenient(app: App, claims: Mapping[str, Any], faults: Collection[str]) -> set[str]:
    """The checks of an assertion that a backend service is let off."""
    if app.id not in SERVICES:
        return set()
    found = {check for fault, check in _LENIENT.items() if fault in faults}
    missing = {claim for fault, claim in _CLAIMS.items() if fault in faults and claim not in claims}
    return found | ({"time"} if "exp" in missing else set()) | ({"replay"} if "jti" in missing else set())


def stranger(faults: Collection[str]) -> str:
    """The id of the client that one nobody registered is taken for; empty for none."""
    return min(SERVICES) if "bulk-unknown-client-accepted" in faults else ""


def asked(form: Mapping[str, str], faults: Collection[str]) -> Mapping[str, str]:
    """A token request as it is acted upon."""
    service = form.get("grant_type") not in {"authorization_code", "refresh_token"} and "client_assertion" in form
    if service and "bulk-grant-type-ignored" in faults:
        form = {**form, "grant_type": "client_credentials"}
    if service and "bulk-assertion-type-ignored" in faults:
        form = {**form, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    return form


def unlimited(scopes: tuple[str, ...], faults: Collection[str]) -> bool:
    """Whether these scopes are granted whatever was registered."""
    known = all("NoSuchType" not in scope for scope in scopes)
    return "bulk-any-scope-granted" in faults if not known else "bulk-scope-beyond-granted" in faults and bool(scopes)


def told(answer: dict[str, Any], faults: Collection[str]) -> dict[str, Any]:
    """The answer with a token."""
    for fault, change in _TOLD.items():
        if fault in faults:
            answer = change(answer)
    return answer


def sent(response: Response, faults: Collection[str]) -> Response:
    """An answer on its way."""
    if request.form.get("grant_type") in {"authorization_code", "refresh_token"}:
        return response
    if response.status_code == 200:
        if "bulk-token-cacheable" in faults:
            response.headers["Cache-Control"] = "max-age=3600"
        return response
    content = json.loads(response.get_data())
    proved = content.get("error") != "invalid_client"
    if "bulk-error-unfitting" in faults and proved:
        response.set_data(json.dumps(content | {"error": "server_error"}))
    if "bulk-invalid-client-unsaid" in faults and not proved:
        response.set_data(json.dumps(content | {"error": "access_denied"}))
    return response
