"""The table [smart]: how apps are authorized, who sits at the login page, and what the product has not."""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from onc_conformance.targets.terms import Table, Templated, Texts

SmartVersion = Literal["1.0.0", "2.0.0", "2.2.0"]
Capability = Literal[
    "launch-ehr", "launch-standalone", "authorize-post",
    "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
    "sso-openid-connect", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter",
    "context-standalone-patient", "permission-offline", "permission-online", "permission-patient", "permission-user",
    "permission-v1", "permission-v2", "permission-granular", "introspection", "revocation",
]  # fmt: skip
"""The capabilities of SMART App Launch, and three that its list has no name for."""
ClientKind = Literal["public", "symmetric", "asymmetric"]
LoginName = Literal["patient", "clinician"]
LAUNCH_NAMES = ("pat_id", "encounter_id", "client_id", "redirect_uri", "launch_url")
"""What the pages of a login may be filled with, besides the environment and {patient.NAME}."""

_CLIENT_NEEDS = {"public": (), "symmetric": ("secret",), "asymmetric": ("key", "alg")}
_LOGIN_TAKES = {
    "form": {"page"},
    "browser": {"page", "step"},
    "person": {"wait_s"},
    "token": {"token", "patient"},
}


class SmartClient(Table):
    """An app as it is registered."""

    id: Templated
    secret: Templated | None = None
    """symmetric: the secret."""
    auth: Literal["basic", "body"] = "basic"
    """symmetric: where the secret travels."""
    key: Templated | None = None
    """asymmetric: the path of a file with the private key as JWK."""
    alg: Literal["RS384", "ES384"] | None = None
    redirect: Templated | None = None
    """Where the browser is sent back to; without it, smart.redirect."""
    launch: Templated | None = None
    """What the EHR opens; without it, smart.launch."""


class SmartClients(Table):
    """The apps, by how they prove themselves; each needs what its kind proves itself with."""

    public: SmartClient | None = None
    symmetric: SmartClient | None = None
    asymmetric: SmartClient | None = None

    @model_validator(mode="after")
    def _proven(self) -> Self:
        for kind, needed in _CLIENT_NEEDS.items():
            client: SmartClient | None = getattr(self, kind)
            missing = [name for name in needed if client and not getattr(client, name)]
            if missing:
                raise ValueError(f"client.{kind} needs {' and '.join(missing)}")
            unfit = [name for name in ("secret", "key", "alg") if client and getattr(client, name)]
            if strange := [name for name in unfit if name not in needed]:
                raise ValueError(f"client.{kind} takes no {strange[0]}")
        return self


class SmartPage(Table):
    """A page on the way, recognised by the fields of one of its forms, and what is done there."""

    fields: Texts
    """Names of fields and buttons, all of which the form has."""
    fill: dict[str, Templated] = {}
    """What goes into fields, by name: a text, or the value of the button to choose among radio buttons."""
    scopes: str | None = None
    """The name of check boxes whose values are scopes: those that are to be granted are ticked, the others not."""
    press: dict[str, Templated] = {}
    """Name and value of the button that grants or goes on; without it, the first."""
    deny: dict[str, Templated] = {}
    """Name and value of the button that refuses."""

    @model_validator(mode="after")
    def _one_button(self) -> Self:
        for name in ("press", "deny"):
            if len(getattr(self, name)) > 1:
                raise ValueError(f"{name} names one button, and its value")
        if not self.fields:
            raise ValueError("fields is empty; expected names of fields that the form has")
        return self


class SmartStep(Table):
    """One thing that a browser does: one of fill, click, check and wait, with the place as a CSS selector."""

    fill: str | None = None
    """The field that `text` goes into."""
    text: Templated = ""
    click: str | None = None
    check: str | None = None
    """The box to tick; with `scopes`, boxes whose values are scopes: those that are to be granted are ticked."""
    scopes: bool = False
    wait: str | None = None
    """What must appear before the next step."""
    when: Literal["allow", "deny"] | None = None
    """Done only where the user agrees, or refuses."""
    optional: bool = False
    """Passed over where the page has no such place."""

    @model_validator(mode="after")
    def _one_deed(self) -> Self:
        if sum(getattr(self, name) is not None for name in ("fill", "click", "check", "wait")) != 1:
            raise ValueError("expected one of fill, click, check and wait")
        if self.scopes and self.check is None:
            raise ValueError("scopes = true goes with check")
        return self


class SmartLogin(Table):
    """Somebody at the login page, and how that is done without them."""

    kind: Literal["form", "browser", "person", "token"]
    """form: HTML forms filled and sent. browser: a real one. person: somebody does it. token: it was got by hand."""
    page: list[SmartPage] = []
    step: list[SmartStep] = []
    """browser: what is done, in order, where no page described fits."""
    wait_s: Annotated[float, Field(gt=0)] = 300.0
    """person: how many seconds somebody is waited for."""
    person: str | None = None
    """The id, in the patients file, of the patient who logs in; without it, the first."""
    token: Templated | None = None
    """token: the access token."""
    patient: Templated | None = None
    """token: the id of the patient it was given for."""

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        taken = _LOGIN_TAKES[self.kind] | {"kind", "person"}
        if strange := sorted(self.model_fields_set & set().union(*_LOGIN_TAKES.values()) - taken):
            raise ValueError(f'kind = "{self.kind}" takes no {strange[0]}')
        if self.kind == "form" and not self.page:
            raise ValueError('kind = "form" needs a page: [[smart.login.NAME.page]] with fields and fill')
        if self.kind == "browser" and not self.page and not self.step:
            raise ValueError('kind = "browser" needs a page or a step: [[smart.login.NAME.step]] with fill, click, …')
        if self.kind == "token" and (self.token is None or self.patient is None):
            raise ValueError('kind = "token" needs token and patient')
        return self


class SmartIntrospection(Table):
    """How a resource server proves itself when it asks about a token: by id and secret, or by a token of its own."""

    id: Templated | None = None
    secret: Templated | None = None
    token: Templated | None = None
    url: Templated | None = None
    """Where it is asked; without it, the introspection_endpoint of the SMART configuration, which need not name one."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.token is None) == (self.id is None or self.secret is None):
            raise ValueError("expected id and secret, or token")
        return self


class SmartTable(Table):
    """How apps are authorized at the FHIR server, and what the product has not: every report tells what is left out."""

    version: SmartVersion | None = None
    """Of SMART App Launch; without it, that of the edition."""
    redirect: Templated = "http://127.0.0.1/redirect"
    """The address that the apps registered for answers."""
    launch: Templated = "http://127.0.0.1/launch"
    """The address that the apps registered for launches from the EHR."""
    launch_page: Templated | None = None
    """The page on which a clinician launches an app."""
    manage_page: Templated | None = None
    """The page on which a patient sees the apps that were authorized, and withdraws it."""
    expired_token: Templated | None = None
    """An access token that was good once."""
    code_life_s: Annotated[float, Field(gt=0)] | None = None
    """Seconds that a code is good for, where that is so few that a run can wait for it."""
    without: list[Capability] = []
    """What the product has not."""
    scope: dict[Literal["patient", "user"], Templated] = {}
    """The scopes of resources to ask for, in place of every type of US Core, by whose they are."""
    client: SmartClients = SmartClients()
    login: dict[LoginName, SmartLogin] = {}
    """Who logs in: a patient when an app is launched by itself, a clinician when it is launched from the EHR."""
    introspection: SmartIntrospection | None = None
