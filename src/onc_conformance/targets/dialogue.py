"""One client acting for one patient: requests made one after the other, logged in where they must be."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onc_conformance.access.assertions import KeyFileError
from onc_conformance.access.sessions import Login
from onc_conformance.exchange import redirect, same_origin
from onc_conformance.redaction import MASK
from onc_conformance.targets import plugins
from onc_conformance.targets.assembly import Prepared, assemble, sign
from onc_conformance.targets.capture import PAT_ID, capture
from onc_conformance.targets.classify import classify
from onc_conformance.targets.keys import key
from onc_conformance.targets.logins import ASSERTION, PAIR, TOKEN, AuthStep
from onc_conformance.targets.models import Refresh
from onc_conformance.targets.onward import ONWARD, following
from onc_conformance.targets.reading import Reading
from onc_conformance.targets.scope import mutated_step
from onc_conformance.targets.steps import Step
from onc_conformance.targets.templates import text_of
from onc_conformance.targets.variables import Captured, Variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.exchange import Exchange
    from onc_conformance.moments import Days
    from onc_conformance.redaction import Secrets
    from onc_conformance.targets.client import Client
    from onc_conformance.targets.steps import Request
    from onc_conformance.targets.target import Target

_MARKUP = re.compile(r"<(head|style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class Stopped(Exception):  # noqa: N818 - names what is the case
    """An answer that was not ok; `kind` is its class."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """What is wrong on purpose."""

    values: Mapping[str, str] = field(default_factory=dict)
    headers: frozenset[str] = frozenset()
    """Names of headers left out, in lower case."""
    wait_s: float = 0.0
    no_refresh: bool = True

    def first(self, target: Target, op: str) -> int | None:
        """The index of the first request of an operation that it spoils."""
        return mutated_step(target.description, op, set(self.values))


class Dialogue:
    """What one client acting for one patient has said and learned so far."""

    def __init__(self, client: Client, patient: Mapping[str, str], overrides: Mapping[str, str]) -> None:
        self.client = client
        self.description = client.target.description
        self.patient = dict(patient)
        self.overrides = overrides
        launches = any(step.kind == "smart" for step in self.description.auth.step)
        self.refresh = self.description.auth.refresh or Refresh(max=1 if launches else 0)
        self.login = Login(self.refresh.ttl_s)
        self.chosen: dict[str, Captured] = {}
        self.encounters: dict[str, Captured] | None = None
        self.spoiled: Spoiled | None = None
        self.plugins: dict[str, Any] = {}
        self.credential = ""
        """Which credential serves the requests, where there may be several."""
        self._stale = ""
        self.made: list[str] = []
        """Ids of the exchanges since somebody began to count."""

    def known(self) -> dict[str, Captured]:
        """Everything captured so far."""
        return self.login.captures | self.chosen | (self.encounters or {})

    def variables(self, patient: Mapping[str, str] | None = None) -> Variables:
        """The names a request may use now."""
        return Variables(self.client.target, patient or self.patient, self.overrides, self.known())

    def log_in(self) -> dict[str, Captured]:
        """Log in unless that is done; what was captured on the way. Raises Stopped."""
        if self.login.alive:
            return self.login.captures
        spoiled = self.spoiled if self.description.ops.select_patient is None else None
        first = spoiled.first(self.client.target, "select_patient") if spoiled else None
        captured: dict[str, Captured] = {}
        before = len(self.made)
        for index, step in enumerate(self.description.auth.step):
            wrong = spoiled if first is not None and index >= first else None
            for request in step.requests:
                variables = Variables(self.client.target, self.patient, self.overrides, captured)
                reading = self._send(request, variables, f"log in: {step.id or index + 1}", wrong=wrong, login=step)
                captured |= self._captured(request, reading, variables, None)
            variables = Variables(self.client.target, self.patient, self.overrides, captured)
            variables.spoiled = wrong.values if wrong else {}
            given = self._launched(step) if step.kind == "smart" else step.given(variables)
            for name in given.keys() & {name for name, place in step.captures.items() if place.secret}:
                self.client.journal.secrets.add(given[name])
            captured |= given
        self.login.complete(captured, tuple(self.made[before:]))
        return self.login.captures

    def _launched(self, step: AuthStep) -> dict[str, str]:
        """The token of an app that was launched, and the patient it is for. Raises Stopped and NotTested."""
        if self.client.launcher is None:
            raise Stopped("auth", "apps are launched in a run alone")
        launched = self.client.launcher(step, self._stale)
        self.credential = launched.called
        self.login.ttl_s = self.refresh.ttl_s or launched.life_s
        return {TOKEN: launched.token} | ({PAT_ID: launched.patient} if launched.patient else {})

    def _plugin(self, reference: str, kind: type[Any]) -> Any:
        """The instance that this session has of a plugin's class."""
        if reference not in self.plugins:
            self.plugins[reference] = plugins.load(reference, kind)()
        return self.plugins[reference]

    def _send(
        self,
        step: Request,
        variables: Variables,
        purpose: str,
        *,
        url: str | None = None,
        dates: list[tuple[str, str]] | None = None,
        wrong: Spoiled | None = None,
        captured: Mapping[str, Captured] | None = None,
        page: tuple[str, list[tuple[str, str]]] | None = None,
        login: AuthStep | None = None,
    ) -> Reading:
        """Send one request, logging in before and again if that is what it takes. Raises Stopped unless all is well."""
        again = 0 if self.spoiled and self.spoiled.no_refresh else self.refresh.max
        if wrong:
            variables.spoiled = wrong.values
            self.client.sleep(wrong.wait_s)
        in_session = isinstance(step, Step)
        while True:
            if in_session:
                self.log_in()
                variables.captured = {**self.known(), **(captured or {})}
            exchange = self.client.send(
                f"{purpose}, with the {self.credential}" if in_session and self.credential else purpose,
                lambda: self._prepared(
                    step, variables, url=url, dates=dates or [], wrong=wrong, page=page, login=login
                ),
            )
            self.made.append(exchange.id)
            if isinstance(step, Step):
                exchange = self._waited_for(exchange, step, variables, purpose)
            if exchange.status is None:
                raise Stopped("unreachable", exchange.error or "no answer")
            reading = Reading(exchange)
            kind = classify(self.description, reading)
            if in_session and again and kind in self.refresh.on:
                again -= 1
                self._stale = text_of(self.login.captures.get(TOKEN, ""))
                self.login.forget()
                continue
            if kind != "ok":
                raise Stopped(kind, _described(reading, self.client.journal.secrets))
            if exchange.error:
                raise Stopped("server", exchange.error)
            return reading

    def _waited_for(self, exchange: Exchange, step: Step, variables: Variables, purpose: str) -> Exchange:
        """The answer itself, where the server says that it is being prepared. Raises Stopped."""
        poll = self.description.poll
        waited = 0.0
        while poll and (address := poll.onward(exchange)):
            pause = poll.pause(exchange)
            waited += max(pause, 0.1)
            if waited > poll.max_s:
                raise Stopped("server", f"not ready after {poll.max_s:g} s; if it takes longer, raise poll.max_s")
            self.client.sleep(pause)
            variables.captured = {**variables.captured, ONWARD: address}
            exchange = self.client.send(
                f"{purpose}, asked again",
                lambda: self._prepared(following(step), variables, url=None, dates=[], wrong=None),
            )
            self.made.append(exchange.id)
        return exchange

    def _prepared(
        self,
        step: Request,
        variables: Variables,
        *,
        url: str | None,
        dates: list[tuple[str, str]],
        wrong: Spoiled | None,
        page: tuple[str, list[tuple[str, str]]] | None = None,
        login: AuthStep | None = None,
    ) -> Prepared:
        variables.fresh()
        if login is not None and login.kind == "oauth2_jwt":
            self._assert(login, variables)
        place = self.description.dates.as_
        if place == "var":
            variables.own |= dates
        apply = self.description.auth.apply if isinstance(step, Step) else None
        extra = [(place, dates), *([page] if page else [])]
        without = wrong.headers if wrong else frozenset()
        known_by = key(step, variables, apply=apply, url=url, extra=extra, without=without)
        prepared = assemble(step, variables, apply=apply, url=url, extra=extra)
        if PAIR in variables.own:
            self.client.journal.secrets.add(text_of(variables.own[PAIR]))
        if step.plugin:
            plugin: plugins.StepPlugin = self._plugin(step.plugin, plugins.StepPlugin)
            prepared = plugin.request(prepared, variables)
        if step.sign:
            prepared, used = sign(prepared, self.description.sign[step.sign], variables)
            self.client.journal.secrets.add(used)
        kept = tuple(pair for pair in prepared.headers if pair[0].lower() not in without)
        return replace(prepared, headers=kept, key=known_by)

    def _assert(self, login: AuthStep, variables: Variables) -> None:
        """Put a new assertion among a token request's names; the key never leaves here."""
        if self.client.target.recorded:  # nobody is asked, so nothing is signed
            variables.own[ASSERTION] = "{assertion}"
            return
        now = variables("now")
        moment = int(now.timestamp()) if isinstance(now, datetime) else 0
        try:
            made = login.assertion(variables, moment, text_of(variables("uuid")))
        except KeyFileError as problem:
            raise Stopped("bad_request", str(problem)) from None
        self.client.journal.secrets.add(made)
        variables.own[ASSERTION] = made

    def _captured(
        self, step: Request, reading: Reading, variables: Variables, window: Days | None
    ) -> dict[str, Captured]:
        found: dict[str, Captured] = {}
        for name, place in step.capture.items():
            value = capture(name, place, reading, variables, window)
            if value is None:
                continue
            if place.secret and value == MASK:  # out of a recording: no two that were different may become the same
                value = MASK + hashlib.sha256(f"{name} of {reading.exchange.id}".encode()).hexdigest()
            found[name] = value
            for text in ([value] if isinstance(value, str) else value) if place.secret else ():
                self.client.journal.secrets.add(text)
        return found


def _described(reading: Reading, secrets: Secrets) -> str:
    """One line about an answer that was not ok: its status and what it says."""
    if reading.exchange.error:
        said = reading.exchange.error
    elif onward := redirect(reading.exchange):
        elsewhere = not same_origin(onward, reading.exchange.url)
        rule = "where no request with credentials is sent" if elsewhere else "and only an unsigned GET is sent on"
        said = f"it leads to {onward}, {rule}"
    elif isinstance(reading.json, dict):
        said = "; ".join(f"{name}: {value}" for name, value in reading.json.items() if value is not None)
    else:
        said = _MARKUP.sub(" ", reading.text[:20_000])
    shown = secrets.mask_text(" ".join(said.split()))[:200]  # masked first: half a secret is not recognised
    return f"HTTP {reading.exchange.status}, {shown}" if shown else f"HTTP {reading.exchange.status}"
