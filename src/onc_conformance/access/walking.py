"""A browser's way through redirects: hop by hop, each an exchange of its own, and never round in circles."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from onc_conformance.access.authorization import entrusted, leads_to
from onc_conformance.access.cookies import Jar
from onc_conformance.access.forms import led_on
from onc_conformance.access.parameters import Parameters, of_query
from onc_conformance.exchange import Exchange, redirect

Send = Callable[[str, str, str, Parameters, bytes], Exchange]
"""Sends one request and follows nothing: purpose, method, address, headers, body."""
RANDOM = re.compile(r"[A-Za-z0-9_-]{20,}")
"""What a value looks like that a server drew at random."""
_SHOWN = frozenset({"client_id", "redirect_uri", "scope", "aud", "iss", "state", "nonce", "code_challenge"})
"""Parameters that are no secrets, and that a reader of the evidence looks for."""
HOPS = 12
"""Redirects that are followed one after the other."""
FORM = "application/x-www-form-urlencoded"
_ACCEPT = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a browser came to."""

    page: Exchange
    """The last answer."""
    arrived: str | None = None
    """The address it was sent to, where that is one of those it was to stop at."""
    trouble: str | None = None
    """Why it went no further, where redirects have no end."""


@dataclass
class Walk:
    """One browser: what it was given to keep, and where it has been."""

    send: Send
    secret: Callable[[str], None]
    """Told the values of cookies, and of what else stands for a login under way."""
    until: Sequence[str] = ()
    """Addresses that are not asked for: the journey ends where a redirect leads to one."""
    jar: Jar = field(default_factory=Jar)
    exchanges: list[Exchange] = field(default_factory=list)

    def go(self, purpose: str, url: str, form: Parameters | None = None) -> Stop:
        """Open an address, or post a form to it, and follow where the answers lead."""
        body = None if form is None else urlencode(form).encode()
        own = {value for _, value in (*of_query(url), *(form or ()))}
        seen: set[tuple[str, str, str]] = set()
        for hop in range(HOPS + 1):
            cookies = self.jar.header(url)
            here = (url, "GET" if body is None else "POST", cookies)
            if here in seen:
                return Stop(self.exchanges[-1], trouble=f"a redirect loop: {url} leads back to itself")
            seen.add(here)
            page = self._open(f"{purpose}, hop {hop + 1}" if hop else purpose, url, cookies, body)
            onward = redirect(page) or led_on(page)
            if onward is None:
                return Stop(page)
            self._hide(onward, own)
            if any(leads_to(onward, end) for end in self.until):
                return Stop(page, arrived=onward)
            if urlsplit(onward).scheme not in {"http", "https"}:
                return Stop(page, trouble=f"it leads to {onward}, which no browser opens")
            if page.status not in {307, 308}:
                body = None
            url = onward
        return Stop(self.exchanges[-1], trouble=f"more than {HOPS} redirects, the last one to {url}")

    def _hide(self, onward: str, own: Collection[str]) -> None:
        """What looks random in a redirect, and was not sent by us, stands for a login under way, as cookies do."""
        for value in entrusted(onward):
            self.secret(value)
        for name, value in of_query(onward):
            if name not in _SHOWN and value not in own and RANDOM.fullmatch(value):
                self.secret(value)

    def _open(self, purpose: str, url: str, cookies: str, body: bytes | None) -> Exchange:
        headers: Parameters = (("Accept", _ACCEPT),)
        if cookies:
            headers += (("Cookie", cookies),)
        if body is not None:
            headers += (("Content-Type", FORM),)
        page = self.send(purpose, "GET" if body is None else "POST", url, headers, body or b"")
        for value in self.jar.take(page):
            self.secret(value)
        self.exchanges.append(page)
        return page
