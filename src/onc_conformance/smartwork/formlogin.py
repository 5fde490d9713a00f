"""A login page got past by its HTML forms: recognised by their fields, filled and sent, without any script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from onc_conformance.access.forms import Form, Unfillable, forms_of, words_of
from onc_conformance.access.parameters import in_query
from onc_conformance.access.walking import RANDOM, Stop, Walk
from onc_conformance.exchange import Exchange
from onc_conformance.smartwork.errands import Arrival, Errand, Seen
from onc_conformance.targets.smart import SmartPage

PAGES = 12
"""Pages on one way."""


@dataclass
class FormLogin:
    """A browser without script, and somebody who knows what goes into which field."""

    walk: Walk
    pages: Sequence[SmartPage]
    rendered: Callable[[str, Errand], str]
    """Fills a template of the description for an errand."""

    def address(self, registered: str) -> str:
        """Redirects are read, not followed to the app, so any address will do."""
        return registered

    def do(self, errand: Errand) -> Arrival:
        """Go on from page to page until the browser is sent to the app, or nothing described fits any more."""
        self.walk.until = (errand.until,)
        begun = len(self.walk.exchanges)
        seen: list[Seen] = []

        def arrived(stop: Stop, trouble: str | None = None) -> Arrival:
            made = tuple(each.id for each in self.walk.exchanges[begun:])
            return Arrival(stop.page, stop.arrived, None if stop.arrived else trouble or stop.trouble, seen, made)

        stop = self.walk.go(errand.purpose, errand.url, errand.form)
        for _ in range(PAGES):
            if stop.arrived or stop.trouble:
                return arrived(stop)
            fit = self._recognised(stop.page, errand)
            if fit is None:
                return arrived(stop, _shown(stop.page))
            page, form = fit
            if any(each.page is page for each in seen):
                again = f"the page with {', '.join(page.fields)} came again: {words_of(stop.page)}"
                return arrived(stop, again)
            if urlsplit(stop.page.url).scheme == "https" and urlsplit(form.action).scheme == "http":
                return arrived(stop, f"the form would be sent unencrypted, to {form.action}")
            try:
                sent = self._filled(page, form, errand)
            except Unfillable as why:
                return arrived(stop, str(why))
            self._hide(form)
            seen.append(Seen(stop.page, page, form, sent))
            purpose = f"{errand.purpose}: the page with {', '.join(page.fields)}"
            if form.post:
                stop = self.walk.go(purpose, form.action, sent)
            else:
                stop = self.walk.go(purpose, in_query(form.action.partition("?")[0], sent))
        return arrived(stop, stop.trouble or f"after {PAGES} pages the browser was still not sent back to the app")

    def _hide(self, form: Form) -> None:
        """Hidden fields that look random stand for a login under way, as cookies do."""
        for each in form.fields:
            if each.kind == "hidden" and RANDOM.fullmatch(each.value):
                self.walk.secret(each.value)

    def _recognised(self, page: Exchange, errand: Errand) -> tuple[SmartPage, Form] | None:
        forms = forms_of(page) if page.error is None else []
        return recognised(self.pages, forms, self._button, errand)

    def _button(self, page: SmartPage, errand: Errand) -> tuple[str, str] | None:
        """The button that is to be pressed; None for the first."""
        button = page.deny if errand.deny and page.deny else page.press
        return next(((name, self.rendered(text, errand)) for name, text in button.items()), None)

    def _filled(self, page: SmartPage, form: Form, errand: Errand) -> tuple[tuple[str, str], ...]:
        fill = {name: self.rendered(text, errand) for name, text in page.fill.items()}
        press = self._button(page, errand)
        ticked = None
        if page.scopes is not None:
            offered = form.values(page.scopes)
            ticked = (page.scopes, [each for each in offered if errand.grant is None or each in errand.grant])
        return form.filled(fill, press=press, ticked=ticked)


def recognised(
    pages: Sequence[SmartPage],
    forms: Sequence[Form],
    button: Callable[[SmartPage, Errand], tuple[str, str] | None],
    errand: Errand,
) -> tuple[SmartPage, Form] | None:
    """The first page described that one of the forms fits; of several forms that do, the one with its button."""
    for known in pages:
        fit = [form for form in forms if set(known.fields) <= form.names]
        if fit:
            press = button(known, errand)
            with_it = (form for form in fit if press and press[1] in form.values(press[0]))
            return known, next(with_it, fit[0])
    return None


def _shown(page: Exchange) -> str:
    """Why a page is the end: an error, or one that nothing was described for."""
    if page.status is None or page.error:
        return page.error or "no answer"
    told = words_of(page)
    if page.status >= 400:
        return f"HTTP {page.status}, {told}" if told else f"HTTP {page.status}"
    fields = " and ".join("a form with " + ", ".join(sorted(form.names - {""})) for form in forms_of(page))
    return f"no page of the description has its fields: {fields or 'no form'}; {told}"
