"""A real browser on pages of our own."""

import base64
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from onc_conformance.access import browser
from onc_conformance.access.browser import BrowserError, Deed, NoBrowserError

pytestmark = pytest.mark.skipif(not browser.available(), reason="no browser, or nothing that drives one")

LOGIN = """<form method=post action=/login>
<input name=who> <input name=secret type=password> <button>Log in</button></form>"""
CONSENT = """<form method=post action=/consent>
<select name=patient><option value=1>One</option><option value=2>Two</option></select>
<input type=checkbox name=scope value=a checked> <input type=checkbox name=scope value=b checked>
<button name=decision value=allow>Allow</button> <button name=decision value=deny>Deny</button></form>"""
STEPS = [
    Deed("fill", "[name=who]", "alice"),
    Deed("fill", "[name=secret]", "wonder"),
    Deed("click", "button"),
    Deed("click", "#cookies", optional=True),
    Deed("fill", "[name=patient]", "2"),
    Deed("check", "[name=scope]", ticked={"b"}),
    Deed("click", "[value=allow]"),
]


class Pages(BaseHTTPRequestHandler):
    sent: ClassVar = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(LOGIN)

    def do_POST(self):
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        type(self).sent.append((self.path, fields))
        if urlsplit(self.path).path == "/start":
            self.answer(LOGIN)
        elif self.path == "/login":
            right = fields == {"who": ["alice"], "secret": ["wonder"]}
            self.answer(CONSENT if right else "<h1>Who are you?</h1>")
        else:
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:1/redirect?decision={fields['decision'][0]}")
            self.end_headers()

    def answer(self, text):
        body = f"<!doctype html><title>A page</title>{text}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def origin():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def doing(deeds):
    """All of them at once, and nothing after."""
    left = [deeds, []]
    return lambda page, url: left.pop(0) if left else []


def back(url):
    return url.startswith("http://127.0.0.1:1/redirect")


def test_it_fills_ticks_and_presses_until_it_is_sent_back(origin):
    Pages.sent.clear()
    arrival = browser.walk(f"{origin}/", doing(STEPS), back, pictures=True)
    assert arrival.url == "http://127.0.0.1:1/redirect?decision=allow"
    assert Pages.sent[-1] == ("/consent", {"patient": ["2"], "scope": ["b"], "decision": ["allow"]})
    assert "Deny" in arrival.page
    assert [picture[:4] for picture in arrival.pictures] == [b"\x89PNG", b"\x89PNG"]


def test_it_begins_with_a_form_that_is_posted(origin):
    Pages.sent.clear()
    arrival = browser.walk(f"{origin}/start", doing(STEPS), back, form=[("state", 'a"b<c'), ("scope", "x y")])
    assert Pages.sent[0] == ("/start", {"state": ['a"b<c'], "scope": ["x y"]})
    assert arrival.url


def test_a_page_that_leads_nowhere_is_told(origin):
    arrival = browser.walk(f"{origin}/", doing([Deed("fill", "[name=who]", "bob"), Deed("click", "button")]), back)
    assert arrival.url is None
    assert "Who are you?" in arrival.page
    assert arrival.address == f"{origin}/login"


def test_a_deed_without_a_place_is_told_in_terms_of_the_page(origin):
    with pytest.raises(BrowserError, match=r"no #nowhere on the page 'http://127.0.0.1:\d+/' to click"):
        browser.walk(f"{origin}/", doing([Deed("click", "#nowhere")]), back, seconds=1)


def test_nobody_listening_is_told():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(BrowserError, match="ERR_CONNECTION_REFUSED"):
        browser.walk(f"http://127.0.0.1:{port}/", doing([]), back, seconds=5)


def test_an_address_that_leads_straight_back_needs_no_deed(origin):
    page = base64.b64encode(b"<script>location = 'http://127.0.0.1:1/redirect?error=x'</script>").decode()
    assert (
        browser.walk(f"data:text/html;base64,{page}", doing(STEPS), back).url == "http://127.0.0.1:1/redirect?error=x"
    )


def test_one_browser_serves_every_way_and_each_has_a_profile_of_its_own(origin, monkeypatch):
    from playwright.sync_api import BrowserType

    browser.shut()
    started, launch = [], BrowserType.launch

    def counted(self, **options):
        started.append(options)
        return launch(self, **options)

    monkeypatch.setattr(BrowserType, "launch", counted)
    cookies, first = "document.body.textContent = document.cookie || 'nothing kept'", {}
    page = f"{origin}/cookies"
    monkeypatch.setattr(Pages, "do_GET", lambda self: self.answer(f"<body><script>{cookies}</script>"))
    keep = base64.b64encode(b"<script>location = 'http://127.0.0.1:1/redirect'</script>").decode()
    browser.walk(f"data:text/html;base64,{keep}", doing([]), back, state=first)
    first["storage"]["cookies"] = [{"name": "mine", "value": "1", "domain": "127.0.0.1", "path": "/", "expires": -1}]
    assert "mine=1" in browser.walk(page, doing([]), back, state=first, seconds=5).page
    assert "nothing kept" in browser.walk(page, doing([]), back, seconds=5).page
    assert len(started) == 1


def test_a_browser_that_died_is_started_again(origin):
    browser.walk(f"{origin}/", doing([]), back, seconds=5)
    browser._running().close()
    assert "secret" in browser.walk(f"{origin}/", doing([]), back, seconds=5).page


def test_no_browser_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setenv(browser.EXECUTABLE, "/nowhere/chromium")
    with pytest.raises(NoBrowserError, match=browser.EXECUTABLE):
        browser.walk("http://127.0.0.1:9/", doing([]), back)
