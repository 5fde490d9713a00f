"""What the FHIR server makes of a token's grant: the grant itself, but for the faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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


BENT: dict[str, Callable[[Grant], Grant]] = {
    "smart-scope-not-enforced": _scopes(lambda scope: replace(scope, kind="*", categories=())),
    "smart-granular-scope-shut": lambda grant: replace(
        grant, scopes=tuple(text for text in grant.scopes if "?" not in text)
    ),
    "smart-granular-scope-ignored": _scopes(lambda scope: replace(scope, categories=())),
    "smart-patient-not-enforced": lambda grant: replace(
        _scopes(lambda scope: replace(scope, level="user"))(grant), confined=False
    ),
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
