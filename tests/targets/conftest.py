"""An invented vendor's server that does what a test tells it to, and remembers what it heard."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.targets.acme import ACME, ENV

from onc_conformance.exchange import Journal
from onc_conformance.redaction import Secrets
from onc_conformance.targets import Client
from onc_conformance.targets.loading import load_text

PATIENTS = [
    {"id": "p1", "family": "O'Brien", "dob": "1970-05-01"},
    {"id": "p2", "family": "Twin", "dob": "2000-01-01"},
    {"id": "p3", "family": "Twin", "dob": "2000-01-01"},
]
ENCOUNTERS = {"p1": [{"id": "e1"}, {"id": "e2"}]}


@dataclass
class Heard:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


@dataclass
class Vendor:
    """The server's state, and what it answers instead of the truth."""

    heard: list[Heard] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    instead: dict[str, list[tuple[int, bytes, dict[str, str]]]] = field(default_factory=dict)
    url: str = ""

    def paths(self):
        return [request.path for request in self.heard]

    def answer(self, request):
        if self.instead.get(request.path):
            return self.instead[request.path].pop(0)
        if request.path == "/login":
            if "pw=correct+horse" not in request.body:
                return 401, b"{}", {}
            token = f"token-number-{len(self.heard)}"
            self.valid.add(token)
            return 200, json.dumps({"token": token}).encode(), {}
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return 401, b'{"error": "log in"}', {}
        patient = request.query.get("patient", "")
        answers = {
            "/patients": lambda: {"rows": [row for row in PATIENTS if request.query["family"] in ("", row["family"])]},
            "/encounters": lambda: {"rows": ENCOUNTERS.get(patient, [])},
            "/all": lambda: {"document": base64.b64encode(f"<all of='{patient}'/>".encode()).decode()},
        }
        if request.path in answers:
            return 200, json.dumps(answers[request.path]()).encode(), {"Content-Type": "application/json"}
        name, encounter = request.query["name"], request.query.get("encounter", "")
        return 200, f"<{name.replace('+', '-')} of='{patient}' {encounter}/>".encode(), {"Content-Type": "text/xml"}


@pytest.fixture
def vendor():
    state = Vendor()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Heard(
                self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body
            )
            state.heard.append(request)
            status, content, more = state.answer(request)
            self.send_response_only(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - http.server's name for it

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def connect(vendor):
    """Makes a client of a description on the vendor's server; it never really sleeps."""
    journals = []

    def made(text=ACME, env=None, sleep=lambda seconds: None):
        journals.append(Journal(Secrets()))
        target = load_text(text, "acme.toml", {**ENV, "ACME_URL": vendor.url, **(env or {})})
        return Client(target, journals[-1], sleep)

    yield made
    for journal in journals:
        journal.close()
