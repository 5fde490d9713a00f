"""Tokens asked about (RFC 7662) and given back (RFC 7009)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import Response

from onc_conformance.reference.fhir.answers import host
from onc_conformance.reference.smart import faults as misdone
from onc_conformance.reference.smart.oauth import OAuthError, guarded, posted, told

if TYPE_CHECKING:
    from onc_conformance.reference.fhir.access import Access, Grant
    from onc_conformance.reference.smart.approvals import Approval, Approvals
    from onc_conformance.reference.smart.apps import App
    from onc_conformance.reference.smart.clients import Clients
    from onc_conformance.reference.smart.tokens import RefreshTokens


class Inspection:
    """Two endpoints for whoever can prove who they are."""

    def __init__(
        self, clients: Clients, access: Access, refresh: RefreshTokens, approvals: Approvals, faults: frozenset[str]
    ) -> None:
        self._clients = clients
        self._access = access
        self._refresh = refresh
        self._approvals = approvals
        self._faults = faults
        self._given_back: dict[str, Grant] = {}
        """Kept for the fault that forgets what was given back."""

    # --- asked about

    def introspect(self) -> Response:
        """What a token is good for, told to resource servers and to the app it was issued to."""
        return guarded(self._introspected)

    def _introspected(self) -> Response:
        form = posted()
        asking = None if "smart-introspection-open" in self._faults else self._confidential(form)
        if "token" not in form:
            raise OAuthError("invalid_request", "token is missing.")
        answer = self._about(form["token"], asking)
        return told(misdone.through(misdone.INTROSPECTED, answer, self._faults) if answer["active"] else answer)

    def _confidential(self, form: dict[str, str]) -> App:
        app = self._clients.proved(form)
        if app.kind == "public":
            raise OAuthError("invalid_client", "Only those that can prove who they are may ask.", 401)
        return app

    def _about(self, token: str, asking: App | None) -> dict[str, Any]:
        grant = self._access.found(token, late="smart-introspection-expired-active" in self._faults)
        if grant is None and "smart-introspection-revoked-active" in self._faults:
            grant = self._access.taken_back(token) or self._given_back.get(token)
        if grant and "smart-introspection-good-inactive" in self._faults:
            return {"active": False}
        if grant and self._may_ask(asking, grant.approval):
            return self._of_access(token, grant)
        approval = self._refresh.found(token)
        if approval and self._may_ask(asking, approval):
            return {
                "active": True,
                "exp": int(self._refresh.until(token)),
                **_who(approval, approval.scopes),
                **_launched(approval),
            }
        if grant is None and approval is None and "smart-introspection-invented-active" in self._faults:
            return {"active": True, "scope": "", "client_id": "", "exp": int(time.time()) + 300}
        return {"active": False}

    @staticmethod
    def _may_ask(asking: App | None, approval: Approval | None) -> bool:
        return asking is None or asking.kind == "resource" or (approval is not None and approval.app is asking)

    def _of_access(self, token: str, grant: Grant) -> dict[str, Any]:
        approval = grant.approval
        return {
            "active": True,
            "token_type": "Bearer",
            "exp": int(time.time()) + 300 if token in self._given_back else int(self._access.until(token)),
            **(_who(approval, grant.scopes) if approval else {"scope": " ".join(grant.scopes)}),
            **(_launched(approval) if approval else {}),
        }

    # --- given back

    def revoke(self) -> Response:
        """An app gives a token back; of a refresh token all that came of its approval ends."""
        return guarded(self._revoked)

    def _revoked(self) -> Response:
        form = posted()
        app = self._clients.proved(form)
        if "token" not in form:
            raise OAuthError("invalid_request", "token is missing.")
        anybody = "smart-revocation-by-anybody" in self._faults
        approval = self._refresh.found(form["token"])
        if approval and (anybody or approval.app is app):
            self._approvals.take_back([approval])
        grant = self._access.found(form["token"])
        own = grant is not None and grant.approval is not None and (anybody or grant.approval.app is app)
        if grant and own and "smart-revocation-ignored" not in self._faults:
            self._access.revoke(form["token"])
            if "smart-introspection-revoked-active" in self._faults:
                self._given_back[form["token"]] = grant
        return told({})


def _who(approval: Approval, scopes: tuple[str, ...]) -> dict[str, Any]:
    told_of: dict[str, Any] = {"scope": " ".join(scopes), "client_id": approval.app.id, "iss": f"{host()}/auth"}
    if approval.user:
        told_of |= {"sub": approval.user.subject, "username": approval.user.name}
        if "fhirUser" in scopes:
            told_of["fhirUser"] = f"{host()}/fhir/{approval.user.resource}"
    return told_of


def _launched(approval: Approval) -> dict[str, Any]:
    return {
        name: approval.context[name] for name in ("patient", "encounter", "fhirContext") if name in approval.context
    }
