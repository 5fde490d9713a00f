"""A loopback listener: the address that an app registered, where a person's browser is sent back to (RFC 8252, 7.3)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LARGEST_FORM = 64 * 1024
"""Bytes of a posted answer (response_mode=form_post) that are read."""
_TICK = 0.2
_DONE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Back at the test client</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 34rem">
<h1>That is all</h1><p>The test client has what it was waiting for. This page can be closed.</p></body></html>"""


class NoListenerError(Exception):
    """Nothing can listen at the address. One line."""


class Listener:
    """Listens at a registered loopback address while it is open; any port where the registration names none."""

    def __init__(self, registered: str) -> None:
        """`registered` is an http address of this computer; raises NoListenerError where it is another's."""
        parts = urlsplit(registered)
        if parts.scheme != "http" or parts.hostname not in LOOPBACK:
            raise NoListenerError(
                f"{registered} is no loopback address: register http://127.0.0.1/… for a person to be sent back to"
            )
        self._path, self._host = parts.path or "/", str(parts.hostname)
        self._came: Queue[str] = Queue()
        handler = type("Handler", (_Handler,), {"path_listened_at": self._path, "came": self._came.put})
        try:
            self._server = ThreadingHTTPServer((self._host, parts.port or 0), handler)
        except OSError as problem:
            raise NoListenerError(f"nothing can listen at {registered}: {problem.strerror or problem}") from None
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(_TICK / 4,), name="listener", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """The address with the port it listens at."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.server_port}{self._path}"

    def wait(self, seconds: float, tick: Callable[[float], None]) -> str | None:
        """The address that a browser came with, its query included; None when time is up.

        `tick` is told now and then how many seconds are left.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            tick(left)
            try:
                return self.address + self._came.get(timeout=min(_TICK, left))
            except Empty:
                continue
        return None


class _Handler(BaseHTTPRequestHandler):
    path_listened_at: str
    came: Callable[[str], None]
    timeout = 5

    def log_message(self, *_: Any) -> None:
        """Nothing: what comes here is a code."""

    def do_GET(self) -> None:
        self._take(urlsplit(self.path).query)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(min(int(length) if length.isdigit() else 0, LARGEST_FORM))
        self._take(urlencode(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))

    def _take(self, query: str) -> None:
        right = urlsplit(self.path).path == self.path_listened_at and bool(query)
        body = _DONE if right else b"nothing here\n"
        self.send_response(200 if right else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8" if right else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)
        if right:
            self.came(f"?{query}")
