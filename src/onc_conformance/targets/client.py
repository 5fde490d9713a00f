"""One target, spoken to politely: paced, patient where the server asks for it, and never led to another host."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from onc_conformance.exchange import Exchange, Journal, astray, redirect, same_origin
from onc_conformance.findings import OutOfTime, UsageError
from onc_conformance.targets.logins import AuthStep
from onc_conformance.targets.patience import Patience, Tally
from onc_conformance.targets.secrecy import field_names
from onc_conformance.targets.session import Session
from onc_conformance.targets.templates import TemplateError, parse
from onc_conformance.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onc_conformance.targets.assembly import Prepared
    from onc_conformance.targets.target import Target


HOPELESS = 5
"""Requests in a row without an answer in time after which a target is not asked for more."""
IMPATIENT = 0.1
"""The share of the time allowed that a request gets while the ones before it were not answered in time."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What a login by launching an app leaves behind."""

    token: str = field(repr=False)
    patient: str
    """The id of the patient that the token is for; empty where it is for none."""
    called: str
    """Which credential it is, for the evidence."""
    life_s: float | None
    """Seconds that it is good for; None where nobody knows."""


Launcher = Callable[[AuthStep, str], Launched]
"""Launches an app, or renews its token where the one given is no good any more. Raises NotTested."""


class Client:
    """One target, spoken to politely."""

    def __init__(self, target: Target, journal: Journal, sleep: Callable[[float], None] | None = None) -> None:
        self.target = target
        self.journal = journal
        self.again = Tally()
        """What was sent more than once."""
        self.launcher: Launcher | None = None
        """Launches apps for logins that are launches."""
        self._sleep = sleep or journal.sleep
        self._next = 0.0
        self._away = False
        self._hanging = 0
        self._led: dict[str, list[str]] = {}
        for name, value in target.named_secrets.items():
            journal.secrets.add(value, name)
        for name in field_names(target):
            journal.secrets.add_name(name)

    def session(self, patient_variables: Mapping[str, str], vars: Mapping[str, str] | None = None) -> Session:  # noqa: A002 - the word of the patients file
        """Act for one patient; `vars` replace [vars] and {env.*} of the same names while doing so."""
        overrides = {}
        for name, text in (vars or {}).items():
            if not self.target.uses(name):  # a patients file may serve several targets
                continue
            overrides[name] = self._resolved(name, text)
            if self.target.is_secret(name):
                self.journal.secrets.add(overrides[name], name)
        return Session(self, patient_variables, overrides)

    def fetch(self, url: str, purpose: str) -> tuple[Exchange, ...]:
        """An anonymous visit to a page: no session, no signature; every redirect in order."""
        if self._over():
            raise OutOfTime
        return self.journal.fetch(url, purpose, self.target.id, self.target.transport)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say of the way the requests went."""
        unchecked = "tls_verify = false, nobody checked whose certificate it is"
        told = [str(self.again), unchecked if self.target.transport.tls_verify is False else ""]
        return tuple(f"{self.target.id}: {each}" for each in told if each)

    @property
    def hopeless(self) -> str | None:
        """Why there is no sense in asking on; None while there is."""
        if self._hanging < HOPELESS:
            return None
        return f"{self.target.id} stopped answering: {self._hanging} requests in a row were not answered in time"

    def send(self, purpose: str, prepare: Callable[[], Prepared]) -> Exchange:
        """Send a request, prepared anew for every attempt; wait and try again where that is polite and safe.

        Raises OutOfTime where the time of the run is over.
        """
        return self._patiently(purpose, lambda named, made: self._followed(named, prepare(), made))

    def hop(self, purpose: str, prepared: Prepared) -> Exchange:
        """Send a request as it is, wherever it leads, and follow nothing; wait and try again where that is safe.

        Raises OutOfTime where the time of the run is over.
        """

        def once(named: str, made: list[str]) -> Exchange:
            exchange = self._put(named, prepared, prepared.url)
            made.append(exchange.id)
            return exchange

        return self._patiently(purpose, once)

    def _patiently(self, purpose: str, attempt: Callable[[str, list[str]], Exchange]) -> Exchange:
        patience = Patience()
        made: list[str] = []
        while True:
            exchange = attempt(purpose, made)
            self._led[exchange.id] = made[:-1]
            if exchange.trouble and self._over():
                raise OutOfTime
            pause = patience.pause(exchange)
            away = exchange.status is None
            if pause is None or (away and self._away):  # a server that is gone is not waited for at every request
                self._away = away
                return exchange
            self.again.add(exchange, pause)
            self.sleep(pause)
            purpose = f"{purpose.partition(', attempt ')[0]}, attempt {patience.attempts + 1}"

    def trail(self, ids: Iterable[str]) -> tuple[str, ...]:
        """These exchanges in order, each after the attempts and redirects that led to it."""
        return tuple(dict.fromkeys(each for last in ids for each in (*self._led.get(last, ()), last)))

    def sleep(self, seconds: float) -> None:
        """Let time pass; OutOfTime where the time of the run would be over by then."""
        if self._over(seconds):
            raise OutOfTime
        self._sleep(seconds)

    def _over(self, seconds: float = 0.0) -> bool:
        return self.journal.until is not None and time.monotonic() + seconds >= self.journal.until

    def _followed(self, purpose: str, prepared: Prepared, made: list[str]) -> Exchange:
        """The one policy on redirects: an unsigned GET is sent on within its origin, anything else nowhere."""
        chain = [self._put(purpose, prepared, prepared.url)]
        while (onward := redirect(chain[-1])) and prepared.method == "GET" and not prepared.signed:
            if not same_origin(onward, chain[-1].url):
                break
            if why := astray(chain, onward):
                chain[-1] = self.journal.object_to(chain[-1], why)
                break
            sent_on = replace(prepared, key=f"{prepared.key}\nonward to {onward}")
            chain.append(self._put(f"{purpose}, redirected", sent_on, onward))
        made += [exchange.id for exchange in chain]
        return chain[-1]

    def _put(self, purpose: str, prepared: Prepared, url: str) -> Exchange:
        if self._over():
            raise OutOfTime
        rate = self.target.description.limits.requests_per_s
        if rate:
            pause = self._next - time.monotonic()
            if pause > 0:
                self.sleep(pause)
            self._next = max(time.monotonic(), self._next) + 1 / rate
        transport = self.target.transport
        if self._hanging > 1:
            transport = replace(transport, timeout_s=transport.timeout_s * IMPATIENT)
        exchange = self.journal.send(
            prepared.method,
            url,
            target=self.target.id,
            purpose=purpose,
            headers=prepared.headers,
            body=prepared.body,
            transport=transport,
            key=prepared.key,
            receiver=prepared.receiver,
            patience_s=prepared.patience_s,
        )
        self._hanging = self._hanging + 1 if exchange.trouble is Trouble.TIMEOUT else 0
        return exchange

    def _resolved(self, name: str, text: str) -> str:
        try:
            template = parse(text)
        except TemplateError as problem:
            raise UsageError(f"vars.{name} of a patient: {problem}") from None
        for used in template.names:
            if not used.startswith("env.") or not self.target.env.get(used.removeprefix("env.")):
                missing = used.removeprefix("env.")
                raise UsageError(f"vars.{name} of a patient uses {{{used}}}; set {missing} in the environment")
        return template.render(lambda used: self.target.env[used.removeprefix("env.")])
