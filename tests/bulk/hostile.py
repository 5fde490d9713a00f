"""A server that answers as it is told, and remembers what it was asked."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from joserfc.jwk import ECKey

from onc_conformance import procedure, targets
from onc_conformance.examination import Examination
from onc_conformance.exchange import Journal
from onc_conformance.redaction import Secrets

TOKEN = "a-token-that-nobody-else-may-see"


class Quiet(ThreadingHTTPServer):
    """A client that hangs up is what is wanted here."""

    def handle_error(self, *_):
        """Nothing is told."""


class Scripted:
    """Answers by path: (status, headers, body), a list of these in turn, or a function of the handler."""

    def __init__(self, **answers):
        self.answers = {}
        self.asked = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                server.asked.append((self.command, self.path, dict(self.headers)))
                told = server.answers.get(self.path.partition("?")[0], (404, {}, b"{}"))
                if isinstance(told, list):
                    told = told.pop(0) if len(told) > 1 else told[0]
                if callable(told):
                    told(self)
                    return
                status, headers, body = told
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - names of the standard library

            def log_message(self, *_):
                """Nothing is told."""

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def paths(self):
        return [path for _, path, _ in self.asked]


class Ehr(Scripted):
    """One that exports a group of two in files that the tests say."""

    def __init__(self):
        super().__init__()
        token = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 300, "scope": "system/*.rs"}
        self.answers["/fhir/.well-known/smart-configuration"] = (200, {}, {"token_endpoint": f"{self.url}/token"})
        self.answers["/token"] = (200, {"Content-Type": "application/json"}, token)
        self.answers["/fhir/Group/g/$export"] = (202, {"Content-Location": f"{self.url}/status"}, b"")
        self.exports({"type": "Patient", "url": f"{self.url}/patients.ndjson", "count": 2})
        members = [{"entity": {"reference": f"Patient/{one}"}} for one in "ab"]
        self.answers["/fhir/Group/g"] = (200, {}, {"resourceType": "Group", "id": "g", "member": members})
        self.file(*({"resourceType": "Patient", "id": one} for one in "ab"))

    def exports(self, *output, **more):
        """The manifest, at once."""
        told = {
            "transactionTime": "2026-01-01T00:00:00Z",
            "request": f"{self.url}/fhir/Group/g/$export",
            "requiresAccessToken": True,
            "output": list(output),
            "error": [],
        }
        self.answers["/status"] = (200, {"Content-Type": "application/json"}, told | more)

    def file(self, *resources, name="/patients.ndjson", **headers):
        """A file with these lines."""
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources]
        told = {"Content-Type": "application/fhir+ndjson", **headers}
        self.answers[name] = (200, told, b"".join(line + b"\n" for line in lines))


def examination(server, tmp_path, **changed):
    """Of the server; waiting takes no time and is remembered as `waits` of the examination."""
    key = tmp_path / "key.jwk"
    key.write_text(json.dumps(ECKey.generate_key("P-384", {"kid": "k"}).as_dict(private=True)))
    text = targets.show("fhir").replace("max_wait_s = 60", "max_wait_s = 20\n" + changed.pop("bulk", ""))
    env = {"FHIR_BASE": f"{server.url}/fhir", "FHIR_TOKEN": "another-token-for-all", "BULK_GROUP": "g"}
    env |= {"BULK_CLIENT_ID": "service", "BULK_JWK_FILE": str(key)}
    target = targets.load_text(text, "mine.toml", env | changed)
    journal = Journal(Secrets())
    waits = []
    journal.sleep = waits.append
    exam = Examination(target, journal, [], procedure.edition(None))
    exam.waits = waits
    return exam
