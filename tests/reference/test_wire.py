"""Connections are kept, bounded, and encrypted where they should be."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

import pytest

from onc_conformance.reference import ReferenceEHR


@pytest.fixture(scope="module")
def ehr():
    with ReferenceEHR() as running:
        yield running


def connection(ehr, *, secure):
    parts = urlsplit(ehr.secure_url if secure else ehr.url)
    if not secure:
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    context = ssl.create_default_context(cafile=ehr.env["FHIR_CA_FILE"])
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=5, context=context)


@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_serves_many_requests(ehr, secure):
    line = connection(ehr, secure=secure)
    line.connect()
    first = line.sock
    for method, path, body in (
        ("GET", "/fhir/metadata", None),
        ("HEAD", "/fhir/metadata", None),
        ("POST", "/auth/token", b"grant_type=x"),
        ("POST", "/no/such/page", b"x" * 100_000),
        ("GET", "/auth/jwks", None),
    ):
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        line.request(method, path, body, headers)
        answer = line.getresponse()
        assert answer.version == 11
        assert (answer.read() == b"") is (method == "HEAD")
    assert line.sock is first
    line.close()


def test_a_body_in_chunks_is_read(ehr):
    line = connection(ehr, secure=False)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        line.request("POST", "/auth/token", iter([b"grant_", b"type=x"]), form, encode_chunked=True)
        answer = line.getresponse()
        assert (answer.status, b"unsupported_grant_type" in answer.read()) == (400, True)
    line.close()


def test_a_body_that_is_too_large_is_refused_in_words(ehr):
    line = connection(ehr, secure=False)
    line.request("POST", "/auth/token", b"x" * 5_000_000, {"Content-Type": "application/x-www-form-urlencoded"})
    assert line.getresponse().status in {400, 413}
    line.close()


@pytest.mark.parametrize("said", [b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b"\x00" * 500])
def test_without_tls_nothing_is_served(ehr, said):
    parts = urlsplit(ehr.secure_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as line:
        line.sendall(said)
        try:
            line.shutdown(socket.SHUT_WR)
            heard = line.recv(100)
        except OSError:  # the server may have hung up already
            heard = b""
    assert not heard.startswith(b"HTTP")


def test_who_says_nothing_keeps_nobody_waiting(ehr):
    parts = urlsplit(ehr.secure_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5):
        line = connection(ehr, secure=True)
        line.request("GET", "/fhir/metadata")
        assert line.getresponse().status == 200
        line.close()


def test_kept_connections_end_with_the_server():
    with ReferenceEHR() as ehr:
        line = connection(ehr, secure=True)
        line.request("GET", "/auth/jwks")
        line.getresponse().read()
    with pytest.raises((OSError, http.client.HTTPException)):
        line.request("GET", "/auth/jwks")
        line.getresponse()


def test_a_wrong_length_does_no_harm(ehr):
    parts = urlsplit(ehr.url)
    for length in (b"-1", b"nonsense", b"99999999999999999999", b"1, 2"):
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as line:
            line.sendall(b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\nx")
            line.shutdown(socket.SHUT_WR)
            assert line.recv(100).startswith(b"HTTP/1.1 4")
