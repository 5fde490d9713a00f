"""The backend service that asks for exports: its tokens, and its requests, each recorded and none without need."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urljoin

from onc_conformance.access import backend
from onc_conformance.access.assertions import ALGORITHMS, KeyFileError, read_key
from onc_conformance.exchange import Exchange, same_origin
from onc_conformance.fhirwork import asking
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import NotTested
from onc_conformance.targets import Client
from onc_conformance.targets.assembly import Prepared
from onc_conformance.targets.population import BulkTable
from onc_conformance.transport import Receiver

JSON, NDJSON = "application/fhir+json", "application/fhir+ndjson"
FORM = "application/x-www-form-urlencoded"
SPARE_S = 20.0
"""A token is not used for the last seconds of its life."""


@dataclass(frozen=True)
class Token:
    """The answer to a token request."""

    got: Got
    asked: str
    """The scopes asked for."""

    @cached_property
    def told(self) -> dict[str, Any]:
        """The JSON object that came back; empty where none did."""
        try:
            found = json.loads(self.got.exchange.response_body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def value(self) -> str:
        """The access token; empty where there is none."""
        value = self.told.get("access_token")
        return value if self.got.exchange.status == 200 and isinstance(value, str) else ""

    @property
    def error(self) -> str:
        """The error code of RFC 6749 5.2; empty where there is none."""
        return str(self.told.get("error") or "")

    @property
    def scopes(self) -> set[str]:
        """What was granted: what was asked for where the answer does not say (RFC 6749 5.1)."""
        told = self.told.get("scope")
        return set(told.split() if isinstance(told, str) else self.asked.split())


@dataclass(frozen=True)
class Fetched:
    """What came of keys that the server had to fetch."""

    tokens: Sequence[Token]
    """The answers to assertions by a first key, by its successor, and by the first once more."""
    times: int | None
    """How often the keys were fetched; None where nobody counted."""
    secure: bool = True
    """Whether they were served by TLS."""


@dataclass
class Service:
    """What asks, as which client."""

    client: Client
    table: BulkTable
    note: Callable[[Iterable[str]], None]
    """Told the exchanges that the current scenario rests on."""
    rights: str = "rs"
    """What scopes end in for whoever reads: `read` in SMART 1.0."""
    _tokens: dict[tuple[object, ...], Token] = field(default_factory=dict)
    _bearers: dict[str, tuple[Token, float]] = field(default_factory=dict)
    _kept: dict[tuple[object, ...], Got] = field(default_factory=dict)

    # --- what the description says

    def value(self, *place: str) -> str:
        """What stands in [bulk] at `place`, as `client`, `id`; NotTested names the variable that is not set."""
        found = self.optional(*place)
        if found is None:
            missing = ", ".join(self.client.target.unset("bulk", *place))
            raise NotTested(f"{missing} is not set" if missing else f"the description has no bulk.{'.'.join(place)}")
        return found

    def optional(self, *place: str) -> str | None:
        """The same, or None."""
        entry: Any = self.table
        for name in place:
            entry = getattr(entry, name, None)
        return self.client.target.rendered(entry)

    @cached_property
    def base(self) -> str:
        """The address below which there is Group/[id]/$export."""
        fhir = self.client.target.description.fhir
        if fhir is None:
            raise NotTested("the description has no [fhir]")
        return self.client.target.bases[fhir.base]

    @property
    def scope(self) -> str:
        """What is asked for."""
        return self.optional("client", "scope") or f"system/*.{self.rights}"

    @property
    def narrow_scope(self) -> str:
        """A scope for one type alone."""
        return self.optional("client", "narrow_scope") or f"system/Patient.{self.rights}"

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        """What there is a key for, the one of the description first. NotTested where there is none."""
        every = sorted(ALGORITHMS, key=lambda name: (name != self.table.client.alg, name))
        found = every if self.recorded else [name for name in every if self._key(name)]
        if not found:
            raise NotTested(f"{self.value('client', 'key')}: no key to prove who asks with; expected a JWK file")
        return tuple(found)

    @property
    def recorded(self) -> bool:
        """Whether nobody is asked, so that nothing is signed."""
        return self.client.target.recorded

    def _key(self, algorithm: str) -> Any:
        try:
            return read_key(self.value("client", "key"), algorithm)
        except KeyFileError:
            return None

    def credential(self, algorithm: str | None = None) -> backend.Credential:
        """Who asks, with a key for this algorithm or any."""
        chosen = algorithm or self.algorithms[0]
        return backend.Credential(client_id=self.value("client", "id"), key=self._key(chosen), algorithm=chosen)

    # --- tokens

    @cached_property
    def endpoint(self) -> str:
        """The token endpoint. NotTested where nobody says where it is."""
        if (told := self.optional("client", "token_url")) is not None:
            return told
        got = self.get(f"{self.base}/.well-known/smart-configuration", "where tokens are issued", accept="*/*")
        try:
            found = json.loads(got.exchange.response_body)["token_endpoint"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotTested(f"{got.request}: names no token_endpoint ({got.said})", "AUT-SYS-1") from None
        return urljoin(got.exchange.url, str(found))

    def token(
        self,
        what: str,
        change: Callable[[backend.Asked], backend.Asked] | None = None,
        *,
        scope: str | None = None,
        algorithm: str | None = None,
        credential: backend.Credential | None = None,
    ) -> Token:
        """Ask once for a token with what `change` makes of the request; `what` says it to people."""
        key = (what, scope, algorithm)
        if key not in self._tokens:
            wanted = scope or self.scope
            form = self._written(change, wanted, credential or self._credential(algorithm))
            got = self.post(self.endpoint, form, f"a token: {what}")
            self._tokens[key] = Token(got, form.get("scope", ""))
            if value := str(self._tokens[key].told.get("access_token") or ""):
                self.client.journal.secrets.add(value)
        self.note([self._tokens[key].got.exchange.id])
        return self._tokens[key]

    def _credential(self, algorithm: str | None) -> backend.Credential | None:
        return None if self.recorded else self.credential(algorithm)

    def _written(
        self, change: Callable[[backend.Asked], backend.Asked] | None, scope: str, who: backend.Credential | None
    ) -> dict[str, str]:
        if who is None:
            return {"scope": scope}
        jti, now = str(uuid.uuid4()), int(time.time())
        request = backend.asked(who, audience=self.endpoint, scope=scope, now=now, jti=jti)
        form = (change(request) if change else request).written()
        if "client_assertion" in form:
            self.client.journal.secrets.add(form["client_assertion"])
        return form

    def repeated(self, what: str) -> tuple[Token, Token]:
        """One request made twice, with one and the same assertion."""
        first, second = (what, "first"), (what, "second")
        if second not in self._tokens:
            form = self._written(None, self.scope, self._credential(None))
            for key in (first, second):
                self._tokens[key] = Token(self.post(self.endpoint, form, f"a token: {' '.join(key)}"), form["scope"])
                if value := self._tokens[key].value:
                    self.client.journal.secrets.add(value)
        self.note([self._tokens[first].got.exchange.id, self._tokens[second].got.exchange.id])
        return self._tokens[first], self._tokens[second]

    def bearer(self, scope: str | None = None) -> str:
        """A good token, renewed before it runs out. NotTested where none is given."""
        wanted = scope or self.scope
        kept = self._bearers.get(wanted)
        if kept is None or kept[1] < time.monotonic():
            number = "" if kept is None else f", renewed at {len(self._tokens)}"
            token = self.token(f"for {wanted}{number}", scope=wanted)
            if not token.value:
                raise NotTested(f"no token was given for {wanted}: {token.got.said}", "AUT-SYS-1")
            life = token.told.get("expires_in")
            seconds = float(life) if isinstance(life, (int, float)) else 300.0
            kept = self._bearers[wanted] = token, time.monotonic() + max(seconds - SPARE_S, seconds / 2)
        return kept[0].value

    # --- requests

    def get(
        self,
        url: str,
        what: str,
        *,
        token: str | None = None,
        method: str = "GET",
        accept: str = JSON,
        headers: Iterable[tuple[str, str]] = (),
        receiver: Receiver | None = None,
    ) -> Got:
        """One request; `what` says it to people, and is what a recording knows it by. No cookie, no other host."""
        lines = [("Accept", accept), *headers]
        if token:
            lines.append(("Authorization", f"Bearer {token}"))
        patience = self.table.max_file_s if receiver else None
        prepared = Prepared(
            method, url, tuple(lines), b"", key=f"bulk\n{method} {what}", receiver=receiver, patience_s=patience
        )
        return self._got(self.client.send(what, lambda: prepared), what)

    def post(self, url: str, form: dict[str, str], what: str) -> Got:
        """A form."""
        lines = (("Accept", "application/json"), ("Content-Type", FORM))
        prepared = Prepared("POST", url, lines, urlencode(form).encode(), key=f"bulk\nPOST {what}")
        return self._got(self.client.send(what, lambda: prepared), what)

    def trusts(self, url: str) -> bool:
        """Whether our token may go to this address."""
        known = (self.base, *(filter(None, map(self.client.target.rendered, self.table.file_hosts))))
        return any(same_origin(url, each) for each in known)

    def _got(self, exchange: Exchange, what: str) -> Got:
        self.note(self.client.trail([exchange.id]))
        resource, trouble = asking.read(exchange) if not exchange.omitted else (None, None)
        return Got(what, exchange, resource, trouble)
