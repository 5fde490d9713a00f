"""The EHR Your Way side of the reference EHR: four POST calls, JSON in and out, the data calls signed."""

from __future__ import annotations

import hmac
import json
import secrets
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from flask import Response, request

from onc_conformance.reference import ehryourway_requests as requested
from onc_conformance.reference import signing
from onc_conformance.reference.asjson import as_json, as_text
from onc_conformance.reference.ehryourway_requests import Failure
from onc_conformance.reference.faults import refused
from onc_conformance.reference.people import number
from onc_conformance.reference.screens import login_page
from onc_conformance.reference.signing import BadSignature
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from flask import Flask

    from onc_conformance.reference.clerk import Clerk
    from onc_conformance.reference.ehryourway_requests import Json
    from onc_conformance.reference.people import People, Person
    from onc_conformance.reference.settings import Settings

LOGIN = "/EHRAuthenticationServer/api/web/ClientLogin"
AUTHENTICATE = "/EHRWebAPIServer/api/web/AuthenticateClientLogin"
ALL_DATA = "/EHRWebAPIRequestHandler/api/web/GetClinicalData"
BY_CATEGORY = "/EHRWebAPIRequestHandler/api/web/GetClinicalDataByCategory"
READABLE = "/EMR_Web_WCF_ClinicalManagement/temp/"
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Client:
    """The login of one patient."""

    id: str
    password: str
    person: Person
    external_id: str


@dataclass(frozen=True, slots=True)
class _Grant:
    """What an access token opens: the data of `person`, for requests of `client`."""

    client: Client
    person: Person


class EhrYourWay:
    """The three servers of the vendor in one: who may log in, and the charts."""

    def __init__(self, people: People, clerk: Clerk, faults: frozenset[str], settings: Settings) -> None:
        self._people = people
        self._clerk = clerk
        self._faults = faults
        self._settings = settings
        self.clients: dict[str, Client] = {}
        for person in people.all:
            client = _client(person, taken=self.clients)
            self.clients[client.id] = client
        self._by_external = {client.external_id: client for client in self.clients.values()}
        self._references: Tickets[Client] = Tickets(
            settings.reference_number_life, lambda: str(10**15 + secrets.randbelow(9 * 10**15))
        )
        self._tokens: Tickets[_Grant] = Tickets(settings.token_life, lambda: str(uuid.uuid4()))
        self._freshness = signing.Freshness(settings.clock_skew, local=settings.accepts_local_timestamps)
        self._readable: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def expired_token(self) -> str:
        """An access token of the first patient's that was good once."""
        client = next(iter(self.clients.values()))
        return self._tokens.expired(_Grant(client, client.person))

    def register(self, app: Flask) -> None:
        app.add_url_rule(LOGIN, "eyw login", self.login, methods=["POST"])
        app.add_url_rule(AUTHENTICATE, "eyw authenticate", self.authenticate, methods=["POST"])
        app.add_url_rule(ALL_DATA, "eyw all data", self.all_data, methods=["POST"])
        app.add_url_rule(BY_CATEGORY, "eyw by category", self.by_category, methods=["POST"])
        app.add_url_rule(f"{READABLE}<name>.xml", "eyw readable", self.readable)

    # --- login

    def login(self) -> Response:
        """Client id and password for a reference number."""
        body = requested.body()
        client = self.clients.get(str(body.get("ClientId")))
        given = str(body.get("Password")).encode()
        right = client is not None and hmac.compare_digest(given, client.password.encode())
        if client is None or not (right or "password-not-checked" in self._faults):
            return _json(
                {
                    "ClientId": body.get("ClientId"),
                    "ValidationMessages": "Client Login Failed",
                    "ValidationStatus": "Failed",
                }
            )
        return _json(
            {
                "ClientId": client.id,
                "ReferenceNumber": self._references.issue(client),
                "ValidationMessages": None,
                "ValidationStatus": "Success",
            }
        )

    def authenticate(self) -> Response:
        """A reference number, once and in time, for a patient id and an access token."""
        body = requested.body()
        reference = str(body.get("ReferenceNumber"))
        client = self.clients.get(str(body.get("ClientId")))
        if client is None or not self._redeemed(reference, client):
            return _json(
                {
                    "ClientId": body.get("ClientId"),
                    "ReferenceNumber": body.get("ReferenceNumber"),
                    "Inner Exception": "Could not locate Access Token",
                    "ValidationMessages": "Validation of Reference Number Failed.",
                    "ValidationStatus": "Failed",
                }
            )
        if "select-login-page" in self._faults:
            return Response(login_page(), content_type="text/html; charset=utf-8")
        if "select-error-body" in self._faults:
            return _json({"ValidationMessages": "The request could not be processed.", "ValidationStatus": "Failed"})
        person = client.person
        if "select-wrong-patient" in self._faults:
            person = self._people.next_to(person)
        token = self._tokens.issue(_Grant(client, person))
        until = datetime.fromtimestamp(self._tokens.until(token), UTC)
        answer: Json = {
            "ClientId": client.id,
            "ReferenceNumber": reference,
            "ExternalPatientId": self._external_id(person),
            "AccessToken": token,
            "accessTokenExpiryDT": until.strftime("%Y-%m-%dT%H:%M:%S"),
            "ValidationMessages": None,
            "ValidationStatus": "Success",
        }
        if "select-id-not-accepted" in self._faults:
            answer["ExternalPatientId"] = f"9{answer['ExternalPatientId']}"
        if "select-no-id" in self._faults:
            del answer["ExternalPatientId"]
        return _json(answer)

    def _redeemed(self, reference: str, client: Client) -> bool:
        if "reference-not-checked" in self._faults:
            return True
        if self._references.holder(reference) != client:
            return False
        return "used-reference-accepted" in self._faults or self._references.redeem(reference) is not None

    def _external_id(self, person: Person) -> str:
        if "select-same-id" in self._faults:
            person = self._people.all[0]
        if "select-namesakes-share-id" in self._faults:
            person = self._people.namesake(person)
        return next(client.external_id for client in self.clients.values() if client.person.key == person.key)

    # --- data

    def all_data(self) -> Response:
        """Everything about the patient in one document."""
        return self._answered(ALL_DATA)

    def by_category(self) -> Response:
        """The categories named in Sections, in one document."""
        return self._answered(BY_CATEGORY)

    def _answered(self, path: str) -> Response:
        try:
            return self._data(requested.body(), path, everything=path == ALL_DATA)
        except Failure as failure:
            return self._failed(str(failure), failure.status)
        except BadSignature as error:
            return self._failed(str(error), 401)

    def _data(self, body: Json, path: str, *, everything: bool) -> Response:
        person = self._whose(body, self._authorized(body, path))
        wanted = requested.sections(body, everything=everything)
        window = requested.window(body)
        kind = body.get("ClinicalDataAccessType")
        if kind not in (1, 2, 3):  # not a set: what came may not be hashable
            raise Failure("ClinicalDataAccessType is 1, 2 or 3.")
        broken = everything and "document-server-error" in self._faults
        if broken or refused(window, "document" if everything else "category", self._faults):
            raise Failure("The request could not be processed.", 500)
        page_instead = "document-login-page" if everything else "category-login-page"
        if page_instead in self._faults and (everything or "vital_signs" in wanted):
            return Response(login_page(), content_type="text/html; charset=utf-8")
        clerk = self._clerk
        document = clerk.summary(person, window) if everything else clerk.excerpt(person, wanted, window)
        response = _json(self._success(document, kind))
        if everything and "document-wrong-media-type" in self._faults:
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    def _success(self, document: bytes, kind: int) -> Json:
        name = uuid.uuid4().hex
        with self._lock:
            self._readable[name] = document
            while len(self._readable) > _KEPT:
                self._readable.popitem(last=False)
        return {
            "PatientUSCDIAsXml": as_text(document) if kind > 1 else None,
            "PatientUSCDIAsReadableFormat": f"{request.host_url.rstrip('/')}{READABLE}{name}.xml",
            "JSONFormat": as_json(document) if kind == 3 else None,
            "ValidationStatus": "Success",
            "ValidationMessages": None,
        }

    def _failed(self, message: str, status: int) -> Response:
        answer = {
            "PatientUSCDIAsXml": None,
            "PatientUSCDIAsReadableFormat": None,
            "JSONFormat": None,
            "ValidationStatus": "Failed",
            "ValidationMessages": message,
        }
        return _json(answer, 200 if self._settings.failures_are_200 and status == 401 else status)

    def readable(self, name: str) -> Response:
        """A document answered a while ago, at the address that was answered with it."""
        with self._lock:
            document = self._readable.get(name)
        if document is None:
            return Response("No longer here", status=404, content_type="text/plain; charset=utf-8")
        return Response(document, content_type="text/xml")

    # --- who asks, and for whom

    def _authorized(self, body: Json, path: str) -> _Grant | None:
        """What the request's token opens; None where the token's absence or falseness is overlooked."""
        client = self.clients.get(str(body.get("ClientId")))
        token = str(body.get("AccessToken") or "")
        anonymous = "missing-token-accepted" in self._faults
        if client is None:
            raise Failure("The ClientId is not known.", 401)
        if anonymous and not request.headers.get("Authorization"):
            return None
        sent = signing.parameters(request.headers.get("Authorization", ""))
        headers = {name.lower(): value for name, value in request.headers.items()}
        if sent["keyId"] != client.id:
            raise Failure("The keyId of the Authorization header is not the ClientId of the request.", 401)
        self._freshness.check_time(headers)
        if "signature-not-checked" not in self._faults:
            query = request.query_string.decode()
            signing.verify(sent, client.password, f"{path}?{query}" if query else path, headers, request.get_data())
        self._freshness.check_nonce(sent["nonce"], headers)
        if sent["accessToken"] != token:
            raise Failure("The access tokens of the Authorization header and of the request differ.", 401)
        if not token and anonymous:
            return None
        grant = self._tokens.holder(token, late="expired-token-accepted" in self._faults)
        if grant and grant.client == client:
            return grant
        if grant and "foreign-token-accepted" in self._faults:
            return _Grant(client, client.person)
        if token and "token-not-checked" in self._faults:
            return None
        raise Failure("The access token is missing, unknown or expired.", 401)

    def _whose(self, body: Json, grant: _Grant | None) -> Person:
        """The person asked for, who must be the one the token opens."""
        asked = str(body.get("ExternalPatientId") or "")
        named = self._by_external.get(asked)
        own = named is not None and grant is not None and named.person.key == grant.person.key
        if grant and (own or asked == self._external_id(grant.person)):
            return self._people.all[0] if "id-ignored" in self._faults else grant.person
        if named and (grant is None or "foreign-id-answered" in self._faults):
            return self._people.all[0] if "id-ignored" in self._faults else named.person
        if asked and not named and "unknown-id-answered" in self._faults:
            return grant.person if grant else self._people.all[0]
        raise Failure("The ExternalPatientId is not the one this access token was issued for.")


def _client(person: Person, taken: dict[str, Client]) -> Client:
    who = person.demographics
    whole = who.given[0].capitalize() + who.family.casefold()
    letters = "".join(letter for letter in whole if letter.isascii() and letter.isalnum())
    name = letters or "Patient"
    while name in taken:
        name += number("client", name, 2)
    year, month, day = (*who.birth_date[:10].split("-"), "01", "01")[:3]
    external = "".join(
        (number("external before", person.key, 3), name[:4], month, day, year, number("external after", person.key, 4))
    )
    return Client(name, secrets.token_urlsafe(18), person, external)


def _json(answer: Json, status: int = 200) -> Response:
    text = json.dumps(answer, ensure_ascii=False)
    return Response(text, status=status, content_type="application/json; charset=utf-8")
