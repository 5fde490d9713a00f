"""Who may log in: patients with a portal account and clinicians, and the sessions of their browsers."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from onc_conformance.reference.people import number
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.wrappers import Response

_COOKIE = "ehr_session"
_IDLE = 1800.0
_PATH = "/auth"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a login."""

    name: str
    password: str
    title: str
    """What the pages call them."""
    resource: str
    """Type/id of the FHIR resource they are."""

    @property
    def patient(self) -> str:
        """The id of the Patient they are; empty for a clinician."""
        kind, _, issued = self.resource.partition("/")
        return issued if kind == "Patient" else ""

    @property
    def subject(self) -> str:
        """The `sub` of their id_tokens."""
        return number("subject", self.resource, 16)


class Users:
    """Logins, and who is behind the request's cookie."""

    def __init__(self, users: Iterable[User]) -> None:
        self._users = {user.name: user for user in users}
        self._sessions: Tickets[User] = Tickets(_IDLE, lambda: secrets.token_urlsafe(24), sliding=True)

    def known(self, name: str, password: str) -> User | None:
        """Whose name and password these are."""
        user = self._users.get(name)
        good = hmac.compare_digest((user.password if user else "").encode(), password.encode())
        return user if user and good else None

    def here(self) -> User | None:
        """Whose session the request belongs to."""
        return self._sessions.holder(request.cookies.get(_COOKIE, ""))

    def begin(self, user: User, response: Response) -> Response:
        """A session, with its cookie in the response."""
        response.set_cookie(
            _COOKIE, self._sessions.issue(user), path=_PATH, httponly=True, samesite="Lax", secure=request.is_secure
        )
        return response

    def end(self, response: Response) -> Response:
        """No session any more."""
        self._sessions.redeem(request.cookies.get(_COOKIE, ""))
        response.delete_cookie(_COOKIE, path=_PATH, httponly=True, samesite="Lax", secure=request.is_secure)
        return response
