"""Requests to the token endpoint and its answers (RFC 6749 4.1.3, 5 and 6)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from onc_conformance.access.apps import App
from onc_conformance.access.authorization import AuthorizationRequest
from onc_conformance.access.parameters import Change, Parameters
from onc_conformance.exchange import Exchange

SECRET_FIELDS = ("access_token", "refresh_token", "id_token")
LARGEST_JSON = 1_000_000
"""Bytes of an answer of an authorization server that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What is posted to a token endpoint, or to one like it."""

    endpoint: str
    parameters: Parameters
    headers: Parameters = field(default=(), repr=False)

    def changed(self, change: Change) -> TokenRequest:
        """The same with something wrong about it."""
        return replace(self, parameters=change.made(self.parameters), headers=change.headed(self.headers))


def for_code(request: AuthorizationRequest, endpoint: str, code: str, app: App | None = None) -> TokenRequest:
    """The exchange of a code, in the name of the app that asked for it unless another is given."""
    app = app or request.app
    headers, proof = app.proof(endpoint)
    parameters: Parameters = (
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", request.redirect),
        ("code_verifier", request.pkce.verifier),
    )
    return TokenRequest(endpoint=endpoint, parameters=(*parameters, *proof), headers=headers)


def for_refresh(app: App, endpoint: str, token: str, scope: str | None = None) -> TokenRequest:
    """The use of a refresh token; with `scope` for these scopes alone."""
    headers, proof = app.proof(endpoint)
    parameters: Parameters = (("grant_type", "refresh_token"), ("refresh_token", token))
    narrowed: Parameters = (("scope", scope),) if scope is not None else ()
    return TokenRequest(endpoint=endpoint, parameters=(*parameters, *narrowed, *proof), headers=headers)


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token endpoint answered, read."""

    exchange: Exchange
    fields: dict[str, Any]
    """Empty where the answer is no JSON object."""
    trouble: str | None
    """Why it is no JSON object; None where it is one."""

    @property
    def given(self) -> bool:
        """Whether an access token was given."""
        return self.exchange.status == 200 and bool(self.access_token)

    def text(self, name: str) -> str:
        """A field that is a text; empty where it is not."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    @property
    def access_token(self) -> str:
        """The access token; empty where there is none."""
        return self.text("access_token")

    @property
    def refresh_token(self) -> str:
        """The refresh token; empty where there is none."""
        return self.text("refresh_token")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that were granted."""
        return tuple(self.text("scope").split())

    @property
    def said(self) -> str:
        """The answer in a few words: status, error, and what it says of it."""
        if self.exchange.status is None:
            return self.exchange.error or "no answer"
        words = [self.text(name) for name in ("error", "error_description")]
        told = ": ".join(filter(None, words)) or self.trouble
        return f"HTTP {self.exchange.status}" + (f", {told}" if told else "")


def read(exchange: Exchange) -> TokenAnswer:
    """Read the answer of a token endpoint, whatever it is."""
    fields, trouble = json_object(exchange)
    return TokenAnswer(exchange, fields, trouble)


def json_object(exchange: Exchange) -> tuple[dict[str, Any], str | None]:
    """The JSON object of an answer, and why there is none."""
    if exchange.error:
        return {}, exchange.error
    body = exchange.response_body
    if len(body) > LARGEST_JSON:
        return {}, f"the answer has {len(body):,} bytes, more than anybody expects here"
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        kind = exchange.media_type or "of no media type"
        return {}, f"the answer is not JSON but {kind}" if body else "the answer is empty"
    if not isinstance(found, dict):
        return {}, f"the answer is JSON, but {type(found).__name__} instead of an object"
    return found, None
