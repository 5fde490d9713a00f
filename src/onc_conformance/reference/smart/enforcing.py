"""What the FHIR server makes of a token's grant: the grant itself, but for the faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import request

from onc_conformance.reference.smart.scopes import Scope, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from onc_conformance.reference.fhir.access import Grant


def _scopes(change: Callable[[Scope], Scope]) -> Callable[[Grant], Grant]:
    """Each scope that opens resources changed."""

    def bent(grant: Grant) -> Grant:
        told = [(text, parsed(text)) for text in grant.scopes]
        return replace(grant, scopes=tuple(str(change(scope)) if scope else text for text, scope in told))

    return bent


_whole = _scopes(lambda scope: replace(scope, kind="*", categories=()))


def _everybody(grant: Grant) -> Grant:
    return replace(_scopes(lambda scope: replace(scope, level="user"))(grant), confined=False)


def _one_read() -> bool:
    """Whether the request is for a resource by its id: /fhir/Type/id."""
    place = request.path.split("/")
    return request.method == "GET" and len(place) == 4


BENT: dict[str, Callable[[Grant], Grant]] = {
    "smart-scope-not-enforced": _whole,
    "smart-granular-scope-shut": lambda grant: replace(
        grant, scopes=tuple(text for text in grant.scopes if "?" not in text)
    ),
    "smart-granular-scope-ignored": _scopes(lambda scope: replace(scope, categories=())),
    "smart-scope-not-enforced-on-reads": lambda grant: _whole(grant) if _one_read() else grant,
    "smart-scope-not-enforced-on-provenance": lambda grant: (
        replace(grant, scopes=(*grant.scopes, "patient/Provenance.rs")) if "_revinclude" in request.args else grant
    ),
    "smart-patient-not-enforced-by-post": lambda grant: (
        _everybody(grant) if request.path.endswith("/_search") else grant
    ),
    "smart-patient-not-enforced": _everybody,
}
"""By fault, what it makes of a grant. They leave tokens of backend services, which rest on nobody's approval, alone."""


def bent(grant: Grant, faults: Collection[str]) -> Grant:
    """The grant as it is acted upon."""
    if grant.approval is None or grant.approval.user is None:
        return grant
    for fault, change in BENT.items():
        if fault in faults:
            grant = change(grant)
    return grant
