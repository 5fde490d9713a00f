"""What the suite makes of introspection: what it says of tokens, good and not, and how long refresh tokens last."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import TypeGuard

from onc_conformance import lifecycle
from onc_conformance.access.openid import take_apart
from onc_conformance.access.parameters import Parameters
from onc_conformance.access.tokens import TokenAnswer, TokenRequest
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, NotTested
from onc_conformance.smartwork import denials
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import objection, uncertain
from onc_conformance.smartwork.trials import NEVER_ISSUED
from onc_conformance.spoiling import never_issued
from onc_conformance.targets.smart import ClientKind

DAY_S = 24 * 60 * 60
THREE_MONTHS_S = 90 * DAY_S
_CLOCK_S = 120
"""Seconds by which the clock of a server may be wrong."""


STRANGERS = ("nobody in particular", "somebody with a wrong secret")
"""Who must not be told of tokens, in the words of the features."""


def introspected(exam: Examination, token: str, what: str, *, by: str = "") -> TokenAnswer:
    """What the introspection endpoint says of a token, to the resource server or `by` one of the strangers."""
    smart = exam.smart
    smart.needs("introspection")
    endpoint = smart.introspection()
    headers = () if by == STRANGERS[0] else smart.introspector()
    headers = _spoiled(headers) if by == STRANGERS[1] else headers
    request = TokenRequest(endpoint=endpoint, parameters=(("token", token),), headers=headers)
    return smart.ask(request, f"ask about {what}")


def _spoiled(known: Parameters) -> Parameters:
    """The header of a credential whose secret is another."""
    kind, _, value = known[0][1].partition(" ")
    if kind == "Bearer":
        return ((known[0][0], f"Bearer {never_issued(value)}"),)
    name = base64.b64decode(value).partition(b":")[0]
    return ((known[0][0], f"Basic {base64.b64encode(name + b':' + NEVER_ISSUED.encode()).decode()}"),)


def lasting(exam: Examination, kind: ClientKind, *, used: bool = False) -> tuple[Launch, TokenAnswer]:
    """A refresh token of an app of this kind, or the one to use next, and what introspection says of it."""
    trials = exam.trials
    launch, token = trials.refreshable(kind, name="lasting")
    if used:
        answer = trials.smart.refresh(launch.plan.app, token)
        if not answer.given:
            raise NotTested(f"the refresh token is not taken, {answer.said}", "AUT-PAT-20")
        token = answer.refresh_token or token
    return launch, introspected(exam, token, "a refresh token")


def three_months(found: tuple[Launch, TokenAnswer], rule: str) -> Iterator[Finding]:
    """Objections to a refresh token that is told to end too early; raises NotTested where nobody tells."""
    launch, answer = found
    if answer.exchange.status != 200 or answer.fields.get("active") is not True:
        raise NotTested(f"introspection does not tell of refresh tokens: {answer.said}")
    until = answer.fields.get("exp")
    if not isinstance(until, (int, float)) or isinstance(until, bool):
        raise NotTested("introspection does not tell when the refresh token ends")
    left = until - time.time()
    if left < THREE_MONTHS_S - DAY_S:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: the refresh token is good for less than three months",
            path="$.exp",
            expected="90 days or more",
            found=f"{left / DAY_S:.0f} days",
        )


def active(exam: Examination) -> tuple[Launch, TokenAnswer]:
    """An access token that is good, and what introspection says of it."""
    launch = exam.trials.fresh(name="asked about")
    return launch, introspected(exam, launch.given().access_token, "an access token that is good")


def told_of(found: tuple[Launch, TokenAnswer], issuer: str, rule: str) -> Iterator[Finding]:
    """Objections to what introspection says of a good access token (RFC 7662 2.2, SMART App Launch 2).

    An id_token of another than the `issuer` is objected to where id_tokens are judged.
    """
    launch, answer = found
    given, fields = launch.given(), answer.fields
    if fields.get("active") is not True:
        yield objection(
            answer.exchange,
            rule,
            "introspection does not say that a good access token is active",
            path="$.active",
            expected="true",
            found=answer.said if not fields else str(fields.get("active")),
        )
        return
    if fields.get("client_id") != launch.plan.app.id:
        yield objection(
            answer.exchange,
            rule,
            "introspection does not name the app that the token was given to",
            path="$.client_id",
            expected=launch.plan.app.id,
            found=str(fields.get("client_id")),
        )
    if given.scopes and set(answer.text("scope").split()) != set(given.scopes):
        odd = sorted(set(answer.text("scope").split()) ^ set(given.scopes))
        yield objection(
            answer.exchange,
            rule,
            "introspection tells other scopes than the token was given",
            path="$.scope",
            expected=" ".join(given.scopes),
            found=f"different: {' '.join(odd[:8])}",
        )
    yield from _ends(answer, given, rule)
    for name in ("patient", "encounter"):
        if given.text(name) and fields.get(name) != given.text(name):
            yield objection(
                answer.exchange,
                rule,
                f"introspection does not tell the {name} of the launch",
                path=f"$.{name}",
                expected=given.text(name),
                found=str(fields.get(name)),
            )
    if given.text("id_token"):
        claims = take_apart(given.text("id_token")).claims
        for name, right in (("iss", issuer), ("sub", "")):
            said = answer.text(name)
            if not said or said not in {right, claims.get(name, said)}:
                yield objection(
                    answer.exchange,
                    rule,
                    f"introspection does not tell who logged in: {name} is not that of the id_token",
                    path=f"$.{name}",
                    expected=str(claims.get(name, "a text")),
                    found=said or "nothing",
                )


def _ends(answer: TokenAnswer, given: TokenAnswer, rule: str) -> Iterator[Finding]:
    until, life = answer.fields.get("exp"), given.fields.get("expires_in")
    if not isinstance(until, int) or isinstance(until, bool):
        yield objection(
            answer.exchange,
            rule,
            "introspection does not tell when the token ends",
            path="$.exp",
            expected="seconds since 1970",
            found=str(until),
        )
    elif not -_CLOCK_S < until - time.time() < (life if _seconds(life) else DAY_S) + _CLOCK_S:
        yield objection(
            answer.exchange,
            rule,
            "introspection tells another end of the token than its answer did",
            path="$.exp",
            expected=f"at most {life if _seconds(life) else DAY_S} s from now",
            found=f"{until - time.time():.0f} s from now",
        )


def _seconds(life: object) -> TypeGuard[float]:
    return isinstance(life, (int, float)) and not isinstance(life, bool) and life > 0


INACTIVE = ("that was never given out", "that has run out", "that was withdrawn")


def inactive(exam: Examination, what: str) -> TokenAnswer:
    """What introspection says of a token that is not good."""
    if what == "that was never given out":
        token = NEVER_ISSUED
    elif what == "that has run out":
        token = lifecycle.outdated(exam)
    else:
        launch, _ = lifecycle.withdrawn(exam)
        token = launch.given().access_token
        if lifecycle.read_patient(exam, launch).status == 200:
            raise NotTested("the token that was given back is still good", "PAR-1")
    return introspected(exam, token, f"a token {what}")


def not_active(answer: TokenAnswer, what: str, rule: str) -> Iterator[Finding]:
    """Objections to what introspection says of a token that is not good: nothing but that it is not (RFC 7662, 2.2)."""
    if answer.exchange.status != 200 or answer.fields.get("active") is not False:
        yield objection(
            answer.exchange,
            rule,
            f"introspection does not say that a token {what} is not active",
            path="$.active",
            expected="HTTP 200 with active false",
            found=f"active {answer.fields['active']}" if "active" in answer.fields else answer.said,
        )
    elif extra := sorted(answer.fields.keys() - {"active"}):
        yield uncertain(
            answer.exchange,
            rule,
            f"introspection tells more of a token {what} than that it is not active",
            expected="active alone",
            found=", ".join(extra),
        )


def unproven(exam: Examination, who: str) -> TokenAnswer:
    """A question about a good token by one of the strangers."""
    launch = exam.trials.fresh(name="asked about")
    return introspected(exam, launch.given().access_token, f"a token, as {who}", by=who)


def not_told(answer: TokenAnswer, who: str, rule: str) -> Iterator[Finding]:
    """Objections to introspection for strangers (RFC 7662, 2.1)."""
    if answer.fields.get("active") is True:
        yield objection(
            answer.exchange,
            rule,
            f"introspection tells {who} of a token",
            expected="HTTP 401",
            found=f"HTTP {answer.exchange.status}",
        )
    else:
        yield from denials.unfit(answer.exchange, f"introspection by {who}", rule, "HTTP 401")
