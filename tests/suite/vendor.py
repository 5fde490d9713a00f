"""A small vendor of its own for tests: a login, a patient search and a document, each answer replaceable."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKEN = "tok-5f1d2c7e9b8a4d3c"
PASSWORD = "correct horse battery staple"

DESCRIPTION = """
[target]
id = "acme"
base.api = "{env.ACME_URL}"

[product]
name = "Acme"
version = "1"

[[auth.step]]
method = "POST"
url = "{base.api}/login"
json = { user = "tester", password = "{env.ACME_PASS}" }
capture.token = { from = "json", path = "$.token", secret = true }

[auth.apply]
headers = { Authorization = "Bearer {token}" }

[selection]
kind = "search"

[dates]
style = "pair"
start = "start"
end = "end"
as = "query"

[[ops.select_patient.step]]
url = "{base.api}/patients"
query = { family = "{patient.family}", dob = "{patient.dob}" }
capture.pat_id = { from = "json", path = "$.patients[*].id", pick = "only" }

[[ops.all_data.step]]
url = "{base.api}/ccd/{pat_id}"
document = { from = "text" }

[[error]]
class = "auth"
status = [401]

[[error]]
class = "no_match"
status = [404]
"""

PATIENTS = """
[[patient]]
id = "ada"
title = "Ada Example"
name = { family = "Example", given = ["Ada"] }
birth_date = "1980-02-03"
sex = "female"
"""

CCD = b"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/>
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>
  <recordTarget><patientRole><patient>
    <name><given>Ada</given><family>Example</family></name>
    <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
    <birthTime value="19800203"/>
  </patient></patientRole></recordTarget>
  <author>
    <time value="20240101"/>
    <assignedAuthor><representedOrganization><name>Example Clinic</name></representedOrganization></assignedAuthor>
  </author>
  <component><structuredBody><component><section>
    <templateId root="2.16.840.1.113883.10.20.22.2.17" extension="2015-08-01"/>
    <code code="29762-2" codeSystem="2.16.840.1.113883.6.1"/>
    <text>Sex: female</text>
    <entry><observation classCode="OBS" moodCode="EVN">
      <templateId root="2.16.840.1.113883.10.20.22.4.507" extension="2023-06-28"/>
      <code code="46098-0" codeSystem="2.16.840.1.113883.6.1"/>
      <value code="248152002" codeSystem="2.16.840.1.113883.6.96"/>
    </observation></entry>
  </section></component></structuredBody></component>
</ClinicalDocument>
"""


class Vendor:
    """Serves on a free loopback port while it is entered; `answers` replaces the answer of a path by its first part.

    An answer may be a function of the request's handler, which then says and does what it likes.
    """

    def __init__(self, tls=None):
        self.tls = tls
        """An SSL context makes it speak TLS."""
        self.answers = {
            "login": (200, "application/json", json.dumps({"token": TOKEN}).encode()),
            "patients": (200, "application/json", json.dumps({"patients": [{"id": "p-77"}]}).encode()),
            "ccd": (200, "text/xml", CCD),
        }
        self.token, self.patient = TOKEN, "p-77"
        self.asked = []
        self.before = None
        """Called with the path before an answer is sent."""

    def __enter__(self):
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                part = urlsplit(self.path).path.split("/")[1]
                vendor.asked.append(self.path)
                if vendor.before:
                    vendor.before(self.path)
                answer = vendor.answers.get(part, (404, "text/plain", b"no such thing"))
                if callable(answer):
                    self.close_connection = True
                    with contextlib.suppress(OSError):  # the client has gone
                        answer(self)
                    return
                if part != "login" and self.headers.get("Authorization") != f"Bearer {vendor.token}":
                    answer = 401, "text/plain", b"log in first"
                elif part == "ccd" and urlsplit(self.path).path != f"/ccd/{vendor.patient}":
                    answer = 404, "text/plain", b"no such patient"
                status, media_type, body = answer
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self.tls:
            self.server.socket = self.tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=2)
