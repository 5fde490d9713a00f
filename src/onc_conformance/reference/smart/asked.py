"""An app's authorization request: what it must hold, and where its errors go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from onc_conformance.reference.fhir.catalog import kinds
from onc_conformance.reference.smart.oauth import OAuthError
from onc_conformance.reference.smart.scopes import offered, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.reference.settings import Settings
    from onc_conformance.reference.smart.apps import App, Apps
    from onc_conformance.reference.smart.launches import Launch, Launches
    from onc_conformance.reference.smart.users import User

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PLAIN = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_LONGEST = 2000
"""Characters of a value that is kept."""


@dataclass(frozen=True, slots=True)
class Return:
    """Where the answer goes."""

    app: App
    redirect_uri: str
    state: str

    def address(self, **answer: str) -> str:
        """The redirect URI with the answer."""
        told = answer | ({"state": self.state} if self.state else {})
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode(told)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was found good, on its way through the pages."""

    to: Return
    scopes: tuple[str, ...]
    """Those that may be granted."""
    nonce: str
    challenge: str
    method: str
    launch: Launch | None
    user: User | None = None
    patient: str = ""
    """Whose chart was chosen, or comes of the launch or the login."""

    @property
    def app(self) -> App:
        return self.to.app

    @property
    def needs_patient(self) -> bool:
        """Whether it is about one patient."""
        of_patients = any((scope := parsed(text)) and scope.level == "patient" for text in self.scopes)
        return of_patients or "launch/patient" in self.scopes or "launch/encounter" in self.scopes


class Requests:
    """Judges the parameters of the authorization endpoint."""

    def __init__(self, apps: Apps, launches: Launches, settings: Settings, faults: frozenset[str]) -> None:
        self._apps = apps
        self._launches = launches
        self._kinds = tuple(kinds(settings.us_core))
        self._of_version_1 = settings.smart == "1.0.0"
        self._faults = faults

    def back(self, sent: Mapping[str, str]) -> Return:
        """Where to send the user; OAuthError if the app or its address is unknown, and nobody may be sent anywhere."""
        app = self._apps.get(sent.get("client_id", ""))
        if app is None and "smart-unknown-client-accepted" in self._faults:
            app = self._apps.any_of_people()
        if app is None or not app.of_people:
            raise OAuthError("invalid_client", "There is no such app.")
        address = sent.get("redirect_uri", "")
        anywhere = address.startswith(("http://", "https://")) and "smart-redirect-unchecked" in self._faults
        if not (app.returns_to(address) or anywhere):
            raise OAuthError("invalid_request", "redirect_uri is none that is registered for this app.")
        return Return(app, address, sent.get("state", "")[:_LONGEST])

    def good(self, sent: Mapping[str, str], to: Return, audience: str) -> Asked:
        """The request; OAuthError for the app if there is something wrong with it. `audience` is the FHIR base."""
        if sent.get("response_type") != "code" and "smart-response-type-unchecked" not in self._faults:
            raise OAuthError("unsupported_response_type", "response_type is code.")
        if not to.state:
            raise OAuthError("invalid_request", "state is missing.")
        if sent.get("aud", "").removesuffix("/") != audience and "smart-aud-unchecked" not in self._faults:
            raise OAuthError("invalid_request", f"aud is the FHIR server's address, {audience}.")
        challenge, method = self._challenge(sent)
        scopes = offered(sent.get("scope", "").split(), self._kinds, ("patient", "user"))
        if self._of_version_1:
            scopes = tuple(text for text in scopes if (scope := parsed(text)) is None or scope.v1)
        if "smart-v1-scopes-dropped" in self._faults:
            scopes = tuple(text for text in scopes if not ((scope := parsed(text)) and scope.v1))
        if not scopes:
            raise OAuthError("invalid_scope", "scope names nothing that can be granted.")
        launch = None
        if "launch" in scopes or "launch" in sent:
            launch = self._launches.of(sent.get("launch", ""), to.app)
            if launch is None:
                raise OAuthError("invalid_request", "launch is none that this app was opened with.")
        return Asked(to, scopes, sent.get("nonce", "")[:_LONGEST], challenge, method, launch)

    def _challenge(self, sent: Mapping[str, str]) -> tuple[str, str]:
        challenge, method = sent.get("code_challenge", ""), sent.get("code_challenge_method", "plain")
        if not challenge and (self._of_version_1 or "smart-pkce-optional" in self._faults):
            return "", "none"
        plain = "smart-pkce-plain-accepted" in self._faults and method == "plain" and _PLAIN.fullmatch(challenge)
        if not plain and (method != "S256" or not _CHALLENGE.fullmatch(challenge)):
            raise OAuthError("invalid_request", "code_challenge is needed, with the code_challenge_method S256.")
        return challenge, method
