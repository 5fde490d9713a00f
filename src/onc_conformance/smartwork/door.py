"""The one door to authorization at a target: what is published, apps launched, codes and tokens exchanged.

What a launch is made of can be had by itself and changed on the way, so that wrong requests are the same requests:
`plan` a launch, `authorize` it, `redeem` its code, `refresh` its token, `read` with it. `launched` does it all, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from onc_conformance.access import authorization, discovery, tokens
from onc_conformance.access.apps import App
from onc_conformance.access.authorization import AuthorizationRequest
from onc_conformance.access.credentials import Credential
from onc_conformance.access.discovery import Configuration
from onc_conformance.access.parameters import AS_IT_IS, Change, Parameters, value_of
from onc_conformance.access.tokens import SECRET_FIELDS, TokenAnswer, TokenRequest
from onc_conformance.access.walking import FORM
from onc_conformance.exchange import Exchange
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import NotTested
from onc_conformance.smartwork.drivers import driver_for
from onc_conformance.smartwork.errands import Arrival, Driver, Errand
from onc_conformance.smartwork.launches import Chosen, Launch, Plan
from onc_conformance.smartwork.reading import Reader
from onc_conformance.targets.assembly import Prepared
from onc_conformance.targets.client import Launched
from onc_conformance.targets.logins import AuthStep
from onc_conformance.targets.smart import ClientKind, LoginName

ALONG = ("Binary",)
"""Types that US Core has no profile of, and that others of a patient lead to."""
ORIGIN = "https://app.example"
"""Where a script comes from that runs in a browser."""
ADVISED = ("introspection_endpoint", "revocation_endpoint")
"""Addresses that a configuration need not name."""
ALONE, FROM_EHR = "standalone", "ehr"
"""How an app is launched."""


@dataclass(frozen=True)
class Published:
    """A document that anybody may fetch."""

    exchange: Exchange
    document: Configuration
    trouble: str | None
    """Why it is none."""


@dataclass
class Smart(Reader):
    """Apps at one target."""

    choose: Callable[[str | None, bool], Chosen]
    """The patient to be in context by the id in the patients file, or the first; with an encounter if one is wanted."""
    absent: set[str] = field(default_factory=set)
    """Who was waited for in vain."""
    _published: dict[str, Published] = field(default_factory=dict)
    _launches: dict[tuple[object, ...], Launch] = field(default_factory=dict)
    _after: dict[str, str] = field(default_factory=dict)
    """The refresh token that came in the place of another."""
    _credentials: dict[str, Credential] = field(default_factory=dict)

    # what is published

    def configuration(self) -> Published:
        """The SMART configuration below the FHIR server's address."""
        return self.published(f"{self.base}/{discovery.WELL_KNOWN}", "fetch the SMART configuration")

    def published(self, url: str, purpose: str, *, again: bool = False) -> Published:
        """A JSON document at an address, fetched once, unless `again`, and without any credential."""
        if again or url not in self._published:
            page = self.client.hop(purpose, Prepared("GET", url, (("Accept", "application/json"),), b"", key=purpose))
            fields, trouble = tokens.json_object(page)
            if trouble is None and page.status != 200:
                trouble = f"it is answered with HTTP {page.status}"
            self._published[url] = Published(page, Configuration(fields if trouble is None else {}), trouble)
        found = self._published[url]
        self.note([found.exchange.id])
        return found

    def from_browser(self, path: str) -> Exchange:
        """What stands below the FHIR server's address, asked for as a script of another origin does."""
        purpose = f"fetch {path} as a script in a browser does"
        headers = (("Accept", "application/json"), ("Origin", ORIGIN))
        page = self.client.hop(purpose, Prepared("GET", f"{self.base}/{path}", headers, b"", key=purpose))
        self.note([page.id])
        return page

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
            missing = f"the SMART configuration has no address as {name}"
            if name in ADVISED:
                raise NotTested(missing)
            raise NotTested(missing, "AUT-PAT-6" if self.version == "1.0.0" else "AUT-PAT-25")
        return found

    def introspection(self) -> str:
        """Where tokens are asked about: as the description has it, or else the configuration; NotTested without."""
        told = self.table.introspection and self.table.introspection.url
        return self.rendered(told) if told else self.endpoint("introspection_endpoint")

    # a launch, piece by piece

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
        driver = driver_for(self, who, login, chosen, self.absent)
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
        names = self.names(app, chosen)
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
            names=self.names(plan.app, plan.chosen),
            grant=request.scopes if grant is None else grant,
            deny=deny,
        )
        arrival = plan.driver.do(errand)
        self.note(arrival.exchanges)
        for value in authorization.entrusted(arrival.url or ""):
            self.secret(value)
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
        answer = self.ask(request.changed(change), purpose or f"refresh the token of {app.title}")
        if answer.given and answer.refresh_token not in {"", token}:
            self._after[token] = answer.refresh_token
        return answer

    def latest(self, token: str) -> str:
        """The refresh token that is good now, where a server puts another in the place of each that is used.

        Using one twice on such a server ends all that came of its launch.
        """
        while token in self._after:
            token = self._after[token]
        return token

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
            self._credentials[answer.access_token] = Credential(
                name, answer, lambda token: self.refresh(app, self.latest(token))
            )
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
            known = Credential(
                f"token of {plan.app.title}", answer, lambda token: self.refresh(plan.app, self.latest(token))
            )
            self._credentials[key] = known
        patient = known.answer.text("patient") if who == "patient" else ""
        return Launched(known.token, patient, known.shown, known.life_s)

    # requests with a token

    def get(self, credential: Credential, path: str, parameters: Parameters = ()) -> Got:
        """GET with a credential, which is made new when it has run out or is refused."""
        if credential.expired:
            credential.renew()
        got = self.read(credential.token, path, parameters, shown=credential.shown)
        if got.exchange.status == 401 and credential.renew():
            got = self.read(credential.token, path, parameters, shown=credential.shown)
        return got
