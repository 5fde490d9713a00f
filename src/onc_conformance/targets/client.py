"""One target, spoken to politely: paced, patient where the server asks for it, and never led to another host."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onc_conformance.exchange import REDIRECTS, Exchange, Journal, redirect
from onc_conformance.findings import UsageError
from onc_conformance.targets.secrecy import field_names
from onc_conformance.targets.session import Session
from onc_conformance.targets.templates import TemplateError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from onc_conformance.targets.assembly import Prepared
    from onc_conformance.targets.target import Target

LONGEST_WAIT = 60.0
"""Seconds a request may be put off in all by a server that asks for patience."""
_ASKS = frozenset({429, 503})


class Client:
    """One target, spoken to politely."""

    def __init__(self, target: Target, journal: Journal, sleep: Callable[[float], None] | None = None) -> None:
        self.target = target
        self.journal = journal
        self.waits = 0
        """How often the server asked for patience."""
        self._sleep = sleep or journal.sleep
        self._next = 0.0
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
        return self.journal.fetch(url, purpose, self.target.id, self.target.transport)

    def send(self, purpose: str, prepare: Callable[[], Prepared]) -> Exchange:
        """Send a request, prepared anew for every attempt; wait where the server asks for it."""
        waited = 0.0
        while True:
            exchange = self._once(purpose, prepare())
            pause = _patience(exchange)
            if pause is None or waited + pause > LONGEST_WAIT:
                return exchange
            self.waits += 1
            waited += max(pause, 0.5)
            self._sleep(pause)

    def sleep(self, seconds: float) -> None:
        """Let time pass, as a negative test asks."""
        self._sleep(seconds)

    def _once(self, purpose: str, prepared: Prepared) -> Exchange:
        exchange = self._put(purpose, prepared, prepared.url)
        for _ in range(REDIRECTS):
            onward = redirect(exchange)
            if prepared.method != "GET" or prepared.signed or onward is None or not _same_origin(onward, exchange.url):
                break
            exchange = self._put(purpose, replace(prepared, key=f"{prepared.key}\nonward to {onward}"), onward)
        return exchange

    def _put(self, purpose: str, prepared: Prepared, url: str) -> Exchange:
        rate = self.target.description.limits.requests_per_s
        if rate:
            pause = self._next - time.monotonic()
            if pause > 0:
                self._sleep(pause)
            self._next = max(time.monotonic(), self._next) + 1 / rate
        return self.journal.send(
            prepared.method,
            url,
            target=self.target.id,
            purpose=purpose,
            headers=prepared.headers,
            body=prepared.body,
            transport=self.target.transport,
            key=prepared.key,
        )

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


def _same_origin(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)


def _patience(exchange: Exchange) -> float | None:
    """The seconds a server asks a client to wait; None if it does not ask."""
    if exchange.status not in _ASKS:
        return None
    asked = exchange.header("retry-after")
    if asked is None:
        return 1.0 if exchange.status == 429 else None
    if asked.strip().isdigit():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except ValueError:
        return 1.0
