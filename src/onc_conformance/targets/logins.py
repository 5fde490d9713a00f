"""The kinds of login: what each of them takes, and the requests it comes to."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from onc_conformance.access.assertions import ALGORITHMS, client_assertion, read_key
from onc_conformance.targets.smart import ClientKind, LoginName
from onc_conformance.targets.steps import Capture, Request
from onc_conformance.targets.templates import parse
from onc_conformance.targets.terms import Templated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onc_conformance.targets.templates import Lookup

TOKEN = "token"  # noqa: S105 - a name
"""What the credential is called where a step does not say otherwise."""
SCHEMES = {"basic": "Basic", "static": "Bearer", "oauth2_client": "Bearer", "oauth2_jwt": "Bearer", "smart": "Bearer"}
"""How the credential of each kind travels in the Authorization header."""
ENDPOINT, ASSERTION, PAIR = "oauth_token_url", "oauth_assertion", "oauth_pair"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NEEDED = {
    "http": (),
    "oauth2_client": ("client_id", "client_secret"),
    "oauth2_jwt": ("client_id", "key", "alg"),
    "basic": ("user", "password"),
    "static": ("token",),
    "smart": ("client", "login"),
}
_OAUTH = {"token_url", "discover", "client_id", "scope", "form", "headers", "capture"}
_TAKEN = {
    "oauth2_client": _OAUTH | {"client_secret", "client_auth"},
    "oauth2_jwt": _OAUTH | {"key", "alg"},
    "basic": {"user", "password"},
    "static": {"token", "patient"},
    "smart": {"client", "login"},
}


def _renamed(value: Any) -> Any:
    if value == "oauth2_code":
        raise ValueError(
            "oauth2_code is called smart here; "
            'expected kind = "smart" with the client and the login of [smart], or kind = "static" with a token'
        )
    return value


class AuthStep(Request):
    """One step of a login: a request, or a usual way to prove oneself."""

    kind: Annotated[
        Literal["http", "oauth2_client", "oauth2_jwt", "basic", "static", "smart"], BeforeValidator(_renamed)
    ] = "http"
    """http: a request as described. The others capture `token`, which travels as Authorization by itself."""
    url: Templated = ""
    token_url: Templated | None = None
    """oauth2_*: the token endpoint."""
    discover: Templated | None = None
    """oauth2_*: an address whose JSON names the token_endpoint, as .well-known/smart-configuration does."""
    client_id: Templated | None = None
    client_secret: Templated | None = None
    client_auth: Literal["basic", "body"] = "basic"
    """oauth2_client: where the secret travels."""
    key: Templated | None = None
    """oauth2_jwt: the path of a file with the private key as JWK."""
    alg: Literal["RS384", "ES384"] | None = None
    scope: Templated | None = None
    user: Templated | None = None
    password: Templated | None = None
    token: Templated | None = None
    """static: a token got elsewhere."""
    patient: Templated | None = None
    """static: the id of the patient the token was given for; becomes pat_id."""
    client: ClientKind | None = None
    """smart: the app of [smart] that is launched by itself."""
    login: LoginName | None = None
    """smart: who logs in; a patient's token is for that patient, whose id becomes pat_id."""

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        own = set(AuthStep.model_fields) - set(Request.model_fields)
        taken = _TAKEN.get(self.kind, (set(Request.model_fields) - own) | {"url"}) | {"kind", "id"}
        if strange := [name for name in self.model_fields_set if name not in taken]:
            raise ValueError(f'kind = "{self.kind}" takes no {min(strange).removesuffix("_")}')
        needed = (*_NEEDED[self.kind], *(("url",) if self.kind == "http" and not self.plugin else ()))
        if missing := [name for name in needed if not getattr(self, name)]:
            raise ValueError(f'kind = "{self.kind}" needs {" and ".join(missing)}')
        if self.kind.startswith("oauth2") and (self.token_url is None) == (self.discover is None):
            raise ValueError(f'kind = "{self.kind}" needs token_url or discover, one of them')
        return self

    @property
    def captures(self) -> Mapping[str, Capture]:
        """Everything the step captures, by name; what a kind captures by itself included."""
        if self.kind == "http" or self.capture:
            return self.capture
        given = Capture.model_validate({"from": "json", "path": "$.access_token", "secret": True})
        is_bound = self.patient or self.login == "patient"
        bound = {"pat_id": Capture.model_validate({"from": "json", "path": "$.patient"})} if is_bound else {}
        return {TOKEN: given, **bound}

    @property
    def credentials(self) -> Iterator[tuple[str, str]]:
        """Key and template of everything a kind other than http is given."""
        for name in ("discover", "token_url", "client_id", "client_secret", "key", "scope", "user", "password",
                     "token", "patient"):  # fmt: skip
            if (text := getattr(self, name)) is not None:
                yield name, text

    @property
    def requests(self) -> list[Request]:
        """The requests the step comes to, in order; none where the credential is there already."""
        if self.kind == "http":
            return [self]
        if self.kind in {"basic", "static", "smart"}:
            return []
        found: list[dict[str, Any]] = []
        if self.discover:
            place = {ENDPOINT: {"from": "json", "path": "$.token_endpoint"}}
            found.append({"url": self.discover, "headers": {"Accept": "application/json"}, "capture": place})
        url = f"{{{ENDPOINT}}}" if self.discover else self.token_url
        scope = {"scope": self.scope} if self.scope else {}
        form = {"grant_type": "client_credentials", **scope, **(self.form or {})}
        headers = {"Accept": "application/json", **self.headers}
        let: dict[str, str | None] = {}
        if self.kind == "oauth2_jwt":
            form |= {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": f"{{{ASSERTION}}}"}
        elif self.client_auth == "body":
            form |= {"client_id": self.client_id or "", "client_secret": self.client_secret or ""}
        else:  # RFC 6749, 2.3.1: both are form-encoded before they are joined
            let = {"oauth_id": self.client_id, "oauth_secret": self.client_secret}
            let[PAIR] = "{oauth_id|url}:{oauth_secret|url}"
            headers["Authorization"] = f"Basic {{{PAIR}|b64}}"
        found.append({"method": "POST", "url": url, "headers": headers, "form": form, "let": let})
        requests = [Request.model_validate(each) for each in found]
        return [*requests[:-1], requests[-1].model_copy(update={"capture": dict(self.captures)})]

    def given(self, lookup: Lookup) -> dict[str, str]:
        """The credential itself, and the patient it is bound to, where no request has to be made for them."""
        if self.kind == "static":
            bound = {"pat_id": parse(self.patient).render(lookup)} if self.patient else {}
            return {TOKEN: parse(self.token or "").render(lookup), **bound}
        if self.kind == "basic":
            pair = f"{parse(self.user or '').render(lookup)}:{parse(self.password or '').render(lookup)}"
            return {TOKEN: base64.b64encode(pair.encode()).decode()}
        return {}

    def assertion(self, lookup: Lookup, now: int, jti: str) -> str:
        """A new assertion for the token endpoint. Raises KeyFileError."""
        key = read_key(parse(self.key or "").render(lookup), self.alg or next(iter(ALGORITHMS)))
        return client_assertion(
            key,
            self.alg or next(iter(ALGORITHMS)),
            client_id=parse(self.client_id or "").render(lookup),
            audience=parse(f"{{{ENDPOINT}}}" if self.discover else self.token_url or "").render(lookup),
            now=now,
            jti=jti,
        )
