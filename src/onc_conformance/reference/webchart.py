"""The WebChart side of the reference EHR: one CGI address for login, queries, category requests and documents."""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING

from flask import Response, jsonify, request

from onc_conformance.reference import apistring, tables
from onc_conformance.reference.apistring import BadApiString
from onc_conformance.reference.faults import refused
from onc_conformance.reference.screens import login_page, notice
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from flask import Flask

    from onc_conformance.reference.clerk import Clerk
    from onc_conformance.reference.people import Encounter, People, Person, StoredDocument, Window
    from onc_conformance.reference.settings import Settings

PATH = "/webchart.cgi"
COOKIE = "wc_miehr_reference_session_id"
NAMES = {
    "Patient Name": "patient_name",
    "Gender Code": "sex",
    "Birth Date": "birth_date",
    "Patient Race": "race",
    "Patient Ethnicity": "ethnicity",
    "Patient Language": "preferred_language",
    "Smoking Status": "smoking_status",
    "Problems": "problems",
    "Medications": "medications",
    "Allergies": "medication_allergies",
    "Results": "laboratory_results",
    "Vital Signs": "vital_signs",
    "Procedures": "procedures",
    "Immunizations": "immunizations",
    "Medical_Equipment": "udi",
    "Care Team Members": "care_team",
    "Assessments": "assessment",
    "Plan": "plan",
    "Goals": "goals",
    "Health Concerns": "health_concerns",
}
"""Names of StructDocAPI by the category they stand for."""
OF_ENCOUNTERS = ("Care Team Members", "Assessments", "Plan", "Goals", "Health Concerns")
"""Those that are asked for an encounter; the chart as a whole answers them too."""
NO_ACCESS = "You Currently Do Not Have Access to:"
NO_DEFINITION = "Unable to find Print Definition"
_HTML = "text/html; charset=utf-8"
_WELCOME = "Welcome to the reference EHR's WebChart."
_SESSION = re.compile(r"wc_miehr_\w+_session_id")


class Refusal(Exception):  # noqa: N818 - an answer, though not the one hoped for
    """What is answered instead: a page, its status, and the reason for the status header."""

    def __init__(self, text: str, reason: str, status: int = 200) -> None:
        self.text = text
        self.reason = reason
        self.status = status
        super().__init__(reason)


class WebChart:
    """The server's rooms: who is logged in, and the charts."""

    def __init__(self, people: People, clerk: Clerk, faults: frozenset[str], settings: Settings) -> None:
        self.user = "reference"
        self.password = secrets.token_urlsafe(18)
        self._people = people
        self._clerk = clerk
        self._faults = faults
        self._settings = settings
        self._sessions: Tickets[str] = Tickets(settings.session_life, lambda: str(uuid.uuid4()), sliding=True)

    def expired_session(self) -> str:
        """A session id that was good once."""
        return self._sessions.expired(self.user)

    def register(self, app: Flask) -> None:
        for rule in (PATH, f"{PATH}/<path:carried>"):
            app.add_url_rule(rule, f"webchart {rule}", self.answer, methods=["GET", "POST"])

    def answer(self, carried: str | None = None) -> Response:
        """Whatever is asked; `carried` is a base64 API string in the path, where `/` and `+` stand for themselves."""
        values = {name.lower(): value for name, value in request.values.items()}
        if "login_user" in values:
            return self._login(values["login_user"], values.get("login_passwd", ""))
        if not self._is_open(values.get("session_id") or _cookie()):
            return self._told(login_page(), "failed", "Session missing, unknown or expired: log in")
        try:
            return self._asked(values, carried)
        except Refusal as refusal:
            return self._good(notice(refusal.text), _HTML, refusal.status, refusal.reason)

    def _asked(self, values: dict[str, str], carried: str | None) -> Response:
        function = values.get("f", "").casefold()
        if carried is not None:
            return self._query(carried.removeprefix("json/"))
        if function == "json":
            return self._query(values.get("apistring", ""))
        if function == "layout" and values.get("module", "").casefold() == "structdocapi":
            return self._category(values)
        if function == "stream":
            return self._stream(values)
        if function:
            raise Refusal(NO_DEFINITION, "There is no such function")
        return self._good(notice(_WELCOME), _HTML)

    # --- sessions

    def _login(self, user: str, password: str) -> Response:
        right = hmac.compare_digest(f"{user}\n{password}".encode(), f"{self.user}\n{self.password}".encode())
        if not right:
            return self._told(login_page(), "failed", "Login failed: unknown user or wrong password")
        session = self._sessions.issue(user)
        response = self._told(notice(_WELCOME), "success", "Logged in")
        response.headers["x-lg_session_id"] = session
        response.headers.add("Set-Cookie", f"{COOKIE}={session}; path=/; HttpOnly")
        return response

    def _is_open(self, session: str) -> bool:
        if not session:
            return "missing-token-accepted" in self._faults
        late = "expired-token-accepted" in self._faults
        return "token-not-checked" in self._faults or self._sessions.holder(session, late=late) is not None

    # --- answers

    def _told(self, page: str, standing: str, reason: str) -> Response:
        response = Response(page, content_type=_HTML)
        response.status_code = 200 if standing == "success" else self._settings.refusal_status
        response.headers["X-lg_status"] = standing
        response.headers["X-status_desc"] = reason
        return response

    def _good(self, body: str | bytes, content_type: str, status: int = 200, reason: str = "OK") -> Response:
        response = Response(body, status=status, content_type=content_type)
        response.headers["X-lg_status"] = "success"
        response.headers["X-status_desc"] = reason
        return response

    # --- the database

    def _query(self, carried: str) -> Response:
        try:
            query = apistring.decode(carried)
            if query.table == "patients" and "select-login-page" in self._faults:
                return self._good(login_page(), _HTML)
            if query.table != "patients":
                query = self._ask_for_another(query)
            known = {
                "patients": (tables.PATIENT, tables.patients(self._people)),
                "documents": (tables.DOCUMENT, tables.documents(self._people)),
                "encounters": (tables.ENCOUNTER, tables.encounters(self._people)),
            }
            rows = self._cut(query.table, apistring.select(query, known, self._settings.like))
        except BadApiString as error:
            response = jsonify(meta={"status": str(error.status), "error": str(error)})
        else:
            if query.table == "patients":
                rows = self._badly_found(rows)
            status = "200"
            if query.table == "patients" and "select-error-body" in self._faults:
                status, rows = "500", []
            response = jsonify(meta={"status": status}, db=rows)
        response.headers["X-lg_status"] = "success"
        response.headers["X-status_desc"] = "OK"
        return response

    def _ask_for_another(self, query: apistring.Query) -> apistring.Query:
        first = self._people.number_of(self._people.all[0])
        for column, value in query.exact:
            if column == "pat_id" and self._stand_in(self._people.by_number(value)):
                return query.with_exact("pat_id", first)
        return query

    def _cut(self, table: str, rows: list[apistring.Row]) -> list[apistring.Row]:
        """The list as it is answered: cut after its first row, or with somebody else's rows after that."""
        if table != "encounters" or len(rows) < 2:
            return rows
        if "encounter-list-cut" in self._faults:
            return rows[:1]
        if "encounter-list-foreign" in self._faults:
            owner = self._people.by_number(rows[0]["pat_id"])
            strange = [
                number
                for number, (person, _) in self._people.visits().items()
                if owner and person.key == self._people.next_to(owner).key
            ]
            return [rows[0], *(row | {"encounter_id": strange[-1]} for row in rows[1:])]
        return rows

    def _badly_found(self, rows: list[apistring.Row]) -> list[apistring.Row]:
        rows = [self._misidentified(row) for row in rows]
        if "select-apostrophe-lost" in self._faults:
            rows = [row for row in rows if "'" not in row["last_name"]]
        if "select-two-rows" in self._faults:
            rows = [each for row in rows for each in (row, row | {"pat_id": row["pat_id"][::-1]})]
        return rows

    def _misidentified(self, row: apistring.Row) -> apistring.Row:
        person = self._people.by_number(row["pat_id"])
        if "select-no-id" in self._faults:
            return {name: value for name, value in row.items() if name != "pat_id"}
        if "select-same-id" in self._faults:
            return row | {"pat_id": self._people.number_of(self._people.all[0])}
        if "select-wrong-patient" in self._faults and person:
            return row | {"pat_id": self._people.number_of(self._people.next_to(person))}
        if "select-namesakes-share-id" in self._faults and person:
            return row | {"pat_id": self._people.number_of(self._people.namesake(person))}
        if "select-near-name" in self._faults and person:
            return row | {"pat_id": self._people.number_of(self._people.near(person))}
        if "select-id-not-accepted" in self._faults:
            return row | {"pat_id": f"9{row['pat_id']}"}
        return row

    def _stand_in(self, person: Person | None) -> bool:
        """Whether the first patient's data come instead of those asked for."""
        return ("id-ignored" in self._faults) if person else ("unknown-id-answered" in self._faults)

    # --- categories

    def _category(self, values: dict[str, str]) -> Response:
        category = {name.casefold(): own for name, own in NAMES.items()}.get(values.get("name", "").strip().casefold())
        if category is None or "xml" not in values:
            raise Refusal(NO_DEFINITION, "Ask for one of the documented names, with XML")
        person, visit = self._whose(values.get("pat_id", ""), values.get("encounter_id", ""))
        window = _window(values)
        if refused(window, "category", self._faults):
            raise Refusal("TRAPPED SIGNAL", "Server fault", 500)
        if category == "vital_signs" and "category-login-page" in self._faults:
            return self._good(login_page(), _HTML)
        if self._settings.wrapped:
            return self._good(self._clerk.excerpt(person, [category], window), "text/xml")
        return self._good(self._clerk.fragment(person, category, window, visit), "text/xml")

    def _whose(self, pat_id: str, encounter_id: str) -> tuple[Person, Encounter | None]:
        """The person asked about, and the visit where one is named; both must be of the same chart."""
        person = self._people.by_number(pat_id)
        host, visit = self._people.visits().get(encounter_id, (None, None))
        if visit and host and "encounter-newest-instead" in self._faults:
            visit = max(host.encounters, key=lambda each: each.start)
        for asked, found in ((pat_id, person), (encounter_id, host)):
            if asked and self._stand_in(found):
                return self._people.all[0], None
            if asked and not found:
                raise Refusal(f"{NO_ACCESS} chart", "There is no such chart, or not for you")
        if person and host and person.key != host.key:
            if "encounter-list-foreign" in self._faults:
                return host, visit
            raise Refusal(f"{NO_ACCESS} encounter", "That encounter is not of this chart")
        whose = person or host
        if whose is None:
            raise Refusal(f"{NO_ACCESS} chart", "Name a chart: pat_id or encounter_id", 400)
        return whose, visit

    # --- documents

    def _stream(self, values: dict[str, str]) -> Response:
        person, document = self._document(values.get("doc_id", ""))
        window = _window(values)
        if "stream-dates-ignored" in self._faults:
            window = None
        if "document-server-error" in self._faults or refused(window, "document", self._faults):
            raise Refusal("TRAPPED SIGNAL", "Server fault", 500)
        if "document-login-page" in self._faults:
            return self._good(login_page(), _HTML)
        kind = "image/png" if "document-wrong-media-type" in self._faults else "text/xml"
        return self._good(self._clerk.stored(person, document, window), kind)

    def _document(self, doc_id: str) -> tuple[Person, StoredDocument]:
        found = self._people.documents().get(doc_id)
        first = self._people.all[0]
        if doc_id and self._stand_in(found[0] if found else None):
            return found if found and found[0].key == first.key else (first, first.documents[-1])
        if found is None:
            raise Refusal(f"{NO_ACCESS} document", "There is no such document, or not for you")
        return found


def _cookie() -> str:
    """The session in the Cookie header, which may be a whole Set-Cookie line sent back."""
    for pair in request.headers.get("Cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if _SESSION.fullmatch(name):
            return value
    return ""


def _window(values: dict[str, str]) -> Window | None:
    """The days from sdate to edate, both included; an empty one is no bound."""
    bounds: list[date | None] = []
    for name in ("sdate", "edate"):
        text = values.get(name, "").strip()
        try:
            bounds.append(datetime.strptime(text, "%Y-%m-%d").date() if text else None)  # noqa: DTZ007 - a day has no zone
        except ValueError:
            raise Refusal(f"Invalid date: {name}", f"{name} is a date, YYYY-MM-DD", 400) from None
    first, last = bounds
    if first and last and first > last:
        raise Refusal("Invalid date: sdate", "sdate is later than edate", 400)
    return (first, last) if first or last else None
