"""What an app is told when it was authorized, and when it exchanges a code or a refresh token (RFC 6749 4.1.2, 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onc_conformance.access.authorization import leads_to
from onc_conformance.access.scopes import covered, lacking, parse
from onc_conformance.access.tokens import TokenAnswer
from onc_conformance.findings import Finding, NotTested, Severity
from onc_conformance.smartwork.errands import Arrival
from onc_conformance.smartwork.launches import Launch, Plan
from onc_conformance.smartwork.objections import objection, uncertain

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What may stand behind Bearer (RFC 6750, 2.1)."""
LONGEST_S = 3600
"""Seconds that an access token should live at the most."""
_CONTEXTS = frozenset({"openid", "fhirUser", "offline_access", "online_access", "launch"})
OF_NOBODY = frozenset(
    {"Endpoint", "Location", "Media", "Medication", "Organization", "Practitioner", "PractitionerRole"}
)
"""Types that US Core demands and the criterion does not list for scopes, or only if supported: a server may say no."""


def came_back(plan: Plan, arrival: Arrival, rule: str) -> Iterator[Finding]:
    """Objections to a browser that does not bring the app a code."""
    back = arrival.back
    if back is None:
        yield objection(
            arrival.last,
            rule,
            f"{plan.title}: the browser was not sent back to the app: {arrival.said}",
            expected=f"a redirect to {plan.app.redirect}",
        )
    elif not back.code:
        yield objection(
            arrival.last,
            rule,
            f"{plan.title}: the app was given no code: {arrival.said}",
            expected="code",
            found=", ".join(name for name, _ in back.parameters) or "nothing",
        )


def told_well(launch: Launch, issuer: str, rule: str) -> Iterator[Finding]:
    """Objections to what comes with a code: the state of the request, at the registered address, in the query.

    Whoever says who sends it must be the `issuer` (RFC 9207), which is empty where nobody knows. Raises NotTested where
    no code comes.
    """
    arrival = launch.arrived()
    back = arrival.back
    if back is None or not back.code:
        raise NotTested(f"{launch.title}: the app was given no code, {arrival.said}", launch.step)
    states = [value for name, value in back.parameters if name == "state"]
    if states != [launch.request.state]:
        yield objection(
            arrival.last,
            rule,
            f"{launch.title}: the state of the request does not come back",
            expected="the same state",
            found="another state" if states else "no state",
        )
    if not leads_to(back.url, launch.request.redirect):
        yield objection(
            arrival.last,
            rule,
            f"{launch.title}: the browser is sent to another address",
            expected=launch.request.redirect,
            found=back.url.partition("?")[0],
        )
    names = [name for name, _ in back.parameters]
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield objection(
            arrival.last,
            rule,
            f"{launch.title}: {name} comes more than once",
            expected="each parameter once (RFC 6749, 3.1)",
            found=f"{names.count(name)} times",
        )
    if (told := back.value("iss")) and issuer and told != issuer:
        yield objection(
            arrival.last,
            rule,
            f"{launch.title}: the answer says that another server sends it",
            path="iss",
            expected=issuer,
            found=told,
        )
    for name in ("access_token", "id_token"):
        if back.value(name) or name in back.fragment:
            yield objection(
                arrival.last,
                rule,
                f"{launch.title}: the address of the app carries an {name}",
                expected="a code alone",
                found=name,
            )


def given(title: str, answer: TokenAnswer, rule: str) -> Iterator[Finding]:
    """Objections to a request for a token that brings none."""
    if not answer.given:
        yield objection(
            answer.exchange,
            rule,
            f"{title}: no access token was given: {answer.said}",
            expected="HTTP 200 with access_token",
            found=f"HTTP {answer.exchange.status}" if answer.exchange.status else "no answer",
        )


def well_formed(title: str, answer: TokenAnswer, rule: str, *, first: bool = True) -> Iterator[Finding]:
    """Objections to the form of an answer with a token: JSON that is not stored, with all it must tell.

    How long the token lives is to be told where it is refreshed, and should be where it is given out `first`.
    """
    page, fields = answer.exchange, answer.fields
    if answer.trouble:
        yield objection(page, rule, f"{title}: {answer.trouble}", expected="a JSON object")
        return
    if page.media_type != "application/json":
        yield objection(
            page,
            rule,
            f"{title}: the answer has another media type",
            expected="application/json",
            found=page.media_type,
        )
    yield from not_stored(title, answer, rule)
    if not _TOKEN.fullmatch(answer.access_token):
        yield objection(
            page,
            rule,
            f"{title}: the access token is no bearer token",
            path="$.access_token",
            expected="letters, digits and -._~+/",
            found="other characters" if answer.access_token else "nothing",
        )
    kind = fields.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        yield objection(
            page,
            rule,
            f"{title}: the token is of another type",
            path="$.token_type",
            expected="Bearer",
            found=str(kind) if kind is not None else "nothing",
        )
    if not answer.text("scope"):
        yield objection(
            page,
            rule,
            f"{title}: the answer does not say what was granted",
            path="$.scope",
            expected="scopes",
            found="nothing",
        )
    yield from _living(title, answer, rule, first)


def not_stored(title: str, answer: TokenAnswer, rule: str) -> Iterator[Finding]:
    """Objections to an answer that may be kept by a cache (RFC 6749, 5.1)."""
    directives = [each.strip().lower() for each in (answer.exchange.header("cache-control") or "").split(",")]
    if "no-store" not in directives:
        yield objection(
            answer.exchange,
            rule,
            f"{title}: the answer may be stored by anybody it passes",
            expected="Cache-Control: no-store",
            found=answer.exchange.header("cache-control") or "no Cache-Control",
        )
    pragma = answer.exchange.header("pragma") or ""
    if pragma.strip().lower() != "no-cache":
        yield objection(
            answer.exchange,
            rule,
            f"{title}: caches of HTTP/1.0 may keep the answer",
            expected="Pragma: no-cache",
            found=pragma or "no Pragma",
        )


def _living(title: str, answer: TokenAnswer, rule: str, first: bool) -> Iterator[Finding]:
    life = answer.fields.get("expires_in")
    if life is None and first:
        yield objection(
            answer.exchange,
            rule,
            f"{title}: the answer does not say how long the token lives, as it should",
            severity=Severity.WARNING,
            path="$.expires_in",
            expected="a number of seconds",
            found="nothing",
            hint="say it: apps need it to refresh in time, and ONC's own tool does not pass an answer without it",
        )
    elif not isinstance(life, (int, float)) or isinstance(life, bool) or life <= 0:
        yield objection(
            answer.exchange,
            rule,
            f"{title}: the answer does not say how long the token lives",
            path="$.expires_in",
            expected="a number of seconds",
            found=str(life) if life is not None else "nothing",
        )
    elif life > LONGEST_S:
        yield uncertain(
            answer.exchange,
            rule,
            f"{title}: the access token lives longer than an hour",
            expected=f"up to {LONGEST_S} s",
            found=f"{life:g} s",
        )


def refreshable(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to offline access that was granted without a refresh token."""
    answer = launch.given()
    if "offline_access" in answer.scopes and not answer.refresh_token:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: offline access was granted without a refresh token",
            path="$.refresh_token",
            expected="refresh_token",
            found="nothing",
        )


def granted(launch: Launch, rule: str, *, resources: bool = False) -> Iterator[Finding]:
    """Objections to scopes that were asked for and agreed to, and did not come back; and to more than was asked for.

    With `resources` those for resources alone are looked at. Raises NotTested where nothing says what was granted.
    """
    answer = launch.given()
    if not answer.scopes:
        raise NotTested(f"{launch.title}: the answer does not say what was granted", "AUT-PAT-35")
    wanted = [each for each in launch.request.scopes if parse(each) or not resources]
    gone = lacking(wanted, answer.scopes)
    spared = [each for each in gone if (scope := parse(each)) and scope.type in OF_NOBODY]
    if gone := [each for each in gone if each not in spared]:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: {len(gone)} scopes that the user agreed to were not granted",
            path="$.scope",
            expected=", ".join(gone),
            found=", ".join(answer.scopes) or "none",
        )
    if spared:
        yield uncertain(
            answer.exchange,
            rule,
            f"{launch.title}: {len(spared)} scopes for types of no one patient were not granted",
            expected=", ".join(spared),
            found="none of them",
        )
    asked = launch.request.scopes
    beyond = [each for each in answer.scopes if each not in _CONTEXTS and parse(each) and not covered(each, asked)]
    if beyond:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: more was granted than was asked for",
            path="$.scope",
            expected=", ".join(asked),
            found=", ".join(beyond),
        )


def renewed(launch: Launch, answer: TokenAnswer, rule: str) -> Iterator[Finding]:
    """Objections to the answer to a refresh token that is good."""
    title = f"refresh after: {launch.title}"
    yield from given(title, answer, rule)
    if not answer.given:
        return
    yield from well_formed(title, answer, rule, first=False)
    before = launch.given()
    if answer.access_token == before.access_token:
        yield uncertain(answer.exchange, rule, f"{title}: the access token is the one that was there before")
    beyond = [each for each in answer.scopes if not covered(each, before.scopes)] if before.scopes else []
    if beyond:
        yield objection(
            answer.exchange,
            rule,
            f"{title}: more was granted than before",
            path="$.scope",
            expected=", ".join(before.scopes),
            found=", ".join(beyond),
        )
    gone = lacking(before.scopes, answer.scopes) if answer.scopes else []
    if gone:
        yield objection(
            answer.exchange,
            rule,
            f"{title}: less was granted than before, though nothing less was asked for",
            path="$.scope",
            expected=", ".join(before.scopes),
            found=", ".join(answer.scopes),
        )
    chosen = launch.plan.chosen
    for name, told in (("patient", chosen.patient), ("encounter", chosen.encounter)):
        if before.fields.get(name) == told and answer.fields.get(name, told) != told:
            yield objection(
                answer.exchange,
                rule,
                f"{title}: another {name} is in context",
                path=f"$.{name}",
                expected=told,
                found=str(answer.fields[name]),
            )
