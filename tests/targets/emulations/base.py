"""What the small emulations of vendors share: a server on loopback, charts to answer from, and defects to plant."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from onc_conformance import suite
from onc_conformance.reference import ccd, charts

TINY = suite.schemas() / "patients" / "tiny.toml"

NAMES = {
    "Patient Name": "patient_name",
    "Sex": "sex",
    "Date of Birth": "birth_date",
    "Race": "race",
    "Ethnicity": "ethnicity",
    "Preferred Language": "preferred_language",
    "Smoking Status": "smoking_status",
    "Problems": "problems",
    "Medications": "medications",
    "Medication Allergies": "medication_allergies",
    "Laboratory Tests": "laboratory_tests",
    "Laboratory Values/Results": "laboratory_results",
    "Vital Signs": "vital_signs",
    "Procedures": "procedures",
    "Care Team Members": "care_team",
    "Immunizations": "immunizations",
    "Unique Device Identifiers": "udi",
    "Assessment and Plan of Treatment": "assessment_plan",
    "Goals": "goals",
    "Health Concerns": "health_concerns",
}
"""ONC's names of the categories, as several vendors have them."""

DEFECTS = (
    "other-patient",
    "dates-ignored",
    "problems-missing",
    "token-not-checked",
    "first-patient-always",
    "category-always-problems",
)
"""Defects that every emulation can be given; one that has nothing of the kind takes no notice."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    queries: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self):
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def bearer(self):
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""


@dataclass(frozen=True)
class Said:
    """One answer."""

    body: bytes | str | dict
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def bytes(self):
        if isinstance(self.body, dict):
            return json.dumps(self.body).encode()
        return self.body.encode() if isinstance(self.body, str) else self.body


class Emulation:
    """A vendor's API, served while it is entered. Subclasses answer; `env` names what their description needs."""

    target = ""
    bound = ()
    """Names of variables that each patient has a value of, in the order of the patients."""

    def __init__(self, *defects, patients=TINY):
        assert set(defects) <= set(DEFECTS)
        self.defects = set(defects)
        self.patients = Path(patients)
        self.charts = charts.load([self.patients])
        self.heard = []
        self.url = ""

    def env(self):
        raise NotImplementedError

    def answer(self, asked):
        raise NotImplementedError

    # what subclasses answer with

    def number(self, chart):
        """The id this vendor gives to a patient."""
        return str(4711 + 17 * self.charts.index(chart))

    def by_number(self, number):
        """The chart of an id, or None."""
        found = next((chart for chart in self.charts if self.number(chart) == str(number)), None)
        return self.charts[0] if found and "first-patient-always" in self.defects else found

    def find(self, family, given, born):
        """The charts of everybody whose names begin so and who was born then."""
        return [
            chart
            for chart in self.charts
            if chart.family.casefold().startswith(family.casefold())
            and chart.given[0].casefold().startswith(given.casefold())
            and chart.birth_date == born
        ]

    def shown(self, chart):
        return self.charts[1 - self.charts.index(chart)] if "other-patient" in self.defects else chart

    def window(self, first, last, form="%Y-%m-%d"):
        """The window of two dates as they were sent; ValueError if they are none."""
        days = [datetime.strptime(text, form).date() if text else None for text in (first, last)]  # noqa: DTZ007
        return None if "dates-ignored" in self.defects or days == [None, None] else tuple(days)

    def narrowed(self, chart, window):
        """What of a chart a window lets through: facts that state a date inside."""
        return chart.within(*window) if window else chart

    def document(self, chart, window=None):
        shown = self.narrowed(self.shown(chart), window)
        faults = frozenset({"section-missing"} if "problems-missing" in self.defects else ())
        return ccd.document(shown, document_id=f"{chart.id}-{window}", faults=faults)

    def category(self, chart, categories, window=None):
        asked = ["problems"] if "category-always-problems" in self.defects else categories
        return ccd.category_document(self.narrowed(self.shown(chart), window), asked)

    def trusted(self, *good):
        """Whether a request is let in: where tokens are not checked, everybody is."""
        return "token-not-checked" in self.defects or all(good)

    def vars(self):
        """What is added to each patient of the patients file."""
        return [
            {name: f"{{env.{name}{'' if index == 0 else f'_{index + 1}'}}}" for name in self.bound}
            for index in range(len(self.charts))
        ]

    def patients_file(self, folder):
        """The patients file, each patient with the variables that are bound to it."""
        text = self.patients.read_text(encoding="utf-8")
        for chart, added in zip(self.charts, self.vars(), strict=True):
            line = f'id = "{chart.id}"\n'
            written = ", ".join(f'{name} = "{value}"' for name, value in added.items())
            text = text.replace(line, f"{line}vars = {{ {written} }}\n" if added else line, 1)
        path = folder / "patients.toml"
        path.write_text(text, encoding="utf-8")
        return path

    # serving

    def __enter__(self):
        emulation = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                parts = urlsplit(self.path)
                queries = parse_qsl(parts.query, keep_blank_values=True)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, dict(queries), queries, headers, body)
                emulation.heard.append(asked)
                said = emulation.answer(asked) or Said("no such address", "text/plain", 404)
                self.send_response_only(said.status)
                for name, value in {"Content-Type": said.kind, **said.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.bytes)))
                self.end_headers()
                self.wfile.write(said.bytes)

            do_POST = do_GET  # noqa: N815 - http.server's name for it

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


def xml(data):
    """A C-CDA as it is nested in other XML: without its declaration."""
    return data.decode().partition("?>")[2].strip() if data.startswith(b"<?xml") else data.decode()
