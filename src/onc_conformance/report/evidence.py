"""The evidence folder: every exchange as files a person can open, all secrets masked before anything is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onc_conformance.exchange import Exchange, curl
from onc_conformance.redaction import Secrets
from onc_conformance.report.folder import put
from onc_conformance.report.run import printable
from onc_conformance.transport import Headers

INDEX = "index.json"
_RESPONSE = ".response"
_STARTS = (
    (re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)", re.IGNORECASE), "html"),
    (re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<"), "xml"),
    (re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*[\[{]"), "json"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One exchange as the evidence folder holds it; every text is masked."""

    id: str
    target: str
    purpose: str
    method: str
    url: str
    status: int | None
    error: str | None
    started: str
    seconds: float
    media_type: str
    bytes: int
    sha256: str
    """Of the answer's body as received, before masking."""
    altered: bool
    """Whether masking changed the kept body, so that its own digest differs."""
    curl: str
    request: str | None
    """Name of the file with the request; None where bodies are not kept."""
    response: str | None
    """Name of the file with the answer's body; None where there is none or bodies are not kept."""

    @property
    def file(self) -> str:
        """Name of the file with the facts of the exchange."""
        return f"{self.id}.json"


def record(exchange: Exchange, directory: Path, secrets: Secrets, *, bodies: bool = True) -> Entry:
    """Write one exchange into the folder, which must exist; every secret of the run must be known by then."""
    body = secrets.mask_bytes(exchange.response_body)
    sent, received = _headers(exchange.request_headers, secrets), _headers(exchange.response_headers, secrets)
    request = f"{exchange.id}.request.txt" if bodies else None
    response = f"{exchange.id}{_RESPONSE}.{extension(exchange)}" if bodies and body else None
    entry = Entry(
        id=exchange.id,
        target=exchange.target,
        purpose=_text(exchange.purpose, secrets),
        method=exchange.method,
        url=_text(exchange.url, secrets),
        status=exchange.status,
        error=_text(exchange.error, secrets) if exchange.error else None,
        started=exchange.started,
        seconds=exchange.seconds,
        media_type=_text(exchange.media_type, secrets),
        bytes=len(exchange.response_body) + exchange.omitted,
        sha256=exchange.sha256,
        altered=body != exchange.response_body,
        curl=printable(curl(exchange if bodies else _bodiless(exchange), secrets)),
        request=request,
        response=response,
    )
    if request:
        head = "\n".join([f"{entry.method} {entry.url}", *(f"{name}: {value}" for name, value in sent)])
        content = secrets.mask_bytes(exchange.request_body)
        put(directory / request, head.encode() + b"\n\n" + content)
    if response:
        put(directory / response, body)
    facts = {**_facts(entry), "request_headers": sent, "response_headers": received}
    if bodies:
        facts["key"] = printable(secrets.mask_values(exchange.key))
        facts["trouble"] = exchange.trouble
        facts["omitted"] = exchange.omitted
    lines = ",\n".join(f" {_line(name)}: {_line(value)}" for name, value in facts.items())
    put(directory / entry.file, f"{{\n{lines}\n}}\n")
    return entry


def collect(directory: Path, known: Iterable[Entry] = ()) -> tuple[Entry, ...]:
    """Every exchange of the folder in order, whichever process wrote it; also writes index.json.

    Those `known` already are not read again.
    """
    names = Entry.__slots__
    entries = list(known)
    told = {entry.file for entry in entries}
    for path in sorted(directory.glob("*.json")) if directory.is_dir() else ():
        if path.name not in {INDEX, *told} and not path.stem.endswith(_RESPONSE):
            facts = json.loads(path.read_text(encoding="utf-8"))
            entries.append(Entry(**{name: facts[name] for name in names}))
    entries.sort(key=lambda entry: (entry.started, entry.id))
    directory.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(_line({"file": entry.file, **_facts(entry)}) for entry in entries)
    put(directory / INDEX, f"[\n{lines}\n]\n")
    return tuple(entries)


def read(directory: Path, exchange: str) -> dict[str, Any]:
    """What the folder tells of one exchange: the fields of its Entry, and the headers of request and answer."""
    facts: dict[str, Any] = json.loads((directory / f"{exchange}.json").read_text(encoding="utf-8"))
    return facts


def came(status: int | None) -> str:
    """What came back, in two words."""
    return f"status {status}" if status else "no answer"


def extension(exchange: Exchange) -> str:
    """xml, json, html, txt or bin, by what the answer says it is, else by how it begins."""
    declared = exchange.media_type
    for word in ("html", "xml", "json"):
        if word in declared:
            return word
    found = next((name for start, name in _STARTS if start.match(exchange.response_body)), None)
    if found:
        return found
    try:
        exchange.response_body.decode()
    except UnicodeDecodeError:
        return "bin"
    return "txt"


def _bodiless(exchange: Exchange) -> Exchange:
    """The exchange with its request body told by size and digest alone."""
    body = exchange.request_body
    told = f"({len(body)} bytes not kept, sha256 {hashlib.sha256(body).hexdigest()})".encode() if body else b""
    return replace(exchange, request_body=told)


def _headers(headers: Headers, secrets: Secrets) -> list[list[str]]:
    return [[name, printable(value)] for name, value in secrets.mask_headers(headers)]


def _text(text: str, secrets: Secrets) -> str:
    return printable(secrets.mask_text(text))


def _facts(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__slots__}


_line = json.JSONEncoder(ensure_ascii=False).encode  # with an indent, json would be written by slow Python
