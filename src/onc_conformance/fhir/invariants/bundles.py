"""The invariants of a Bundle and its entries."""

from __future__ import annotations

from typing import Any

from onc_conformance.fhir.invariants.words import Rule, Scope, distinct, has, items

_ASKING = ("batch", "transaction", "history")
_ANSWERING = ("batch-response", "transaction-response", "history")


def _entries(bundle: Any) -> list[dict[str, Any]]:
    return [each for each in items(bundle, "entry") if isinstance(each, dict)]


def _first(bundle: Any, kind: str, wanted: str) -> bool:
    entries = _entries(bundle)
    resource = entries[0].get("resource") if entries else None
    return bundle.get("type") != kind or (isinstance(resource, dict) and resource.get("resourceType") == wanted)


def _version(entry: dict[str, Any]) -> str:
    resource = entry.get("resource")
    meta = resource.get("meta") if isinstance(resource, dict) else None
    return str(meta.get("versionId", "")) if isinstance(meta, dict) else ""


def _once(bundle: Any, _: Scope) -> bool:
    named = [f"{each['fullUrl']}\n{_version(each)}" for each in _entries(bundle) if "fullUrl" in each]
    return bundle.get("type") == "history" or distinct(named)


def _identified(bundle: Any) -> bool:
    return all(has(bundle.get("identifier"), each) for each in ("system", "value"))


BUNDLES = (
    Rule(
        "bdl-1",
        lambda v, _: not has(v, "total") or v.get("type") in ("searchset", "history"),
        "a total only of a search or history",
    ),
    Rule(
        "bdl-2",
        lambda v, _: v.get("type") == "searchset" or not any(has(each, "search") for each in _entries(v)),
        "entry.search only in a searchset",
    ),
    Rule(
        "bdl-3",
        lambda v, _: all(has(each, "request") == (v.get("type") in _ASKING) for each in _entries(v)),
        "entry.request in every entry of a batch, transaction or history, and nowhere else",
    ),
    Rule(
        "bdl-4",
        lambda v, _: all(has(each, "response") == (v.get("type") in _ANSWERING) for each in _entries(v)),
        "entry.response in every entry of a response or history, and nowhere else",
    ),
    Rule(
        "bdl-5",
        lambda v, _: any(has(v, each) for each in ("resource", "request", "response")),
        "a resource, a request or a response",
    ),
    Rule("bdl-7", _once, "each fullUrl once in a version"),
    Rule("bdl-8", lambda v, _: "/_history/" not in str(v.get("fullUrl", "")), "a fullUrl without a version"),
    Rule("bdl-9", lambda v, _: v.get("type") != "document" or _identified(v), "an identifier with system and value"),
    Rule("bdl-10", lambda v, _: v.get("type") != "document" or has(v, "timestamp"), "a timestamp of the document"),
    Rule("bdl-11", lambda v, _: _first(v, "document", "Composition"), "a Composition first"),
    Rule("bdl-12", lambda v, _: _first(v, "message", "MessageHeader"), "a MessageHeader first"),
)
