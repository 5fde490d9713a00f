"""Apps and the browsers of their users, as anybody might write them; everything in one process."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

from joserfc import jwt
from joserfc.jwk import import_key
from lxml import html
from werkzeug.test import Client

REDIRECT = "http://127.0.0.1:4711/redirect"
STANDALONE = "launch/patient openid fhirUser offline_access patient/*.rs"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Line(Client):
    """Requests without sockets, at the address they name."""

    def open(self, url, **more):
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return super().open(path, base_url=f"{parts.scheme}://{parts.netloc}", **more)


class Browser:
    """Keeps cookies, shows one page, and stops at addresses that are not the server's."""

    def __init__(self, ehr) -> None:
        self.origin = ehr.url
        self.env = ehr.env
        self.http = Line(ehr._app())
        self.page = None
        self.url = ""

    def get(self, url, **query):
        return self._land(url, self.http.get(urljoin(self.origin, url), query_string=query))

    def post(self, url, data):
        return self._land(url, self.http.post(urljoin(self.origin, url), data=data))

    def _land(self, url, answer):
        self.url = urljoin(self.origin, url)
        while answer.status_code in {302, 303}:
            self.url = urljoin(self.url, answer.location)
            if not self.url.startswith(self.origin):
                return self
            answer = self.http.get(self.url)
        self.page = answer
        return self

    @property
    def form(self):
        return html.fromstring(self.page.text).forms[0]

    def fields(self, name):
        """The values of the page's inputs of that name."""
        return html.fromstring(self.page.text).xpath("//form//input[@name=$name]/@value", name=name)

    def submit(self, **changes):
        """The form with what is filled in; None leaves a field out."""
        sent = {}
        for name, value in self.form.form_values():
            sent.setdefault(name, []).append(value)
        for name, value in changes.items():
            sent.pop(name, None)
            if value is not None:
                sent[name] = value
        return self.post(urljoin(self.url, self.form.action), sent)

    def log_in(self, who="PATIENT"):
        return self.submit(username=self.env[f"SMART_{who}_USER"], password=self.env[f"SMART_{who}_PASSWORD"])

    def allow(self, *scopes):
        return self.submit(decision="allow", **({"scope": list(scopes)} if scopes else {}))

    @property
    def answer(self):
        """What the app was told at its redirect URI."""
        assert not self.url.startswith(self.origin), self.page.text
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}


class SmartApp:
    """A client of one kind: public, symmetric or asymmetric."""

    def __init__(self, ehr, kind="public") -> None:
        self.env = ehr.env
        self.kind = kind
        self.id = ehr.env[f"SMART_{kind.upper()}_ID"]
        self.origin = ehr.url
        self.base = f"{ehr.url}/fhir"
        self.http = Line(ehr._app())
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(8)

    @property
    def challenge(self):
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def request(self, **changes):
        """An authorization request; None leaves a parameter out."""
        sent = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": REDIRECT,
            "scope": STANDALONE,
            "state": self.state,
            "aud": self.base,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "nonce": "n-1",
        } | changes
        return {name: value for name, value in sent.items() if value is not None}

    def code(self, browser, *allowed, **changes):
        """A code of somebody who allows it."""
        browser.get("/auth/authorize", **self.request(**changes))
        if browser.fields("password") or "username" in browser.page.text:
            browser.log_in()
        return browser.allow(*allowed).answer["code"]

    def tokens(self, browser, *allowed, **changes):
        """The token endpoint's answer to an honest request."""
        answer = self.redeem(self.code(browser, *allowed, **changes))
        assert answer.status_code == 200, answer.text
        return answer.json

    def redeem(self, code, /, **changes):
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
        }
        return self.post("/auth/token", **(sent | changes))

    def refresh(self, token, **changes):
        return self.post("/auth/token", grant_type="refresh_token", refresh_token=token, **changes)

    def post(self, path, headers=None, **form):
        """A form with this client's proof of itself, unless the form or headers have another."""
        sent, told = {}, {}
        if self.kind == "public":
            sent = {"client_id": self.id}
        elif self.kind == "symmetric":
            told = basic(self.id, self.env["SMART_SYMMETRIC_SECRET"])
        else:
            sent = {"client_assertion_type": TYPE, "client_assertion": self.assertion()}
        kept = {name: value for name, value in (sent | form).items() if value is not None}
        return self.http.post(f"{self.origin}{path}", data=kept, headers=told if headers is None else headers)

    @property
    def key(self):
        return import_key(json.loads(Path(self.env["SMART_ASYMMETRIC_JWK_FILE"]).read_text(encoding="utf-8")))

    def assertion(self, key=None, alg="ES384", **changed):
        claims = claims_of(self.id, self.origin) | changed
        kept = {name: value for name, value in claims.items() if value is not None}
        key = key or self.key
        return jwt.encode({"alg": alg, "typ": "JWT", "kid": self.key.kid}, kept, key, algorithms=[alg])

    def get(self, path, token):
        return self.http.get(
            path if path.startswith("http") else f"{self.base}/{path}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/fhir+json"},
        )


def claims_of(client, origin):
    """What the assertion of a client says about itself."""
    return {
        "iss": client,
        "sub": client,
        "aud": f"{origin}/auth/token",
        "exp": int(time.time()) + 200,
        "jti": str(uuid.uuid4()),
    }


def basic(name, secret):
    told = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {told}"}


def error(answer):
    """Status and error of an OAuth answer, which nobody may keep."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["error_description"]
    return answer.status_code, answer.json["error"]
