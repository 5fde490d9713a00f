"""The interpreter: carries out a description's steps, one request after the other, logged in where it must be."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from onc_conformance.access.sessions import Login
from onc_conformance.exchange import redirect, same_origin
from onc_conformance.redaction import MASK
from onc_conformance.targets.answers import Payload
from onc_conformance.targets.assembly import Prepared, assemble, sign
from onc_conformance.targets.capture import capture, documents
from onc_conformance.targets.classify import classify
from onc_conformance.targets.decode import decode
from onc_conformance.targets.keys import key
from onc_conformance.targets.models import Refresh
from onc_conformance.targets.reading import Reading
from onc_conformance.targets.scope import mutated_step
from onc_conformance.targets.steps import Step
from onc_conformance.targets.variables import Captured, Variables
from onc_conformance.targets.window import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.moments import Days
    from onc_conformance.redaction import Secrets
    from onc_conformance.targets.client import Client
    from onc_conformance.targets.steps import Op, Request
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an operation is asked for besides its description."""

    window: Days | None = None
    url: str | None = None
    """An address of its own for the last step."""
    label: str = ""
    """For people, in the journal."""
    own: Mapping[str, str] = field(default_factory=dict)
    """Names that have a value for this operation alone: `category`, `encounter_id`."""


class Conversation:
    """What one client acting for one patient has said and learned so far."""

    def __init__(self, client: Client, patient: Mapping[str, str], overrides: Mapping[str, str]) -> None:
        self.client = client
        self.description = client.target.description
        self.patient = dict(patient)
        self.overrides = overrides
        self.refresh = self.description.auth.refresh or Refresh(max=0)
        self.login = Login(self.refresh.ttl_s)
        self.chosen: dict[str, Captured] = {}
        self.encounters: dict[str, Captured] | None = None
        self.spoiled: Spoiled | None = None
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
            variables = Variables(self.client.target, self.patient, self.overrides, captured)
            wrong = spoiled if first is not None and index >= first else None
            reading = self._send(step, variables, f"log in: {step.id or index + 1}", wrong=wrong)
            captured |= self._captured(step, reading, variables, None)
        self.login.complete(captured, tuple(self.made[before:]))
        return self.login.captures

    def list_encounters(self) -> list[str]:
        """The ids of the patient's encounters, asked for once. Raises Stopped."""
        if self.encounters is None and self.description.ops.list_encounters is not None:
            self.encounters, _ = self.operate("list_encounters", self.description.ops.list_encounters)
        found = (self.encounters or {}).get("encounter_ids", [])
        return found if isinstance(found, list) else [found]

    def operate(
        self, name: str, op: Op, asked: Asked | None = None, patient: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Captured], list[Payload]]:
        """Carry out an operation's steps; its captures, and its documents out of their wrappings. Raises Stopped."""
        asked = asked or Asked()
        dates = parameters(self.description.dates, asked.window)
        first = self.spoiled.first(self.client.target, name) if self.spoiled else None
        captured: dict[str, Captured] = {}
        payloads: list[Payload] = []
        for index, step in enumerate(op.step):
            takes_dates = step.dates if step.dates is not None else step.document is not None
            for item in self._items(step, captured):
                variables = self.variables(patient)
                variables.own |= asked.own
                if step.as_ is not None:
                    variables.own[step.as_] = item
                reading = self._send(
                    step,
                    variables,
                    f"{name} {asked.label}".strip(),
                    url=asked.url if index == len(op.step) - 1 else None,
                    dates=dates if takes_dates else [],
                    wrong=self.spoiled if first is not None and index >= first else None,
                    captured=captured,
                )
                captured |= self._captured(step, reading, variables, asked.window)
                payloads += _unwrapped(step, reading)
        return captured, payloads

    def _items(self, step: Step, captured: Mapping[str, Captured]) -> list[str]:
        """What a step is done for: the items of its list, or once."""
        if step.foreach is None:
            return [""]
        if step.foreach == "encounter_ids" and step.foreach not in captured:
            return self.list_encounters()
        found = {**self.known(), **captured}.get(step.foreach, [])
        return found if isinstance(found, list) else [found]

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
                purpose, lambda: self._prepared(step, variables, url=url, dates=dates or [], wrong=wrong)
            )
            self.made.append(exchange.id)
            if exchange.status is None:
                raise Stopped("unreachable", exchange.error or "no answer")
            reading = Reading(exchange)
            kind = classify(self.description, reading)
            if in_session and again and kind in self.refresh.on:
                again -= 1
                self.login.forget()
                continue
            if kind != "ok":
                raise Stopped(kind, _described(reading, self.client.journal.secrets))
            if exchange.error:
                raise Stopped("server", exchange.error)
            return reading

    def _prepared(
        self,
        step: Request,
        variables: Variables,
        *,
        url: str | None,
        dates: list[tuple[str, str]],
        wrong: Spoiled | None,
    ) -> Prepared:
        variables.fresh()
        place = self.description.dates.as_
        if place == "var":
            variables.own |= dates
        apply = self.description.auth.apply if isinstance(step, Step) else None
        without = wrong.headers if wrong else frozenset()
        known_by = key(step, variables, apply=apply, url=url, dates=(place, dates), without=without)
        prepared = assemble(step, variables, apply=apply, url=url, dates=(place, dates))
        if step.sign:
            prepared, used = sign(prepared, self.description.sign[step.sign], variables)
            self.client.journal.secrets.add(used)
        kept = tuple(pair for pair in prepared.headers if pair[0].lower() not in without)
        return replace(prepared, headers=kept, key=known_by)

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


def _unwrapped(step: Step, reading: Reading) -> list[Payload]:
    if step.document is None:
        return []
    media_type = reading.exchange.media_type
    return [
        Payload(data=data, exchange=reading.exchange.id, media_type=media_type)
        for wrapped in documents(step.document, reading)
        for data in decode(wrapped, step.document.decode)
    ]


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
