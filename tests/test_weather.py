"""Requests over a network that misbehaves: real sockets, servers that do what no server should."""

import gzip
import http.server
import socket
import threading
import time
import zlib

import pytest
from tests.suite import certificates
from tests.suite.certificates import served
from tests.suite.vendor import Vendor

from onc_conformance import transport as module
from onc_conformance.exchange import Journal
from onc_conformance.redaction import Secrets
from onc_conformance.transport import Transport
from onc_conformance.trouble import Trouble

HASTY = Transport(timeout_s=0.25)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"


@pytest.fixture
def journal():
    made = Journal(Secrets())
    yield made
    made.close()


@pytest.fixture
def vendor():
    with Vendor() as served:
        yield served


def ask(journal, url, how=HASTY, method="GET", **more):
    began = time.monotonic()
    made = journal.send(method, url, target="acme", purpose="trying", transport=how, **more)
    assert made.error is None or "\n" not in made.error
    return made, time.monotonic() - began


def trickle(*pieces, every=0.05):
    """An answer that comes a little at a time, for as long as somebody reads it."""

    def answer(handler):
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(every)

    return answer


# time


@pytest.mark.parametrize(
    "head",
    [HEAD + b"\r\n", HEAD + b"Content-Length: 100000\r\n\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n"],
    ids=["to the end", "measured", "chunked"],
)
def test_a_body_that_trickles_is_cut_when_its_time_is_up(journal, vendor, head):
    drop = b"1\r\nx\r\n" if b"chunked" in head else b"x"
    vendor.answers["drip"] = trickle(head, *[drop] * 200)
    made, seconds = ask(journal, f"{vendor.url}/drip")
    assert made.status == 200
    assert made.trouble is Trouble.TIMEOUT
    assert made.error == "the answer was still coming after 1 s; if it is slow, raise timeout_s"
    assert made.response_body.strip(b"x") == b""
    assert len(made.response_body) > 5
    assert seconds < 2


def test_headers_that_trickle_are_cut_when_their_time_is_up(journal, vendor):
    vendor.answers["drip"] = trickle(b"HTTP/1.1 200 OK\r\n", *[b"X"] * 200)
    made, seconds = ask(journal, f"{vendor.url}/drip")
    assert made.trouble is Trouble.TIMEOUT
    assert "after 1 s; if it is slow, raise timeout_s" in made.error
    assert made.response_body == b""
    assert seconds < 2


def test_a_server_that_takes_connections_and_says_nothing(journal):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made, seconds = ask(journal, f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert (made.status, made.trouble) == (None, Trouble.TIMEOUT)
    assert "did not answer within 0.25 s; if it is slow, raise timeout_s" in made.error
    assert seconds < 1


def test_a_server_that_takes_connections_and_never_shakes_hands(journal):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made, seconds = ask(journal, f"https://127.0.0.1:{silent.getsockname()[1]}/")
    assert made.trouble is Trouble.TIMEOUT
    assert "did not begin to speak TLS within 0.25 s" in made.error
    assert seconds < 1


def test_no_exchange_outlasts_the_run(journal, vendor):
    vendor.answers["drip"] = trickle(HEAD + b"\r\n", *[b"x"] * 200)
    journal.until = time.monotonic() + 0.3
    _, seconds = ask(journal, f"{vendor.url}/drip", Transport(timeout_s=30))
    assert seconds < 1


def test_a_kept_connection_is_watched_as_well(journal):
    heard = []

    class Kept(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            heard.append(self.client_address)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            if self.path == "/quick":
                return

        def log_message(self, *_):
            pass

    class Slow(Kept):
        def do_GET(self):
            if self.path == "/quick":
                super().do_GET()
                return
            heard.append(self.client_address)
            trickle(HEAD + b"\r\n", *[b"x"] * 100)(self)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    assert ask(journal, f"{url}/quick")[0].response_body == b"ok"
    made, seconds = ask(journal, f"{url}/slow")
    server.shutdown()
    server.server_close()
    assert len(set(heard)) == 1, "the second request went over the first one's connection"
    assert made.trouble is Trouble.TIMEOUT
    assert seconds < 2


# size


def bomb(megabytes):
    """A gzip answer of a few KB that unpacks to so many megabytes."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def test_a_compressed_bomb_is_unpacked_no_further_than_an_answer_may_be(journal, vendor, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_ANSWER", 3 << 20)
    packed = bomb(50)
    vendor.answers["bomb"] = lambda handler: handler.wfile.write(
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    )
    made, _ = ask(journal, f"{vendor.url}/bomb")
    assert made.trouble is Trouble.TOO_LARGE
    assert made.error.startswith("the answer is larger than 3 MB; a request should bring less")
    assert made.response_body == bytes(module.KEPT)


def test_an_announced_flood_is_not_read(journal, vendor, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_ANSWER", 3 << 20)
    sent = []

    def flood(handler):
        handler.wfile.write(HEAD + b"Content-Length: 30000000\r\n\r\n")
        sent.extend(handler.wfile.write(bytes(100_000)) for _ in range(300))

    vendor.answers["flood"] = flood
    made, _ = ask(journal, f"{vendor.url}/flood")
    assert made.trouble is Trouble.TOO_LARGE
    assert len(made.response_body) == module.KEPT
    assert sum(sent) < 20_000_000


def packed_answers():
    text = b"<a>" + b"hello " * 40_000 + b"</a>"
    bare = zlib.compressobj(wbits=-15)
    return text, {
        "gzip": gzip.compress(text),
        "members": gzip.compress(text[:1000]) + gzip.compress(text[1000:]) + bytes(7),
        "deflate": zlib.compress(text),
        "bare": bare.compress(text) + bare.flush(),
    }


@pytest.mark.parametrize(
    ("kind", "encoding"), [("gzip", "gzip"), ("members", "x-gzip"), ("deflate", "Deflate"), ("bare", "deflate")]
)
def test_encodings_are_undone_whatever_they_are_made_of(journal, vendor, kind, encoding):
    text, packed = packed_answers()
    head = HEAD + f"Content-Encoding: {encoding}\r\n\r\n".encode()
    whole = packed[kind]
    pieces = [whole[at : at + 311] for at in range(0, len(whole), 311)]
    vendor.answers["packed"] = trickle(head, *pieces, every=0)
    made, _ = ask(journal, f"{vendor.url}/packed")
    assert made.error is None
    assert made.response_body == text


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (gzip.compress(b"hello" * 99, mtime=0)[:-12], b"gzip", "in the middle of its gzip"),
        (b"not packed at all", b"gzip", "the answer is not the gzip it says it is"),
        (b"\x8b\x02", b"br", "packed as br, which was not asked for"),
    ],
)
def test_a_packing_that_is_broken_is_told_apart_from_a_document(journal, vendor, body, encoding, said):
    vendor.answers["packed"] = trickle(HEAD + b"Content-Encoding: " + encoding + b"\r\n\r\n", body, every=0)
    made, _ = ask(journal, f"{vendor.url}/packed")
    assert made.trouble is Trouble.BROKEN
    assert said in made.error


def test_a_strange_word_for_no_packing_is_let_pass(journal, vendor):
    vendor.answers["plain"] = trickle(HEAD + b"Content-Encoding: UTF-8\r\n\r\n<a/>", every=0)
    made, _ = ask(journal, f"{vendor.url}/plain")
    assert (made.response_body, made.error) == (b"<a/>", None)


@pytest.mark.parametrize(
    ("head", "trouble", "said"),
    [
        (HEAD + b"Content-Length: 5000\r\n\r\n<half", Trouble.BROKEN, "the answer broke off after 5 of 5000 bytes"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n<half", Trouble.BROKEN, "the answer broke off after"),
        (b"", Trouble.DROPPED, "no answer from 127.0.0.1"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Trouble.DROPPED, "no answer from 127.0.0.1"),
    ],
    ids=["measured", "chunked", "nothing", "another protocol"],
)
def test_a_server_that_hangs_up_is_told_where_it_did(journal, vendor, head, trouble, said):
    vendor.answers["cut"] = trickle(head, every=0)
    made, _ = ask(journal, f"{vendor.url}/cut")
    assert made.trouble is trouble
    assert said in made.error


# TLS


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return certificates.issued(tmp_path_factory.mktemp("pki"))


def test_a_certificate_is_trusted_where_its_authority_is_named(journal, pki):
    with served(pki) as vendor:
        made, _ = ask(journal, f"{vendor.url}/login", Transport(timeout_s=2, tls_verify=pki["authority"]))
        assert (made.status, made.error) == (200, None)
        made, _ = ask(journal, f"{vendor.url}/login", Transport(timeout_s=2, tls_verify=False))
        assert made.status == 200


@pytest.mark.parametrize(
    ("name", "trusting", "said"),
    [
        ("good", False, "is not trusted: "),
        ("good", False, "; name the file of its authority in tls_verify"),
        ("expired", True, "has expired; renew it"),
        ("elsewhere", True, "; check the certificate, tls_verify and client_cert"),
    ],
)
def test_a_bad_certificate_is_named_in_one_line(journal, pki, name, trusting, said):
    with served(pki, name) as vendor:
        verify = pki["authority"] if trusting else True
        made, _ = ask(journal, f"{vendor.url}/login", Transport(timeout_s=2, tls_verify=verify))
        assert vendor.asked == [], "nothing is sent to a server that is not who it says"
    assert (made.status, made.trouble) == (None, Trouble.TLS)
    assert said in made.error


def test_a_client_shows_its_certificate_where_it_is_wanted(journal, pki):
    with served(pki, wants_certificate=True) as vendor:
        known = Transport(timeout_s=2, tls_verify=pki["authority"], client_cert=pki["client"])
        assert ask(journal, f"{vendor.url}/login", known)[0].status == 200
        journal.close()
        unknown = Transport(timeout_s=2, tls_verify=pki["authority"])
        made, _ = ask(journal, f"{vendor.url}/login", unknown)
    assert (made.status, made.trouble) == (None, Trouble.TLS)
    assert "client_cert" in made.error


# proxies


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that answers for everybody over HTTP, and opens a tunnel over CONNECT."""

    def do_GET(self):
        self.server.passed.append(self.path)
        body = f"for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        self.server.passed.append(self.path)
        if self.server.refuses:
            self.send_error(403)
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as onward:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self.pump, args=(onward, self.connection), daemon=True)
            back.start()
            self.pump(self.connection, onward)
            back.join(timeout=2)
        self.close_connection = True

    @staticmethod
    def pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.passed, server.refuses = [], False
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def test_requests_go_through_the_proxy_the_description_names(journal, proxy):
    made, _ = ask(journal, "http://ehr.example/a?b=1", Transport(timeout_s=2, proxy=proxy.url))
    assert made.response_body == b"for http://ehr.example/a?b=1"


def test_a_proxy_of_the_environment_serves_others_than_this_host(journal, proxy, vendor, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert ask(journal, "http://ehr.example/a")[0].response_body == b"for http://ehr.example/a"
    assert ask(journal, f"{vendor.url}/login")[0].status == 200
    assert len(proxy.passed) == 1


def test_tls_goes_through_a_tunnel_end_to_end(journal, proxy, pki):
    with served(pki) as vendor:
        how = Transport(timeout_s=2, proxy=proxy.url, tls_verify=pki["authority"])
        made, _ = ask(journal, f"{vendor.url}/login", how)
        assert (made.status, made.error) == (200, None)
        assert proxy.passed == [vendor.url.removeprefix("https://")]
        journal.close()


def test_a_proxy_that_refuses_or_is_away_is_named(journal, proxy):
    proxy.refuses = True
    made, _ = ask(journal, "https://ehr.example/", Transport(timeout_s=2, proxy=proxy.url))
    assert (made.status, made.trouble) == (None, Trouble.CONNECT)
    assert "no way to ehr.example through the proxy" in made.error
    made, _ = ask(journal, "http://ehr.example/", Transport(timeout_s=2, proxy="http://127.0.0.1:1"))
    assert "no way to ehr.example through the proxy" in made.error
