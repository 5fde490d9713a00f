"""Who logged in: the id_token of a launch, held against the provider's configuration and keys (OpenID Connect Core)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from onc_conformance.access import discovery, openid
from onc_conformance.access.discovery import is_address
from onc_conformance.fhirwork.asking import local
from onc_conformance.findings import Finding, NotTested
from onc_conformance.smartwork.door import Published, Smart
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import objection, uncertain

USERS = ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person")
"""What a user may be."""
_NEEDED = (
    "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported",
    "subject_types_supported", "id_token_signing_alg_values_supported",
)  # fmt: skip


def id_token(launch: Launch) -> openid.IdToken:
    """The id_token of a launch, taken apart; raises NotTested where openid was not granted."""
    answer = launch.given()
    if not answer.text("id_token") and "openid" not in answer.scopes and answer.scopes:
        raise NotTested(f"{launch.title}: openid was not granted", "AUT-PAT-28")
    return openid.take_apart(answer.text("id_token"))


def issued(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a launch for openid without an id_token, or with one that cannot be read."""
    token, answer = id_token(launch), launch.given()
    if token.trouble:
        said = f"the id_token cannot be read: {token.trouble}" if token.text else "there is no id_token"
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: {said}",
            path="$.id_token",
            expected="a signed JWT",
        )


def issuer(smart: Smart, launch: Launch) -> str:
    """Who issued the id_token, as the SMART configuration or else the token says; NotTested where neither does."""
    told = smart.configuration().document.text("issuer") or id_token(launch).claims.get("iss")
    if not isinstance(told, str) or not is_address(told):
        raise NotTested("neither the SMART configuration nor the id_token names an issuer", "AUT-PAT-17")
    return told


def provider(smart: Smart, launch: Launch) -> Published:
    """The OpenID configuration of the issuer."""
    return smart.published(f"{issuer(smart, launch).rstrip('/')}/{discovery.OPENID}", "fetch the OpenID configuration")


def configured(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to the OpenID configuration (OpenID Connect Discovery, 3)."""
    found = provider(smart, launch)
    page = found.exchange
    if found.trouble:
        yield objection(page, rule, f"the OpenID configuration is not there: {found.trouble}", expected="a JSON object")
        return
    for name in _NEEDED:
        if not found.document.fields.get(name):
            yield objection(page, rule, f"the OpenID configuration has no {name}", path=f"$.{name}", found="nothing")
    told, wanted = found.document.text("issuer"), issuer(smart, launch)
    if told and told != wanted:
        yield objection(
            page, rule, "the OpenID configuration is another issuer's", path="$.issuer", expected=wanted, found=told
        )
    algorithms = found.document.texts("id_token_signing_alg_values_supported")
    if algorithms and openid.ALGORITHM not in algorithms:
        yield objection(
            page,
            rule,
            "id_tokens are not signed as every app can verify them",
            path="$.id_token_signing_alg_values_supported",
            expected=openid.ALGORITHM,
            found=", ".join(algorithms),
        )


def key_set(smart: Smart, launch: Launch, *, again: bool = False) -> Published:
    """The keys of the issuer, fetched `again` where they may have been exchanged; NotTested without their address."""
    found = provider(smart, launch).document.text("jwks_uri") or smart.configuration().document.text("jwks_uri")
    if not is_address(found):
        raise NotTested("the OpenID configuration does not say where the keys are", "AUT-PAT-17")
    return smart.published(found, f"fetch the keys of the issuer{' again' if again else ''}", again=again)


def keyed(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to the key set."""
    found = key_set(smart, launch)
    if found.trouble:
        yield objection(found.exchange, rule, f"the key set is not there: {found.trouble}", expected="a JWK set")
        return
    _, complaints = openid.keys_of(found.document.fields)
    for each in complaints:
        yield objection(found.exchange, rule, each.message, path="$.keys", expected=each.expected, found=each.found)


def signed(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to the signature of the id_token."""
    token, answer = _readable(launch, rule), launch.given()
    keys, _ = openid.keys_of(key_set(smart, launch).document.fields)
    named = token.header.get("kid")
    if named is not None and named not in {key.kid for key in keys}:  # they are exchanged now and then
        keys, _ = openid.keys_of(key_set(smart, launch, again=True).document.fields)
    if not keys:
        raise NotTested("there is no key that an id_token could be verified with", rule)
    for each in openid.signed_badly(token, keys):
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: {each.message}",
            path="$.id_token",
            expected=each.expected,
            found=each.found,
        )


def claimed(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to the claims of the id_token: for this app, from this issuer, of this launch, and good now."""
    token, answer = _readable(launch, rule), launch.given()
    for each in openid.claimed_badly(
        token,
        issuer=provider(smart, launch).document.text("issuer") or smart.configuration().document.text("issuer"),
        client=launch.plan.app.id,
        nonce=launch.request.nonce,
        now=int(time.time()),
    ):
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: {each.message}",
            path=f"$.id_token, {each.id}",
            expected=each.expected,
            found=each.found,
        )


def user(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a fhirUser that is missing, or is nobody the token opens."""
    token, answer = _readable(launch, rule), launch.given()
    told = token.claims.get("fhirUser") or (token.claims.get("profile") if smart.version == "1.0.0" else None)
    if not isinstance(told, str) or not told:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: the id_token does not say who logged in",
            path="$.id_token, fhirUser",
            expected="the address of a " + ", ".join(USERS),
            found="nothing",
        )
        return
    if not is_address(told):
        yield uncertain(
            answer.exchange,
            rule,
            f"{launch.title}: fhirUser is no absolute address",
            expected="an absolute URL",
            found=told,
        )
    path = local(told, smart.base)
    kind = (path or told).split("/")[-2] if "/" in told else ""
    if kind not in USERS:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: fhirUser is nobody who could log in",
            path="$.id_token, fhirUser",
            expected=", ".join(USERS),
            found=told,
        )
        return
    got = smart.get(smart.credential(launch), path) if path else smart.read("", told)
    if not got.ok or got.kind != kind:
        yield got.objection(rule, f"{launch.title}: fhirUser cannot be read", expected=f"a {kind}", found=got.said)
    elif launch.plan.opened is not None and kind == "Patient":
        yield uncertain(
            answer.exchange,
            rule,
            f"{launch.title}: fhirUser is a Patient, though it was a clinician who launched the app",
            expected="the address of a Practitioner",
            found=told,
        )


def _readable(launch: Launch, rule: str) -> openid.IdToken:
    token = id_token(launch)
    if token.trouble:
        raise NotTested(f"{launch.title}: there is no id_token that can be read", rule)
    return token
