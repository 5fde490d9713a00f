"""When a request is sent again: by its method, by what the server asks, and never more often or longer than this."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from onc_conformance.trouble import Trouble

if TYPE_CHECKING:
    from onc_conformance.exchange import Exchange

LONGEST_WAIT = 60.0
"""Seconds a request may be put off in all."""
MOST_ATTEMPTS = 10
PAUSES = (0.5, 1.0)
"""Seconds before each further attempt where the server does not say how long."""
_SAFE = frozenset({"GET", "HEAD"})
_NOT_PROCESSED = frozenset({429, 503})
_PASSING = frozenset({429, 502, 503, 504})
_UNSENT = frozenset({Trouble.CONNECT, Trouble.DROPPED})


@dataclass
class Patience:
    """How one request has fared so far."""

    waited: float = 0.0
    attempts: int = 0

    def pause(self, exchange: Exchange) -> float | None:
        """Seconds to wait before the next attempt; None where this answer is the one to take.

        A 429 or 503 that says when to come back was not processed, so that any request may be sent again (RFC 9110,
        15.5 and 15.6.4; RFC 6585, 4). Otherwise only GET and HEAD are: after 429, 502, 503 or 504, and where no
        connection came about or it ended before the answer began. An answer that breaks off is an answer.
        """
        self.attempts += 1
        asked = _asked(exchange) if exchange.status in _NOT_PROCESSED else None
        passing = exchange.status in _PASSING or exchange.trouble in _UNSENT
        if asked is None and exchange.method in _SAFE and passing and self.attempts <= len(PAUSES):
            asked = PAUSES[self.attempts - 1]
        if asked is None or self.attempts >= MOST_ATTEMPTS or self.waited + asked > LONGEST_WAIT:
            return None
        self.waited += asked
        return asked


@dataclass
class Tally:
    """What was sent again in a run, for the report."""

    causes: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0

    def add(self, exchange: Exchange, pause: float) -> None:
        """Count one more attempt and why it was made."""
        self.causes[f"HTTP {exchange.status}" if exchange.status else "no connection"] += 1
        self.waited += pause

    def __str__(self) -> str:
        """One line; empty where nothing was sent again."""
        count = self.causes.total()
        if not count:
            return ""
        causes = ", ".join(f"{number} after {cause}" for cause, number in sorted(self.causes.items()))
        requests = "1 request was" if count == 1 else f"{count} requests were"
        return f"{requests} sent again ({causes}), {self.waited:g} s waited in all"


def _asked(exchange: Exchange) -> float | None:
    """The seconds the server says to wait, given as seconds or as a date; None if it does not say."""
    text = (exchange.header("retry-after") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
