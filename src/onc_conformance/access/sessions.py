"""What a login leaves behind: the captured values that travel with later requests, and how long they are trusted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Login:
    """The state of one client's login: nothing captured means not logged in yet."""

    ttl_s: float | None = None
    """Seconds after which a login is not trusted any more; None is until it is refused."""
    captures: dict[str, str | list[str]] = field(default_factory=dict)
    exchanges: tuple[str, ...] = ()
    _since: float | None = None

    @property
    def alive(self) -> bool:
        """Whether a login was completed and has not outlived its time."""
        if self._since is None:
            return False
        return self.ttl_s is None or time.monotonic() - self._since < self.ttl_s

    def complete(self, captures: dict[str, str | list[str]], exchanges: tuple[str, ...]) -> None:
        """Take the captures of a finished login for the ones to use from now on."""
        self.captures, self.exchanges, self._since = dict(captures), exchanges, time.monotonic()

    def forget(self) -> None:
        """Be logged out, so that the next need logs in again."""
        self.captures, self.exchanges, self._since = {}, (), None
