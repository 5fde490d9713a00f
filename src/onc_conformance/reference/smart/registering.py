"""The page on which developers register apps of one user, and backend services for many patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args
from urllib.parse import urlsplit

from flask import request

from onc_conformance.reference.fhir.catalog import kinds
from onc_conformance.reference.smart.apps import App, Kind, secret
from onc_conformance.reference.smart.keysets import KeySet, KeySetError, read
from onc_conformance.reference.smart.pages import page
from onc_conformance.reference.smart.scopes import offered

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

    from onc_conformance.reference.smart.apps import Apps

_KINDS = tuple(kind for kind in get_args(Kind) if kind != "resource")
_FIELDS = ("name", "kind", "redirect_uris", "launch_url", "jwks_uri", "jwks", "scope")
_LONGEST = 2000


class RegistrationPage:
    """A form, and what came of it."""

    def __init__(self, apps: Apps) -> None:
        self._apps = apps

    def register(self, app: Flask, path: str) -> None:
        app.add_url_rule(f"{path}/register", "smart register", self.answer, methods=["GET", "POST"])

    def answer(self) -> Response:
        """The form, or the new app's id and secret."""
        sent = {name: request.form.get(name, "").strip() for name in _FIELDS}
        if request.method == "GET":
            return page("register", failed="", sent=sent | {"kind": "public", "scope": "system/*.rs"})
        try:
            app = self._apps.add(_app(sent))
        except ValueError as error:
            return page("register", 400, failed=str(error), sent=sent)
        return page("registered", 201, app=app)


def _app(sent: dict[str, str]) -> App:
    """The app that the form describes; ValueError says what is wrong with it."""
    if not sent["name"] or len(sent["name"]) > 100:
        raise ValueError("Give the app a name of 100 characters at most.")
    if sent["kind"] not in _KINDS:
        raise ValueError("Choose how the app proves who it is.")
    kind = cast("Kind", sent["kind"])
    redirects = tuple(sent["redirect_uris"].split()) if kind != "system" else ()
    if kind != "system" and not redirects:
        raise ValueError("Give at least one redirect URI.")
    for address in (*redirects, *filter(None, (sent["launch_url"], sent["jwks_uri"]))):
        if not _usable(address):
            raise ValueError(f"{address[:80]}: this is no absolute http or https address without a fragment.")
    scopes = offered(sent["scope"].split(), kinds(), ("system",)) if kind == "system" else ()
    if kind == "system" and not scopes:
        raise ValueError("Name the scopes of the service, as system/*.rs.")
    return App(
        id=secret(),
        name=sent["name"],
        kind=kind,
        secret=secret() if kind == "symmetric" else "",
        keys=_keys(sent) if kind in {"asymmetric", "system"} else None,
        redirect_uris=redirects,
        launch_url=sent["launch_url"] if kind != "system" else "",
        scopes=scopes,
    )


def _keys(sent: dict[str, str]) -> KeySet:
    if sent["jwks_uri"]:
        return KeySet(url=sent["jwks_uri"])
    try:
        return KeySet(read(sent["jwks"]))
    except KeySetError as error:
        raise ValueError(f"Give the address of a JWK Set or the set itself. {error}") from None


def _usable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "#" not in address and len(address) < _LONGEST
