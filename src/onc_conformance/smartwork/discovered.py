"""What a server publishes about authorization, and what is missing there (SMART App Launch 1.0 and 2, 4 and 8)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from onc_conformance.access.discovery import WELL_KNOWN, Configuration, is_address, oauth_uris
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.smartwork.door import ORIGIN, Published, Smart
from onc_conformance.smartwork.objections import objection, uncertain

_LAUNCH = ("launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric", "sso-openid-connect")
_CONTEXT = ("context-banner", "context-style", "context-ehr-patient", "context-standalone-patient")
_MAY = ("permission-offline", "permission-patient", "permission-user")
DEMANDED = {
    1: (*_LAUNCH, *_CONTEXT, *_MAY),
    2: (
        *_LAUNCH, "client-confidential-asymmetric", "authorize-post", *_CONTEXT, "context-ehr-encounter", *_MAY,
        "permission-v1", "permission-v2",
    ),
}  # fmt: skip
"""The capabilities of the criterion, by the first number of the version of SMART App Launch."""
_LISTS = {
    "capabilities": (),
    "grant_types_supported": ("authorization_code", "client_credentials"),
    "code_challenge_methods_supported": ("S256",),
}
_SHOULD = ("scopes_supported", "response_types_supported", "introspection_endpoint", "revocation_endpoint")


def fetched(found: Published, rule: str) -> Iterator[Finding]:
    """Objections to a configuration that does not come, or is not JSON."""
    page = found.exchange
    if found.trouble:
        yield objection(page, rule, f"the configuration is not there: {found.trouble}", expected="a JSON object")
    elif page.media_type != "application/json":
        yield objection(
            page, rule, "the configuration has another media type", expected="application/json", found=page.media_type
        )


def there(found: Published) -> None:
    """Raise NotTested where there is no configuration to look into."""
    if found.trouble:
        raise NotTested(f"there is no SMART configuration: {found.trouble}", "AUT-PAT-24")


def fields(smart: Smart, found: Published, rule: str) -> Iterator[Finding]:
    """Objections to fields of the SMART configuration."""
    page, told = found.exchange, found.document
    yield from addresses(smart, found, ("authorization_endpoint", "token_endpoint"), rule)
    if smart.version == "1.0.0":
        if not told.capabilities:
            yield objection(page, rule, "the configuration lists no capabilities", path="$.capabilities")
        return
    for name, needed in _LISTS.items():
        there = told.texts(name)
        lacking = [each for each in needed if each not in there]
        if not there or lacking:
            yield objection(
                page,
                rule,
                f"the configuration has no {name}" if not there else f"{name} does not have all it must",
                path=f"$.{name}",
                expected=", ".join(needed) or "a list of texts",
                found=", ".join(there) or "nothing",
            )
    if "plain" in told.texts("code_challenge_methods_supported"):
        yield objection(
            page,
            rule,
            "plain is offered for PKCE, which must not be",
            path="$.code_challenge_methods_supported",
            expected="S256 alone",
            found="plain",
        )
    if "sso-openid-connect" in told.capabilities:
        yield from addresses(smart, found, ("issuer", "jwks_uri"), rule)
    for name in _SHOULD:
        if name not in told.fields:
            yield uncertain(page, rule, f"the configuration has no {name}, which it should have")


def capable(smart: Smart, found: Published, rule: str) -> Iterator[Finding]:
    """Objections to capabilities of the criterion that are not listed; those the product has not are left out."""
    there = found.document.capabilities
    wanted = [each for each in DEMANDED[int(smart.version[0])] if each not in smart.table.without]
    lacking = [each for each in wanted if each not in there]
    if lacking:
        yield objection(
            found.exchange,
            rule,
            f"the configuration does not list {len(lacking)} of the capabilities of the criterion",
            path="$.capabilities",
            expected=", ".join(lacking),
            found=", ".join(there) or "none",
            hint="list each capability that the server has; a product without it cannot be certified",
        )


def shared(smart: Smart, rule: str) -> Iterator[Finding]:
    """Warnings where a script in a browser may not read what is published (SMART App Launch 2.2, CORS).

    A server must allow it that serves apps which live in a browser alone. Raises NotApplicable for earlier versions.
    """
    if smart.version != "2.2.0":
        raise NotApplicable(f"SMART App Launch {smart.version} says nothing of apps in a browser alone")
    for path in (WELL_KNOWN, "metadata"):
        page = smart.from_browser(path)
        allowed = page.header("access-control-allow-origin") or ""
        if page.status == 200 and allowed not in {"*", ORIGIN}:
            yield uncertain(
                page,
                rule,
                "a script in a browser may not read it, as apps without a server must",
                expected=f"Access-Control-Allow-Origin: * or {ORIGIN}",
                found=allowed or "no Access-Control-Allow-Origin",
            )


def addresses(smart: Smart, found: Published, names: tuple[str, ...], rule: str) -> Iterator[Finding]:
    """Objections to fields that are to be absolute addresses, as safe as the FHIR server's."""
    for name in names:
        value = found.document.fields.get(name)
        if not isinstance(value, str) or not is_address(value):
            yield objection(
                found.exchange,
                rule,
                f"the configuration has no address as {name}",
                path=f"$.{name}",
                expected="an absolute URL",
                found=str(value) if value is not None else "nothing",
            )
        elif urlsplit(smart.base).scheme == "https" and urlsplit(value).scheme != "https":
            yield objection(
                found.exchange,
                rule,
                f"{name} is not encrypted, though the FHIR server is",
                path=f"$.{name}",
                expected="https",
                found=value,
            )


def stated(statement: Got, rule: str) -> Iterator[Finding]:
    """Objections to the security extension of a capability statement (SMART App Launch 1.0)."""
    if not statement.ok or statement.kind != "CapabilityStatement":
        yield statement.objection(rule, "there is no capability statement", found=statement.said)
        return
    named = oauth_uris(statement.resource or {})
    for name in ("authorize", "token"):
        if not is_address(named.get(name, "")):
            yield statement.objection(
                rule,
                f"the capability statement has no address as {name} in its security extension",
                path="CapabilityStatement.rest.security.extension",
                expected="an absolute URL as valueUri",
                found=named.get(name) or "nothing",
            )


def agreeing(configuration: Configuration, statement: Got, rule: str) -> Iterator[Finding]:
    """Objections to two places that name different endpoints."""
    named = oauth_uris(statement.resource or {})
    for name, other in (("authorize", configuration.authorize), ("token", configuration.token)):
        if named.get(name) and other and named[name] != other:
            yield statement.objection(
                rule,
                f"the capability statement and the well-known document name different addresses for {name}",
                path="CapabilityStatement.rest.security.extension",
                expected=other,
                found=named[name],
            )
