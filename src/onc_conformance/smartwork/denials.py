"""What a refusal must look like: at the token endpoint, by way of the browser, and at the FHIR server."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from onc_conformance.access.authorization import AuthorizationRequest, Redirected
from onc_conformance.access.tokens import SECRET_FIELDS, TokenAnswer
from onc_conformance.exchange import Exchange
from onc_conformance.findings import Finding, Severity
from onc_conformance.smartwork.objections import objection, uncertain

TOKEN_ERRORS = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "invalid_target", "invalid_dpop_proof", "use_dpop_nonce", "slow_down", "access_denied",
})  # fmt: skip
"""RFC 6749 5.2, and what extensions registered since."""
REDIRECTED_ERRORS = frozenset({
    "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
    "server_error", "temporarily_unavailable", "invalid_target", "login_required", "consent_required",
    "interaction_required", "account_selection_required", "invalid_request_uri", "invalid_request_object",
})  # fmt: skip
"""RFC 6749 4.1.2.1, and what extensions registered since."""
_PLACES = ("code", "access_token", "id_token", "refresh_token")


def no_token(answer: TokenAnswer, what: str, rule: str, errors: Collection[str]) -> Iterator[Finding]:
    """Objections to an answer of the token endpoint that should refuse with one of `errors` (RFC 6749, 5.2)."""
    got = answer.exchange
    given = [name for name in SECRET_FIELDS if answer.text(name)]
    wanted = f"HTTP 400 with error {' or '.join(sorted(errors))}"
    if given:
        yield objection(
            got, rule, f"{what}: answered with {' and '.join(given)}", expected=wanted, found=f"HTTP {got.status}"
        )
        return
    yield from unfit(got, what, rule, wanted)
    if got.status is None or got.status >= 500:
        return
    error = answer.text("error")
    allowed = {400, 401} if "invalid_client" in (error, *errors) else {400}
    if got.status not in allowed:
        yield objection(got, rule, f"{what}: refused, but not with HTTP 400", expected=wanted, found=answer.said)
    elif not error:
        yield objection(
            got, rule, f"{what}: the refusal is no JSON object with an error", expected=wanted, found=answer.said
        )
    elif error not in errors:
        known = error in TOKEN_ERRORS
        yield uncertain(
            got,
            rule,
            f"{what}: refused with an error {'that says something else' if known else 'that nobody defined'}",
            expected=wanted,
            found=answer.said,
        )


def no_code(
    request: AuthorizationRequest,
    page: Exchange,
    arrived: str | None,
    what: str,
    rule: str,
    *,
    errors: Collection[str] = (),
    back: bool = True,
) -> Iterator[Finding]:
    """Objections to what came of a request for authorization that must be refused (RFC 6749, 4.1.2.1).

    `arrived` is the address of the app that the browser was sent back to, with its query; None where it stayed on
    `page`. An error on a page of the server is a refusal; by way of the app it is one only where it may come `back`
    there, and bears an error and the state.
    """
    wanted = "an error page, or error and state at the app's address" if back else "an error page, and no redirect"
    if arrived is None:
        yield from unfit(page, what, rule, wanted)
        return
    sent = Redirected(arrived)
    shown = arrived.partition("?")[0]
    gave = [name for name in _PLACES if sent.value(name) or f"{name}=" in sent.fragment]
    if gave:
        yield objection(page, rule, f"{what}: answered with {' and '.join(gave)}", expected=wanted, found=shown)
        return
    if not back:
        yield objection(
            page,
            rule,
            f"{what}: the browser is sent to an address that nobody vouches for",
            expected=wanted,
            found=shown,
        )
        return
    error = sent.value("error")
    if not error:
        yield objection(page, rule, f"{what}: sent back to the app without an error", expected=wanted, found=shown)
    elif errors and error not in errors:
        other = "that says something else" if error in REDIRECTED_ERRORS else "that nobody defined"
        yield uncertain(
            page,
            rule,
            f"{what}: refused with an error {other}",
            expected=" or ".join(sorted(errors)),
            found=error,
        )
    if request.state and sent.value("state") != request.state:
        yield objection(
            page,
            rule,
            f"{what}: the error comes back {'with another state' if sent.value('state') else 'without the state'}",
            expected="the state of the request",
            found="another one" if sent.value("state") else "none",
        )


def no_data(got: Exchange, what: str, rule: str, statuses: Collection[int]) -> Iterator[Finding]:
    """Objections to an answer of the FHIR server that should refuse with one of `statuses` and hold nothing."""
    wanted = f"HTTP {' or '.join(map(str, sorted(statuses)))}"
    if got.status is not None and 200 <= got.status < 300:
        yield objection(got, rule, f"{what}: answered", expected=wanted, found=f"HTTP {got.status}")
        return
    yield from unfit(got, what, rule, wanted)
    if got.status is None or got.status >= 500:
        return
    if got.status not in statuses:
        yield uncertain(
            got,
            rule,
            f"{what}: refused, but not as the field has it",
            expected=wanted,
            found=f"HTTP {got.status}",
        )


def as_warnings(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same, where the standard advises and does not demand."""
    return (replace(each, severity=Severity.WARNING) for each in findings)


def unfit(got: Exchange, what: str, rule: str, wanted: str) -> Iterator[Finding]:
    """An error where a server falls over, or says nothing, instead of refusing."""
    if got.status is None:
        yield objection(
            got, rule, f"{what}: no answer instead of a refusal", expected=wanted, found=got.error or "nothing"
        )
    elif got.status >= 500:
        yield objection(
            got, rule, f"{what}: the server fails instead of refusing", expected=wanted, found=f"HTTP {got.status}"
        )
