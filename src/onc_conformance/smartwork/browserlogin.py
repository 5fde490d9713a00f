"""A login that a real browser makes: by the pages that forms know too, or by a list of steps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from onc_conformance.access import browser
from onc_conformance.access.authorization import leads_to
from onc_conformance.access.browser import BrowserError, Deed, NoBrowserError
from onc_conformance.access.forms import Form, forms_of
from onc_conformance.exchange import Exchange
from onc_conformance.findings import NotTested
from onc_conformance.smartwork.errands import Arrival, Errand, Seen
from onc_conformance.smartwork.formlogin import recognised
from onc_conformance.targets.smart import SmartPage, SmartStep

Record = Callable[[str, str, bytes, str | None, str | None], Exchange]
"""Keeps what a browser saw as an exchange: purpose, address, page, where it was sent, what went wrong."""
DEEDS: tuple[Literal["fill", "click", "check", "wait"], ...] = ("fill", "click", "check", "wait")


@dataclass
class BrowserLogin:
    """A real browser, and somebody who knows what goes where; what it keeps lasts as long as this does."""

    pages: Sequence[SmartPage]
    steps: Sequence[SmartStep]
    rendered: Callable[[str, Errand], str]
    record: Record
    trusting: bool
    seconds: float
    _state: dict[str, Any] = field(default_factory=dict)

    def address(self, registered: str) -> str:
        """The address is read off the browser, so that nobody has to listen there."""
        return registered

    def do(self, errand: Errand) -> Arrival:
        """Go on from page to page until the browser is sent to the app. Raises NotTested without a browser."""
        seen: list[Seen] = []
        done: set[str] = set()

        def planned(page: str, url: str) -> list[Deed]:
            here = self.record(f"{errand.purpose}: a page in the browser", url, page.encode(), None, None)
            fit = recognised(self.pages, forms_of(here), self._button, errand)
            key = hashlib.sha256(repr(fit[0].fields if fit else "steps").encode()).hexdigest()
            if key in done:
                return []
            done.add(key)
            if fit is None:
                return [deed for step in self.steps if (deed := self._deed(step, errand))]
            seen.append(Seen(here, fit[0], fit[1], self._sent(fit[0], errand)))
            return self._deeds(*fit, errand)

        try:
            arrival = browser.walk(
                errand.url,
                planned,
                lambda url: leads_to(url, errand.until),
                form=errand.form,
                trusting=self.trusting,
                seconds=self.seconds,
                state=self._state,
            )
        except NoBrowserError as why:
            raise NotTested(str(why)) from None
        except BrowserError as why:
            last = self.record(errand.purpose, errand.url, b"", None, str(why))
            return Arrival(last, None, str(why), seen, (*(each.exchange.id for each in seen), last.id))
        last = self.record(errand.purpose, arrival.address, arrival.page.encode(), arrival.url, None)
        trouble = None if arrival.url else f"the browser stayed at {arrival.address}"
        return Arrival(last, arrival.url, trouble, seen, (*(each.exchange.id for each in seen), last.id))

    def _button(self, page: SmartPage, errand: Errand) -> tuple[str, str] | None:
        button = page.deny if errand.deny and page.deny else page.press
        return next(((name, self.rendered(text, errand)) for name, text in button.items()), None)

    def _sent(self, page: SmartPage, errand: Errand) -> tuple[tuple[str, str], ...]:
        press = self._button(page, errand)
        return (*((name, self.rendered(text, errand)) for name, text in page.fill.items()), *([press] if press else []))

    def _deeds(self, page: SmartPage, form: Form, errand: Errand) -> list[Deed]:
        deeds = []
        for name, text in page.fill.items():
            value = self.rendered(text, errand)
            choice = any(each.choice for each in form.fields if each.name == name)
            if choice:
                deeds.append(Deed("check", _named(name, value)))
            else:
                deeds.append(Deed("fill", _named(name), value))
        if page.scopes is not None:
            offered = form.values(page.scopes)
            ticked = {each for each in offered if errand.grant is None or each in errand.grant}
            deeds.append(Deed("check", _named(page.scopes), ticked=ticked))
        press = self._button(page, errand)
        last = _named(page.fields[0])
        where = _named(*press) if press else f"form:has({last}) :is(button, input[type=submit], input[type=image])"
        return [*deeds, Deed("click", where)]

    def _deed(self, step: SmartStep, errand: Errand) -> Deed | None:
        if step.when is not None and (step.when == "deny") != errand.deny:
            return None
        do, where = next((name, value) for name in DEEDS if (value := getattr(step, name)) is not None)
        ticked = set(errand.grant) if step.scopes and errand.grant is not None else None
        return Deed(do, where, self.rendered(step.text, errand), ticked, step.optional)


def _named(name: str, value: str | None = None) -> str:
    """A CSS selector of the fields of this name, or the one with this value."""
    told = f'[name="{_quoted(name)}"]'
    return told if value is None else f'{told}[value="{_quoted(value)}"]'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
