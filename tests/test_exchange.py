import contextlib
import gzip
import hashlib
import http.server
import shlex
import threading
import time
from datetime import datetime

import pytest

from onc_conformance import exchange as module
from onc_conformance import transport
from onc_conformance.exchange import Exchange, Journal, curl, joined, redirect
from onc_conformance.redaction import Secrets
from onc_conformance.transport import Transport
from onc_conformance.trouble import host

BODY = b"hello " * 200


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.heard.append((self.command, self.path, list(self.headers.items()), self.rfile.read(length)))
        getattr(self, "answer_" + self.path.strip("/").partition("?")[0].partition("/")[0], self.answer_plain)()

    do_POST = do_GET  # noqa: N815 - http.server's name for it

    def reply(self, status, body=b"", *headers, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def answer_plain(self):
        self.reply(200, BODY, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Type", "Text/XML; charset=utf-8"))

    def answer_gzip(self):
        self.reply(200, gzip.compress(BODY), ("Content-Encoding", "gzip"))

    def answer_short(self):
        self.close_connection = True
        self.reply(200, b"hell", length=len(BODY))

    def answer_hop(self):
        self.reply(302, b"", ("Location", "/page"))

    def answer_loop(self):
        self.reply(302, b"", ("Location", "/loop"))

    def answer_on(self):
        self.reply(302, b"", ("Location", f"{self.path}1"))

    def answer_slow(self):
        time.sleep(0.6)
        self.close_connection = True

    def answer_drip(self):
        self.send_response_only(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # nobody waits for the end of it
            for _ in range(200):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def served():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.heard = []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def url(served):
    served.heard.clear()
    return f"http://127.0.0.1:{served.server_port}"


@pytest.fixture
def journal():
    with_secret = Journal(Secrets({"X_PASS": "open sesame!"}))
    yield with_secret
    with_secret.close()


def ask(journal, url, method="GET", **more):
    return journal.send(method, url, target="acme", purpose="trying", **more)


def test_an_exchange_holds_what_was_sent_and_what_came_back(journal, url):
    made = ask(journal, f"{url}/a%2Fb?x=%7E", "POST", headers=[("X-Own", "é")], body=b"\xff\x00")
    assert journal.exchanges == {"0001": made}
    assert (made.method, made.url, made.request_body, made.status) == ("POST", f"{url}/a%2Fb?x=%7E", b"\xff\x00", 200)
    assert ("X-Own", "é") in made.request_headers
    assert [value for name, value in made.response_headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert made.response_body == BODY
    assert made.sha256 == hashlib.sha256(BODY).hexdigest()
    assert made.media_type == "text/xml"
    assert made.error is None
    assert made.seconds > 0
    assert datetime.fromisoformat(made.started).utcoffset().total_seconds() == 0


def test_the_bytes_and_headers_recorded_are_the_ones_sent(journal, url, served):
    made = ask(journal, f"{url}/a//b%20c", "POST", headers=[("Content-Type", "x/y")], body=b"body")
    command, path, headers, body = served.heard[0]
    assert (command, path, body) == ("POST", "/a//b%20c", b"body")
    sent = {name.lower(): value for name, value in headers}
    assert sent.pop("content-length") == "4"
    assert sent == {name.lower(): value for name, value in made.request_headers}


def test_cookies_are_not_carried_on_by_themselves(journal, url, served):
    ask(journal, url)
    ask(journal, url)
    assert all(name.lower() != "cookie" for _, _, headers, _ in served.heard for name, _ in headers)


def test_credentials_of_a_netrc_are_not_used(journal, url, served, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login l password p\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    ask(journal, url)
    assert all(name.lower() != "authorization" for name, _ in served.heard[0][2])


def test_a_compressed_answer_is_recorded_as_it_was_meant(journal, url):
    assert ask(journal, f"{url}/gzip").response_body == BODY


def test_a_redirect_is_not_followed_unless_a_page_is_fetched(journal, url, served):
    assert ask(journal, f"{url}/hop").status == 302
    chain = journal.fetch(f"{url}/hop", "reading", "acme")
    assert [(made.status, made.url) for made in chain] == [(302, f"{url}/hop"), (200, f"{url}/page")]
    assert redirect(chain[0]) == f"{url}/page"
    assert redirect(chain[1]) is None
    looped = journal.fetch(f"{url}/loop", "reading", "acme")
    assert [made.error for made in looped] == [
        None,
        f"a redirect loop: {url}/loop leads back to itself; correct the address, or the server",
    ]
    endless = journal.fetch(f"{url}/on/1", "reading", "acme")
    assert len(endless) == module.REDIRECTS + 1
    assert f"more than 5 redirects, the last one to {url}/on/11" in endless[-1].error


def test_an_answer_that_breaks_off_says_so_and_keeps_what_came(journal, url):
    made = ask(journal, f"{url}/short")
    assert made.status == 200
    assert made.response_body == b"hell"
    assert "broke off after 4 of 1200 bytes" in made.error


def test_an_answer_that_is_too_large_is_not_read_to_its_end(journal, url, monkeypatch):
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 100)
    made = ask(journal, url)
    assert "larger than" in made.error


def test_an_answer_that_never_ends_is_not_waited_for(journal, url):
    made = ask(journal, f"{url}/drip", transport=Transport(timeout_s=0.1))
    assert "still coming after 0.4 s" in made.error


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:1/", "127.0.0.1:1 refuses connections"),
        ("http://no-such-host.invalid/", "cannot resolve the host name of no-such-host.invalid"),
        ("no-address", "not an address"),
        ("http://127.0.0.1:abc/", "not an address"),
        ("ftp://127.0.0.1/", "not an address"),
    ],
)
def test_what_cannot_be_reached_is_recorded_with_a_reason(journal, address, said):
    made = ask(journal, address)
    assert made.status is None
    assert said in made.error
    assert "\n" not in made.error
    assert list(journal.exchanges) == ["0001"]


def test_a_server_without_tls_and_a_slow_one_are_told_apart(journal, url):
    assert "no TLS connection" in ask(journal, url.replace("http:", "https:")).error
    slow = ask(journal, f"{url}/slow", transport=Transport(timeout_s=0.2))
    assert "did not answer within 0.2 s" in slow.error


def test_a_header_that_cannot_be_sent_is_named_as_such(journal, url):
    assert "header" in ask(journal, url, headers=[("X-Own", "two\nlines")]).error
    assert "header" in ask(journal, url, headers=[("X-Own", "\N{SNOWMAN}")]).error


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example/x", "a.example"),
        ("https://a.example:443/", "a.example"),
        ("http://a.example:443/", "a.example:443"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("http://[::1]:80/", "[::1]"),
    ],
)
def test_the_host_header_has_the_port_only_where_it_is_needed(address, name):
    assert host(address) == name


def made_up(**changes):
    facts = {
        "id": "0001", "target": "acme", "purpose": "", "method": "POST", "url": "https://a.example/p?x=it's",
        "request_headers": (("Host", "a.example"), ("Authorization", "Bearer t0ken"), ("X-Own", "1")),
        "request_body": b"login_passwd=open+sesame%21&x=1", "status": 200, "response_headers": (),
        "response_body": b"", "started": "", "seconds": 0.0, "sha256": "",
    }  # fmt: skip
    return Exchange(**(facts | changes))


def test_a_curl_line_is_the_request_with_secrets_masked():
    words = shlex.split(curl(made_up(), Secrets({"X_PASS": "open sesame!"})))
    assert words == [
        "curl", "-sS", "--compressed", "-X", "POST", "https://a.example/p?x=it's", "-H", "Authorization: Bearer ***",
        "-H", "X-Own: 1", "--data-raw", "login_passwd=***&x=1",
    ]  # fmt: skip


def test_a_curl_line_pipes_a_body_that_is_no_text():
    line = curl(made_up(request_body=b"\xff\x00"), Secrets())
    assert line.startswith("echo /wA= | base64 -d | curl ")
    assert line.endswith("--data-binary @-")


def test_an_address_out_of_an_answer_is_made_absolute_or_is_none():
    assert joined("https://h.example/fhir/a?b=1", "?page=2") == "https://h.example/fhir/a?page=2"
    assert joined("https://h.example/fhir", "https://other.example/x") == "https://other.example/x"
    for told in ("http://[half/a", "https://h.example:port/", "https://h.example:99999/"):
        assert joined("https://h.example/fhir", told) is None
