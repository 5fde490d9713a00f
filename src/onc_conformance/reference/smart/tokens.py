"""The token endpoint: codes, refresh tokens and signed assertions for access tokens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import Response

from onc_conformance.reference.fhir.access import Grant
from onc_conformance.reference.fhir.answers import host
from onc_conformance.reference.fhir.catalog import kinds
from onc_conformance.reference.smart import faults as misdone
from onc_conformance.reference.smart import misserved
from onc_conformance.reference.smart.approvals import Approval
from onc_conformance.reference.smart.oauth import OAuthError, guarded, posted, told
from onc_conformance.reference.smart.scopes import beyond, offered
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.reference.fhir.access import Access
    from onc_conformance.reference.smart.apps import App
    from onc_conformance.reference.smart.clients import Clients
    from onc_conformance.reference.smart.codes import Codes
    from onc_conformance.reference.smart.identity import Identity

_OFFLINE = 180 * 86400.0
"""Seconds a refresh token may lie unused; each use begins them anew."""
_SHORT = 30 * 86400.0
_ONLINE = 1800.0


class RefreshTokens:
    """Good for months where access may be kept offline, else for as long as a login is."""

    def __init__(self, faults: frozenset[str]) -> None:
        self._faults = faults
        life = _SHORT if "smart-refresh-short" in faults else _OFFLINE
        self._offline: Tickets[Approval] = Tickets(life, lambda: secrets.token_urlsafe(32), sliding=True)
        self._online: Tickets[Approval] = Tickets(_ONLINE, lambda: secrets.token_urlsafe(32), sliding=True)
        self._last: Approval | None = None

    def issue(self, approval: Approval) -> str:
        """One for the approval; empty if its scopes ask for none."""
        self._last = approval
        if "offline_access" in approval.scopes:
            return self._offline.issue(approval)
        return self._online.issue(approval) if "online_access" in approval.scopes else ""

    def found(self, token: str) -> Approval | None:
        """What a good one stands for."""
        approval = self._offline.holder(token) or self._online.holder(token)
        return approval if approval and approval.stands else None

    def accepted(self, token: str) -> Approval | None:
        """What one that is used is taken to stand for."""
        approval = self._offline.holder(token) or self._online.holder(token)
        if approval is None:
            return self._last if "smart-refresh-invented-accepted" in self._faults else None
        return approval if approval.stands or "smart-revoked-app-refreshes" in self._faults else None

    def until(self, token: str) -> float:
        """Unix time at which a token that was found ends if it is not used."""
        return (self._offline if self._offline.holder(token) else self._online).until(token)

    def spend(self, token: str) -> None:
        """Make a token worth nothing."""
        for issued in (self._offline, self._online):
            issued.redeem(token)


class TokenEndpoint:
    """Answers POSTs, the same at each of its addresses."""

    def __init__(  # noqa: PLR0917 - what each kind of grant needs
        self,
        clients: Clients,
        codes: Codes,
        refresh: RefreshTokens,
        access: Access,
        identity: Identity,
        life: float,
        faults: frozenset[str],
    ) -> None:
        self._clients = clients
        self._codes = codes
        self._refresh = refresh
        self._access = access
        self._identity = identity
        self._life = life
        self._faults = faults

    def answer(self) -> Response:
        """An access token, or what is wrong with the request."""
        response = misserved.sent(guarded(self._answered), self._faults)
        if response.status_code == 200 and "smart-token-cacheable" in self._faults:
            response.headers["Cache-Control"] = "max-age=3600"
            del response.headers["Pragma"]
        if response.status_code == 200 and "smart-token-as-html" in self._faults:
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    def _answered(self) -> Response:
        form = misserved.asked(posted(), self._faults)
        grants = {
            "authorization_code": self._of_code,
            "refresh_token": self._of_refresh_token,
            "client_credentials": self._of_assertion,
        }
        kind = form.get("grant_type", "")
        if kind not in grants and "smart-grant-type-unchecked" in self._faults:
            kind = "authorization_code"
        if kind not in grants:
            raise OAuthError(
                "unsupported_grant_type" if kind else "invalid_request", f"grant_type is one of {', '.join(grants)}."
            )
        app = self._clients.proved(form)
        return told(grants[kind](app, form))

    # --- the grants

    def _of_code(self, app: App, form: Mapping[str, str]) -> dict[str, Any]:
        if not app.of_people:
            raise OAuthError("unauthorized_client", "This client has no users.")
        unsaid = "redirect_uri" not in form and "smart-code-without-address-accepted" not in self._faults
        if "code" not in form or unsaid:
            raise OAuthError("invalid_request", "code and redirect_uri are both needed.")
        approval = self._codes.redeem(form["code"], app, form.get("redirect_uri"), form.get("code_verifier"))
        answer = self._issued(approval, approval.scopes)
        if refresh := self._refresh.issue(approval):
            answer["refresh_token"] = refresh
        if "openid" in approval.scopes:
            answer["id_token"] = self._identity.token(approval, f"{host()}/auth", f"{host()}/fhir")
        return misdone.through(misdone.ANSWERED, answer, self._faults)

    def _of_refresh_token(self, app: App, form: Mapping[str, str]) -> dict[str, Any]:
        approval = self._refresh.accepted(form.get("refresh_token", ""))
        stranger = approval and approval.app is not app and "smart-refresh-of-another-app-accepted" not in self._faults
        if approval is None or stranger:
            raise OAuthError("invalid_grant", "The refresh token is unknown, over, or another client's.")
        asked = tuple(form.get("scope", "").split())
        if asked and "smart-refresh-widened" not in self._faults and (more := beyond(asked, approval.scopes)):
            raise OAuthError("invalid_scope", f"{more[0][:80]} goes beyond what was granted.")
        narrowed = asked and "smart-refresh-narrowing-ignored" not in self._faults
        answer = self._issued(approval, asked if narrowed else approval.scopes)
        if "smart-refresh-once" in self._faults:
            self._refresh.spend(form["refresh_token"])
        else:
            answer["refresh_token"] = form["refresh_token"]
        return misdone.through(misdone.REFRESHED, answer, self._faults)

    def _issued(self, approval: Approval, scopes: tuple[str, ...]) -> dict[str, Any]:
        user = approval.user
        own = user.patient if user else ""
        grant = Grant(
            scopes, approval.patient or own or None, approval, confined=bool(own), user=user.resource if user else ""
        )
        return {**self._token(grant), **approval.context}

    def _token(self, grant: Grant) -> dict[str, Any]:
        return {
            "access_token": self._access.issue(grant, self._life),
            "token_type": "Bearer",
            "expires_in": int(self._life),
            "scope": " ".join(grant.scopes),
        }

    def _of_assertion(self, app: App, form: Mapping[str, str]) -> dict[str, Any]:
        if app.kind != "system":
            raise OAuthError("unauthorized_client", "This client is no backend service.")
        scopes = tuple(form.get("scope", "").split())
        good = bool(scopes) and offered(scopes, kinds(), ("system",)) == scopes and not beyond(scopes, app.scopes)
        if not good and not misserved.unlimited(scopes, self._faults):
            raise OAuthError("invalid_scope", "scope is some of what the client was registered for.")
        return misserved.told(self._token(Grant(scopes, approval=Approval(app, None, scopes))), self._faults)
