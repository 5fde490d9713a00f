"""Listens on the loopback interface for a browser that is sent to the app: at its launch and its redirect address."""

from __future__ import annotations

import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import urlsplit, urlunsplit

HOST = "127.0.0.1"
_SAID = b"<!doctype html><title>onc-conformance</title><p>The app has what it needs; this page can be closed.</p>"
_LARGEST = 64 * 1024


class Listener:
    """A server on a port of 127.0.0.1, for as long as it is entered; remembers where browsers came."""

    def __init__(self, port: int = 0) -> None:
        """At this port, or at a free one where it is 0 or taken."""
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        heard = self._heard

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.put(self.path)
                self._answer()

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length") or "0"
                body = self.rfile.read(min(int(length), _LARGEST) if length.isdigit() else 0)
                separator = "&" if "?" in self.path else "?"
                heard.put(self.path + separator + body.decode("utf-8", "replace"))
                self._answer()

            def _answer(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(_SAID)))
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(_SAID)

            def log_message(self, *_: object) -> None:
                """Codes travel in addresses, so nothing is logged."""

        try:
            self._server = ThreadingHTTPServer((HOST, port), Handler)
        except OSError:
            self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self._server.server_address[1])

    def at(self, registered: str) -> str:
        """A registered loopback address with the port it listens at (RFC 8252, 7.3); others are left as they are."""
        parts = urlsplit(registered)
        if parts.hostname not in {HOST, "localhost"} or parts.port:
            return registered
        return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{self.port}"))

    def hears(self, address: str) -> bool:
        """Whether a browser that opens the address comes here."""
        parts = urlsplit(address)
        return parts.scheme == "http" and parts.hostname in {HOST, "localhost"} and parts.port == self.port

    def wait(self, address: str, seconds: float) -> str | None:
        """The next address below `address` that a browser opens within so many seconds; None if none does."""
        wanted = urlsplit(address)
        try:
            while True:
                path = self._heard.get(timeout=seconds)
                if urlsplit(path).path == (wanted.path or "/"):
                    return urlunsplit(wanted._replace(path="", query="", fragment="")) + path
        except queue.Empty:
            return None
