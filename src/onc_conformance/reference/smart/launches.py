"""Launches from within the EHR: which app was opened by whom, on whose chart, at which visit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onc_conformance.reference.tickets import Tickets

if TYPE_CHECKING:
    from onc_conformance.reference.smart.apps import App
    from onc_conformance.reference.smart.users import User

_LIFE = 300.0


@dataclass(frozen=True, slots=True)
class Launch:
    """What an opened app is told of through its token."""

    app: App
    user: User
    patient: str
    encounter: str = ""


class Launches:
    """The values of `launch` that were handed out."""

    def __init__(self, faults: frozenset[str]) -> None:
        self._faults = faults
        self._issued: Tickets[Launch] = Tickets(_LIFE, lambda: secrets.token_urlsafe(16))
        self._last: Launch | None = None

    def issue(self, launch: Launch) -> str:
        self._last = launch
        return self._issued.issue(launch)

    def of(self, value: str, app: App) -> Launch | None:
        """The launch of that value; None if it was invented, is over, or is another app's."""
        found = self._issued.holder(value)
        if "smart-launch-invented-accepted" in self._faults:
            return found or self._last
        return found if found and found.app is app else None
