"""Who takes part in a launch as the description has it: apps, logins, addresses, scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from onc_conformance.access.apps import App, basic
from onc_conformance.access.assertions import read_key
from onc_conformance.access.parameters import Parameters
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.smartwork.launches import Chosen
from onc_conformance.targets import Client
from onc_conformance.targets.smart import ClientKind, LoginName, SmartLogin, SmartTable

CAPABILITY = {
    "public": "client-public",
    "symmetric": "client-confidential-symmetric",
    "asymmetric": "client-confidential-asymmetric",
}


@dataclass
class Registered:
    """What [smart] of a description says, with the environment; what it leaves out is not tested, and named."""

    client: Client
    table: SmartTable
    base: str
    """The address of the FHIR server, which is the audience of every token."""
    version: str
    """Of SMART App Launch."""
    types: Sequence[str]
    """The types of resources to ask for."""
    note: Callable[[Iterable[str]], None]
    """Told the exchanges that the current scenario rests on."""

    def needs(self, *capabilities: str) -> None:
        """Raise NotTested where the description says that the product has not one of these."""
        for name in capabilities:
            if name in self.table.without:
                raise NotTested(f"the description says that the product has no {name}")

    def app(self, kind: ClientKind) -> App:
        """A registered app; raises NotTested where the description has none of this kind."""
        if kind == "asymmetric" and self.version == "1.0.0":
            raise NotApplicable("SMART App Launch 1.0 knows no app that signs")
        self.needs(CAPABILITY[kind])
        table = getattr(self.table.client, kind)
        if table is None:
            raise NotTested(f"the description has no smart.client.{kind}")
        self._set("client", kind)
        algorithm = table.alg or "ES384"
        return App(
            kind=kind,
            id=self.rendered(table.id),
            secret=self.rendered(table.secret or ""),
            auth=table.auth,
            key=read_key(self.rendered(table.key), algorithm) if table.key else None,
            alg=algorithm,
            redirect=self.rendered(table.redirect or self.table.redirect),
            launch=self.rendered(table.launch or self.table.launch),
        )

    def login(self, name: LoginName) -> SmartLogin:
        """How somebody logs in; raises NotTested where the description does not say it."""
        login = self.table.login.get(name)
        if login is None:
            raise NotTested(f"the description has no smart.login.{name}")
        self._set("login", name)
        return login

    def address(self, name: str) -> str:
        """An address of [smart], such as launch_page; raises NotTested where the description has none."""
        text = getattr(self.table, name)
        if text is None:
            raise NotTested(f"the description has no smart.{name}")
        self._set(name)
        return self.rendered(text)

    def introspector(self) -> Parameters:
        """The header by which a resource server proves itself when it asks about a token; NotTested without one."""
        self.needs("introspection")
        table = self.table.introspection
        if table is None:
            raise NotTested("the description has no smart.introspection")
        self._set("introspection")
        if table.token is not None:
            self.secret(self.rendered(table.token))
            return (("Authorization", f"Bearer {self.rendered(table.token)}"),)
        return basic(self.rendered(table.id or ""), self.rendered(table.secret or ""))

    def scope(self, whose: str, form: int | None = None, more: Sequence[str] = ()) -> str:
        """Scopes for resources of a patient or user: those of the description, or every type of US Core and `more`."""
        told = self.table.scope.get(whose)  # type: ignore[call-overload]
        if told is not None and form is None:
            self._set("scope", whose)
            return self.rendered(told)
        may = "read" if (form or int(self.version[0])) == 1 else "rs"
        return " ".join(f"{whose}/{kind}.{may}" for kind in (*self.types, *more))

    def secret(self, value: str) -> None:
        """Have a value masked in everything that is written."""
        if value:
            self.client.journal.secrets.add(value)

    def names(self, app: App, chosen: Chosen) -> dict[str, str]:
        """What pages may be filled with, by name."""
        return {
            "pat_id": chosen.patient,
            "encounter_id": chosen.encounter,
            "client_id": app.id,
            "redirect_uri": app.redirect,
            "launch_url": app.launch,
        }

    def _set(self, *place: str) -> None:
        if missing := self.client.target.unset("smart", *place):
            raise NotTested(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")

    def rendered(self, text: str) -> str:
        """A text of the description with the environment in it."""
        return self.client.target.rendered(text) or ""
