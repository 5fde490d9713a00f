"""The ways past a login page, by the kind of login: a browser for each launch, and somebody in front of it."""

from __future__ import annotations

from onc_conformance.access.authorization import entrusted
from onc_conformance.access.parameters import Parameters
from onc_conformance.access.walking import Walk
from onc_conformance.exchange import Exchange
from onc_conformance.findings import NotTested
from onc_conformance.smartwork.browserlogin import BrowserLogin
from onc_conformance.smartwork.errands import Driver, Errand
from onc_conformance.smartwork.formlogin import FormLogin
from onc_conformance.smartwork.launches import Chosen
from onc_conformance.smartwork.personlogin import PersonLogin
from onc_conformance.smartwork.registered import Registered
from onc_conformance.targets.assembly import Prepared
from onc_conformance.targets.smart import LoginName, SmartLogin
from onc_conformance.targets.templates import parse
from onc_conformance.targets.variables import Variables
from onc_conformance.transport import Received

BROWSER_S = 60.0
"""Seconds that a browser may be on one way at the least."""


def driver_for(smart: Registered, who: LoginName, login: SmartLogin, chosen: Chosen, absent: set[str]) -> Driver:
    """A new browser with somebody in front of it; `absent` are people who were waited for in vain.

    Raises NotTested where a token was got by hand, so that nobody logs in.
    """

    def rendered(text: str, errand: Errand) -> str:
        return parse(text).render(Variables(smart.client.target, chosen.variables, {}, dict(errand.names)))

    if login.kind == "token":
        raise NotTested(f"the description gives a token for smart.login.{who}, so that no launch is made")
    if login.kind == "person":
        return PersonLogin(_walk(smart), login.wait_s, absent, f"{who} ({chosen.title})")
    if login.kind == "form":
        return FormLogin(_walk(smart), login.page, rendered)
    transport = smart.client.target.transport
    return BrowserLogin(
        login.page,
        login.step,
        rendered,
        _Kept(smart),
        trusting=transport.tls_verify is not True,
        seconds=max(BROWSER_S, transport.timeout_s),
    )


def _walk(smart: Registered) -> Walk:
    """A new browser without script."""

    def send(purpose: str, method: str, url: str, headers: Parameters, body: bytes) -> Exchange:
        return smart.client.hop(purpose, Prepared(method, url, headers, body, key=f"{method} {purpose}"))

    return Walk(send, smart.secret)


class _Kept:
    """Keeps what a real browser showed as an exchange."""

    def __init__(self, smart: Registered) -> None:
        self._smart = smart

    def __call__(self, purpose: str, url: str, page: bytes, sent_to: str | None, trouble: str | None) -> Exchange:
        smart = self._smart
        for value in entrusted(sent_to or ""):
            smart.secret(value)
        headers = (("Content-Type", "text/html; charset=utf-8"), *((("Location", sent_to),) if sent_to else ()))
        kept = smart.client.journal.observe(
            url,
            target=smart.client.target.id,
            purpose=purpose,
            key=purpose,
            look=lambda _: Received(
                status=None if trouble else 302 if sent_to else 200, headers=headers, body=page, error=trouble
            ),
            method="GET",
        )
        smart.note([kept.id])
        return kept
