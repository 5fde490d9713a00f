"""A small authorization server that does what a test tells it to: right by default, and anything else on request."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

LOGIN = """<form method="post" action="/auth/login"><input name="username"><input name="password" type="password">
<input type="hidden" name="request" value="{request}"><button>Log in</button></form>"""
CONSENT = """<form method="post" action="/auth/consent"><input type="hidden" name="request" value="{request}">{boxes}
<button name="decision" value="deny">No</button><button name="decision" value="allow">Yes</button></form>"""
KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})
DEMANDED = [
    "launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric", "sso-openid-connect",
    "client-confidential-asymmetric", "authorize-post", "context-banner", "context-style", "context-ehr-patient",
    "context-standalone-patient", "context-ehr-encounter", "permission-offline", "permission-patient",
    "permission-user", "permission-v1", "permission-v2",
]  # fmt: skip


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    values: dict[str, str]
    lists: dict[str, list[str]]
    headers: dict[str, str]


@dataclass
class Double:
    """The server's state. `instead` has answers in place of the right ones; `changes` alters what it says in JSON."""

    url: str = ""
    heard: list[Asked] = field(default_factory=list)
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    changes: dict[str, dict] = field(default_factory=dict)
    claims: dict = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    pending: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: list = field(default_factory=lambda: [KEY.as_dict(private=False)])
    signed_with: RSAKey = field(default_factory=lambda: KEY)
    life: int = 300
    valid: set[str] = field(default_factory=set)

    def answer(self, asked):
        if asked.path in self.instead:
            return self.instead[asked.path]
        known = {
            "/fhir/.well-known/smart-configuration": self.configuration,
            "/fhir/metadata": lambda _: self.told("/fhir/metadata", {"resourceType": "CapabilityStatement"}),
            "/auth/authorize": self.authorize,
            "/auth/login": self.login,
            "/auth/consent": self.consent,
            "/auth/token": self.token,
            "/auth/jwks": lambda _: self.told("/auth/jwks", {"keys": self.keys}),
            "/auth/.well-known/openid-configuration": self.openid,
            "/fhir/Patient/p1": self.patient,
        }
        found = known.get(asked.path)
        return found(asked) if found else (404, {"Content-Type": "text/html"}, b"<h1>Nothing here</h1>")

    def told(self, path, content, **headers):
        content = {k: v for k, v in {**content, **self.changes.get(path, {})}.items() if v is not None}
        body = json.dumps(content).encode()
        return 200, {"Content-Type": "application/json", **headers}, body

    def configuration(self, _):
        return self.told(
            "/fhir/.well-known/smart-configuration",
            {
                "issuer": f"{self.url}/auth",
                "jwks_uri": f"{self.url}/auth/jwks",
                "authorization_endpoint": f"{self.url}/auth/authorize",
                "token_endpoint": f"{self.url}/auth/token",
                "capabilities": DEMANDED,
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "code_challenge_methods_supported": ["S256"],
            },
        )

    def openid(self, _):
        return self.told(
            "/auth/.well-known/openid-configuration",
            {
                "issuer": f"{self.url}/auth",
                "jwks_uri": f"{self.url}/auth/jwks",
                "authorization_endpoint": f"{self.url}/auth/authorize",
                "token_endpoint": f"{self.url}/auth/token",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )

    def page(self, text, **headers):
        return 200, {"Content-Type": "text/html", **headers}, text.encode()

    def authorize(self, asked):
        number = secrets.token_urlsafe(24)
        self.pending[number] = asked.values
        return self.page(LOGIN.format(request=number))

    def login(self, asked):
        if asked.values.get("password") != "correct horse":
            return self.page("<p>Name or password is wrong</p>" + LOGIN.format(request=asked.values["request"]))
        scopes = self.pending[asked.values["request"]]["scope"].split()
        boxes = "".join(f'<input type="checkbox" name="scope" value="{each}" checked>' for each in scopes)
        headers = {"Set-Cookie": "session=a-session-of-somebody; Path=/auth"}
        return self.page(CONSENT.format(request=asked.values["request"], boxes=boxes), **headers)

    def consent(self, asked):
        if "session=a-session-of-somebody" not in asked.headers.get("cookie", ""):
            return self.page("Log in first")
        wanted = self.pending[asked.values["request"]]
        answer = {"state": wanted["state"]}
        if asked.values["decision"] == "deny":
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = {**wanted, "scope": " ".join(asked.lists.get("scope", []))}
        return 302, {"Location": f"{wanted['redirect_uri']}?{urlencode(answer)}"}, b""

    def token(self, asked):
        refused = 400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant"}'
        if asked.values["grant_type"] == "refresh_token":
            wanted = self.codes.get(asked.values["refresh_token"])
        else:
            wanted = self.codes.get(asked.values["code"])
            verifier = hashlib.sha256(asked.values["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
            if wanted is None or wanted["code_challenge"] != challenge:
                return refused
        if wanted is None:
            return refused
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.codes[refresh] = wanted
        self.valid.add(access)
        now = int(time.time())
        claims = {
            "iss": f"{self.url}/auth", "sub": "p1", "aud": wanted["client_id"], "iat": now, "exp": now + 300,
            "nonce": wanted["nonce"], "fhirUser": f"{self.url}/fhir/Patient/p1", **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.told(
            "/auth/token",
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": self.life,
                "scope": wanted["scope"],
                "refresh_token": refresh,
                "patient": "p1",
                "id_token": jwt.encode(
                    {"alg": "RS256", "kid": self.signed_with.kid or "one"}, claims, self.signed_with
                ),
            },
            **{"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    def patient(self, asked):
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return 401, {"Content-Type": "application/fhir+json"}, b'{"resourceType": "OperationOutcome"}'
        return 200, {"Content-Type": "application/fhir+json"}, b'{"resourceType": "Patient", "id": "p1"}'


class _Handler(http.server.BaseHTTPRequestHandler):
    double: Double

    def _any(self):
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode() if length else parts.query
        asked = Asked(
            self.command,
            parts.path,
            dict(parse_qsl(text, keep_blank_values=True)),
            parse_qs(text),
            {name.lower(): value for name, value in self.headers.items()},
        )
        self.double.heard.append(asked)
        status, headers, body = self.double.answer(asked)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _any  # noqa: N815 - the names that http.server asks for

    def log_message(self, *_):
        pass


def served(double):
    """Run the server; what ends it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"double": double}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    double.url = f"http://127.0.0.1:{server.server_port}"
    return server
