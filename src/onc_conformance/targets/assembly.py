"""From a described request to the bytes that go out, signed last so that the signature covers exactly them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from onc_conformance.access.signing import hmac_signature, signing_string
from onc_conformance.targets.models import Apply, Sign
from onc_conformance.targets.templates import parse, text_of
from onc_conformance.transport import Receiver
from onc_conformance.trouble import host

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.targets.steps import Request
    from onc_conformance.targets.variables import Variables

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_ROOT = re.compile(
    r"""((?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*)<([^\s/>!?]+)((?:[^>"'/]|"[^"]*"|'[^']*')*)(/?)>""", re.DOTALL
)
_MEDIA_TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "raw": "text/plain; charset=utf-8",
}
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, byte for byte."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    signed: bool = False
    key: str = ""
    """What it is recognised by in a recording."""
    receiver: Receiver | None = None
    """What takes the answer as it comes."""
    patience_s: float | None = None
    """Seconds that the answer may take where that is not the transport's business."""


def assemble(
    request: Request,
    variables: Variables,
    *,
    apply: Apply | None = None,
    url: str | None = None,
    extra: Iterable[tuple[str, Pairs]] = (),
) -> Prepared:
    """Render a request; `extra` are parameters by place, such as the window's. Requests elsewhere carry no session."""
    for name, text in request.let.items():
        variables.own[name] = parse(text).render(variables)
    address, trusted = _address(url or request.url, variables)
    session = apply if apply and trusted else Apply()
    more: dict[str, Pairs] = {}
    for place, pairs in extra:
        more[place] = more.get(place, []) + pairs
    query = _pairs([request.query, session.query], variables, request.omit_empty) + more.get("query", [])
    there = {name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}
    query = [pair for pair in query if pair[0] not in there or pair[0] not in session.query]
    kind, body = _body(request, session, variables, more.get("form", []) + more.get("body", []))
    headers = {"Content-Type": _MEDIA_TYPES[kind]} if kind else {}
    headers |= dict(_pairs([session.headers, request.headers], variables, request.omit_empty))
    if cookies := _pairs([session.cookies], variables, omit_empty=False):
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    if query:
        address += ("&" if urlsplit(address).query else "?") + urlencode(query, quote_via=quote)
    return Prepared(request.method, address, tuple(headers.items()), body)


def sign(prepared: Prepared, scheme: Sign, variables: Variables) -> tuple[Prepared, str]:
    """The request with the headers of its signature, and the key it was signed with."""
    parts = urlsplit(prepared.url)
    variables.own |= {
        "req.method": prepared.method,
        "req.path": (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        "req.host": dict(prepared.headers).get("Host") or host(prepared.url),
        "req.body": prepared.body,
        "req.length": str(len(prepared.body)),
        "part.names": " ".join(name for name, _ in scheme.parts),
    }
    signed: Pairs = []
    for name, template in scheme.parts:
        value = parse(template).render(variables)
        variables.own[f"part.{name}"] = value
        signed.append((name, value))
    key = text_of(parse(scheme.key).render(variables))
    text = signing_string(signed, scheme.join)
    variables.own["signature"] = hmac_signature(key, text, hash_name=scheme.hash, out=scheme.out)
    own = _pairs([scheme.set_headers], variables, omit_empty=False)
    replaced = {name.lower() for name, _ in own}
    kept = tuple(pair for pair in prepared.headers if pair[0].lower() not in replaced)
    return Prepared(prepared.method, prepared.url, (*kept, *own), prepared.body, signed=True), key


def _address(template: str, variables: Variables) -> tuple[str, bool]:
    """The URL as it travels, and whether it is one of the target's own: one out of an answer may lead anywhere."""
    url = parse(template).render(variables)
    bases = variables.target.bases
    own = {_origin(base) for base in bases.values()}
    if not urlsplit(url).scheme and bases:
        url = urljoin(next(iter(bases.values())) + "/", url)
    url = _ESCAPE.sub(lambda match: match.group().upper(), quote(url, safe="%/:=&?~#+!$,;'@()*[]"))
    written_down = not any(name in variables.captured for name in parse(template).names)
    return url, written_down or _origin(url) in own


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _pairs(tables: Iterable[dict[str, str]], variables: Variables, omit_empty: bool) -> Pairs:
    rendered = {name: parse(text).render(variables) for table in tables for name, text in table.items()}
    return [(name, value) for name, value in rendered.items() if value or not omit_empty]


def _body(request: Request, session: Apply, variables: Variables, window: Pairs) -> tuple[str | None, bytes]:
    if request.form is not None:
        pairs = _pairs([request.form, session.form], variables, request.omit_empty)
        return "form", urlencode(pairs + window).encode()
    if request.json_ is not None:
        value = _rendered({**request.json_, **session.body}, variables)
        if request.omit_empty:
            value = {name: item for name, item in value.items() if item != ""}
        value |= dict(window)
        return "json", json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    if request.xml is not None:
        elements = "".join(
            f"<{name}>{value}</{name}>" for name, value in _pairs([session.xml], variables, omit_empty=False)
        )
        return "xml", _within_root(parse(request.xml).render(variables), elements).encode()
    if request.raw is not None:
        return "raw", parse(request.raw).render(variables).encode()
    return None, b""


def _within_root(document: str, elements: str) -> str:
    """The document with elements put first into its root; as it is where there is no root."""
    root = _ROOT.match(document) if elements else None
    if root is None:
        return document
    before, name, attributes, empty = root.groups()
    end = f"</{name}>" if empty else ""
    return f"{before}<{name}{attributes}>{elements}{end}{document[root.end() :]}"


def _rendered(value: Any, variables: Variables) -> Any:
    if isinstance(value, str):
        return parse(value).render(variables)
    if isinstance(value, dict):
        return {name: _rendered(item, variables) for name, item in value.items()}
    return [_rendered(item, variables) for item in value] if isinstance(value, list) else value
