"""Apps at the token endpoint: who one says it is, and whether it has proved it."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from flask import request

from onc_conformance.reference import jose
from onc_conformance.reference.smart import misserved
from onc_conformance.reference.smart.keysets import KeySetError
from onc_conformance.reference.smart.oauth import OAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.reference.smart.apps import App, Apps

METHODS = ("client_secret_basic", "private_key_jwt")
_LENIENT = {
    "smart-assertion-signature-unchecked": "signature",
    "smart-assertion-algorithm-unchecked": "algorithm",
    "smart-assertion-issuer-unchecked": "issuer",
    "smart-assertion-audience-unchecked": "audience",
    "smart-assertion-expired-accepted": "time",
    "smart-assertion-replay-accepted": "replay",
}
_UNPROVED = {"smart-secret-unchecked": "symmetric", "smart-assertion-optional": "asymmetric"}
"""Kinds of apps that need not prove who they are, by fault."""


class Clients:
    """Proves who sent a request."""

    def __init__(self, apps: Apps, faults: frozenset[str]) -> None:
        self._apps = apps
        self._faults = faults
        self._assertions = jose.Assertions()
        self._unproved = {"public"} | {kind for fault, kind in _UNPROVED.items() if fault in faults}

    def proved(self, form: Mapping[str, str]) -> App:
        """The app that sent the form; OAuthError, invalid_client, if it is not who it says it is."""
        ways = {"client_assertion" in form or "client_assertion_type" in form, "Authorization" in request.headers}
        if ways == {True}:
            raise OAuthError("invalid_request", "Authenticate in one way: by secret or by assertion.")
        if "Authorization" in request.headers:
            app = self._by_secret()
        elif True in ways:
            app = self._by_assertion(form)
        else:
            app = self._by_name(form)
        if form.get("client_id", app.id) != app.id:
            raise OAuthError("invalid_client", "client_id is another client's.", 401)
        return app

    def _by_secret(self) -> App:
        kind, _, told = request.headers["Authorization"].partition(" ")
        try:
            decoded = base64.b64decode(told.strip(), validate=True).decode() if kind.casefold() == "basic" else ""
        except (binascii.Error, ValueError):
            decoded = ""
        name, _, secret = decoded.partition(":")
        app = self._apps.get(unquote_plus(name))
        known = app and app.kind in {"symmetric", "resource"}
        lenient = "smart-introspection-any-secret" if app and app.kind == "resource" else "smart-secret-unchecked"
        if not app or not known or not (app.knows(unquote_plus(secret)) or lenient in self._faults):
            raise OAuthError("invalid_client", "No such client with that secret.", 401)
        return app

    def _by_assertion(self, form: Mapping[str, str]) -> App:
        if form.get("client_assertion_type") != jose.TYPE:
            raise OAuthError("invalid_request", f"client_assertion_type is {jose.TYPE}.")
        assertion = form.get("client_assertion", "")
        try:
            app = self._apps.get(form.get("client_id") or jose.claimed(assertion, "sub"))
            app = app or self._apps.get(misserved.stranger(self._faults))
            if not app or not app.keys or (app.of_people and "smart-asymmetric-refused" in self._faults):
                raise OAuthError(
                    "invalid_client",
                    "iss and sub of the client_assertion are the client id of a client with keys.",
                    401,
                )
            lenient = self._lenient(app) | misserved.lenient(app, jose.claims(assertion), self._faults)
            self._assertions.check(
                assertion, client_id=app.id, keys=app.keys.matching, audience=request.base_url, lenient=lenient
            )
        except (jose.BadAssertion, KeySetError) as error:
            raise OAuthError("invalid_client", str(error), 401) from None
        return app

    def _lenient(self, app: App) -> set[str]:
        """The checks of an assertion that an app of people, or the collector of documents, is let off."""
        if app.of_people:
            return {check for fault, check in _LENIENT.items() if fault in self._faults}
        return {"signature"} if "signature-not-checked" in self._faults else set()

    def _by_name(self, form: Mapping[str, str]) -> App:
        app = self._apps.get(form.get("client_id", ""))
        refreshed = form.get("grant_type") == "refresh_token" and "smart-refresh-unproved-accepted" in self._faults
        if refreshed and app and app.kind == "symmetric":
            return app
        if not app or app.kind not in self._unproved or "smart-public-refused" in self._faults:
            raise OAuthError("invalid_client", "The client is unknown, or has to prove who it is.", 401)
        return app
