"""What the suite makes of the life of tokens: refreshed for less and for more, withdrawn, run out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onc_conformance.access.parameters import Parameters
from onc_conformance.access.scopes import lacking, parse
from onc_conformance.access.tokens import TokenAnswer, TokenRequest
from onc_conformance.examination import Examination
from onc_conformance.exchange import Exchange
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.smartwork import denials
from onc_conformance.smartwork.errands import Arrival, Errand
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import objection, uncertain

HOUR_S = 3600
INVALID = ("invalid_grant",)


@dataclass(frozen=True)
class Narrowed:
    """A refresh for some of the scopes."""

    launch: Launch
    wanted: tuple[str, ...]
    answer: TokenAnswer


# refreshed


def narrowed(exam: Examination) -> Narrowed:
    """A refresh token used for the scope of the Patient alone."""
    trials = exam.trials
    launch, token = trials.refreshable(name="refresh")
    granted = launch.given().scopes
    own = [each for each in granted if (scope := parse(each)) and scope.type == "Patient"]
    if not own or len([each for each in granted if parse(each)]) < 2:
        raise NotTested("the scopes that were granted cannot be narrowed to that of the Patient")
    answer = trials.smart.refresh(
        launch.plan.app, token, scope=own[0], purpose=f"refresh for less after: {launch.title}"
    )
    return Narrowed(launch, (own[0],), answer)


def less(exam: Examination, found: Narrowed, rule: str) -> Iterator[Finding]:
    """Objections to a refresh for fewer scopes: it is refused, or brings others than were asked for."""
    answer = found.answer
    if not answer.given:
        yield objection(
            answer.exchange,
            rule,
            "a refresh for fewer scopes is refused",
            expected="an access token",
            found=answer.said,
        )
        return
    extra = [each for each in lacking(answer.scopes, found.wanted) if parse(each)]
    if extra:
        yield objection(
            answer.exchange,
            rule,
            "a refresh for fewer scopes brings others too",
            path="$.scope",
            expected=" ".join(found.wanted),
            found=" ".join(extra),
        )
    patient = found.launch.plan.chosen.patient
    got = exam.smart.read(answer.access_token, f"Patient/{patient}", shown="narrowed token")
    if not got.ok:
        yield got.objection(rule, "a narrowed token does not open what is left", expected="the Patient", found=got.said)
    other = exam.smart.read(answer.access_token, "Condition", (("patient", patient),), shown="narrowed token")
    yield from denials.no_data(other.exchange, "a narrowed token, for what was left out", rule, (401, 403))


def widened(exam: Examination) -> Narrowed:
    """A refresh token of a launch for the Patient alone, used for more."""
    trials = exam.trials
    trials.smart.needs("permission-offline")
    own = " ".join(each for each in trials.smart.scope("patient").split() if (s := parse(each)) and s.type == "Patient")
    launch = trials.fresh(name="narrow", resources=own or "patient/Patient.rs")
    token = launch.given().refresh_token
    if not token:
        raise NotTested(f"{launch.title}: no refresh token was given", "AUT-PAT-20")
    if not launch.given().scopes:
        raise NotTested(f"{launch.title}: the answer does not say what was granted", "AUT-PAT-35")
    may = "read" if trials.smart.version == "1.0.0" else "rs"
    wider = f"{own or 'patient/Patient.rs'} patient/Condition.{may}"
    answer = trials.smart.refresh(
        launch.plan.app, token, scope=wider, purpose=f"refresh for more after: {launch.title}"
    )
    return Narrowed(launch, launch.given().scopes, answer)


def no_more(exam: Examination, found: Narrowed, rule: str) -> Iterator[Finding]:
    """Objections to a refresh for scopes that were never granted (RFC 6749, 6)."""
    answer = found.answer
    if not answer.given:
        yield from denials.no_token(answer, "a refresh for more than was granted", rule, ("invalid_scope",))
        return
    extra = [each for each in lacking(answer.scopes, found.wanted) if parse(each)]
    patient = found.launch.plan.chosen.patient
    other = exam.smart.read(answer.access_token, "Condition", (("patient", patient),), shown="widened token")
    if extra or other.ok:
        yield objection(
            answer.exchange,
            rule,
            "a refresh for more than was granted is answered with more",
            path="$.scope",
            expected="invalid_scope",
            found=" ".join(extra) or "a token that opens more than it tells",
        )
    else:
        yield uncertain(
            answer.exchange,
            rule,
            "a refresh for more than was granted is answered with what was granted",
            expected="invalid_scope",
            found="a token",
        )


def twice(exam: Examination) -> tuple[Launch, TokenAnswer, TokenAnswer]:
    """A refresh token that is used, and used again."""
    trials = exam.trials
    launch, token = trials.refreshable(name="used twice")
    first = trials.smart.refresh(launch.plan.app, token)
    if not first.given:
        raise NotTested(f"the refresh token is not taken, {first.said}", "AUT-PAT-20")
    again = trials.smart.refresh(launch.plan.app, token, purpose=f"use the refresh token again after: {launch.title}")
    return launch, first, again


def rotated(found: tuple[Launch, TokenAnswer, TokenAnswer], rule: str) -> Iterator[Finding]:
    """Objections to what comes of a refresh token used twice: good both times, or replaced by another and refused."""
    launch, first, again = found
    used = launch.given().refresh_token
    replaced = bool(first.refresh_token) and first.refresh_token != used
    if replaced and again.given:
        yield uncertain(
            again.exchange,
            rule,
            "a refresh token that was replaced is still taken",
            expected="invalid_grant",
            found="a token",
        )
    elif replaced:
        yield from denials.no_token(again, "a refresh token that was replaced", rule, INVALID)
    elif not again.given:
        yield objection(
            again.exchange,
            rule,
            "a refresh token is good once, and no other came in its place",
            expected="an access token, or another refresh token the first time",
            found=again.said,
        )


# withdrawn and run out


def outdated(exam: Examination) -> str:
    """An access token that has run out; raises NotTested where the description has none."""
    token = exam.smart.address("expired_token")
    exam.smart.secret(token)
    return token


def withdrawn(exam: Examination) -> tuple[Launch, TokenAnswer]:
    """A launch whose access token was given back at the revocation endpoint, and the answer (RFC 7009)."""
    return _given_back(exam, "access_token")


def withdrawn_refresh(exam: Examination) -> tuple[Launch, TokenAnswer]:
    """A launch whose refresh token was given back."""
    return _given_back(exam, "refresh_token")


def _given_back(exam: Examination, name: str) -> tuple[Launch, TokenAnswer]:
    smart, trials = exam.smart, exam.trials
    smart.needs("revocation")
    endpoint = smart.endpoint("revocation_endpoint")
    launch, _ = trials.refreshable(name=f"withdrawn {name}")
    token = launch.given().text(name)
    key = f"give back the {name} of: {launch.title}"
    headers, proof = launch.plan.app.proof(endpoint)
    parameters: Parameters = (("token", token), ("token_type_hint", name), *proof)
    answer = trials.once(
        key, lambda: smart.ask(TokenRequest(endpoint=endpoint, parameters=parameters, headers=headers), key)
    )
    return launch, answer


def taken(answer: TokenAnswer, rule: str) -> Iterator[Finding]:
    """Objections to a token that cannot be given back (RFC 7009, 2.2)."""
    if answer.exchange.status != 200:
        yield objection(answer.exchange, rule, "a token cannot be given back", expected="HTTP 200", found=answer.said)


def given_back_by_another(exam: Examination) -> Launch:
    """A launch whose access token another app gave back in its own name, which must not do (RFC 7009, 2.1)."""
    smart, trials = exam.smart, exam.trials
    smart.needs("revocation")
    endpoint = smart.endpoint("revocation_endpoint")
    kinds = trials.kinds()
    if len(kinds) < 2:
        raise NotApplicable("two apps are needed, and the description has fewer")
    launch = trials.fresh(kinds[0], name="given back by another")
    got = read_patient(exam, launch)
    if got.status != 200:
        raise NotTested(f"{launch.title}: the token does not open the Patient, HTTP {got.status}", "AUT-PAT-36")
    headers, proof = smart.app(kinds[1]).proof(endpoint)
    parameters = (("token", launch.given().access_token), ("token_type_hint", "access_token"), *proof)
    request = TokenRequest(endpoint=endpoint, parameters=parameters, headers=headers)
    smart.ask(request, f"give back the access token of {launch.plan.app.title} as {smart.app(kinds[1]).title}")
    return launch


def alive(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to an access token that another app could withdraw."""
    got = read_patient(exam, launch)
    if got.status != 200:
        yield objection(
            got,
            rule,
            f"another app withdraws the access token of {launch.plan.app.title}",
            expected="HTTP 200: it was given back by an app that it was not given to",
            found=f"HTTP {got.status}" if got.status else got.error,
        )


def dead(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to an access token that still opens the Patient after it was given back."""
    yield from denials.no_data(read_patient(exam, launch), "an access token that was given back", rule, (401,))


def past_renewal(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a refresh token that is still taken after it was withdrawn."""
    answer = exam.smart.refresh(
        launch.plan.app, launch.given().refresh_token, purpose=f"refresh what was withdrawn: {launch.title}"
    )
    yield from denials.no_token(answer, "a refresh token that was withdrawn", rule, INVALID)


def by_patient(exam: Examination) -> tuple[Launch, Arrival]:
    """A launch that the patient withdraws on the page that lists the apps, and where the browser came."""
    smart, trials = exam.smart, exam.trials
    page = smart.address("manage_page")
    kinds = trials.kinds()
    launch, _ = trials.refreshable(kinds[-1] if kinds else None, name="withdrawn by the patient")
    plan = launch.plan
    got = read_patient(exam, launch)
    if got.status != 200:
        raise NotTested(f"{launch.title}: the token does not open the Patient, HTTP {got.status}", "AUT-PAT-36")
    names = {"client_id": plan.app.id, "redirect_uri": plan.app.redirect, "pat_id": plan.chosen.patient}
    arrival = plan.driver.do(
        Errand(purpose=f"withdraw what {plan.app.title} may do", url=page, until=plan.app.redirect, names=names)
    )
    smart.note(arrival.exchanges)
    return launch, arrival


def withdrawable(found: tuple[Launch, Arrival], rule: str) -> Iterator[Finding]:
    """Objections to a page on which the patient does not find the app; NotTested where no page leads there."""
    launch, arrival = found
    app = launch.plan.app
    if any(value == app.id for seen in arrival.seen for _, value in seen.sent):
        return
    if arrival.last is not None and app.id.encode() in arrival.last.response_body:
        raise NotTested(f"no page of smart.login.patient presses the button that withdraws: {arrival.said}")
    yield objection(
        arrival.last,
        rule,
        "the patient does not find the app among those to withdraw",
        expected=f"a button for {app.id}",
        found=arrival.said,
    )


def gone(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to an app that still gets data after the patient withdrew it.

    A short-lived access token may simply run out within the hour (45 CFR 170.315(g)(10)(vi)); a refresh token may not.
    """
    got = read_patient(exam, launch)
    found = list(denials.no_data(got, "an access token that the patient withdrew", rule, (401,)))
    life = launch.given().fields.get("expires_in")
    if isinstance(life, (int, float)) and 0 < life <= HOUR_S:
        yield from denials.as_warnings(found)
    else:
        yield from found


def read_patient(exam: Examination, launch: Launch) -> Exchange:
    """The exchange in which a launch's token is used to read its Patient, once more each time."""
    smart, patient = exam.smart, launch.plan.chosen.patient
    token = launch.given().access_token
    return smart.read(token, f"Patient/{patient}", shown=f"token of: {launch.title}", again=True).exchange
