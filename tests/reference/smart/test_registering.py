"""Apps that register themselves, and keys that are fetched from where an app publishes them."""

import http.server
import json
import socket
import threading

import pytest
from joserfc.jwk import ECKey
from lxml import html
from tests.reference.smart.apps import REDIRECT, Browser, SmartApp, error
from tests.reference.smart.services import Service


@pytest.fixture
def publisher():
    """A server of a JWK Set that counts who asks."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            body = json.dumps({"keys": [key.as_dict(private=False) for key in self.server.keys]}).encode()
            self.send_response(200)
            self.send_header("Cache-Control", self.server.caching)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.caching = 0, "max-age=60"
        server.keys = [ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384"}, private=True)]
        server.url = f"http://127.0.0.1:{server.server_port}/jwks"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def registered(ehr, **form):
    browser = Browser(ehr)
    browser.post("/auth/register", form)
    assert browser.page.status_code == 201, browser.page.text
    shown = html.fromstring(browser.page.text)
    return [shown.xpath(f"string(//*[@id='{name}'])") for name in ("client-id", "client-secret")]


def test_an_app_with_a_secret_can_be_used_at_once(ehr, browser):
    issued, secret = registered(
        ehr, name="New & <b>bold</b>", kind="symmetric", redirect_uris=f"{REDIRECT}\nhttps://app.example/back"
    )
    app = SmartApp(ehr, "symmetric")
    app.id, app.env = issued, ehr.env | {"SMART_SYMMETRIC_SECRET": secret}
    assert app.tokens(browser)["patient"] == ehr.env["FHIR_PATIENT"]
    assert "<b>bold" not in browser.get("/auth/manage").page.text
    browser.get("/auth/authorize", **app.request(redirect_uri="https://app.example/back"))
    browser.allow()
    assert browser.url.startswith("https://app.example/back?")
    browser.get("/auth/authorize", **app.request(redirect_uri="https://app.example:444/back"))
    assert browser.page.status_code == 400


def test_a_service_is_judged_by_the_keys_it_publishes(ehr, publisher):
    service = Service(ehr)
    service.id, _ = registered(ehr, name="S", kind="system", jwks_uri=publisher.url, scope="system/Patient.rs")
    service.keys = publisher.keys
    for _ in range(2):
        assert service.ask("system/Patient.rs", "ES384").status_code == 200
    assert publisher.asked == 1
    assert error(service.ask("system/Condition.rs", "ES384")) == (400, "invalid_scope")
    publisher.keys = service.keys = [ECKey.generate_key("P-384", {"kid": "two", "alg": "ES384"}, private=True)]
    assert service.ask("system/Patient.rs", "ES384").status_code == 200
    assert publisher.asked == 2


def test_keys_are_not_kept_longer_than_allowed(ehr, publisher):
    publisher.caching = "no-store, max-age=60"
    service = Service(ehr)
    service.id, _ = registered(ehr, name="S", kind="system", jwks_uri=publisher.url, scope="system/*.rs")
    service.keys = publisher.keys
    for _ in range(3):
        assert service.ask("system/Patient.rs", "ES384").status_code == 200
    assert publisher.asked == 3
    publisher.keys = []
    assert error(service.ask("system/Patient.rs", "ES384")) == (401, "invalid_client")


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"", b"nonsense", b"HTTP/1.1 500 No\r\n\r\n"]
)
def test_keys_that_come_in_pieces_prove_nothing(ehr, said):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            line, _ = listening.accept()
            with line:
                line.recv(10_000)
                line.sendall(said)

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/jwks"
        service = Service(ehr)
        service.id, _ = registered(ehr, name="S", kind="system", jwks_uri=url, scope="system/*.rs")
        assert error(service.ask("system/Patient.rs")) == (401, "invalid_client")


def test_keys_that_cannot_be_fetched_prove_nothing(ehr):
    service = Service(ehr)
    service.id, _ = registered(ehr, name="S", kind="system", jwks_uri="http://127.0.0.1:1/jwks", scope="system/*.rs")
    assert error(service.ask("system/Patient.rs")) == (401, "invalid_client")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": "x", "kind": "public"},
        {"name": "x", "kind": "resource", "redirect_uris": REDIRECT},
        {"name": "x" * 200, "kind": "public", "redirect_uris": REDIRECT},
        {"name": "x", "kind": "public", "redirect_uris": "javascript:alert(1)"},
        {"name": "x", "kind": "public", "redirect_uris": "http://[::1/"},
        {"name": "x", "kind": "public", "redirect_uris": "http://a/#b"},
        {"name": "x", "kind": "public", "redirect_uris": REDIRECT, "launch_url": "/launch"},
        {"name": "x", "kind": "asymmetric", "redirect_uris": REDIRECT},
        {"name": "x", "kind": "asymmetric", "redirect_uris": REDIRECT, "jwks": '{"keys": []}'},
        {"name": "x", "kind": "asymmetric", "redirect_uris": REDIRECT, "jwks": "[" * 100_000},
        {"name": "x", "kind": "asymmetric", "redirect_uris": REDIRECT, "jwks": '{"keys": [{"kty": "oct", "k": "AA"}]}'},
        {"name": "x", "kind": "asymmetric", "redirect_uris": REDIRECT, "jwks": '{"keys": [{"kty": "RSA"}, 1, null]}'},
        {"name": "x", "kind": "asymmetric", "redirect_uris": REDIRECT, "jwks_uri": "file:///etc/passwd"},
        {"name": "x", "kind": "system", "jwks": "{}", "scope": "system/*.rs"},
        {"name": "x", "kind": "system", "scope": "patient/*.rs"},
    ],
)
def test_what_cannot_be_registered_is_said(ehr, form):
    browser = Browser(ehr)
    browser.get("/auth/register")
    assert browser.page.status_code == 200
    browser.post("/auth/register", form)
    assert browser.page.status_code == 400
    assert 'role="alert"' in browser.page.text


def test_keys_by_value_serve_as_well(ehr, browser):
    key = ECKey.generate_key("P-384", {"kid": "mine", "alg": "ES384"}, private=True)
    issued, secret = registered(
        ehr,
        name="Keyed",
        kind="asymmetric",
        redirect_uris=REDIRECT,
        jwks=json.dumps({"keys": [key.as_dict(private=False)]}),
    )
    app = SmartApp(ehr, "asymmetric")
    app.id = issued
    assert secret == ""
    code = app.code(browser)
    told = app.redeem(code, client_assertion=_signed(app, key))
    assert told.status_code == 200


def _signed(app, key):
    class Own(type(app)):
        @property
        def key(self):
            return key

    app.__class__ = Own
    return app.assertion()
