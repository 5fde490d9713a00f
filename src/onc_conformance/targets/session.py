"""A client acting for one patient: selects the patient, asks for data, and misbehaves on request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onc_conformance.findings import NotTested
from onc_conformance.targets.answers import Answer, Payload, united
from onc_conformance.targets.capture import PAT_ID, NothingCaptured
from onc_conformance.targets.conversation import Asked, Conversation, Question
from onc_conformance.targets.decode import DecodeError
from onc_conformance.targets.dialogue import Spoiled, Stopped
from onc_conformance.targets.templates import TemplateError, parse
from onc_conformance.targets.window import CannotAsk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from onc_conformance.exchange import Exchange
    from onc_conformance.moments import Days
    from onc_conformance.targets.client import Client
    from onc_conformance.targets.models import Misuse
    from onc_conformance.targets.steps import Op
    from onc_conformance.targets.variables import Captured


class Session:
    """A patient's place at a target. Nothing is kept between questions but the login and the patient's id."""

    def __init__(self, client: Client, patient: Mapping[str, str], overrides: Mapping[str, str]) -> None:
        self._talk = Conversation(client, patient, overrides)
        self._selected: Answer | None = None

    def value(self, name: str) -> str:
        """What was captured under this name so far; empty if nothing was."""
        found = self._talk.known().get(name, "")
        return ",".join(found) if isinstance(found, list) else found

    @property
    def credential(self) -> str:
        """Which launched app's token serves the requests; empty where none does."""
        return self._talk.credential

    def login(self) -> Answer:
        """Log in now rather than on first need."""
        return self._answer(self._talk.log_in)

    def select(self, **patient_overrides: str) -> Answer:
        """Ask for the patient; with other attributes than its own the answer is not kept for later requests."""
        talk, op = self._talk, self._talk.description.ops.select_patient
        kept = not patient_overrides and talk.spoiled is None

        def search(op: Op) -> dict[str, Captured]:
            found, _ = talk.operate("select_patient", op, patient=talk.patient | patient_overrides)
            if kept:
                talk.chosen = found
            return found

        def bound() -> dict[str, Captured]:
            if talk.spoiled:
                talk.login.forget()
            talk.log_in()
            talk.made = list(talk.login.exchanges)
            return {PAT_ID: talk.login.captures[PAT_ID]}

        answer = self._answer(bound if op is None else lambda: search(op))
        if answer.ok and not answer.captures.get(PAT_ID):
            answer = replace(answer, kind="no_id", message="the answer carries no id for the patient")
        if kept:
            self._selected = answer
        return answer

    def category(self, name: str, window: Days | None = None) -> Answer:
        """Ask for one category by its canonical name, within a window of days; several requests if it takes them."""
        target = self._talk.client.target
        entry, op = target.category(name), target.description.ops.category
        if entry is None or entry.unsupported or op is None:
            return Answer(kind="not_supported", message=f"the target's description maps no category {name}")
        if (refused := self._not_selected()) is not None:
            return refused
        identity = op.names_patient
        encounters: Sequence[str] = [""]
        answers: list[Answer] = []
        if entry.scope == "encounter":
            listed = self._answer(lambda: {"encounter_ids": self._talk.list_encounters()})
            if not listed.ok:
                return replace(listed, assumed=entry.assumed, identity_in_answer=identity)
            encounters = [each for each in listed.captures["encounter_ids"].split(",") if each]
            answers = [replace(listed, kind="no_data", captures={}, message="the patient has no encounters")]
        names = [entry.join.join(entry.name)] if entry.join is not None else entry.name or [""]
        for encounter in encounters:
            for vendor_name in names:
                own = {"category": vendor_name, "encounter_id": encounter}
                asked = Asked(window=window, url=entry.url, label=name, own=own)
                answers.append(self._document("category", op, asked))
        return united(answers, assumed=entry.assumed, identity_in_answer=identity)

    def all_data(self, window: Days | None = None) -> Answer:
        """Ask for everything about the patient, within a window of days."""
        op = self._talk.description.ops.all_data
        if op is None:
            return Answer(kind="not_supported", message="the target's description has no ops.all_data")
        if (refused := self._not_selected()) is not None:
            return refused
        return replace(self._document("all_data", op, Asked(window=window)), identity_in_answer=op.names_patient)

    def ask(self, question: Question) -> tuple[Exchange, tuple[str, ...]]:
        """One request to the FHIR server in this session: its answer, and every exchange it took.

        Raises NotTested where nothing could be sent.
        """
        self._talk.made = []
        try:
            exchange = self._talk.ask(question)
        except Stopped as stopped:
            raise NotTested(f"{question.purpose}: {stopped}") from None
        return exchange, self._talk.client.trail(self._talk.made)

    def altered(
        self,
        set: Mapping[str, str] | None = None,  # noqa: A002 - the word of the vocabulary
        unset: Sequence[str] = (),
        drop_header: Sequence[str] = (),
        *,
        values: Mapping[str, str] | None = None,
        wait_s: float = 0.0,
        no_refresh: bool = True,
    ) -> Session:
        """A copy of this session, selected, whose next operation goes wrong on purpose.

        What is `set` are templates, as in a description; `values` are taken as they are.
        """
        refused = self._not_selected()
        variables = self._talk.variables()
        variables.fresh()
        spoiled = {name: parse(text).render(variables) for name, text in (set or {}).items()} | dict(values or {})
        copy = Session(self._talk.client, self._talk.patient, self._talk.overrides)
        copy._selected = refused or self._selected
        copy._talk.login.complete(self._talk.login.captures, self._talk.login.exchanges)
        copy._talk.chosen = dict(self._talk.chosen)
        copy._talk.spoiled = Spoiled(
            values=spoiled | dict.fromkeys(unset, ""),
            headers=frozenset(name.lower() for name in drop_header),
            wait_s=wait_s,
            no_refresh=no_refresh,
        )
        return copy

    def misuse(self, test: Misuse, category: str = "problems") -> Answer:
        """Carry out a described misuse; `category` is what is asked for where it is one of that operation."""
        if (refused := self._not_selected()) is not None:
            return refused
        mutate = test.mutate
        session = self.altered(
            mutate.set, mutate.unset, mutate.drop_header, wait_s=mutate.wait_s, no_refresh=mutate.no_refresh
        )
        if test.op == "select_patient":
            return session.select()
        if test.op == "all_data":
            return session.all_data()
        target = self._talk.client.target
        return session.category(category if target.supports(category) else next(iter(target.supported), category))

    def _not_selected(self) -> Answer | None:
        """The refusal, where selecting the patient did not work."""
        answer = self._selected or self.select()
        return None if answer.ok else replace(answer, message=f"the patient could not be selected: {answer.message}")

    def _document(self, name: str, op: Op, asked: Asked) -> Answer:
        found: list[Payload] = []

        def work() -> dict[str, Captured]:
            captured, payloads = self._talk.operate(name, op, asked)
            found.extend(payloads)
            if not payloads:
                raise Stopped("no_data", "the answer has no document")
            return captured

        return replace(self._answer(work), documents=tuple(found))

    def _answer(self, work: Callable[[], dict[str, Captured]]) -> Answer:
        """Do the work and say what came of it, with the exchanges it made."""
        self._talk.made = []
        kind, message, captured = "ok", "", {}
        try:
            captured = work()
        except (Stopped, NothingCaptured) as stopped:
            kind, message = stopped.kind, str(stopped)
        except CannotAsk as reason:
            kind, message = "not_supported", str(reason)
        except DecodeError as problem:
            kind, message = "unclassified", f"the document cannot be unwrapped: {problem}"
        except TemplateError as problem:
            kind, message = "bad_request", str(problem)
        return Answer(
            kind=kind,
            captures={name: ",".join(value) if isinstance(value, list) else value for name, value in captured.items()},
            exchanges=self._talk.client.trail(self._talk.made),
            message=self._talk.client.journal.secrets.mask_text(message),
        )
