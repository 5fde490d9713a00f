"""HTTP/1.1 over kept connections, plain or by TLS: how the reference EHR listens."""

from __future__ import annotations

import contextlib
import io
import itertools
import socket
import ssl
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

_IDLE = 120.0
"""Seconds a connection may be silent."""
_HANDSHAKE = 0x16
"""What a TLS record of a handshake begins with."""
_LARGEST = 4_000_000
"""Bytes of a body that is read before it is known whether anybody wants it."""
_PASSED_OVER = 16
"""How many times as much is passed over before the connection of a larger one is cut."""
_PATIENCE = 2.0
_BACKLOG = 128


class Listener:
    """A port that answers with an application, in threads of its own, from `start` to `close`."""

    def __init__(
        self, host: str, port: int, app: WSGIApplication, tls: ssl.SSLContext | None = None, *, plain_too: bool = False
    ) -> None:
        # werkzeug ends the process where a port is taken; a socket bound here raises instead.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            bound.listen(_BACKLOG)
            self._server = _Server(host, bound.getsockname()[1], app, _Handler, fd=bound.fileno())
        # Not given to werkzeug, which would shake hands in the one thread that accepts.
        self._server.ssl_context = tls
        self._server.plain_too = plain_too
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._server.port}"
        """Where it is, without a slash at the end."""
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="reference-ehr", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Neither listen nor answer any more."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(timeout=1)


class _Server(ThreadedWSGIServer):
    plain_too = False

    def __init__(self, *positional: Any, **named: Any) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(*positional, **named)

    def note(self, line: socket.socket) -> None:
        with self._lock:
            self._open.add(line)

    def drop(self, line: socket.socket) -> None:
        with self._lock:
            self._open.discard(line)

    def hang_up(self) -> None:
        """End the connections that clients keep."""
        with self._lock:
            for line in self._open:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)


class _Handler(WSGIRequestHandler):
    """Keeps a connection for further requests, which werkzeug's own does not; writes no line for each."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.request.settimeout(_IDLE)
        if self.server.ssl_context and not (self.server.plain_too and self._plain()):
            self.request = self.server.ssl_context.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
        self.server.note(self.request)
        super().setup()

    def _plain(self) -> bool:
        first: bytes = self.request.recv(1, socket.MSG_PEEK)
        return bool(first) and first[0] != _HANDSHAKE

    def finish(self) -> None:
        self.server.drop(self.request)
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.request.close()

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        whole = self._body(environ)
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:  # noqa: ARG001
            told[:] = [(status, headers)]

        answer = self.server.app(environ, start_response)  # type: ignore[arg-type]
        try:
            pieces = iter(answer)
            first = next(pieces, b"")
            self._send(*told[0], first, pieces)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        if not whole:
            self._pass_over(environ["wsgi.input"])

    def _body(self, environ: dict[str, Any]) -> bool:
        """Put the request's body into the environ, so that the next request begins where it ends; whether it did."""
        stream, length = environ["wsgi.input"], self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "").casefold():
            body = stream.read(_LARGEST + 1)
        elif length.isdecimal() and int(length) <= _LARGEST:
            body = stream.read(int(length))
        else:
            return False
        if len(body) > _LARGEST:
            environ["CONTENT_LENGTH"] = str(len(body))
            return False
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        return True

    def _pass_over(self, stream: Any) -> None:
        """Read on for a while, so that the client sees the answer and no broken connection; then hang up."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.settimeout(_PATIENCE)
        with contextlib.suppress(OSError, ValueError):
            for _ in range(_PASSED_OVER):
                if not stream.read1(_LARGEST) if hasattr(stream, "read1") else not stream.read(_LARGEST):
                    return

    def _send(self, status: str, headers: list[tuple[str, str]], first: bytes, pieces: Iterator[bytes]) -> None:
        code, _, reason = status.partition(" ")
        empty = self.command == "HEAD" or code in {"204", "304"}
        chunked = not empty and "content-length" not in {name.casefold() for name, _ in headers}
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in () if empty else itertools.chain((first,), pieces):
            if chunked and piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
            elif piece:
                self.wfile.write(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's names
        """Nothing: faults in this program are still told by Flask."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens at."""
    with socket.socket() as line:
        line.bind((host, 0))
        return int(line.getsockname()[1])
