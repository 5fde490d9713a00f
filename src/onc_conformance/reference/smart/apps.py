"""Registered apps: who they are, how they prove it, and where their users are sent back to."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from onc_conformance.reference.smart.keysets import KeySet

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["public", "symmetric", "asymmetric", "system", "resource"]
_LOOPBACK = {"127.0.0.1", "::1"}
_KEPT = 500
"""Apps that were registered on the page, beyond which the oldest is forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class App:
    """A client of the authorization server."""

    id: str
    name: str
    kind: Kind
    """system is a backend service; resource is a server that may ask about tokens."""
    secret: str = ""
    """Of a symmetric one, and of a resource server."""
    keys: KeySet | None = None
    """Of an asymmetric one, and of a backend service."""
    redirect_uris: tuple[str, ...] = ()
    launch_url: str = ""
    scopes: tuple[str, ...] = ()
    """What a backend service may have at most."""

    @property
    def of_people(self) -> bool:
        """Whether it acts for somebody who logs in."""
        return self.kind in {"public", "symmetric", "asymmetric"}

    def knows(self, secret: str) -> bool:
        return bool(self.secret) and hmac.compare_digest(self.secret.encode(), secret.encode())

    def returns_to(self, address: str) -> bool:
        """Whether users may be sent to this redirect URI."""
        return any(same_place(address, registered) for registered in self.redirect_uris)


def same_place(address: str, registered: str) -> bool:
    """Whether it is the registered address, whatever the port of a loopback address (RFC 8252, 7.3)."""
    if address == registered:
        return True
    try:
        one, other = urlsplit(address), urlsplit(registered)
        one.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return False
    if other.hostname not in _LOOPBACK or one.username is not None or one.password is not None or "#" in address:
        return False
    return (one.scheme, one.hostname, one.path, one.query) == (other.scheme, other.hostname, other.path, other.query)


class Apps:
    """Those registered, built in or on the page."""

    def __init__(self, built_in: Iterable[App]) -> None:
        self._built_in = {app.id: app for app in built_in}
        self._more: OrderedDict[str, App] = OrderedDict()
        self._lock = Lock()

    def get(self, issued: str) -> App | None:
        with self._lock:
            return self._built_in.get(issued) or self._more.get(issued)

    def add(self, app: App) -> App:
        with self._lock:
            self._more[app.id] = app
            while len(self._more) > _KEPT:
                self._more.popitem(last=False)
        return app

    def any_of_people(self) -> App | None:
        """The first that acts for people."""
        return next((app for app in self._built_in.values() if app.of_people), None)

    def launched(self) -> list[App]:
        """Those that can be opened from within the EHR."""
        with self._lock:
            return [app for app in (*self._built_in.values(), *self._more.values()) if app.launch_url]


def secret() -> str:
    """A new secret, or the part of an id that nobody can guess."""
    return secrets.token_urlsafe(24)
