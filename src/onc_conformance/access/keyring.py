"""An app's public keys at an address of its own: who fetched them, how often, and a key exchanged for another."""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

from onc_conformance.access.assertions import Key

PATH = "/jwks.json"


class _Quiet(ThreadingHTTPServer):
    """Whoever hangs up in the middle is no matter for the terminal."""

    def handle_error(self, *_: object) -> None:
        """Nothing is told."""


@dataclass
class KeyRing:
    """Serves the public halves of `keys` on a loopback port for as long as it is open; OSError if it is taken."""

    host: str
    port: int
    max_age: int = 0
    """Seconds that whoever fetched the keys may go by them (RFC 9111 5.2.2.1)."""
    keys: Sequence[Key] = ()
    certificate: str | None = None
    """The path of a PEM file with the certificate and key to speak TLS with; without it, plain HTTP."""
    fetched: list[str] = field(default_factory=list)
    """The path of each request."""
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        ring = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ring.fetched.append(self.path)
                body = ring.written()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", f"max-age={ring.max_age}" if ring.max_age else "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing is told on the terminal."""

        secure = None
        if self.certificate is not None:
            secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            secure.load_cert_chain(self.certificate)
        self._server = _Quiet((self.host, self.port), Handler)
        self._server.daemon_threads = True
        if secure is not None:
            self._server.socket = secure.wrap_socket(self._server.socket, server_side=True)
        Thread(target=self._server.serve_forever, args=(0.05,), name="keyring", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """Where it listens, while it is open."""
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{self.host}:{self._server.server_address[1] if self._server else self.port}"

    def written(self) -> bytes:
        """The JWK set (RFC 7517 5), private halves left out."""
        return json.dumps({"keys": [{**key.as_dict(private=False), "use": "sig"} for key in self.keys]}).encode()
