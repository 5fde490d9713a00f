"""The forms of an HTML page, read and filled as a person would do it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree, html

from onc_conformance.access.parameters import Parameters
from onc_conformance.exchange import Exchange

LARGEST_PAGE = 2_000_000
SOON_S = 5
"""Seconds after which a page that sends on by itself is one of a login under way; others end a session, in minutes."""
_REFRESH = re.compile(r"(\d{0,6})(?:\.\d*)?\s*[;,]\s*(?:url\s*=)?\s*(\S.*)", re.IGNORECASE)
_FIELDS = ("input", "select", "textarea", "button")
_BUTTONS = frozenset({"submit", "image", "button", "reset"})


class Unfillable(ValueError):  # noqa: N818 - names what is the case
    """A form that does not offer what is to be chosen. One line."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field or button."""

    name: str
    kind: str
    """The type of an input, or select, textarea."""
    value: str
    on: bool
    """Whether a check box or radio button is set."""
    options: tuple[str, ...] = ()
    """The values of a select."""

    @property
    def button(self) -> bool:
        """Whether it sends the form."""
        return self.kind in {"submit", "image"}

    @property
    def choice(self) -> bool:
        """Whether it is one of several."""
        return self.kind in {"radio", "checkbox"}


@dataclass(frozen=True, slots=True)
class Form:
    """One form: where it goes, and what it has."""

    action: str
    post: bool
    fields: tuple[Field, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names of its fields and buttons."""
        return frozenset(each.name for each in self.fields)

    def values(self, name: str) -> tuple[str, ...]:
        """What the fields of this name hold or offer."""
        return tuple(value for each in self.fields if each.name == name for value in each.options or (each.value,))

    def filled(
        self,
        fill: Mapping[str, str],
        *,
        press: tuple[str, str] | None = None,
        ticked: tuple[str, Collection[str]] | None = None,
    ) -> Parameters:
        """What is sent: `fill` by name, of the check boxes called `ticked[0]` those of these values, and one button.

        Raises Unfillable where a choice or the button is not there.
        """
        for name, value in fill.items():
            offered = [each for each in self.fields if each.name == name and (each.choice or each.options)]
            if offered and value and value not in self.values(name):
                shown = ", ".join(self.values(name)[:5])
                raise Unfillable(f"{name} has no {value!r} to choose; it offers {shown or 'nothing'}")
        sent: list[tuple[str, str]] = []
        for each in self.fields:
            if each.kind in _BUTTONS or not each.name:
                continue
            if each.choice:
                on = each.on
                if ticked and each.name == ticked[0]:
                    on = each.value in ticked[1]
                elif each.name in fill:
                    on = each.value == fill[each.name]
                if on:
                    sent.append((each.name, each.value))
            else:
                sent.append((each.name, fill.get(each.name, each.value)))
        return (*sent, *self._pressed(press))

    def _pressed(self, press: tuple[str, str] | None) -> Parameters:
        buttons = [each for each in self.fields if each.button]
        if press is None:
            return ((buttons[0].name, buttons[0].value),) if buttons and buttons[0].name else ()
        if press not in {(each.name, each.value) for each in buttons}:
            shown = ", ".join(f"{each.name}={each.value}" for each in buttons) or "none"
            raise Unfillable(f"there is no button {press[0]}={press[1]}; found {shown}")
        return (press,)


def forms_of(page: Exchange) -> list[Form]:
    """The forms of a page in order; none where it is no HTML."""
    root = _root(page)
    if root is None:
        return []
    base = next((each.get("href") for each in root.iter("base") if each.get("href")), None)
    here = urljoin(page.url, base) if base else page.url
    return [
        Form(
            urljoin(here, (form.get("action") or "").strip()) if form.get("action") else page.url,
            (form.get("method") or "get").strip().lower() == "post",
            tuple(_field(each) for each in form.iter(*_FIELDS) if each.get("disabled") is None),
        )
        for form in root.iter("form")
    ]


def led_on(page: Exchange) -> str | None:
    """Where a page sends a browser by itself, in a few seconds at most; None where it does not."""
    root = _root(page) if page.status == 200 and "html" in page.media_type else None
    for each in root.iter("meta") if root is not None else ():
        told = _REFRESH.fullmatch((each.get("content") or "").strip())
        if (each.get("http-equiv") or "").strip().lower() == "refresh" and told and int(told[1] or 0) <= SOON_S:
            return urljoin(page.url, str(told[2]).strip("'\" "))
    return None


def words_of(page: Exchange, many: int = 160) -> str:
    """What a page says to a person, or the answer as it is where it is no HTML, cut to so many characters."""
    root = _root(page) if "html" in page.media_type else None
    if root is None:
        told = page.response_body[:20_000].decode("utf-8", "replace")
    else:
        for each in list(root.iter("script", "style", "head")):
            each.drop_tree()
        told = " ".join(map(str, root.itertext()))
    told = " ".join(told.split())
    return told if len(told) <= many else told[: many - 1] + "…"


def _root(page: Exchange) -> html.HtmlElement | None:
    body = page.response_body[:LARGEST_PAGE]
    if not body.strip():
        return None
    try:
        return html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _field(element: html.HtmlElement) -> Field:
    name, tag = element.get("name") or "", str(element.tag)
    if tag == "select":
        options = {_option(each): each.get("selected") is not None for each in element.iter("option")}
        chosen = next((value for value, on in options.items() if on), next(iter(options), ""))
        return Field(name, "select", chosen, on=True, options=tuple(options))
    if tag == "textarea":
        return Field(name, "textarea", element.text_content(), on=True)
    kind = (element.get("type") or ("submit" if tag == "button" else "text")).lower()
    value = element.get("value")
    if value is None:
        value = "on" if kind in {"checkbox", "radio"} else ""
    return Field(name, kind, value, on=element.get("checked") is not None)


def _option(element: html.HtmlElement) -> str:
    value = element.get("value")
    return str(element.text_content()).strip() if value is None else value
