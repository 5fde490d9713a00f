"""What users allowed apps, and took back."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.tickets import REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onc_conformance.reference.smart.apps import App
    from onc_conformance.reference.smart.users import User


@dataclass(slots=True, eq=False)
class Approval:
    """One answer at the consent page, or a backend service's registration: what tokens rest upon."""

    app: App
    user: User | None
    """None where nobody was asked."""
    scopes: tuple[str, ...]
    patient: str = ""
    """The patient in context."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the token's answer says of the launch besides."""
    nonce: str = ""
    given: float = field(default_factory=time.time)
    """When, as Unix time."""
    stands: bool = True
    """Whether it has not been taken back."""


class Approvals:
    """Those of one server, the oldest forgotten first."""

    def __init__(self) -> None:
        self._all: OrderedDict[int, Approval] = OrderedDict()
        self._lock = Lock()

    def keep(self, approval: Approval) -> Approval:
        with self._lock:
            self._all[id(approval)] = approval
            while len(self._all) > REMEMBERED:
                self._all.popitem(last=False)
        return approval

    def of(self, user: User) -> Mapping[App, list[Approval]]:
        """What stands of a user's, by app, the latest first."""
        found: dict[App, list[Approval]] = {}
        with self._lock:
            for approval in reversed(self._all.values()):
                if approval.user == user and approval.stands:
                    found.setdefault(approval.app, []).append(approval)
        return found

    def take_back(self, approvals: Iterable[Approval]) -> None:
        """Every token that rests on them is worth nothing from here on."""
        with self._lock:
            for approval in approvals:
                approval.stands = False
                self._all.pop(id(approval), None)
