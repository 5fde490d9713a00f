"""Judges an API's documentation: does it open for everybody, and where does it cover what the rule lists.

45 CFR 170.315(g)(7)(ii), (g)(8)(ii) and (g)(9)(ii). What an item looks like on a vendor's page is said in the target
description, as text, CSS or XPath; whether the words are right is for a person to attest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree, html
from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from onc_conformance.findings import Finding, Layer, Severity

SUBSTANCE = 200
"""Characters of text below which a page says nothing."""
EVIDENCE = 20
"""Characters of text below which a located item says nothing."""

_GATE_PATH = re.compile(
    r"(?:^|[/_.-])(?:log-?in|sign-?in|log-?on|sso|register|sign-?up|authorize)(?:$|[/_.?-])", re.IGNORECASE
)
_CONSENT = re.compile(r"\b(?:accept|agree|consent|continue|proceed)\b", re.IGNORECASE)
_LOOPBACK = re.compile(r"^(?:localhost|127\.\d+\.\d+\.\d+|::1)$")


@dataclass(frozen=True, slots=True)
class Page:
    """What anybody gets who opens a link: the last answer and the addresses on the way to it."""

    url: str
    status: int | None
    media_type: str
    body: bytes
    addresses: Sequence[str]
    exchange: str | None
    trouble: str | None = None

    @property
    def markup(self) -> HtmlElement | None:
        """The page as a tree, or None where it is no markup."""
        if not self.body.strip() or self.media_type in {"application/pdf", "application/octet-stream"}:
            return None
        text = self.body.decode("utf-8", errors="replace")
        try:
            parsed = html.document_fromstring(text.encode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))
        except (etree.LxmlError, ValueError):
            return None
        etree.strip_elements(parsed, "script", "style", with_tail=False)
        return parsed


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where an item was found, and how it begins."""

    xpath: str
    line: int | None
    text: str


def text_of(element: HtmlElement) -> str:
    """The text a reader sees, in single spaces."""
    return " ".join(" ".join(element.itertext()).split())


def gate(page: Page, rule: str) -> list[Finding]:
    """Why the page is not open to everybody, if it is not."""

    def objection(message: str, expected: str, found: str | None) -> list[Finding]:
        return [
            Finding(
                layer=Layer.DOCUMENTATION,
                severity=Severity.ERROR,
                rule=rule,
                message=message,
                path=page.url,
                expected=expected,
                found=found,
                exchange=page.exchange,
                hint="the link in [documentation] must show the documentation to a visitor without an account",
            )
        ]

    if page.trouble:
        return objection("the documentation could not be opened", "an answer", page.trouble)
    if page.status != 200:
        return objection("the documentation does not open", "status 200", f"status {page.status}")
    gates = [address for address in page.addresses[1:] if _GATE_PATH.search(urlsplit(address).path)]
    if gates:
        return objection("the documentation stands behind a login or registration", "no gate", gates[0])
    markup = page.markup
    if markup is None:
        return [] if len(page.body) >= SUBSTANCE else objection("the page is empty", "documentation", "nothing to read")
    text = text_of(markup)
    if markup.xpath("//input[@type='password']") and len(text) < 10 * SUBSTANCE:
        return objection("a login form stands where the documentation should", "no login", "a password field")
    if (button := _consent(markup)) and len(text) < 10 * SUBSTANCE:
        return objection("an agreement stands where the documentation should", "no gate", f"a button “{button}”")
    if len(text) < SUBSTANCE:
        return objection("the page says next to nothing", f"{SUBSTANCE} characters or more", f"{len(text)} characters")
    return []


def _consent(markup: HtmlElement) -> str | None:
    """The words on a button that has to be pressed to get on, if there is one."""
    pressed = markup.xpath("//form//button | //form//input[@type='submit' or @type='button' or @type='image']")
    labels = (text_of(each) or each.get("value") or each.get("alt") or "" for each in pressed)
    return next((label for label in labels if _CONSENT.search(label)), None)


def unsecured(page: Page, rule: str) -> list[Finding]:
    """A warning for each address on the way that is plain HTTP beyond this machine."""
    return [
        Finding(
            layer=Layer.DOCUMENTATION,
            severity=Severity.WARNING,
            rule=rule,
            message="the link to the documentation is not secured by TLS",
            path=address,
            expected="https",
            found=urlsplit(address).scheme,
            exchange=page.exchange,
        )
        for address in page.addresses
        if urlsplit(address).scheme != "https" and not _LOOPBACK.match(urlsplit(address).hostname or "")
    ]


def locate(page: Page, where: str) -> Evidence | None:
    """The first place of the page that `where` (XPath, CSS or a piece of text) points at, if it says something."""
    markup = page.markup
    if markup is None:
        text = " ".join(page.body.decode("utf-8", errors="replace").split())
        start = text.lower().find(" ".join(where.split()).lower())
        return None if start < 0 else Evidence(f"character {start}", None, text[start : start + 120])
    for element in _elements(markup, where):
        text = text_of(element)
        if len(text) >= EVIDENCE:
            return Evidence(markup.getroottree().getpath(element), element.sourceline, text[:120])
    return None


def _elements(markup: HtmlElement, where: str) -> list[HtmlElement]:
    try:
        if where.startswith(("/", "(")):
            found = markup.xpath(where)
            return [element for element in found if isinstance(element, HtmlElement)] if isinstance(found, list) else []
        if where.startswith(("#", ".", "[")):
            return [element for element in markup.xpath(CSSSelector(where).path) if isinstance(element, HtmlElement)]
    except (etree.XPathError, SyntaxError):
        return []
    wanted = " ".join(where.split()).lower()
    holders = [
        element for element in markup.iter() if isinstance(element.tag, str) and wanted in text_of(element).lower()
    ]
    return holders[-1:] and [_with_enough_text(holders[-1])]


def _with_enough_text(element: HtmlElement) -> HtmlElement:
    # a heading alone is no evidence that the item is covered: go up to what it heads
    while len(text_of(element)) < 2 * EVIDENCE and element.getparent() is not None:
        element = element.getparent()
    return element


def covers(page: Page, name: str, where: str, rule: str) -> list[Finding]:
    """Where the page covers the item `name`: an info finding with the evidence, or an error."""
    evidence = locate(page, where)
    if evidence is None:
        return [
            Finding(
                layer=Layer.DOCUMENTATION,
                severity=Severity.ERROR,
                rule=rule,
                message=f"the documentation does not cover {name}",
                path=page.url,
                expected=f"text at {where}",
                found="nothing there",
                exchange=page.exchange,
                hint=f"say in documentation.items.{name} where the page covers it",
            )
        ]
    return [
        Finding(
            layer=Layer.DOCUMENTATION,
            severity=Severity.INFO,
            rule=rule,
            message=f"{name} is covered",
            path=f"{page.url} {evidence.xpath}",
            line=evidence.line,
            found=evidence.text,
            exchange=page.exchange,
        )
    ]
