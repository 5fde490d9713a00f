"""What a server hands out and believes for a while: sessions, reference numbers, access tokens."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Holder = TypeVar("Holder")
REMEMBERED = 5_000
"""Tickets beyond this many are forgotten, the oldest first: a server that runs for months must not grow."""


@dataclass(frozen=True, slots=True)
class _Issued(Generic[Holder]):
    holder: Holder
    until: float


class Tickets(Generic[Holder]):
    """Strings made by `make`, each good for `life` seconds; use prolongs a `sliding` one. Safe between threads."""

    def __init__(self, life: float, make: Callable[[], str], *, sliding: bool = False) -> None:
        self._life = life
        self._make = make
        self._sliding = sliding
        self._issued: dict[str, _Issued[Holder]] = {}
        self._lock = Lock()

    def issue(self, holder: Holder, *, age: float = 0) -> str:
        """A new ticket, as if it had been issued `age` seconds ago."""
        ticket = self._make()
        with self._lock:
            self._issued[ticket] = _Issued(holder, time.time() - age + self._life)
            while len(self._issued) > REMEMBERED:
                del self._issued[next(iter(self._issued))]
        return ticket

    def expired(self, holder: Holder) -> str:
        """A ticket that was good once."""
        return self.issue(holder, age=self._life + 1)

    def holder(self, ticket: str, *, late: bool = False) -> Holder | None:
        """Whose good ticket it is; None if it was never issued or is past its life, unless `late` does not matter."""
        with self._lock:
            found = self._issued.get(ticket)
            if found is None or (found.until < time.time() and not late):
                return None
            if self._sliding:
                self._issued[ticket] = _Issued(found.holder, time.time() + self._life)
            return found.holder

    def redeem(self, ticket: str, *, late: bool = False) -> Holder | None:
        """As `holder`, and the ticket is worth nothing afterwards."""
        found = self.holder(ticket, late=late)
        with self._lock:
            return found if self._issued.pop(ticket, None) else None

    def forget(self, of: Callable[[Holder], bool]) -> None:
        """Take back every ticket of such holders."""
        with self._lock:
            self._issued = {ticket: one for ticket, one in self._issued.items() if not of(one.holder)}

    def until(self, ticket: str) -> float:
        """Unix time at which the life of an issued ticket ends."""
        with self._lock:
            return self._issued[ticket].until
