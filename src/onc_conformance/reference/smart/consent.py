"""The pages between an app's request and its answer: login, choice of a patient, consent."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import redirect, request

from onc_conformance.reference.fhir.answers import host
from onc_conformance.reference.smart import wording
from onc_conformance.reference.smart.approvals import Approval
from onc_conformance.reference.smart.contexts import STYLE
from onc_conformance.reference.smart.oauth import OAuthError, once
from onc_conformance.reference.smart.pages import notice, page
from onc_conformance.reference.smart.scopes import LASTING, beyond, narrower
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

    from onc_conformance.reference.smart.approvals import Approvals
    from onc_conformance.reference.smart.asked import Asked, Requests, Return
    from onc_conformance.reference.smart.charted import Charted
    from onc_conformance.reference.smart.codes import Codes
    from onc_conformance.reference.smart.contexts import Contexts
    from onc_conformance.reference.smart.users import User, Users

_PATIENCE = 600.0
"""Seconds somebody may take over a page."""
_OVER = "This request is over or was never made. Go back to the app and begin again."


class Consent:
    """Leads a user from the authorization endpoint back to the app."""

    def __init__(  # noqa: PLR0917 - everybody a request passes on its way
        self,
        requests: Requests,
        users: Users,
        charted: Charted,
        contexts: Contexts,
        approvals: Approvals,
        codes: Codes,
        faults: frozenset[str],
    ) -> None:
        self._requests = requests
        self._users = users
        self._charted = charted
        self._contexts = contexts
        self._approvals = approvals
        self._codes = codes
        self._faults = faults
        self._asked: Tickets[Asked] = Tickets(_PATIENCE, lambda: secrets.token_urlsafe(24))

    def register(self, app: Flask, path: str) -> None:
        for rule, view, methods in (
            ("authorize", self.authorize, ["GET", "POST"]),
            ("login", self.login, ["POST"]),
            ("patient", self.patient, ["POST"]),
            ("consent", self.consent, ["POST"]),
            ("continue", self.go_on, ["GET"]),
        ):
            app.add_url_rule(f"{path}/{rule}", f"smart {rule}", view, methods=methods)

    # --- the app's request

    def authorize(self) -> Response:
        """The authorization endpoint."""
        if request.method == "POST" and "smart-authorize-post-refused" in self._faults:
            return notice("Use GET.", 405)
        try:
            sent = once()
            to = self._requests.back(sent)
        except OAuthError as error:
            return notice(str(error), error.status)
        try:
            asked = self._requests.good(sent, to, f"{host()}/fhir")
        except OAuthError as error:
            return self._back(to, error=error.error, error_description=str(error))
        return self._next(asked)

    def _back(self, to: Return, **answer: str) -> Response:
        if ("smart-error-state-missing" if "error" in answer else "smart-state-missing") in self._faults:
            to = replace(to, state="")
        if "code" in answer and "smart-answer-of-another-issuer" in self._faults:
            answer["iss"] = "https://ehr.example/auth"
        if "code" in answer and "smart-state-altered" in self._faults:
            to = replace(to, state=to.state.swapcase()[::-1])
        return redirect(to.address(**answer), 302)

    # --- the pages

    def _next(self, asked: Asked) -> Response:
        """Whatever page is due."""
        user = self._users.here()
        if user is None:
            return self._login(asked)
        if asked.launch and asked.launch.user != user:
            return self._back(asked.to, error="access_denied", error_description="The launch is another user's.")
        whose = asked.launch.patient if asked.launch else user.patient or asked.patient
        if asked.needs_patient and not whose:
            return self._choice(asked)
        known = self._charted.patient(whose) if whose and (asked.launch or asked.needs_patient) else None
        asked = replace(asked, user=user, patient=known.id if known else "")
        return page(
            "consent",
            request=self._asked.issue(asked),
            app=asked.app.name,
            user=user.title,
            patient=known.title if known else "",
            lasting="offline_access" in asked.scopes,
            scopes=[
                (scope, wording.told(scope), [(one, wording.told(one)) for one in narrower(scope)])
                for scope in asked.scopes
            ],
        )

    def _login(self, asked: Asked, failed: str = "") -> Response:
        return page(
            "login",
            403 if failed else 200,
            action="login",
            request=self._asked.issue(asked),
            purpose=f"{asked.app.name} asks for access to health records.",
            failed=failed,
        )

    def _choice(self, asked: Asked) -> Response:
        return page(
            "patient",
            request=self._asked.issue(asked),
            app=asked.app.name,
            patients=self._charted.patients(),
        )

    def _on_its_way(self) -> Asked | None:
        return self._asked.holder(request.values.get("request", ""))

    def _on_with(self, asked: Asked) -> Response:
        return redirect(f"continue?request={self._asked.issue(asked)}", 303)

    def go_on(self) -> Response:
        """The page that is due, for a browser that was sent on or reloads."""
        asked = self._on_its_way()
        return self._next(asked) if asked else notice(_OVER)

    def login(self) -> Response:
        """Name and password."""
        asked = self._on_its_way()
        if asked is None:
            return notice(_OVER)
        user = self._users.known(request.form.get("username", ""), request.form.get("password", ""))
        if user is None:
            return self._login(asked, "Name or password is wrong.")
        return self._users.begin(user, self._on_with(asked))

    def patient(self) -> Response:
        """Whose chart an app may see, of a clinician."""
        asked, user = self._on_its_way(), self._users.here()
        if asked is None:
            return notice(_OVER)
        chosen = self._charted.patient(request.form.get("patient", ""))
        if user is None or user.patient or chosen is None:
            return self._next(asked)
        return self._on_with(replace(asked, patient=chosen.id))

    def consent(self) -> Response:
        """Yes or no, and to what."""
        asked = self._on_its_way()
        if asked is None or asked.user is None:
            return notice(_OVER)
        if asked.user != self._users.here():
            return self._next(replace(asked, user=None))
        if self._asked.redeem(request.values.get("request", "")) is None:  # somebody pressed the button twice
            return notice(_OVER)
        chosen = self._chosen(asked)
        denied = request.form.get("decision") != "allow" and "smart-denial-ignored" not in self._faults
        if denied or not chosen:
            return self._back(asked.to, error="access_denied", error_description="The user did not allow it.")
        return self._back(asked.to, code=self._codes.issue(self._approved(asked, asked.user, chosen), asked))

    def _chosen(self, asked: Asked) -> tuple[str, ...]:
        """What was ticked of what was offered."""
        if "smart-denied-scope-granted" in self._faults:
            return asked.scopes
        ticked = request.form.getlist("scope")
        whole = [scope for scope in asked.scopes if scope in ticked]
        parts = [one for scope in asked.scopes if scope not in ticked for one in narrower(scope) if one in ticked]
        return tuple(dict.fromkeys([*whole, *(one for one in parts if beyond([one], whole))]))

    def _approved(self, asked: Asked, user: User, scopes: tuple[str, ...]) -> Approval:
        if "smart-offline-ignored" in self._faults:
            scopes = tuple(scope for scope in scopes if scope not in LASTING)
        if "smart-granular-scope-whole" in self._faults:
            scopes = tuple(scope.partition("?")[0] for scope in scopes)
        asked = replace(asked, scopes=scopes)
        patient = self._contexts.patient(asked) if asked.needs_patient or "launch" in scopes else ""
        told = self._contexts.told(asked, scopes, patient, f"{host()}/auth/{STYLE}")
        return self._approvals.keep(Approval(asked.app, user, scopes, patient, told, asked.nonce))
