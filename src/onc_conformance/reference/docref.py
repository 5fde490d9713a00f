"""Documents by `$docref` on the FHIR server, for a backend service that is registered for every chart."""

from __future__ import annotations

import base64
import json
import re
from collections import OrderedDict
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, request

from onc_conformance.reference import jose
from onc_conformance.reference.charts import days_of
from onc_conformance.reference.faults import refused
from onc_conformance.reference.fhir.access import Grant
from onc_conformance.reference.fhir.answers import Refusal, guarded, host
from onc_conformance.reference.fhir.answers import as_json as _json
from onc_conformance.reference.fhir.catalog import kinds
from onc_conformance.reference.fhir.server import BASE
from onc_conformance.reference.people import number as number_of
from onc_conformance.reference.screens import login_page
from onc_conformance.reference.smart.apps import App
from onc_conformance.reference.smart.keysets import KeySet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask

    from onc_conformance.reference.clerk import Clerk
    from onc_conformance.reference.fhir.access import Access
    from onc_conformance.reference.fhir.server import FhirServer
    from onc_conformance.reference.people import People, Person, Window
    from onc_conformance.reference.settings import Settings

SCOPES = ("system/*.rs", *(f"system/{kind}.rs" for kind in kinds()))
SEARCH = tuple(kinds()["Patient"].parameters)
"""Search parameters of Patient."""
CCD = ("34133-9", "Summarization of Episode Note")
_HTML = "text/html; charset=utf-8"
_MOMENT = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?")
_KEPT = 4096

Resource = dict[str, Any]


class DocRef:
    """One registered client that may have documents of every chart; other Binaries are those of `fhir`."""

    def __init__(  # noqa: PLR0917 - what every API of this EHR is made of, and its two neighbours
        self,
        people: People,
        clerk: Clerk,
        faults: frozenset[str],
        settings: Settings,
        access: Access,
        fhir: FhirServer,
    ) -> None:
        self.client_id = "reference-client"
        self._people = people
        self._clerk = clerk
        self._faults = faults
        self._settings = settings
        self._access = access
        self._fhir = fhir
        self._binaries: OrderedDict[str, tuple[Person, Window | None]] = OrderedDict()
        self._lock = Lock()

    @property
    def app(self) -> App:
        """Its registration."""
        own = jose.key(self._settings.docref_algorithm)
        return App(self.client_id, "Document collector", "system", keys=KeySet([own]), scopes=SCOPES)

    def private_jwk(self) -> str:
        """The client's key, as a JWK in JSON."""
        return json.dumps(jose.key(self._settings.docref_algorithm).as_dict(private=True))

    def expired_token(self) -> str:
        """An access token that was good once."""
        return self._access.expired(Grant(SCOPES))

    def register(self, app: Flask) -> None:
        for rule, view, methods in (
            ("/DocumentReference/$docref", self.docref, ["GET", "POST"]),
            ("/Binary/<issued>", self.binary, ["GET"]),
        ):
            app.add_url_rule(f"{BASE}{rule}", f"docref {rule}", view, methods=methods)

    def _authorize(self, kind: str) -> Grant:
        grant = self._access.granted()
        if not grant.allows(kind):
            raise Refusal(403, "forbidden", f"{kind}: the token's scopes do not cover this type.")
        return grant

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
        return guarded(self._references)

    def _references(self) -> Response:
        grant = self._authorize("DocumentReference")
        asked = _parameters()
        issued = asked.get("patient", "").removeprefix("Patient/")
        if not issued:
            raise Refusal(400, "required", "$docref needs the parameter patient.")
        if grant.bound("DocumentReference") not in {None, issued}:
            raise Refusal(403, "forbidden", "The token is good for another patient's data.")
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
                "entry": [_entry(self._reference(person, parts[page - 1]))],
            }
        )

    def _reference(self, person: Person, window: Window | None) -> Resource:
        issued = number_of("document reference", "/".join((person.key, *map(str, window or ()))), 18)
        with self._lock:
            self._binaries[issued] = (person, window)
            self._binaries.move_to_end(issued)
            while len(self._binaries) > _KEPT:
                self._binaries.popitem(last=False)
        attachment: Resource = {"contentType": "application/xml", "url": f"{host()}{BASE}/Binary/{issued}"}
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
        return guarded(lambda: self._document(issued))

    def _document(self, issued: str) -> Response:
        grant = self._authorize("Binary")
        with self._lock:
            found = self._binaries.get(issued)
        if found is None:
            return self._fhir.file(issued)
        if grant.bound("Binary") not in {None, self._people.number_of(found[0])}:
            raise Refusal(403, "forbidden", "The token is good for another patient's data.")
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
        return _json(resource, kind=_HTML) if wrong else _json(resource)


def _entry(resource: Resource) -> Resource:
    return {"fullUrl": f"{host()}{BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource}


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
