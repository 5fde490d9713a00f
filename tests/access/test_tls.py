"""What the prober of TLS makes of servers, good, old and hostile."""

import socket
import ssl
import threading
import warnings
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.suite.certificates import issued

from onc_conformance.access import tls
from onc_conformance.access.tls import Said

OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return issued(tmp_path_factory.mktemp("certificates"))


@contextmanager
def serving(talk):
    """A port whose every connection is handed to `talk`, one at a time."""
    door = socket.create_server(("127.0.0.1", 0))
    door.settimeout(0.1)
    over = threading.Event()

    def serve():
        while not over.is_set():
            try:
                line, _ = door.accept()
            except TimeoutError:
                continue
            with line:
                line.settimeout(5)
                try:
                    talk(line, over)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield door.getsockname()[1]
    finally:
        over.set()
        thread.join()
        door.close()


def speaking(files, name="good", *, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_3):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files[name])
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = lowest, highest

    def talk(line, over):
        with context.wrap_socket(line, server_side=True) as secure:
            secure.recv(1)

    return talk


def saying(data, *, first=1):
    def talk(line, over):
        line.recv(first)
        line.sendall(data)
        over.wait(0.05)

    return talk


def test_a_good_server_is_accepted_in_a_version_that_is_told(files):
    with serving(speaking(files)) as port:
        seen = tls.verified("127.0.0.1", port, authorities=files["authority"])
    assert (seen.said, seen.version) == (Said.ACCEPTED, "TLS 1.3")


def test_a_server_of_version_1_2_alone_is_accepted(files):
    with serving(speaking(files, highest=ssl.TLSVersion.TLSv1_2)) as port:
        assert tls.verified("127.0.0.1", port, authorities=files["authority"]).version == "TLS 1.2"


@pytest.mark.parametrize(
    ("name", "authorities", "why"),
    [
        ("expired", "authority", "expired"),
        ("elsewhere", "authority", "IP address mismatch"),
        ("good", None, "unable to get local issuer"),
    ],
)
def test_a_certificate_that_does_not_stand_is_told_with_the_reason(files, name, authorities, why):
    with serving(speaking(files, name)) as port:
        seen = tls.verified("127.0.0.1", port, authorities=authorities and files[authorities])
    assert seen.said is Said.UNTRUSTED
    assert why in seen.why


@pytest.mark.parametrize("name", OLD)
def test_a_server_that_takes_an_old_version_is_found_out(files, name):
    with serving(speaking(files, lowest=OLD[name])) as port:
        assert tls.offered("127.0.0.1", port, OLD[name]) == tls.Seen(Said.ACCEPTED, version=name)


@pytest.mark.parametrize("name", OLD)
def test_a_server_of_today_refuses_an_old_version(files, name):
    with serving(speaking(files)) as port:
        assert tls.offered("127.0.0.1", port, OLD[name]).said is Said.REFUSED


def test_a_server_of_old_versions_alone_is_not_accepted_today(files):
    with serving(speaking(files, lowest=OLD["TLS 1.0"], highest=OLD["TLS 1.1"])) as port:
        assert tls.verified("127.0.0.1", port, authorities=files["authority"]).said is Said.REFUSED


def test_what_the_library_cannot_offer_is_told_as_such(files, monkeypatch):
    def unable(self, ciphers):
        raise ssl.SSLError("no such ciphers here")

    with serving(speaking(files)) as port:
        monkeypatch.setattr(ssl.SSLContext, "set_ciphers", unable)
        assert tls.offered("127.0.0.1", port, OLD["TLS 1.1"]).said is Said.IMPOSSIBLE


def test_an_authority_that_cannot_be_read_is_told_as_such(tmp_path):
    assert tls.verified("127.0.0.1", 9, authorities=str(tmp_path / "none.pem")).said is Said.IMPOSSIBLE


def test_plain_http_is_told_with_its_status_and_where_it_leads():
    with serving(saying(b"HTTP/1.1 301 Moved\r\nLocation: https://x/y\r\n\r\n")) as port:
        assert tls.plain("127.0.0.1", port, "/") == tls.Seen(Said.ACCEPTED, status=301, location="https://x/y")


def test_plain_http_on_a_port_of_tls_is_refused(files):
    with serving(speaking(files)) as port:
        assert tls.plain("127.0.0.1", port, "/").said is Said.REFUSED


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    assert tls.verified("127.0.0.1", port).said is Said.UNREACHABLE
    assert tls.offered("127.0.0.1", port, OLD["TLS 1.1"]).said is Said.UNREACHABLE
    assert tls.plain("127.0.0.1", port, "/").said is Said.UNREACHABLE


def asked(port, seconds=0.3):
    return [
        tls.verified("127.0.0.1", port, seconds=seconds).said,
        tls.offered("127.0.0.1", port, OLD["TLS 1.1"], seconds=seconds).said,
        tls.plain("127.0.0.1", port, "/", seconds=seconds).said,
    ]


def test_a_server_that_accepts_and_says_nothing_is_not_waited_for():
    def silent(line, over):
        over.wait(1)

    with serving(silent) as port:
        assert asked(port)[:1] == [Said.SILENT]


def test_a_server_that_trickles_is_cut_off():
    def trickling(line, over):
        line.sendall(b"\x16\x03\x03\x40\x00")
        while not over.wait(0.02):
            line.sendall(b"\x02")

    with serving(trickling) as port:
        assert tls.verified("127.0.0.1", port, seconds=0.4).said in {Said.SILENT, Said.GARBLED}


def test_a_server_that_never_stops_talking_is_cut_off():
    def gushing(line, over):
        while not over.is_set():
            line.sendall(b"\x16\x03\x03\x40\x00" + bytes(16384))

    with serving(gushing) as port:
        assert tls.verified("127.0.0.1", port, seconds=5).said is Said.GARBLED
    with serving(lambda line, over: [line.sendall(b"A" * 65536) for _ in range(40)]) as port:
        assert tls.plain("127.0.0.1", port, "/", seconds=5).said is Said.GARBLED


def test_a_server_that_speaks_something_else_is_garbled_or_refuses():
    with serving(saying(b"220 mail.example ESMTP ready\r\n")) as port:
        assert asked(port) == [Said.GARBLED, Said.GARBLED, Said.GARBLED]


def test_no_bytes_at_all_make_a_prober_stumble_or_believe(files):
    told = [b""]

    @settings(max_examples=60)
    @given(data=st.binary(max_size=64))
    def asked(data):
        told[0] = data
        seen = tls.verified("127.0.0.1", port, authorities=files["authority"], seconds=0.5)
        assert seen.said in {Said.REFUSED, Said.GARBLED, Said.SILENT}

    with serving(lambda line, over: (line.recv(1), line.sendall(told[0]))) as port:
        asked()


def test_what_is_recorded_is_read_back():
    seen = tls.Seen(Said.ACCEPTED, version="TLS 1.3", status=200, why="x", location="https://y")
    assert tls.Seen.of(seen.as_bytes()) == seen
