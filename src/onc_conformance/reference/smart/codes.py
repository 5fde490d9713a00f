"""Authorization codes: good once, for a moment, for the app, address and verifier they were asked for with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from onc_conformance.reference.smart.oauth import OAuthError
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from onc_conformance.reference.smart.approvals import Approval, Approvals
    from onc_conformance.reference.smart.apps import App
    from onc_conformance.reference.smart.asked import Asked


@dataclass(slots=True, eq=False)
class _Code:
    approval: Approval
    redirect_uri: str
    challenge: str
    method: str
    spent: bool = False


class Codes:
    """Hands out codes and takes them back for approvals."""

    def __init__(self, life: float, approvals: Approvals, faults: frozenset[str]) -> None:
        self._approvals = approvals
        self._faults = faults
        self._issued: Tickets[_Code] = Tickets(life, lambda: secrets.token_urlsafe(24))
        self._last: _Code | None = None
        self._lock = Lock()

    def issue(self, approval: Approval, asked: Asked) -> str:
        code = _Code(approval, asked.to.redirect_uri, asked.challenge, asked.method)
        self._last = code
        return self._issued.issue(code)

    def redeem(self, issued: str, app: App, redirect_uri: str | None, verifier: str | None) -> Approval:
        """What was approved; OAuthError, invalid_grant. A code used again takes back what came of it.

        Without a `redirect_uri` nothing is compared.
        """
        found = self._issued.holder(issued, late=True)
        if found is None and self._last and "smart-code-invented-accepted" in self._faults:
            return self._last.approval
        if found is None:
            raise OAuthError("invalid_grant", "The code is unknown.")
        if found.approval.app is not app and "smart-code-of-another-app-accepted" not in self._faults:
            raise OAuthError("invalid_grant", "The code is another client's.")
        with self._lock:
            again = found.spent
            if not again and self._good(issued, found, redirect_uri, verifier):
                found.spent = True
        if again and "smart-code-twice-accepted" not in self._faults:
            self._approvals.take_back([found.approval])
            raise OAuthError("invalid_grant", "The code was used before; what came of it is taken back.")
        if not found.approval.stands:
            raise OAuthError("invalid_grant", "What the code stands for was taken back.")
        return found.approval

    def _good(self, issued: str, found: _Code, redirect_uri: str | None, verifier: str | None) -> bool:
        if self._issued.holder(issued, late="smart-code-expired-accepted" in self._faults) is None:
            raise OAuthError("invalid_grant", "The code has expired.")
        if redirect_uri not in {None, found.redirect_uri} and "smart-redirect-unchecked-at-token" not in self._faults:
            raise OAuthError("invalid_grant", "redirect_uri is not that of the authorization request.")
        if not self._proved(found, verifier):
            raise OAuthError("invalid_grant", "code_verifier is not that of the code_challenge.")
        return True

    def _proved(self, found: _Code, verifier: str | None) -> bool:
        if found.method == "none":
            return True
        if verifier is None:
            return "smart-pkce-verifier-missing-accepted" in self._faults
        if not verifier:
            return "smart-pkce-verifier-blank-accepted" in self._faults
        if "smart-pkce-unchecked" in self._faults:
            return verifier != found.challenge
        if found.method == "plain" or (verifier == found.challenge and "smart-pkce-challenge-accepted" in self._faults):
            return hmac.compare_digest(verifier.encode(), found.challenge.encode())
        hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        return 43 <= len(verifier) <= 128 and hmac.compare_digest(hashed, found.challenge.encode())
