"""The authorization server as a whole: its built-in clients and users, and where everything is."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, request

from onc_conformance.reference import jose
from onc_conformance.reference.fhir.access import Grant
from onc_conformance.reference.fhir.answers import host
from onc_conformance.reference.smart import apps, contexts, discovery
from onc_conformance.reference.smart.approvals import Approval, Approvals
from onc_conformance.reference.smart.apps import App, Apps
from onc_conformance.reference.smart.asked import Requests
from onc_conformance.reference.smart.charted import Charted
from onc_conformance.reference.smart.clients import Clients
from onc_conformance.reference.smart.codes import Codes
from onc_conformance.reference.smart.consent import Consent
from onc_conformance.reference.smart.contexts import Contexts
from onc_conformance.reference.smart.identity import Identity
from onc_conformance.reference.smart.inspection import Inspection
from onc_conformance.reference.smart.keysets import KeySet
from onc_conformance.reference.smart.launches import Launches
from onc_conformance.reference.smart.launching import LaunchPage
from onc_conformance.reference.smart.managing import ManagementPage
from onc_conformance.reference.smart.registering import RegistrationPage
from onc_conformance.reference.smart.tokens import RefreshTokens, TokenEndpoint
from onc_conformance.reference.smart.users import User, Users
from onc_conformance.reference.wire import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Flask

    from onc_conformance.reference.fhir.access import Access
    from onc_conformance.reference.fhir.server import FhirServer
    from onc_conformance.reference.settings import Settings

PATH = "/auth"
_REDIRECTS = ("http://127.0.0.1/redirect",)
_LAUNCH = "http://127.0.0.1/launch"
_OF_SERVICES = ("system/*.rs",)


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who has a login from the start."""

    title: str
    resource: str
    """Type/id."""


class AuthorizationServer:
    """Registered apps, people who log in, and the endpoints between them."""

    def __init__(  # noqa: PLR0917 - what it guards, and for whom
        self,
        fhir: FhirServer,
        access: Access,
        settings: Settings,
        faults: frozenset[str],
        patient: Resident,
        clinician: Resident,
        services: Iterable[App] = (),
    ) -> None:
        self._faults = faults
        self._settings = settings
        self._access = access
        self._public = App(
            "reference-public-app", "Health Diary", "public", redirect_uris=_REDIRECTS, launch_url=_LAUNCH
        )
        self._symmetric = App(
            "reference-confidential-app",
            "Care Compass",
            "symmetric",
            secret=apps.secret(),
            redirect_uris=_REDIRECTS,
            launch_url=_LAUNCH,
        )
        self._asymmetric = App(
            "reference-asymmetric-app",
            "Chart Companion",
            "asymmetric",
            keys=KeySet([jose.key("ES384", "reference-app")]),
            redirect_uris=_REDIRECTS,
            launch_url=_LAUNCH,
        )
        algorithms = [each for each in jose.ALGORITHMS if f"bulk-{each.lower()}-refused" not in faults]
        self._service = App(
            "reference-bulk-client",
            "Population Pipeline",
            "system",
            keys=KeySet([jose.key(algorithm) for algorithm in algorithms], faults=faults),
            scopes=_OF_SERVICES,
        )
        self._listener = f"127.0.0.1:{free_port()}"
        self._keyed = App(
            "reference-keyed-client",
            "Population Pipeline with keys of its own",
            "system",
            keys=KeySet(url=f"https://{self._listener}/jwks.json", faults=faults),
            scopes=_OF_SERVICES,
        )
        self._resource = App("reference-resource-server", "Imaging archive", "resource", secret=apps.secret())
        built_in = (self._public, self._symmetric, self._asymmetric, self._service, self._keyed, self._resource)
        self._apps = Apps((*built_in, *services))
        self._patient = User("patient", secrets.token_urlsafe(12), patient.title, patient.resource)
        self._clinician = User("clinician", secrets.token_urlsafe(12), clinician.title, clinician.resource)
        users = Users((self._patient, self._clinician))
        charted = Charted(fhir)
        approvals, launches = Approvals(), Launches(faults)
        codes, refresh = Codes(settings.code_life, approvals, faults), RefreshTokens(faults)
        clients = Clients(self._apps, faults)
        self._identity = Identity(faults)
        self._tokens = TokenEndpoint(clients, codes, refresh, access, self._identity, settings.smart_token_life, faults)
        self._inspection = Inspection(clients, access, refresh, approvals, faults)
        self._pages = (
            Consent(
                Requests(self._apps, launches, settings, faults),
                users,
                charted,
                Contexts(charted, faults),
                approvals,
                codes,
                faults,
            ),
            LaunchPage(self._apps, users, charted, launches, faults),
            ManagementPage(users, approvals, faults),
            RegistrationPage(self._apps),
        )

    # --- what a client has to know

    def keys(self) -> dict[str, str]:
        """The private keys of built-in clients, a JWK or a JWK Set in JSON, by the variable that names their file."""
        of_app = jose.key("ES384", "reference-app").as_dict(private=True)
        of_service = {"keys": [jose.key(algorithm).as_dict(private=True) for algorithm in jose.ALGORITHMS]}
        return {"SMART_ASYMMETRIC_JWK_FILE": json.dumps(of_app), "BULK_JWK_FILE": json.dumps(of_service)}

    def variables(self, origin: str) -> dict[str, str]:
        """Clients, logins and pages, by the names that the bundled descriptions use."""
        scopes = ("launch/patient", "patient/*.rs")
        approval = Approval(self._public, self._patient, scopes, self._patient.patient)
        return {
            "SMART_PUBLIC_ID": self._public.id,
            "SMART_SYMMETRIC_ID": self._symmetric.id,
            "SMART_SYMMETRIC_SECRET": self._symmetric.secret,
            "SMART_ASYMMETRIC_ID": self._asymmetric.id,
            "BULK_CLIENT_ID": self._service.id,
            "BULK_KEYS_CLIENT_ID": self._keyed.id,
            "BULK_KEYS_LISTEN": self._listener,
            "SMART_PATIENT_USER": self._patient.name,
            "SMART_PATIENT_PASSWORD": self._patient.password,
            "SMART_CLINICIAN_USER": self._clinician.name,
            "SMART_CLINICIAN_PASSWORD": self._clinician.password,
            "SMART_LAUNCH_PAGE": f"{origin}{PATH}/launch",
            "SMART_MANAGE_PAGE": f"{origin}{PATH}/manage",
            "SMART_REGISTER_PAGE": f"{origin}{PATH}/register",
            "SMART_INTROSPECT_ID": self._resource.id,
            "SMART_INTROSPECT_SECRET": self._resource.secret,
            "SMART_EXPIRED_TOKEN": self._access.expired(Grant(scopes, self._patient.patient, approval, confined=True)),
        }

    # --- endpoints

    def register(self, app: Flask) -> None:
        for page in self._pages:
            page.register(app, PATH)
        for rule, view, methods in (
            (f"{PATH}/token", self._tokens.answer, ["POST"]),
            ("/fhir/auth/token", self._tokens.answer, ["POST"]),
            (f"{PATH}/introspect", self._inspection.introspect, ["POST"]),
            (f"{PATH}/revoke", self._inspection.revoke, ["POST"]),
            (f"{PATH}/jwks", self.jwks, ["GET"]),
            (f"{PATH}/{contexts.STYLE}", self.styles, ["GET"]),
            (f"{PATH}/.well-known/openid-configuration", self.openid, ["GET"]),
            ("/fhir/.well-known/smart-configuration", self.configuration, ["GET"]),
        ):
            app.add_url_rule(rule, f"smart {rule}", view, methods=methods)
        app.after_request(_shared)

    def jwks(self) -> Response:
        """The keys id_tokens are signed with."""
        return _published(self._identity.key_set())

    @staticmethod
    def styles() -> Response:
        """How an app looks at home."""
        return _published(contexts.STYLES)

    def openid(self) -> Response:
        """The OpenID configuration."""
        return _published(self._identity.configuration(f"{host()}{PATH}"))

    def configuration(self) -> Response:
        """The SMART configuration."""
        if "smart-configuration-missing" in self._faults:
            return Response("Not here.", status=404, content_type="text/plain")
        response = _published(discovery.configuration(f"{host()}{PATH}", self._settings, self._faults))
        if "smart-configuration-as-text" in self._faults:
            response.content_type = "text/plain; charset=utf-8"
        if "smart-configuration-as-html" in self._faults:
            response.set_data("<!DOCTYPE html><title>Log in</title><p>Please log in.</p>")
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response


def _published(content: Mapping[str, object]) -> Response:
    return Response(json.dumps(content), content_type="application/json")


_FOR_SCRIPTS = ("/fhir/", f"{PATH}/token", f"{PATH}/jwks", f"{PATH}/revoke", f"{PATH}/.well-known/", f"{PATH}/style")


def _shared(response: Response) -> Response:
    """What scripts of other origins may use says so (CORS), as SMART App Launch 2.2 wants for public apps."""
    if "Origin" in request.headers and request.path.startswith(_FOR_SCRIPTS):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Accept, Authorization, Content-Type, Prefer"
        response.headers["Access-Control-Expose-Headers"] = "Content-Location, Location, WWW-Authenticate"
    return response
