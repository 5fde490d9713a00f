"""A credential that lives: an access token, what it was given for, and how to get the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from onc_conformance.access.tokens import TokenAnswer

Refresh = Callable[[str], TokenAnswer]
"""Uses a refresh token."""
EARLY_S = 5.0
"""Seconds before its end at which an access token is not trusted any more."""


@dataclass
class Credential:
    """Whose token it is, and how often it was made new."""

    name: str
    """As reports call it: `token of the symmetric app`."""
    answer: TokenAnswer = field(repr=False)
    refresh: Refresh | None = field(default=None, repr=False)
    refreshed: int = 0
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None

    def __post_init__(self) -> None:
        self._since = self.clock() if self._since is None else self._since
        self._refresh_token = self.answer.refresh_token

    @property
    def token(self) -> str:
        """The access token."""
        return self.answer.access_token

    @property
    def shown(self) -> str:
        """The name, and which of its tokens it is."""
        often = "once" if self.refreshed == 1 else f"{self.refreshed} times"
        return f"{self.name}, refreshed {often}" if self.refreshed else self.name

    @property
    def life_s(self) -> float | None:
        """Seconds for which it is trusted from now on; None where it was not told how long it lives."""
        life = self.answer.fields.get("expires_in")
        if not isinstance(life, (int, float)) or isinstance(life, bool) or self._since is None:
            return None
        return max(float(life) - EARLY_S, 0.0) - (self.clock() - self._since)

    @property
    def expired(self) -> bool:
        """Whether it told how long it lives, and that time is nearly over."""
        return self.life_s is not None and self.life_s < 0

    def renew(self) -> bool:
        """Get a new access token; whether that worked."""
        if self.refresh is None or not self._refresh_token:
            return False
        answer = self.refresh(self._refresh_token)
        if not answer.given:
            return False
        self._refresh_token = answer.refresh_token or self._refresh_token
        self.answer, self._since, self.refreshed = answer, self.clock(), self.refreshed + 1
        return True
