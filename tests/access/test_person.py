"""A person is told what to do, waited for, and given up in time."""

import io
import threading
from urllib.parse import urlencode

import requests
from onc_conformance.access import person
from onc_conformance.access.listener import Listener

UNTIL = "http://127.0.0.1/redirect"


def coming(listener, query):
    """A browser that is sent back."""
    return requests.get(f"{listener.at(UNTIL)}?{urlencode(query)}", timeout=5)


def test_the_address_is_told_and_what_comes_back_is_taken():
    screen, opened = io.StringIO(), []
    with Listener() as listener:

        def opener(url):
            opened.append(url)
            threading.Thread(target=coming, args=(listener, {"code": "c 1", "state": "s"})).start()

        until = listener.at(UNTIL)
        url = person.ask(
            listener, until, "https://ehr/authorize?x=1", "log in as Alice", seconds=10, screen=screen, opener=opener
        )
    assert url == f"{until}?code=c+1&state=s"
    assert opened == ["https://ehr/authorize?x=1"]
    assert "log in as Alice" in screen.getvalue()
    assert "https://ehr/authorize?x=1" in screen.getvalue()
    assert "c+1" not in screen.getvalue()


def test_nobody_comes():
    screen = io.StringIO()
    with Listener() as listener:
        assert person.ask(listener, listener.at(UNTIL), "https://ehr/", "log in", seconds=0.3, screen=screen) is None
    assert "Nobody came back in time" in screen.getvalue()


def test_a_terminal_counts_down():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    with Listener() as listener:
        person.ask(listener, listener.at(UNTIL), "https://ehr/", "log in", seconds=1.3, screen=screen)
    assert screen.getvalue().count("s left") == 2
