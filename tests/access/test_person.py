"""A person is told what to do, waited for, and given up in time."""

import io
import socket
import threading
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

import requests
from onc_conformance.access import person
from onc_conformance.access.listening import Listener, NoListenerError


def coming(listener, query, *, post=False):
    """A browser that is sent back."""
    if post:
        return requests.post(listener.address, data=query, timeout=5)
    return requests.get(f"{listener.address}?{urlencode(query)}", timeout=5)


def test_the_address_is_told_and_what_comes_back_is_taken():
    screen, opened = io.StringIO(), []
    with Listener("http://127.0.0.1/redirect") as listener:

        def opener(url):
            opened.append(url)
            threading.Thread(target=coming, args=(listener, {"code": "c 1", "state": "s"})).start()

        url = person.ask(
            listener, "https://ehr/authorize?x=1", "log in as Alice", seconds=10, screen=screen, opener=opener
        )
    assert url == f"{listener.address}?code=c+1&state=s"
    assert opened == ["https://ehr/authorize?x=1"]
    assert "log in as Alice" in screen.getvalue()
    assert "https://ehr/authorize?x=1" in screen.getvalue()
    assert "c+1" not in screen.getvalue()


def test_what_is_posted_back_is_taken():
    with Listener("http://127.0.0.1/redirect") as listener:
        threading.Thread(target=coming, args=(listener, {"code": "c&1"}), kwargs={"post": True}).start()
        assert listener.wait(10, lambda left: None) == f"{listener.address}?code=c%261"


def test_nobody_comes():
    screen = io.StringIO()
    with Listener("http://127.0.0.1/redirect") as listener:
        assert person.ask(listener, "https://ehr/", "log in", seconds=0.3, screen=screen) is None
    assert "Nobody came back in time" in screen.getvalue()


def test_a_terminal_counts_down():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    with Listener("http://127.0.0.1/redirect") as listener:
        person.ask(listener, "https://ehr/", "log in", seconds=1.3, screen=screen)
    assert screen.getvalue().count("s left") == 2


def test_another_path_and_a_bare_visit_are_not_taken():
    with Listener("http://127.0.0.1/redirect") as listener:
        origin = listener.address.removesuffix("/redirect")
        assert requests.get(f"{origin}/favicon.ico?x=1", timeout=5).status_code == 404
        assert requests.get(listener.address, timeout=5).status_code == 404
        assert listener.wait(0.1, lambda left: None) is None


def test_what_comes_is_neither_logged_nor_kept_by_the_browser(capfd):
    with Listener("http://127.0.0.1/redirect") as listener:
        answer = coming(listener, {"code": "very-secret"})
    assert answer.headers["Cache-Control"] == "no-store"
    told = capfd.readouterr()
    assert "very-secret" not in told.out + told.err


def test_a_visitor_who_says_nothing_keeps_nobody_waiting():
    with Listener("http://127.0.0.1/redirect") as listener:
        port = urlsplit(listener.address).port
        with socket.create_connection(("127.0.0.1", port)):
            threading.Thread(target=coming, args=(listener, {"code": "1"})).start()
            assert listener.wait(10, lambda left: None)


def test_a_length_that_is_none_is_no_trouble():
    with Listener("http://127.0.0.1/redirect") as listener:
        line = HTTPConnection("127.0.0.1", urlsplit(listener.address).port, timeout=5)
        line.putrequest("POST", "/redirect")
        line.putheader("Content-Length", "many")
        line.endheaders()
        assert line.getresponse().status == 404


@pytest.mark.parametrize("registered", ["https://127.0.0.1/redirect", "http://app.example/redirect", "myapp:/back"])
def test_an_address_elsewhere_is_refused_with_what_to_register(registered):
    with pytest.raises(NoListenerError, match="loopback"):
        Listener(registered)


def test_a_port_that_is_taken_is_told():
    with Listener("http://127.0.0.1/redirect") as listener, pytest.raises(NoListenerError, match="nothing can listen"):
        Listener(listener.address)
