"""The FHIR side of the reference EHR: as much of R4 and US Core as `$docref` needs, behind SMART Backend Services."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections import OrderedDict
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, request

from onc_conformance.reference import jose
from onc_conformance.reference.charts import days_of
from onc_conformance.reference.faults import refused
from onc_conformance.reference.people import number as number_of
from onc_conformance.reference.screens import login_page
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask

    from onc_conformance.reference.clerk import Clerk
    from onc_conformance.reference.people import People, Person, Window
    from onc_conformance.reference.settings import Settings

BASE = "/fhir"
TOKEN = f"{BASE}/auth/token"
SCOPES = ("system/Patient.rs", "system/DocumentReference.rs", "system/Binary.rs")
CCD = ("34133-9", "Summarization of Episode Note")
SEARCH = ("_id", "family", "given", "birthdate")
"""Search parameters of Patient."""
_FHIR = "application/fhir+json"
_HTML = "text/html; charset=utf-8"
_GENDERS = {"undifferentiated": "other"}
_MOMENT = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?")
_KEPT = 4096

Resource = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer, though not the one hoped for
    """The OperationOutcome that is answered instead: its issue code, its text, the HTTP status."""

    def __init__(self, status: int, code: str, text: str) -> None:
        self.status = status
        self.code = code
        super().__init__(text)


class DocRef:
    """The FHIR server: one registered client that may read every chart."""

    def __init__(self, people: People, clerk: Clerk, faults: frozenset[str], settings: Settings) -> None:
        self.client_id = "reference-client"
        self._people = people
        self._clerk = clerk
        self._faults = faults
        self._settings = settings
        self._assertions = jose.Assertions(self.client_id, settings.docref_algorithm)
        self._tokens: Tickets[str] = Tickets(settings.token_life, lambda: uuid.uuid4().hex)
        self._binaries: OrderedDict[str, tuple[Person, Window | None]] = OrderedDict()
        self._lock = Lock()

    def private_jwk(self) -> str:
        """The client's key, as a JWK in JSON."""
        return json.dumps(jose.key(self._settings.docref_algorithm).as_dict(private=True))

    def expired_token(self) -> str:
        """An access token that was good once."""
        return self._tokens.expired(self.client_id)

    def register(self, app: Flask) -> None:
        for rule, view, methods in (
            ("/.well-known/smart-configuration", self.configuration, ["GET"]),
            ("/auth/token", self.token, ["POST"]),
            ("/Patient", self.patients, ["GET"]),
            ("/Patient/<issued>", self.patient, ["GET"]),
            ("/DocumentReference/$docref", self.docref, ["GET", "POST"]),
            ("/Binary/<issued>", self.binary, ["GET"]),
        ):
            app.add_url_rule(f"{BASE}{rule}", f"docref {rule}", view, methods=methods)

    # --- authorization

    def configuration(self) -> Response:
        """What SMART App Launch 2 wants published of a server for backend services."""
        return _json(
            {
                "token_endpoint": _host() + TOKEN,
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": list(jose.ALGORITHMS),
                "grant_types_supported": ["client_credentials"],
                "scopes_supported": list(SCOPES),
                "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            },
            kind="application/json",
        )

    def token(self) -> Response:
        """A signed assertion for an access token."""
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return _unauthorized("unsupported_grant_type", "grant_type is client_credentials.")
        if form.get("client_assertion_type") != jose.TYPE:
            return _unauthorized("invalid_request", f"client_assertion_type is {jose.TYPE}.")
        scopes = form.get("scope", "").split()
        if not scopes or not set(scopes) <= set(SCOPES):
            return _unauthorized("invalid_scope", f"scope is one or more of {' '.join(SCOPES)}.")
        try:
            self._assertions.check(
                form.get("client_assertion", ""),
                _host() + TOKEN,
                signature="signature-not-checked" not in self._faults,
            )
        except jose.BadAssertion as error:
            return _unauthorized("invalid_client", str(error), 401)
        answer = {
            "access_token": self._tokens.issue(self.client_id),
            "token_type": "Bearer",
            "expires_in": int(self._settings.token_life),
            "scope": " ".join(scopes),
        }
        response = _json(answer, kind="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    def _authorize(self) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not token.strip():
            if "missing-token-accepted" in self._faults:
                return
            raise Refusal(401, "login", "Send an access token: Authorization: Bearer …")
        late = "expired-token-accepted" in self._faults
        if "token-not-checked" not in self._faults and self._tokens.holder(token.strip(), late=late) is None:
            raise Refusal(401, "login", "The access token is unknown or expired.")

    # --- patients

    def patients(self) -> Response:
        """Patients by name and birth date, as a searchset."""
        return self._guarded(self._search)

    def _search(self) -> Response:
        if "select-login-page" in self._faults:
            return Response(login_page(), content_type=_HTML)
        asked = {name: value for name in SEARCH if (value := request.args.get(name, "").strip())}
        if not asked:
            raise Refusal(400, "required", f"Search by one or more of {', '.join(SEARCH)}.")
        born = asked.get("birthdate", "").removeprefix("eq")
        if born and not _is_moment(born):
            raise Refusal(400, "value", f"birthdate={born}: a date is YYYY-MM-DD.")
        if "select-error-body" in self._faults:
            issue = {"severity": "error", "code": "exception", "diagnostics": "The request could not be processed."}
            return _json({"resourceType": "OperationOutcome", "issue": [issue]})
        found = [person for person in self._people.all if self._fits(person, asked | {"birthdate": born})]
        if "select-apostrophe-lost" in self._faults:
            found = [person for person in found if "'" not in person.demographics.family]
        entries = [self._entry(self._shown(person)) for person in found]
        if "select-two-rows" in self._faults:
            doubles = [entry["resource"] | {"id": entry["resource"]["id"][::-1]} for entry in entries]
            entries += [self._entry(double) for double in doubles]
        return _json(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": len(entries),
                "link": [{"relation": "self", "url": request.url}],
                "entry": entries,
            }
        )

    def _fits(self, person: Person, asked: Mapping[str, str]) -> bool:
        """Strings fit by their beginning, whatever their case; a date fits if it holds the day of birth."""
        who = person.demographics
        given = asked.get("given", "").casefold()
        return (
            asked.get("_id") in {None, self._people.number_of(person)}
            and who.family.casefold().startswith(asked.get("family", "").casefold())
            and any(name.casefold().startswith(given) for name in (*who.given, " ".join(who.given)))
            and who.birth_date.startswith(asked["birthdate"])
        )

    def patient(self, issued: str) -> Response:
        """One Patient by id."""
        return self._guarded(lambda: _json(self._shown(self._known(issued))))

    def _shown(self, person: Person) -> Resource:
        who = person.demographics
        resource: Resource = {
            "resourceType": "Patient",
            "id": self._people.number_of(self._named_instead(person)),
            "name": [{"use": "official", "family": who.family, "given": list(who.given)}],
            "gender": _GENDERS.get(who.sex, who.sex),
            "birthDate": who.birth_date[:10],
        }
        if "select-id-not-accepted" in self._faults:
            resource["id"] = f"9{resource['id']}"
        if "select-no-id" in self._faults:
            del resource["id"]
        return resource

    def _named_instead(self, person: Person) -> Person:
        """Whose id stands in the answer."""
        if "select-same-id" in self._faults:
            return self._people.all[0]
        if "select-namesakes-share-id" in self._faults:
            return self._people.namesake(person)
        if "select-near-name" in self._faults:
            return self._people.near(person)
        return self._people.next_to(person) if "select-wrong-patient" in self._faults else person

    @staticmethod
    def _entry(resource: Resource) -> Resource:
        entry: Resource = {"resource": resource}
        if "id" in resource:
            entry = {"fullUrl": f"{_host()}{BASE}/{resource['resourceType']}/{resource['id']}"} | entry
        return entry | {"search": {"mode": "match"}}

    def _known(self, issued: str) -> Person:
        person = self._people.by_number(issued)
        if person is None and issued and "unknown-id-answered" in self._faults:
            return self._people.all[0]
        if person is None:
            raise Refusal(404, "not-found", f"Patient/{issued}: there is no such patient.")
        return self._people.all[0] if "id-ignored" in self._faults else person

    # --- documents

    def docref(self) -> Response:
        """References to documents with the data of a patient, within the dates given."""
        return self._guarded(self._references)

    def _references(self) -> Response:
        asked = _parameters()
        issued = asked.get("patient", "").removeprefix("Patient/")
        if not issued:
            raise Refusal(400, "required", "$docref needs the parameter patient.")
        person = self._known(issued)
        window = _window(asked)
        if refused(window, "document", self._faults):
            raise Refusal(500, "exception", "The reference could not be made.")
        if not _wants_ccd(asked.get("type", "")):
            return _json({"resourceType": "Bundle", "type": "searchset", "total": 0})
        parts = _years(person, window) if window and self._settings.docref_by_year else [window]
        if "second-ccd-dropped" in self._faults:
            parts = parts[:1]
        number = asked.get("page", "1")
        page = int(number) if number.isdecimal() else 0
        if not 1 <= page <= len(parts):
            raise Refusal(400, "value", f"page={number}: there are {len(parts)} pages.")
        links = [{"relation": "self", "url": request.url}]
        if page < len(parts) and "page-two-missing" not in self._faults:
            query = urlencode(asked | {"page": str(page + 1)})
            links.append({"relation": "next", "url": f"{request.base_url}?{query}"})
        if page > 1 and "page-two-foreign" in self._faults:
            person = self._people.next_to(person)
        return _json(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": len(parts),
                "link": links,
                "entry": [self._entry(self._reference(person, parts[page - 1]))],
            }
        )

    def _reference(self, person: Person, window: Window | None) -> Resource:
        issued = number_of("document reference", "/".join((person.key, *map(str, window or ()))), 18)
        with self._lock:
            self._binaries[issued] = (person, window)
            self._binaries.move_to_end(issued)
            while len(self._binaries) > _KEPT:
                self._binaries.popitem(last=False)
        attachment: Resource = {"contentType": "application/xml", "url": f"{_host()}{BASE}/Binary/{issued}"}
        context: Resource = {}
        if window:
            bounds = (("start", window[0]), ("end", window[1]))
            context = {"context": {"period": {name: day.isoformat() for name, day in bounds if day}}}
        return {
            "resourceType": "DocumentReference",
            "id": issued,
            "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": CCD[0], "display": CCD[1]}]},
            "subject": {"reference": f"Patient/{self._people.number_of(person)}"},
            "content": [
                {
                    "attachment": attachment,
                    "format": {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-HL7DocumentFormatCodes",
                        "code": "urn:hl7-org:sdwg:ccda-structuredBody:2.1",
                    },
                }
            ],
            **context,
        }

    def binary(self, issued: str) -> Response:
        """The document itself: as XML, or in base64 within a Binary resource for whoever accepts FHIR's JSON."""
        return self._guarded(lambda: self._document(issued))

    def _document(self, issued: str) -> Response:
        with self._lock:
            found = self._binaries.get(issued)
        if found is None:
            raise Refusal(404, "not-found", f"Binary/{issued}: there is no such document.")
        if "document-server-error" in self._faults:
            raise Refusal(500, "exception", "The document could not be made.")
        if "document-login-page" in self._faults:
            return Response(login_page(), content_type=_HTML)
        document = self._clerk.summary(*found)
        wrong = "document-wrong-media-type" in self._faults
        if "json" not in request.headers.get("Accept", ""):
            return Response(document, content_type="image/png" if wrong else "application/xml")
        resource = {
            "resourceType": "Binary",
            "id": issued,
            "contentType": "application/xml",
            "data": base64.b64encode(document).decode("ascii"),
        }
        return _json(resource, kind=_HTML if wrong else _FHIR)

    # --- answers

    def _guarded(self, answer: Any) -> Response:
        try:
            self._authorize()
            response: Response = answer()
        except Refusal as refusal:
            issue = {"severity": "error", "code": refusal.code, "diagnostics": str(refusal)}
            response = _json({"resourceType": "OperationOutcome", "issue": [issue]}, refusal.status)
            if refusal.status == 401:
                response.headers["WWW-Authenticate"] = 'Bearer realm="reference EHR"'
        return response


def _host() -> str:
    return request.host_url.rstrip("/")


def _json(content: Mapping[str, Any], status: int = 200, kind: str = _FHIR) -> Response:
    return Response(json.dumps(content, ensure_ascii=False), status=status, content_type=kind)


def _unauthorized(error: str, description: str, status: int = 400) -> Response:
    return _json({"error": error, "error_description": description}, status, "application/json")


def _parameters() -> dict[str, str]:
    """The operation's parameters: from the query, a form, or a Parameters resource."""
    asked = {name: value.strip() for name, value in request.values.items()}
    if request.method == "POST" and "json" in request.mimetype:
        try:
            sent = json.loads(request.get_data())
        except ValueError:
            raise Refusal(400, "structure", "The body is no JSON.") from None
        listed: Sequence[object] = sent.get("parameter", ()) if isinstance(sent, dict) else ()
        for each in listed:
            if isinstance(each, dict):
                value = next((str(one) for name, one in each.items() if name.startswith("value")), "")
                asked[str(each.get("name"))] = value.strip()
    return asked


def _years(person: Person, window: Window) -> list[Window | None]:
    """The window cut after each year but the last in which something is charted."""
    first, last = window
    days = [each.service_date for each in person.documents]
    charted = {day.year for day in days if (first is None or first <= day) and (last is None or day <= last)}
    parts: list[Window | None] = []
    for year in sorted(charted)[:-1]:
        parts.append((first, date(year, 12, 31)))
        first = date(year + 1, 1, 1)
    return [*parts, (first, last)]


def _wants_ccd(kind: str) -> bool:
    """`type` is a token, system|code or a code; without one, any document will do."""
    return not kind or kind.rpartition("|")[2] == CCD[0]


def _is_moment(text: str) -> bool:
    match = _MOMENT.fullmatch(text)
    try:
        return match is not None and bool(days_of(match[1]))
    except ValueError:
        return False


def _window(asked: Mapping[str, str]) -> Window | None:
    """The days from start to end, both included, as written: times and zones move no day."""
    bounds: list[date | None] = []
    for name, place in (("start", 0), ("end", 1)):
        text = asked.get(name, "")
        if text and not _is_moment(text):
            raise Refusal(400, "value", f"{name}={text}: a date, YYYY-MM-DD, with or without a time of day and a zone.")
        bounds.append(days_of(text[:10].rstrip("T"))[place] if text else None)
    first, last = bounds
    if first and last and first > last:
        raise Refusal(400, "value", "start is later than end.")
    return (first, last) if first or last else None
