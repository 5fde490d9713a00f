"""What can go wrong between a request and its answer, and one line about it that says what to do."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

import urllib3

import requests


class Trouble(StrEnum):
    """Why there is no answer, or not all of it."""

    CONNECT = "connect"
    """No connection: nothing was sent."""
    DROPPED = "dropped"
    """The connection ended before the answer began."""
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The answer ended too early, or is not packed as it says."""
    TOO_LARGE = "too large"
    UNSENDABLE = "unsendable"


def explain(problem: Exception, url: str, patience: tuple[float, float]) -> tuple[Trouble, str]:
    """What kept a request from being answered, in one line that says what to look at.

    `patience` are the seconds waited for a connection and for an answer.
    """
    where, reason = named(url), sentence(problem)
    text = f"{problem} {reason}".lower()
    cases = (
        (
            "could not find the tls" in text or "could not find a suitable tls" in text,
            Trouble.UNSENDABLE,
            f"{reason}; correct tls_verify or client_cert",
        ),
        (
            "certificate has expired" in text,
            Trouble.TLS,
            f"the certificate of {where} has expired; renew it, or set tls_verify = false for a try",
        ),
        (
            "self-signed" in text or "self signed" in text or "local issuer" in text,
            Trouble.TLS,
            f"the certificate of {where} is not trusted: {reason}; name the file of its authority in tls_verify",
        ),
        (
            "alert certificate required" in text or "alert handshake failure" in text,
            Trouble.TLS,
            f"{where} wants a certificate of the client: {reason}; name one in client_cert",
        ),
        (
            "handshake operation timed out" in text,
            Trouble.TIMEOUT,
            f"{where} did not begin to speak TLS within {min(patience):g} s; is the address right?",
        ),
        (
            "ssl" in text,
            Trouble.TLS,
            f"no TLS connection to {where}: {reason}; check the certificate, tls_verify and client_cert",
        ),
        (
            isinstance(problem, requests.exceptions.ProxyError),
            Trouble.CONNECT,
            f"no way to {where} through the proxy: {reason}; check proxy, or HTTPS_PROXY",
        ),
        (
            isinstance(problem, requests.exceptions.ConnectTimeout),
            Trouble.CONNECT,
            f"{where} did not accept a connection within {patience[0]:g} s; is the address right?",
        ),
        (
            timed_out(problem),
            Trouble.TIMEOUT,
            f"{where} did not answer within {patience[1]:g} s; if it is slow, raise timeout_s",
        ),
        ("resol" in text, Trouble.CONNECT, f"cannot resolve the host name of {where}; is the address right?"),
        (
            "refused" in text,
            Trouble.CONNECT,
            f"{where} refuses connections; is the server running, and the port right?",
        ),
        (
            isinstance(problem, UnicodeError) or "header" in text,
            Trouble.UNSENDABLE,
            f"a header cannot be sent to {where}: {reason}; header values are one line of Latin-1",
        ),
        (
            isinstance(problem, ValueError),
            Trouble.UNSENDABLE,
            f"not an address a request can be sent to: {url!r}; expected http://… or https://…",
        ),
    )
    dropped = (Trouble.DROPPED, f"no answer from {where}: {reason}; look at the server's log")
    return next(((trouble, message) for fits, trouble, message in cases if fits), dropped)


def timed_out(problem: BaseException) -> bool:
    return isinstance(problem, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError))


def sentence(problem: BaseException) -> str:
    """The innermost reason, on one line."""
    while (inner := problem.__cause__ or problem.__context__) is not None:
        problem = inner
    return " ".join(str(problem).split()) or type(problem).__name__


def host(url: str) -> str:
    """The Host header a client sends for `url`: with the port only where it is not the scheme's own."""
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    return name if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f"{name}:{parts.port}"


def named(url: str) -> str:
    """The host for people; the whole address where it has none."""
    try:
        return host(url) or url
    except ValueError:  # a port that is no number
        return url
