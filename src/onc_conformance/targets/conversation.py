"""The interpreter: carries out the steps of an operation, page by page and item by item."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onc_conformance.targets import plugins
from onc_conformance.targets.answers import Payload
from onc_conformance.targets.capture import NothingCaptured, documents
from onc_conformance.targets.decode import decode
from onc_conformance.targets.dialogue import Dialogue, Spoiled, Stopped
from onc_conformance.targets.onward import ONWARD, following
from onc_conformance.targets.reading import Reading
from onc_conformance.targets.steps import Step
from onc_conformance.targets.templates import text_of
from onc_conformance.targets.variables import Captured, Variables
from onc_conformance.targets.window import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.exchange import Exchange
    from onc_conformance.moments import Days
    from onc_conformance.targets.steps import Op


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to a FHIR server: a path below its base, or an address out of an answer."""

    purpose: str
    path: str = ""
    url: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    form: bool = False
    """Whether the parameters go into the body of a POST."""


class Conversation(Dialogue):
    """A dialogue about the operations of a description."""

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
        if op.plugin:
            return self._plugged(name, op.plugin, asked, patient)
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
                pages = self._pages(
                    step,
                    variables,
                    f"{name} {asked.label}".strip(),
                    url=asked.url if index == len(op.step) - 1 else None,
                    dates=dates if takes_dates else [],
                    wrong=self.spoiled if first is not None and index >= first else None,
                    captured=captured,
                )
                whole = self.description.paginate.united(pages) if self.description.paginate else pages[0]
                captured |= self._captured(step, whole, variables, asked.window)
                payloads += self._unwrapped(step, pages)
        return captured, payloads

    def ask(self, asked: Question) -> Exchange:
        """One request to the FHIR server and its answer, whatever it is. Raises Stopped where nothing could be sent."""
        fhir = self.description.fhir
        if fhir is None:
            raise Stopped("not_supported", "the target's description has no [fhir]")
        onward = {ONWARD: asked.url} if asked.url else {}
        address = f"{{{ONWARD}}}" if asked.url else f"{{base.{fhir.base}}}/{{fhir.path}}"
        table: dict[str, Any] = {"method": "POST", "form": {}} if asked.form else {"method": "GET"}
        variables = self.variables()
        variables.own["fhir.path"] = asked.path
        with contextlib.suppress(Stopped):
            page = ("form" if asked.form else "query", list(asked.parameters))
            step = Step.model_validate(table | {"url": address})
            self._send(step, variables, asked.purpose, captured=onward, page=page)
        if not self.made:
            raise Stopped("unreachable", "nothing could be asked")
        return self.client.journal.exchanges[self.made[-1]]

    def _plugged(
        self, name: str, reference: str, asked: Asked, patient: Mapping[str, str] | None
    ) -> tuple[dict[str, Captured], list[Payload]]:
        """Let a plugin carry out the operation."""
        variables = self.variables(patient)
        variables.own |= asked.own
        if self.spoiled:
            variables.spoiled = self.spoiled.values

        def value(wanted: str) -> str:
            self.log_in()
            variables.captured = self.known()
            return text_of(variables(wanted))

        def send(table: Mapping[str, Any]) -> Exchange:
            step = Step.model_validate(dict(table))
            return self._send(step, variables, f"{name} {asked.label}".strip(), wrong=self.spoiled).exchange

        plugin: plugins.OpPlugin = self._plugin(reference, plugins.OpPlugin)
        outcome = plugin.operate(plugins.Call(op=name, window=asked.window, value=value, send=send))
        found = [
            Payload(data=data, exchange=exchange.id, media_type=exchange.media_type)
            for data, exchange in outcome.documents
        ]
        return dict(outcome.captures), found

    def _pages(
        self,
        step: Step,
        variables: Variables,
        purpose: str,
        *,
        captured: Mapping[str, Captured],
        wrong: Spoiled | None,
        url: str | None = None,
        dates: list[tuple[str, str]],
    ) -> list[Reading]:
        """Every page of the answer to a request, one where it has no more. Raises Stopped."""
        paginate = self.description.paginate
        pages = [self._send(step, variables, purpose, url=url, dates=dates, wrong=wrong, captured=captured)]
        seen = {pages[0].exchange.url}
        while paginate and (onward := paginate.onward(pages)):
            if len(pages) >= paginate.max_pages:
                raise Stopped("unclassified", f"more than {paginate.max_pages} pages; raise paginate.max_pages")
            address, parameter = onward
            label = f"{purpose}, page {len(pages) + 1}"
            if address is None:
                page = (paginate.as_, parameter)
                more = self._send(
                    step, variables, label, url=url, dates=dates, wrong=wrong, captured=captured, page=page
                )
            elif address in seen:
                raise Stopped("unclassified", f"page {len(pages) + 1} is at the address of an earlier page: {address}")
            else:
                seen.add(address)
                known = {**captured, ONWARD: address}
                more = self._send(following(step), variables, label, wrong=wrong, captured=known)
            pages.append(more)
        return pages

    def _items(self, step: Step, captured: Mapping[str, Captured]) -> list[str]:
        """What a step is done for: the items of its list, or once."""
        if step.foreach is None:
            return [""]
        if step.foreach == "encounter_ids" and step.foreach not in captured:
            return self.list_encounters()
        found = {**self.known(), **captured}.get(step.foreach, [])
        return found if isinstance(found, list) else [found]

    def _unwrapped(self, step: Step, pages: list[Reading]) -> list[Payload]:
        """The documents on all pages, out of their wrappings."""
        if step.document is None:
            return []
        found: list[tuple[Reading, bytes | str]] = []
        missing = None
        for page in pages:
            try:
                found += [(page, wrapped) for wrapped in documents(step.document, page)]
            except NothingCaptured as problem:
                missing = missing or problem
        if missing and not found:
            raise missing
        if step.document.pick == "only" and len(found) > 1:
            raise NothingCaptured("ambiguous", f"{len(found)} documents at {step.document.path}, expected one")
        payloads = []
        for page, wrapped in found if step.document.pick == "all" else found[:1]:
            unwrapped = decode(wrapped, step.document.decode)
            if step.plugin:
                unwrapped = self._plugin(step.plugin, plugins.StepPlugin).documents(unwrapped, page.exchange)
            exchange = page.exchange
            payloads += [Payload(data=data, exchange=exchange.id, media_type=exchange.media_type) for data in unwrapped]
        return payloads
