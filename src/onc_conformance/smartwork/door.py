"""The one door to authorization at a target: what is published, apps launched, codes and tokens exchanged.

What a launch is made of can be had by itself and changed on the way, so that wrong requests are the same requests:
`plan` a launch, `authorize` it, `redeem` its code, `refresh` its token, `read` with it. `launched` does it all, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from onc_conformance.access import authorization, discovery, tokens
from onc_conformance.access.apps import App, basic
from onc_conformance.access.assertions import read_key
from onc_conformance.access.authorization import AuthorizationRequest, Redirected
from onc_conformance.access.credentials import Credential
from onc_conformance.access.discovery import Configuration
from onc_conformance.access.parameters import AS_IT_IS, Change, Parameters, in_query, value_of
from onc_conformance.access.tokens import SECRET_FIELDS, TokenAnswer, TokenRequest
from onc_conformance.access.walking import FORM, Walk
from onc_conformance.exchange import Exchange
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.asking import read as read_resource
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.smartwork.browserlogin import BrowserLogin
from onc_conformance.smartwork.errands import Arrival, Driver, Errand
from onc_conformance.smartwork.formlogin import FormLogin
from onc_conformance.smartwork.launches import Chosen, Launch, Plan
from onc_conformance.smartwork.personlogin import PersonLogin
from onc_conformance.targets import Client
from onc_conformance.targets.assembly import Prepared
from onc_conformance.targets.client import Launched
from onc_conformance.targets.logins import AuthStep
from onc_conformance.targets.smart import ClientKind, LoginName, SmartLogin, SmartTable
from onc_conformance.targets.templates import parse
from onc_conformance.targets.variables import Variables
from onc_conformance.transport import Received

CAPABILITY = {
    "public": "client-public",
    "symmetric": "client-confidential-symmetric",
    "asymmetric": "client-confidential-asymmetric",
}
BROWSER_S = 60.0
"""Seconds that a browser may be on one way at the least."""
ALONG = ("Binary",)
"""Types that US Core has no profile of, and that others of a patient lead to."""
ALONE, FROM_EHR = "standalone", "ehr"
"""How an app is launched."""


@dataclass(frozen=True)
class Published:
    """A document that anybody may fetch."""

    exchange: Exchange
    document: Configuration
    trouble: str | None
    """Why it is none."""


MakeDriver = Callable[["Smart", SmartLogin, Chosen], Driver]
DRIVERS: dict[str, MakeDriver] = {}
"""Ways past a login page, by the kind of login."""


@dataclass
class Smart:
    """Apps at one target."""

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
    choose: Callable[[str | None, bool], Chosen]
    """The patient to be in context by the id in the patients file, or the first; with an encounter if one is wanted."""
    absent: set[str] = field(default_factory=set)
    """Who was waited for in vain."""
    _published: dict[str, Published] = field(default_factory=dict)
    _launches: dict[tuple[object, ...], Launch] = field(default_factory=dict)
    _read: dict[tuple[str, str], Got] = field(default_factory=dict)
    _credentials: dict[str, Credential] = field(default_factory=dict)

    # what is published

    def configuration(self) -> Published:
        """The SMART configuration below the FHIR server's address."""
        return self.published(f"{self.base}/{discovery.WELL_KNOWN}", "fetch the SMART configuration")

    def published(self, url: str, purpose: str) -> Published:
        """A JSON document at an address, fetched once and without any credential."""
        if url not in self._published:
            page = self.client.hop(purpose, Prepared("GET", url, (("Accept", "application/json"),), b"", key=purpose))
            fields, trouble = tokens.json_object(page)
            if trouble is None and page.status != 200:
                trouble = f"it is answered with HTTP {page.status}"
            self._published[url] = Published(page, Configuration(fields if trouble is None else {}), trouble)
        found = self._published[url]
        self.note([found.exchange.id])
        return found

    def statement(self) -> Got:
        """The capability statement, fetched without any credential."""
        return self.read("", "metadata")

    def endpoint(self, name: str) -> str:
        """An address of the configuration, or of the capability statement where SMART 1 has it; NotTested without."""
        found = self.configuration().document.text(name)
        if not found and self.version == "1.0.0":
            named = discovery.oauth_uris(self.statement().resource or {})
            found = named.get(name.removesuffix("_endpoint").replace("authorization", "authorize"), "")
        if not discovery.is_address(found):
            step = "AUT-PAT-6" if self.version == "1.0.0" else "AUT-PAT-25"
            raise NotTested(f"the SMART configuration has no address as {name}", step)
        return found

    # who takes part

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
            id=self._rendered(table.id),
            secret=self._rendered(table.secret or ""),
            auth=table.auth,
            key=read_key(self._rendered(table.key), algorithm) if table.key else None,
            alg=algorithm,
            redirect=self._rendered(table.redirect or self.table.redirect),
            launch=self._rendered(table.launch or self.table.launch),
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
        return self._rendered(text)

    def introspector(self) -> Parameters:
        """The header by which a resource server proves itself when it asks about a token; NotTested without one."""
        self.needs("introspection")
        table = self.table.introspection
        if table is None:
            raise NotTested("the description has no smart.introspection")
        self._set("introspection")
        if table.token is not None:
            self.secret(self._rendered(table.token))
            return (("Authorization", f"Bearer {self._rendered(table.token)}"),)
        return basic(self._rendered(table.id or ""), self._rendered(table.secret or ""))

    def driver(self, name: LoginName, chosen: Chosen) -> Driver:
        """A new browser with somebody in front of it."""
        login = self.login(name)
        if login.kind == "token":
            raise NotTested(f"the description gives a token for smart.login.{name}, so that no launch is made")
        if login.kind not in DRIVERS:
            raise NotTested(f'smart.login.{name} is of kind = "{login.kind}", which is not at hand here')
        return DRIVERS[login.kind](self, login, chosen)

    # a launch, piece by piece

    def scope(self, whose: str, form: int | None = None, more: Sequence[str] = ()) -> str:
        """Scopes for resources of a patient or user: those of the description, or every type of US Core and `more`."""
        told = self.table.scope.get(whose)  # type: ignore[call-overload]
        if told is not None and form is None:
            self._set("scope", whose)
            return self._rendered(told)
        may = "read" if (form or int(self.version[0])) == 1 else "rs"
        return " ".join(f"{whose}/{kind}.{may}" for kind in (*self.types, *more))

    def plan(
        self,
        kind: ClientKind = "symmetric",
        *,
        how: str = ALONE,
        who: LoginName | None = None,
        scope: str | None = None,
        resources: str | None = None,
        post: bool = False,
        person: str | None = None,
        change: Change = AS_IT_IS,
        called: str = "",
        chosen: Chosen | None = None,
    ) -> Plan:
        """Everything that is needed to launch an app; one that is launched from the EHR has been opened by it.

        `scope` replaces all scopes, `resources` those for resources; `change` makes the request a wrong one.
        `person` is the test patient to be in context, by the id in the patients file; `called` is what the evidence
        says of the launch beyond that; `chosen` replaces who is chosen.
        """
        self.needs("launch-ehr" if how == FROM_EHR else "launch-standalone")
        who = who or ("clinician" if how == FROM_EHR else "patient")
        app, login = self.app(kind), self.login(who)
        chosen = chosen or self.choose(person or login.person, how == FROM_EHR)
        driver = self.driver(who, chosen)
        app = replace(app, redirect=driver.address(app.redirect), launch=driver.address(app.launch))
        where = "from the EHR" if how == FROM_EHR else "by itself"
        title = f"launch {app.title} {where}{' by POST' if post else ''}{' ' + called if called else ''}"
        opened, given = None, None
        if how == FROM_EHR:
            opened = self._opened(title, app, driver, chosen)
            given = opened.back.value("launch") if opened.back else ""
        whose = "user" if how == FROM_EHR else "patient"
        context = "launch" if how == FROM_EHR else "launch/patient"
        offline = () if "permission-offline" in self.table.without else ("offline_access",)
        openid = () if "sso-openid-connect" in self.table.without else ("openid", "fhirUser")
        own = " ".join((context, *openid, *offline, self.scope(whose) if resources is None else resources))
        request = authorization.request_for(
            app,
            self.endpoint("authorization_endpoint"),
            audience=self.base,
            scope=own if scope is None else scope,
            launch=given,
            post=post,
        )
        self.secret(request.pkce.verifier)
        return Plan(
            title=title,
            app=app,
            driver=driver,
            chosen=chosen,
            request=request.changed(change),
            opened=opened,
        )

    def _opened(self, title: str, app: App, driver: Driver, chosen: Chosen) -> Arrival:
        page = self.address("launch_page")
        names = self._names(app, chosen)
        arrival = driver.do(Errand(purpose=f"{title}: open it", url=page, until=app.launch, names=names))
        self.note(arrival.exchanges)
        if arrival.back:
            self.secret(arrival.back.value("launch"))
        return arrival

    def authorize(
        self,
        plan: Plan,
        *,
        grant: Collection[str] | None = None,
        deny: bool = False,
        request: AuthorizationRequest | None = None,
    ) -> Arrival:
        """Send the browser to the authorization endpoint, and have the user grant what is asked for, or `grant` alone.

        `request` replaces that of the plan.
        """
        request = request or plan.request
        errand = Errand(
            purpose=f"{plan.title}: authorize",
            url=request.address,
            form=request.parameters if request.post else None,
            until=plan.app.redirect,
            names=self._names(plan.app, plan.chosen),
            grant=request.scopes if grant is None else grant,
            deny=deny,
        )
        arrival = plan.driver.do(errand)
        self.note(arrival.exchanges)
        self.secret(arrival.code)
        return arrival

    def redeem(
        self, plan: Plan, code: str, *, change: Change = AS_IT_IS, app: App | None = None, purpose: str = ""
    ) -> TokenAnswer:
        """Exchange a code, in the name of the plan's app unless another is given."""
        request = tokens.for_code(plan.request, self.endpoint("token_endpoint"), code, app or plan.app)
        return self.ask(request.changed(change), purpose or f"{plan.title}: exchange the code")

    def refresh(
        self, app: App, token: str, *, scope: str | None = None, change: Change = AS_IT_IS, purpose: str = ""
    ) -> TokenAnswer:
        """Use a refresh token."""
        request = tokens.for_refresh(app, self.endpoint("token_endpoint"), token, scope)
        return self.ask(request.changed(change), purpose or f"refresh the token of {app.title}")

    def ask(self, request: TokenRequest, purpose: str) -> TokenAnswer:
        """Post a request to a token endpoint, or one like it, and read the answer."""
        for name in ("client_assertion", "code_verifier", "client_secret"):
            self.secret(value_of(request.parameters, name))
        for name, value in request.headers:
            if name.lower() == "authorization":
                self.secret(value.partition(" ")[2])
        headers = (("Accept", "application/json"), ("Content-Type", FORM), *request.headers)
        body = urlencode(request.parameters).encode()
        page = self.client.hop(purpose, Prepared("POST", request.endpoint, headers, body, key=purpose))
        self.note([page.id])
        answer = tokens.read(page)
        for name in SECRET_FIELDS:
            self.secret(answer.text(name))
        return answer

    # launches as a whole

    def launched(
        self,
        kind: ClientKind = "symmetric",
        *,
        how: str = ALONE,
        who: LoginName | None = None,
        resources: str | None = None,
        post: bool = False,
        person: str | None = None,
        grant: Sequence[str] | None = None,
        called: str = "",
    ) -> Launch:
        """A right launch, made once however often it is asked for, as far as it came."""
        key = (kind, how, who, resources, post, person, tuple(grant) if grant is not None else None)
        if key not in self._launches:
            plan = self.plan(kind, how=how, who=who, resources=resources, post=post, person=person, called=called)
            self._launches[key] = self._launch(plan, grant)
        self.note(self._launches[key].exchanges)
        return self._launches[key]

    def _launch(self, plan: Plan, grant: Sequence[str] | None) -> Launch:
        made = plan.opened.exchanges if plan.opened else ()
        if plan.opened is not None and plan.opened.back is None:
            return Launch(plan=plan, arrival=None, answer=None, exchanges=made)
        arrival = self.authorize(plan, grant=grant)
        made += arrival.exchanges
        if not arrival.code:
            return Launch(plan=plan, arrival=arrival, answer=None, exchanges=made)
        answer = self.redeem(plan, arrival.code)
        return Launch(plan=plan, arrival=arrival, answer=answer, exchanges=(*made, answer.exchange.id))

    def credential(self, launch: Launch) -> Credential:
        """The token of a launch as one that lives: made new when it runs out, and named in the evidence."""
        answer, app = launch.given(), launch.plan.app
        if answer.access_token not in self._credentials:
            name = f"token of {app.title}, launched {'from the EHR' if launch.plan.opened else 'by itself'}"
            self._credentials[answer.access_token] = Credential(name, answer, lambda token: self.refresh(app, token))
        return self._credentials[answer.access_token]

    def sign_in(self, step: AuthStep, stale: str) -> Launched:
        """The token of a login that is a launch, for everything that is asked in its session.

        It is made once and renewed when it has run out or is `stale`. Raises NotTested where no token is given.
        """
        kind, who = step.client or "symmetric", step.login or "clinician"
        key = f"{kind} {who}"
        known = self._credentials.get(key)
        if known is not None and (known.token == stale or known.expired) and not known.renew():
            known = None
        if known is None:
            of_patient = who == "patient"
            context = ("launch/patient",) if of_patient else ()
            resources = self.scope("patient" if of_patient else "user", more=ALONG)
            scopes = (*context, "openid", "fhirUser", "offline_access", resources)
            plan = self.plan(kind, who=who, scope=" ".join(scopes), called="to log in", chosen=Chosen(None, ""))
            launch = self._launch(plan, None)
            answer = launch.given()
            known = Credential(f"token of {plan.app.title}", answer, lambda token: self.refresh(plan.app, token))
            self._credentials[key] = known
        patient = known.answer.text("patient") if who == "patient" else ""
        return Launched(known.token, patient, known.shown, known.life_s)

    # requests with a token

    def read(
        self, token: str, path: str, parameters: Parameters = (), *, shown: str = "token", again: bool = False
    ) -> Got:
        """GET below the FHIR server's address with this access token, or with none; once, unless `again`.

        `shown` is what the evidence calls the credential.
        """
        url = path if discovery.is_address(path) else f"{self.base}/{path}"
        url = in_query(url, parameters) if parameters else url
        if again or (token, url) not in self._read:
            purpose = f"read {path} " + (f"with the {shown}" if token else "without a token")
            headers: Parameters = (("Accept", "application/fhir+json"),)
            headers += (("Authorization", f"Bearer {token}"),) if token else ()
            page = self.client.hop(
                purpose, Prepared("GET", url, headers, b"", key=f"{purpose}\n{urlencode(parameters)}")
            )
            told = f"GET {path}" + (f"?{urlencode(parameters)}" if parameters else "")
            self._read[token, url] = Got(told, page, *read_resource(page))
        got = self._read[token, url]
        self.note([got.exchange.id])
        return got

    def get(self, credential: Credential, path: str, parameters: Parameters = ()) -> Got:
        """GET with a credential, which is made new when it has run out or is refused."""
        if credential.expired:
            credential.renew()
        got = self.read(credential.token, path, parameters, shown=credential.shown)
        if got.exchange.status == 401 and credential.renew():
            got = self.read(credential.token, path, parameters, shown=credential.shown)
        return got

    # helpers

    def secret(self, value: str) -> None:
        """Have a value masked in everything that is written."""
        if value:
            self.client.journal.secrets.add(value)

    def walk(self) -> Walk:
        """A new browser without script."""

        def send(purpose: str, method: str, url: str, headers: Parameters, body: bytes) -> Exchange:
            return self.client.hop(purpose, Prepared(method, url, headers, body, key=f"{method} {purpose}"))

        return Walk(send, self.secret)

    def seen(self, purpose: str, url: str, page: bytes, sent_to: str | None, trouble: str | None) -> Exchange:
        """Keep what a real browser showed as an exchange."""
        if sent_to:
            self.secret(Redirected(sent_to).code)
        headers = (("Content-Type", "text/html; charset=utf-8"), *((("Location", sent_to),) if sent_to else ()))
        kept = self.client.journal.observe(
            url,
            target=self.client.target.id,
            purpose=purpose,
            key=purpose,
            look=lambda _: Received(
                status=None if trouble else 302 if sent_to else 200, headers=headers, body=page, error=trouble
            ),
            method="GET",
        )
        self.note([kept.id])
        return kept

    def rendered(self, text: str, chosen: Chosen, errand: Errand) -> str:
        """A template of a page, filled for an errand."""
        return parse(text).render(Variables(self.client.target, chosen.variables, {}, dict(errand.names)))

    def _names(self, app: App, chosen: Chosen) -> dict[str, str]:
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

    def _rendered(self, text: str) -> str:
        return self.client.target.rendered(text) or ""


def _form(smart: Smart, login: SmartLogin, chosen: Chosen) -> Driver:
    return FormLogin(smart.walk(), login.page, lambda text, errand: smart.rendered(text, chosen, errand))


def _browser(smart: Smart, login: SmartLogin, chosen: Chosen) -> Driver:
    transport = smart.client.target.transport
    return BrowserLogin(
        login.page,
        login.step,
        lambda text, errand: smart.rendered(text, chosen, errand),
        smart.seen,
        trusting=transport.tls_verify is not True,
        seconds=max(BROWSER_S, transport.timeout_s),
    )


def _person(smart: Smart, login: SmartLogin, chosen: Chosen) -> Driver:
    who = next(name for name, each in smart.table.login.items() if each is login)
    return PersonLogin(smart.walk(), login.wait_s, smart.absent, f"{who} ({chosen.title})")


DRIVERS |= {"form": _form, "browser": _browser, "person": _person}
