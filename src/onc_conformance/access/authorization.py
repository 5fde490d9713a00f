"""A request for authorization, and what comes back by way of the browser (RFC 6749 4.1, SMART App Launch 2)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

from onc_conformance.access.apps import App
from onc_conformance.access.parameters import Change, Parameters, in_query, of_query, value_of
from onc_conformance.access.pkce import Pkce

_ENTRUSTED = frozenset({"code", "access_token", "id_token", "refresh_token", "assertion", "samlresponse", "ticket"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What an app asks the authorization endpoint for."""

    app: App
    endpoint: str
    parameters: Parameters
    pkce: Pkce = field(repr=False)
    post: bool = False
    """Whether it is sent by POST (authorize-post)."""

    @property
    def address(self) -> str:
        """Where a browser is sent: with the parameters in the query, unless they are posted."""
        return self.endpoint if self.post else in_query(self.endpoint, self.parameters)

    @property
    def state(self) -> str:
        """The state that must come back."""
        return value_of(self.parameters, "state")

    @property
    def nonce(self) -> str:
        """The nonce that must come back in the id_token."""
        return value_of(self.parameters, "nonce")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes asked for."""
        return tuple(value_of(self.parameters, "scope").split())

    @property
    def redirect(self) -> str:
        """The address the browser is to be sent back to."""
        return value_of(self.parameters, "redirect_uri") or self.app.redirect

    def changed(self, change: Change) -> AuthorizationRequest:
        """The same with something wrong about it."""
        return replace(self, parameters=change.made(self.parameters))


def request_for(
    app: App, endpoint: str, *, audience: str, scope: str, launch: str | None = None, post: bool = False
) -> AuthorizationRequest:
    """A right request, with a new state, nonce and verifier; `launch` is what the EHR gave the app."""
    pkce = Pkce.fresh()
    parameters: Parameters = (
        ("response_type", "code"),
        ("client_id", app.id),
        ("redirect_uri", app.redirect),
        ("scope", scope),
        ("state", secrets.token_urlsafe(24)),
        ("aud", audience),
        ("code_challenge", pkce.challenge),
        ("code_challenge_method", "S256"),
    )
    if launch is not None:
        parameters += (("launch", launch),)
    if "openid" in scope.split():
        parameters += (("nonce", secrets.token_urlsafe(24)),)
    return AuthorizationRequest(app=app, endpoint=endpoint, parameters=parameters, pkce=pkce, post=post)


@dataclass(frozen=True, slots=True)
class Redirected:
    """The address that the browser was sent back to."""

    url: str

    @property
    def parameters(self) -> Parameters:
        """What it says, in order."""
        return of_query(self.url)

    @property
    def fragment(self) -> str:
        """What stands after `#`, where nothing belongs."""
        return urlsplit(self.url).fragment

    def value(self, name: str) -> str:
        """The first value of this name; empty where there is none."""
        return value_of(self.parameters, name)

    @property
    def code(self) -> str:
        """The code; empty where there is none."""
        return self.value("code")


def entrusted(url: str) -> list[str]:
    """The values in an address that whoever reads it could use: codes and tokens, in the query or behind a `#`."""
    parts = urlsplit(url)
    told = (*parse_qsl(parts.query), *parse_qsl(parts.fragment))
    return [value for name, value in told if name.lower() in _ENTRUSTED]


def leads_to(url: str, registered: str) -> bool:
    """Whether an address is the registered one, whatever its query says."""
    one, other = urlsplit(url), urlsplit(registered)
    return (one.scheme, one.netloc, one.path or "/") == (other.scheme, other.netloc, other.path or "/")
