"""What the suite makes of an authorization server that must say no: wrong requests, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from onc_conformance.access.authorization import AuthorizationRequest
from onc_conformance.access.parameters import Change
from onc_conformance.access.tokens import TokenAnswer
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.smartwork import denials
from onc_conformance.smartwork.errands import Arrival
from onc_conformance.smartwork.launches import Plan
from onc_conformance.smartwork.trials import NEVER_ISSUED

GRANT, CLIENT, REQUEST = ("invalid_grant",), ("invalid_client", "unauthorized_client"), ("invalid_request",)


@dataclass(frozen=True)
class Asked:
    """A wrong request for authorization, and where the browser came."""

    what: str
    request: AuthorizationRequest
    arrival: Arrival
    errors: tuple[str, ...] = ()
    back: bool = True


@dataclass(frozen=True)
class Tried:
    """A wrong request to the token endpoint, and its answer."""

    what: str
    answer: TokenAnswer
    errors: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


# the authorization endpoint


@dataclass(frozen=True)
class _Wrong:
    change: Callable[[AuthorizationRequest], Change]
    errors: tuple[str, ...] = ()
    back: bool = True
    """Whether the browser may come back to the app with an error."""


REQUESTS: Mapping[str, _Wrong] = {
    "the address of another FHIR server as its audience": _Wrong(
        lambda _: Change({"aud": "https://fhir.example/another/r4"}),
        ("invalid_request", "invalid_target", "access_denied"),
    ),
    "a client id that nobody registered": _Wrong(lambda _: Change({"client_id": NEVER_ISSUED}), back=False),
    "a redirect address that nobody registered": _Wrong(
        lambda request: Change({"redirect_uri": f"{request.redirect}-elsewhere"}), back=False
    ),
    "a redirect address on another host": _Wrong(
        lambda _: Change({"redirect_uri": "https://app.example/redirect"}), back=False
    ),
    "a response type that nobody asks for": _Wrong(
        lambda _: Change({"response_type": "never"}), ("unsupported_response_type", "invalid_request")
    ),
    "no PKCE challenge": _Wrong(lambda _: Change({"code_challenge": None, "code_challenge_method": None}), REQUEST),
    "a plain PKCE challenge": _Wrong(
        lambda request: Change({"code_challenge": request.pkce.verifier, "code_challenge_method": "plain"}), REQUEST
    ),
}
"""Requests for authorization with one thing wrong, in the words of the features."""


def asked(exam: Examination, what: str) -> Asked:
    """Send a browser to the authorization endpoint with one thing wrong; a person there would say yes to all."""
    wrong, trials = REQUESTS[what], exam.trials
    plan = trials.plan()
    request = plan.request.changed(wrong.change(plan.request))
    changed = replace(plan, request=request)
    if request.redirect != plan.request.redirect:  # the walk would end there
        changed = replace(changed, app=replace(plan.app, redirect=request.redirect))
    return Asked(what, request, trials.tried(changed), wrong.errors, wrong.back)


def foreign_launch(exam: Examination) -> Asked:
    """A request that says it was launched from the EHR, with a launch that the EHR never gave out."""
    trials = exam.trials
    trials.smart.needs("launch-ehr")
    scope = f"launch openid fhirUser {trials.smart.scope('user')}"
    plan = trials.plan(who="clinician", scope=scope, change=Change({"launch": NEVER_ISSUED}))
    return Asked("a launch that the EHR never gave out", plan.request, trials.tried(plan), ("invalid_request",))


def denied(exam: Examination) -> Asked:
    """A right request that the user refuses."""
    trials = exam.trials
    plan = trials.plan()
    arrival = trials.smart.authorize(plan, deny=True)
    if not any(seen.page.deny for seen in arrival.seen) and arrival.code:
        raise NotTested("no page of smart.login.patient says which button refuses (deny)")
    return Asked("a request that the user refuses", plan.request, arrival, ("access_denied",))


def refused(asked: Asked, rule: str) -> Iterator[Finding]:
    """Objections to what came of a wrong request for authorization."""
    arrival = asked.arrival
    if arrival.last is None and arrival.url is None:
        raise NotTested(f"{asked.what}: nobody knows what the browser showed")
    if arrival.last is None:
        raise NotTested(f"{asked.what}: only the address the browser came to is known")
    yield from denials.no_code(
        asked.request, arrival.last, arrival.url, asked.what, rule, errors=asked.errors, back=asked.back
    )


# the token endpoint


def wrong_code(exam: Examination) -> Tried:
    """A code that was never given out."""
    trials = exam.trials
    plan = trials.plan()
    return Tried("a code that was never given out", trials.smart.redeem(plan, NEVER_ISSUED), GRANT)


def replayed(exam: Examination) -> tuple[Tried, TokenAnswer]:
    """A code that is used twice, and what its first use brought."""
    trials = exam.trials
    plan, code = trials.code()
    first = trials.smart.redeem(plan, code)
    if not first.given:
        raise NotTested(f"{plan.title}: the code is not taken even once, {first.said}", plan.step)
    again = trials.smart.redeem(plan, code, purpose=f"{plan.title}: exchange the code once more")
    return Tried("a code that was used before", again, GRANT), first


def outlived(exam: Examination, first: TokenAnswer, rule: str) -> Iterator[Finding]:
    """A warning where tokens of a code that was used twice are still good (RFC 6749, 4.1.2: SHOULD)."""
    smart = exam.smart
    patient = exam.id_of(exam.identified()[0])
    got = smart.read(first.access_token, f"Patient/{patient}", shown="token of a code that was used twice", again=True)
    yield from denials.as_warnings(
        denials.no_data(got.exchange, "the access token of a code that was used twice", rule, (401,))
    )


def expired(exam: Examination) -> Tried:
    """A code that was not used in time."""
    plan, code = exam.trials.expired()
    return Tried("a code that has run out", exam.smart.redeem(plan, code), GRANT)


VERIFIERS: Mapping[str, Callable[[Plan], str | None]] = {
    "another PKCE verifier": lambda plan: plan.request.pkce.verifier[::-1] + "x",
    "a blank PKCE verifier": lambda _: "",
    "no PKCE verifier": lambda _: None,
    "the PKCE challenge as its verifier": lambda plan: plan.request.pkce.challenge,
}
"""Wrong verifiers, in the words of the features."""


def unverified(exam: Examination, what: str) -> Tried:
    """A right code with a wrong verifier."""
    plan, code = exam.trials.code()
    change = Change({"code_verifier": VERIFIERS[what](plan)})
    return Tried(f"a code with {what}", exam.smart.redeem(plan, code, change=change), (*GRANT, *REQUEST))


def elsewhere(exam: Examination) -> Tried:
    """A right code with another redirect address than the one it was sent to."""
    plan, code = exam.trials.code()
    change = Change({"redirect_uri": f"{plan.request.redirect}-elsewhere"})
    answer = exam.smart.redeem(plan, code, change=change)
    return Tried("a code with another redirect address", answer, (*GRANT, *REQUEST))


def addressless(exam: Examination) -> Tried:
    """A right code without the redirect address it was sent to, which has to come along (RFC 6749, 4.1.3)."""
    plan, code = exam.trials.code()
    answer = exam.smart.redeem(plan, code, change=Change({"redirect_uri": None}))
    return Tried("a code without the redirect address", answer, (*GRANT, *REQUEST))


def of_another(exam: Examination) -> Tried:
    """The code of one app in the name of another."""
    kinds = exam.trials.kinds()
    if len(kinds) < 2:
        raise NotApplicable("two apps are needed, and the description has fewer")
    plan, code = exam.trials.code(kinds[0])
    other = replace(exam.smart.app(kinds[1]), redirect=plan.app.redirect)
    return Tried("the code of another app", exam.smart.redeem(plan, code, app=other), (*GRANT, *CLIENT))


def unknown_grant(exam: Examination) -> Tried:
    """A kind of grant that there is not."""
    plan, code = exam.trials.code()
    change = Change({"grant_type": "urn:example:never"})
    answer = exam.smart.redeem(plan, code, change=change)
    return Tried("a kind of grant that there is not", answer, ("unsupported_grant_type", "invalid_request"))


def no_token(tried: Tried, rule: str) -> Iterator[Finding]:
    """Objections to the answer to a wrong request at the token endpoint."""
    yield from denials.no_token(tried.answer, tried.what, rule, tried.errors)


# refresh tokens


def wrong_refresh(exam: Examination) -> Tried:
    """A refresh token that was never given out."""
    trials = exam.trials
    app = trials.smart.app(trials.kind())
    return Tried("a refresh token that was never given out", trials.smart.refresh(app, NEVER_ISSUED), GRANT)


def foreign_refresh(exam: Examination) -> Tried:
    """The refresh token of one app in the name of another."""
    trials = exam.trials
    kinds = trials.kinds()
    if len(kinds) < 2:
        raise NotApplicable("two apps are needed, and the description has fewer")
    _, token = trials.refreshable(kinds[0], name="refresh")
    answer = trials.smart.refresh(trials.smart.app(kinds[1]), token)
    return Tried("the refresh token of another app", answer, (*GRANT, *CLIENT))


def access_as_refresh(exam: Examination) -> Tried:
    """An access token where a refresh token belongs."""
    trials = exam.trials
    launch, _ = trials.refreshable(name="refresh")
    answer = trials.smart.refresh(launch.plan.app, launch.given().access_token)
    return Tried("an access token in place of a refresh token", answer, GRANT)


REFRESHES: Mapping[str, Callable[[Examination], Tried]] = {
    "one that was never given out": wrong_refresh,
    "one of another app": foreign_refresh,
    "an access token in its place": access_as_refresh,
}
"""Refresh tokens that are not valid, in the words of the features."""
CODES: Mapping[str, Callable[[Examination], Tried]] = {
    "one that was never given out": wrong_code,
    "one of another app": of_another,
    "one with another redirect address": elsewhere,
    "one without the redirect address": addressless,
    "one with a kind of grant that there is not": unknown_grant,
}
"""Codes that must not be taken, in the words of the features."""
