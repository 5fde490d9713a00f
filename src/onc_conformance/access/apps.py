"""An app as it is registered, and how it proves itself at the token endpoint (RFC 6749 2.3, RFC 7523)."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from onc_conformance.access.assertions import Key, client_assertion
from onc_conformance.access.parameters import Parameters

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One registration."""

    kind: str
    """public, symmetric or asymmetric."""
    id: str
    secret: str = field(default="", repr=False)
    auth: str = "basic"
    """Where the secret travels: basic or body."""
    key: Key | None = field(default=None, repr=False)
    alg: str = "ES384"
    redirect: str
    launch: str

    @property
    def title(self) -> str:
        """What reports call it."""
        return f"the {self.kind} app"

    def proof(self, endpoint: str, *, jti: str | None = None, now: int | None = None) -> tuple[Parameters, Parameters]:
        """Headers and parameters by which the app proves itself at the token endpoint.

        A public app only names itself; an assertion has a new id and the time of now, unless others are given.
        """
        if self.kind == "symmetric" and self.auth == "basic":
            return basic(self.id, self.secret), ()
        if self.kind == "symmetric":
            return (), (("client_id", self.id), ("client_secret", self.secret))
        if self.key is not None:
            made = client_assertion(
                self.key,
                self.alg,
                client_id=self.id,
                audience=endpoint,
                now=int(time.time()) if now is None else now,
                jti=jti or str(uuid.uuid4()),
            )
            return (), (("client_assertion_type", ASSERTION_TYPE), ("client_assertion", made))
        return (), (("client_id", self.id),)


def basic(name: str, secret: str) -> Parameters:
    """The header of HTTP Basic, both parts form-encoded first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(name)}:{quote_plus(secret)}"
    return (("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),)
