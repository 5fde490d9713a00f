"""Access tokens of the FHIR server: what each allows, and whose data it is good for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from onc_conformance.reference.fhir.answers import Refusal
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Collection

_FOREVER = 10 * 365 * 86400.0
LEVELS = ("patient", "user", "system")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows."""

    scopes: tuple[str, ...]
    """As SMART writes them: level/Type.rs, where a Type of * is all of them."""
    patient: str | None = None
    """The one patient whose data it is good for; None is everybody."""

    def allows(self, kind: str) -> bool:
        """Whether resources of a type may be read and searched."""
        types = {scope.partition("/")[2].partition(".")[0] for scope in self.scopes}
        return kind in types or "*" in types


class Access:
    """Issues tokens, and judges those that requests come with."""

    def __init__(self, life: float, faults: Collection[str]) -> None:
        self._faults = faults
        self._tokens: Tickets[Grant] = Tickets(life, lambda: uuid.uuid4().hex)
        self._standing: Tickets[Grant] = Tickets(_FOREVER, lambda: uuid.uuid4().hex)

    def issue(self, grant: Grant) -> str:
        """A token good for a while."""
        return self._tokens.issue(grant)

    def standing(self, grant: Grant) -> str:
        """A token good for as long as the server is there."""
        return self._standing.issue(grant)

    def expired(self, grant: Grant) -> str:
        """A token that was good once."""
        return self._tokens.expired(grant)

    def granted(self) -> Grant:
        """What the request's token allows; Refusal without a good one."""
        everything = Grant(("system/*.rs",))
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not token.strip():
            if "missing-token-accepted" in self._faults:
                return everything
            raise Refusal(401, "login", "Send an access token: Authorization: Bearer …")
        late = "expired-token-accepted" in self._faults
        grant = self._standing.holder(token.strip()) or self._tokens.holder(token.strip(), late=late)
        if "token-not-checked" in self._faults:
            return grant or everything
        if grant is None:
            raise Refusal(401, "login", "The access token is unknown or expired.")
        return grant
