"""The interpreter: carries out a description's operations for one patient at a time."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onc_conformance.access.sessions import Login
from onc_conformance.exchange import REDIRECTS, Exchange, Journal, redirect
from onc_conformance.findings import UsageError
from onc_conformance.targets.answers import Answer, Payload, united
from onc_conformance.targets.assembly import Prepared, assemble, sign
from onc_conformance.targets.capture import NothingCaptured, capture, documents
from onc_conformance.targets.classify import classify
from onc_conformance.targets.decode import DecodeError, decode
from onc_conformance.targets.models import Misuse, Op, Refresh, Request, Step
from onc_conformance.targets.reading import Reading
from onc_conformance.targets.scope import mutated_step
from onc_conformance.targets.secrecy import field_names
from onc_conformance.targets.templates import TemplateError, parse
from onc_conformance.targets.variables import Captured, Variables
from onc_conformance.targets.window import CannotAsk, parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from onc_conformance.moments import Days
    from onc_conformance.targets.loading import Target

LONGEST_WAIT = 60.0
"""Seconds a request may be put off in all by a server that asks for patience."""
_ASKS = frozenset({429, 503})
_MARKUP = re.compile(r"<(head|style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """What is wrong on purpose, and from which step of the operation on."""

    values: Mapping[str, str] = field(default_factory=dict)
    headers: frozenset[str] = frozenset()
    wait_s: float = 0.0
    no_refresh: bool = True

    def step(self, target: Target, op: str) -> int | None:
        """The index of the first spoiled request."""
        return mutated_step(target.description, op, set(self.values))


class Client:
    """One target, spoken to politely."""

    def __init__(self, target: Target, journal: Journal, sleep: Callable[[float], None] = time.sleep) -> None:
        self.target = target
        self.journal = journal
        self.waits = 0
        """How often the server asked for patience."""
        self._sleep = sleep
        self._next = 0.0
        for name, value in target.named_secrets.items():
            journal.secrets.add(value, name)
        for name in field_names(target):
            journal.secrets.add_name(name)

    def session(self, patient_variables: Mapping[str, str], vars: Mapping[str, str] | None = None) -> Session:
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
            signed = any(name.lower() in {"signature", "digest"} for name, _ in prepared.headers)
            if prepared.method != "GET" or signed or onward is None or not _same_origin(onward, prepared.url):
                break
            exchange = self._put(purpose, prepared, onward)
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


class _Stopped(Exception):
    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class Session:
    """A client acting for one patient: logs in when it must, selects once, and asks."""

    def __init__(self, client: Client, patient: Mapping[str, str], overrides: Mapping[str, str]) -> None:
        self.client = client
        self.patient = dict(patient)
        self._overrides = overrides
        refresh = client.target.description.auth.refresh
        self._login = Login(refresh.ttl_s if refresh else None)
        self._selected: Answer | None = None
        self._chosen: dict[str, Captured] = {}
        self._encounters: dict[str, Captured] | None = None
        self._spoiled: Spoiled | None = None
        self._made: list[str] = []

    def value(self, name: str) -> str:
        """What was captured under this name so far; empty if nothing was."""
        found = (self._login.captures | self._chosen).get(name, "")
        return ",".join(found) if isinstance(found, list) else found

    def login(self) -> Answer:
        """Log in now rather than on first need."""
        return self._answer(self._log_in)

    def select(self, **patient_overrides: str) -> Answer:
        """Ask for the patient; with other attributes than its own the answer is not kept for later requests."""
        op = self.client.target.description.ops.select_patient
        kept = not patient_overrides and self._spoiled is None

        def work() -> dict[str, Captured]:
            if op is None:
                if self._spoiled:
                    self._login.forget()
                self._log_in()
                self._made.extend(item for item in self._login.exchanges if item not in self._made)
                return {name: value for name, value in self._login.captures.items() if name == "pat_id"}
            found, _ = self._operate("select_patient", op, patient=self.patient | patient_overrides)
            if kept:
                self._chosen = found
            return found

        answer = self._answer(work)
        if kept:
            self._selected = answer
        return answer

    def category(self, name: str, window: Days | None = None) -> Answer:
        """Ask for one category by its canonical name, for one patient, within a window of days."""
        description = self.client.target.description
        entry, op = self.client.target.category(name), description.ops.category
        if entry is None or entry.unsupported or op is None:
            return Answer(kind="not_supported", message=f"the target's description maps no category {name}")
        if (refused := self._not_selected()) is not None:
            return refused
        identity = op.identity != "none" and op.step[-1].identity != "none"
        names = [entry.join.join(entry.name)] if entry.join is not None else entry.name or [""]
        encounters: list[str] = [""]
        listing: list[Answer] = []
        if entry.scope == "encounter":
            listed = self._list_encounters()
            if not listed.ok:
                return replace(listed, assumed=entry.assumed, identity_in_answer=identity)
            found = (self._encounters or {}).get("encounter_ids", [])
            encounters = found if isinstance(found, list) else [found]
            listing = [replace(listed, kind="no_data", captures={}, message="the patient has no encounters")]
        answers = [
            self._document(
                "category", op, window, url=entry.url, label=name, own={"category": asked, "encounter_id": encounter}
            )
            for encounter in encounters
            for asked in names
        ]
        return united([*listing, *answers], assumed=entry.assumed, identity_in_answer=identity)

    def all_data(self, window: Days | None = None) -> Answer:
        """Ask for everything about the patient, within a window of days."""
        op = self.client.target.description.ops.all_data
        if op is None:
            return Answer(kind="not_supported", message="the target's description has no ops.all_data")
        if (refused := self._not_selected()) is not None:
            return refused
        identity = op.identity != "none" and op.step[-1].identity != "none"
        return replace(self._document("all_data", op, window), identity_in_answer=identity)

    def altered(
        self,
        set: Mapping[str, str] | None = None,
        unset: tuple[str, ...] | list[str] = (),
        drop_header: tuple[str, ...] | list[str] = (),
        *,
        wait_s: float = 0.0,
        no_refresh: bool = True,
    ) -> Session:
        """A copy of this session, selected, whose next operation goes wrong on purpose; values are templates."""
        copy = Session(self.client, self.patient, self._overrides)
        refused = self._not_selected()
        variables = self._variables(self.patient)
        values = {name: parse(text).render(variables) for name, text in (set or {}).items()}
        copy._spoiled = Spoiled(
            values=values | dict.fromkeys(unset, ""),
            headers=frozenset(name.lower() for name in drop_header),
            wait_s=wait_s,
            no_refresh=no_refresh,
        )
        copy._login.complete(self._login.captures, self._login.exchanges)
        copy._chosen, copy._selected = dict(self._chosen), refused or self._selected
        return copy

    def misuse(self, test: Misuse, category: str = "problems") -> Answer:
        """Carry out a described misuse; `category` is what is asked for where it is one of that operation."""
        if not self.client.target.supports(category):
            category = next(iter(self.client.target.supported), category)
        mutate = test.mutate
        spoiled = self.altered(
            mutate.set, mutate.unset, mutate.drop_header, wait_s=mutate.wait_s, no_refresh=mutate.no_refresh
        )
        if spoiled._selected is not None and not spoiled._selected.ok:
            return spoiled._selected
        if test.op == "select_patient":
            return spoiled.select()
        return spoiled.category(category) if test.op == "category" else spoiled.all_data()

    def _not_selected(self) -> Answer | None:
        """The refusal, where selecting the patient did not work."""
        answer = self._selected or self.select()
        if answer.ok:
            return None
        return replace(answer, message=f"the patient could not be selected: {answer.message}")

    def _list_encounters(self) -> Answer:
        op = self.client.target.description.ops.list_encounters

        def work() -> dict[str, Captured]:
            if self._encounters is None and op is not None:
                self._encounters, _ = self._operate("list_encounters", op)
            return self._encounters or {}

        return self._answer(work)

    def _document(
        self, name: str, op: Op, window: Days | None, *, url: str | None = None, label: str = "",
        own: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        found: list[Payload] = []

        def work() -> dict[str, Captured]:
            captured, payloads = self._operate(name, op, window=window, url=url, label=label, own=own)
            found.extend(payloads)
            if not payloads:
                raise _Stopped("no_data", "the answer has no document")
            return captured

        return replace(self._answer(work), documents=tuple(found))

    def _answer(self, work: Callable[[], dict[str, Captured]]) -> Answer:
        """Do the work and say what came of it, with the exchanges it made."""
        self._made = []
        kind, message, captured = "ok", "", {}
        try:
            captured = work()
        except _Stopped as stopped:
            kind, message = stopped.kind, str(stopped)
        except NothingCaptured as nothing:
            kind, message = nothing.kind, str(nothing)
        except CannotAsk as reason:
            kind, message = "not_supported", str(reason)
        except DecodeError as problem:
            kind, message = "unclassified", f"the document cannot be unwrapped: {problem}"
        except TemplateError as problem:
            kind, message = "bad_request", str(problem)
        return Answer(
            kind=kind,
            captures={name: ",".join(value) if isinstance(value, list) else value for name, value in captured.items()},
            exchanges=tuple(self._made),
            message=self.client.journal.secrets.mask_text(message),
        )

    def _variables(self, patient: Mapping[str, str]) -> Variables:
        captured = self._login.captures | self._chosen | (self._encounters or {})
        return Variables(self.client.target, patient, self._overrides, captured)

    def _log_in(self) -> dict[str, Captured]:
        if self._login.alive:
            return self._login.captures
        description = self.client.target.description
        spoiled = self._spoiled if description.ops.select_patient is None else None
        first = spoiled.step(self.client.target, "select_patient") if spoiled else None
        captured: dict[str, Captured] = {}
        before = len(self._made)
        for index, step in enumerate(description.auth.step):
            variables = Variables(self.client.target, self.patient, self._overrides, captured)
            wrong = spoiled if spoiled and first is not None and index >= first else None
            reading = self._send(step, variables, f"log in: {step.id or index + 1}", wrong=wrong)
            captured |= self._captured(step, reading, variables, None)
        self._login.complete(captured, tuple(self._made[before:]))
        return self._login.captures

    def _operate(
        self,
        name: str,
        op: Op,
        *,
        patient: Mapping[str, str] | None = None,
        window: Days | None = None,
        url: str | None = None,
        label: str = "",
        own: Mapping[str, str] | None = None,
    ) -> tuple[dict[str, Captured], list[Payload]]:
        """Carry out an operation's steps; its captures, and its documents out of their wrappings."""
        description = self.client.target.description
        dates = parameters(description.dates, window)
        first = self._spoiled.step(self.client.target, name) if self._spoiled else None
        captured: dict[str, Captured] = {}
        payloads: list[Payload] = []
        for index, step in enumerate(op.step):
            wrong = self._spoiled if first is not None and index >= first else None
            if step.foreach == "encounter_ids" and step.foreach not in captured and self._encounters is None:
                listing = description.ops.list_encounters
                if listing is not None:
                    self._encounters, _ = self._operate("list_encounters", listing)
            for item in self._items(step, captured):
                variables = self._variables(patient or self.patient)
                variables.own |= own or {}
                if step.foreach and step.as_:
                    variables.own[step.as_] = item
                takes = step.dates if step.dates is not None else step.document is not None
                reading = self._send(
                    step,
                    variables,
                    f"{name} {label}".strip(),
                    url=url if index == len(op.step) - 1 else None,
                    dates=dates if takes else [],
                    wrong=wrong,
                    captured=captured,
                )
                captured |= self._captured(step, reading, variables, window)
                payloads += self._unwrapped(step, reading)
        return captured, payloads

    def _items(self, step: Step, captured: Mapping[str, Captured]) -> list[str]:
        if step.foreach is None:
            return [""]
        found = {**self._variables(self.patient).captured, **captured}.get(step.foreach, [])
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
        """Send one request, logging in before and again if that is what it takes; _Stopped unless it is answered ok."""
        description = self.client.target.description
        refresh = description.auth.refresh or Refresh(max=0)
        again = 0 if self._spoiled and self._spoiled.no_refresh else refresh.max
        if wrong:
            variables.spoiled = wrong.values
            if wrong.wait_s:
                self.client.sleep(wrong.wait_s)
        in_session = not step_of_login(step)
        while True:
            if in_session:
                self._log_in()
                variables.captured = {**self._variables(variables.patient).captured, **(captured or {})}
            exchange = self.client.send(
                purpose, lambda: self._prepared(step, variables, url=url, dates=dates or [], wrong=wrong)
            )
            self._made.append(exchange.id)
            if exchange.status is None:
                raise _Stopped("unreachable", exchange.error or "no answer")
            reading = Reading(exchange)
            kind = classify(description, reading)
            if in_session and again and kind in refresh.on:
                again -= 1
                self._login.forget()
                continue
            if kind != "ok":
                raise _Stopped(kind, _described(kind, reading))
            if exchange.error:
                raise _Stopped("server", exchange.error)
            return reading

    def _prepared(
        self, step: Request, variables: Variables, *, url: str | None, dates: list[tuple[str, str]],
        wrong: Spoiled | None,
    ) -> Prepared:  # fmt: skip
        description = self.client.target.description
        variables.fresh()
        place = description.dates.as_
        if place == "var":
            variables.own |= dates
        prepared = assemble(
            step,
            variables,
            apply=None if step_of_login(step) else description.auth.apply,
            url=url,
            dates=(place, dates),
        )
        if step.sign:
            prepared, key = sign(prepared, description.sign[step.sign], variables)
            self.client.journal.secrets.add(key)
        if wrong and wrong.headers:
            kept = tuple(pair for pair in prepared.headers if pair[0].lower() not in wrong.headers)
            prepared = replace(prepared, headers=kept)
        return prepared

    def _captured(
        self, step: Request, reading: Reading, variables: Variables, window: Days | None
    ) -> dict[str, Captured]:
        found: dict[str, Captured] = {}
        for name, place in step.capture.items():
            value = capture(name, place, reading, variables, window)
            if value is None:
                continue
            found[name] = value
            if place.secret:
                for text in value if isinstance(value, list) else [value]:
                    self.client.journal.secrets.add(text)
        return found

    @staticmethod
    def _unwrapped(step: Step, reading: Reading) -> list[Payload]:
        if step.document is None:
            return []
        media_type = reading.exchange.media_type
        return [
            Payload(data=data, exchange=reading.exchange.id, media_type=media_type)
            for wrapped in documents(step.document, reading)
            for data in decode(wrapped, step.document.decode)
        ]


def step_of_login(step: Request) -> bool:
    """Whether a request is part of logging in, and so carries no session yet."""
    return not isinstance(step, Step)


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


def _described(kind: str, reading: Reading) -> str:
    """One line about an answer that was not ok: its class, its status and what it says."""
    what = {"unclassified": "an answer the description does not know"}.get(kind, kind)
    if isinstance(reading.json, dict):
        said = "; ".join(f"{name}: {value}" for name, value in reading.json.items() if value is not None)
    else:
        said = _MARKUP.sub(" ", reading.text[:20_000])
    shown = " ".join(said.split())[:200]
    return f"{what}: HTTP {reading.exchange.status}, {shown}" if shown else f"{what}: HTTP {reading.exchange.status}"
