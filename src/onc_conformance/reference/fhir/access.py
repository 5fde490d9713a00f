"""Access tokens of the FHIR server: what each allows, and whose data it is good for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request

from onc_conformance.reference.fhir.answers import Refusal
from onc_conformance.reference.smart import enforcing
from onc_conformance.reference.smart.scopes import Scope, parsed
from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from onc_conformance.reference.smart.approvals import Approval

_FOREVER = 10 * 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows."""

    scopes: tuple[str, ...]
    """As SMART writes them: level/Type.rs, where a Type of * is all of them."""
    patient: str | None = None
    """The patient that scopes of the level `patient` are about."""
    approval: Approval | None = None
    """What it rests on; it is worth nothing when that is taken back."""
    confined: bool = False
    """Whether scopes of every level are about that patient alone, as those of patients themselves are."""
    user: str = ""
    """Type/id of whoever is logged in, which the scope fhirUser lets be read."""

    def allows(self, kind: str, right: str = "") -> bool:
        """Whether some resources of a type may be read (r) or searched (s); without a right, either."""
        return bool(self._opening(kind, right)) or (right != "s" and self._own_user(kind))

    def bound(self, kind: str) -> str | None:
        """The one patient whose resources of this type it opens; None is everybody's."""
        free = any(not self._about_one(scope) for scope in self._opening(kind))
        return None if free else self.patient

    def open(self, kind: str, right: str) -> bool:
        """Whether every resource of the type may be told, of whatever category and about whomever."""
        return any(not scope.categories and not self._about_one(scope) for scope in self._opening(kind, right))

    def sees(self, resource: Mapping[str, Any], owner: str | None, right: str = "") -> bool:
        """Whether this resource, about the patient `owner` or about nobody, may be told."""
        kind, issued = resource["resourceType"], resource.get("id", "")
        if right != "s" and self._own_user(kind) and self.user == f"{kind}/{issued}":
            return True
        return any(
            scope.fits(resource) and (owner is None or not self._about_one(scope) or owner == self.patient)
            for scope in self._opening(kind, right)
        )

    def _own_user(self, kind: str) -> bool:
        return "fhirUser" in self.scopes and self.user.startswith(f"{kind}/")

    def _about_one(self, scope: Scope) -> bool:
        return self.confined or scope.level == "patient"

    def _opening(self, kind: str, right: str = "") -> list[Scope]:
        return [scope for scope in map(parsed, self.scopes) if scope and scope.opens(kind, right)]


class Access:
    """Issues tokens, and judges those that requests come with."""

    def __init__(self, life: float, faults: Collection[str]) -> None:
        self._faults = faults
        self._life = life
        self._tokens: Tickets[Grant] = Tickets(life, lambda: uuid.uuid4().hex)
        self._standing: Tickets[Grant] = Tickets(_FOREVER, lambda: uuid.uuid4().hex)

    def issue(self, grant: Grant, life: float | None = None) -> str:
        """A token good for a while, or for `life` seconds."""
        return self._tokens.issue(grant, age=0 if life is None else self._life - life)

    def standing(self, grant: Grant) -> str:
        """A token good for as long as the server is there."""
        return self._standing.issue(grant)

    def expired(self, grant: Grant) -> str:
        """A token that was good once."""
        return self._tokens.expired(grant)

    def revoke(self, token: str) -> None:
        """Make a token worth nothing."""
        if "smart-revoked-token-reads" not in self._faults:
            self._tokens.redeem(token, late=True)

    def found(self, token: str, *, late: bool = False) -> Grant | None:
        """What a token allows; None unless it is good, or `late` and was good once."""
        grant = self._standing.holder(token) or self._tokens.holder(token, late=late)
        taken_back = grant is not None and grant.approval is not None and not grant.approval.stands
        return None if taken_back and "smart-revoked-token-reads" not in self._faults else grant

    def taken_back(self, token: str) -> Grant | None:
        """What a token allowed before it was taken back."""
        grant = self._tokens.holder(token)
        return grant if grant and grant.approval and not grant.approval.stands else None

    def until(self, token: str) -> float:
        """Unix time at which a token that was found ends."""
        return (self._standing if self._standing.holder(token) else self._tokens).until(token)

    def granted(self) -> Grant:
        """What the request's token allows; Refusal without a good one."""
        everything = Grant(("system/*.rs",))
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not token.strip():
            if self._any_of("missing-token-accepted"):
                return everything
            raise Refusal(401, "login", "Send an access token: Authorization: Bearer …")
        grant = self.found(token.strip(), late=self._any_of("expired-token-accepted"))
        if self._any_of("token-not-checked"):
            return grant or everything
        if grant is None:
            raise Refusal(401, "login", "The access token is unknown or expired.")
        return enforcing.bent(grant, self._faults)

    def _any_of(self, fault: str) -> bool:
        """Whether there is a fault, by the name it has for documents or for apps."""
        return fault in self._faults or f"smart-{fault}" in self._faults
