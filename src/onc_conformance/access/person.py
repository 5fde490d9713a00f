"""A person at a browser of their own: told which address to open, and waited for so long and no longer."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable
from typing import TextIO

from onc_conformance.access.listener import Listener

_TOLD_EVERY_S = 30.0
"""How often a pipe is told how much time is left; a terminal counts every second."""
_TICK_S = 0.25
_AFRESH = "\r\033[K"


def ask(
    listener: Listener,
    until: str,
    url: str,
    what: str,
    *,
    seconds: float,
    screen: TextIO | None = None,
    opener: Callable[[str], object] | None = None,
) -> str | None:
    """Have a person open `url` and do `what`; the address below `until` their browser came to, None when time is up.

    The address is opened where there is a desktop, and printed in any case: to `screen`, by default standard error, as
    what a run prints on standard output is for programs.
    """
    screen = screen or sys.__stderr__
    say = _Countdown(screen)
    say.line(f"Please {what} (within {seconds:g} s). Open in a browser on this computer:\n  {url}")
    if opener or _desktop():
        (opener or webbrowser.open)(url)
    came, left = None, seconds
    while came is None and left > 0:
        say.left(left)
        came = listener.wait(until, min(_TICK_S, left))
        left -= _TICK_S
    say.line("Thank you." if came else "Nobody came back in time.")
    return came


class _Countdown:
    def __init__(self, screen: TextIO | None) -> None:
        self._screen = screen
        self._terminal = bool(screen and screen.isatty())
        self._told: float | None = None

    def line(self, text: str) -> None:
        self._write(f"{_AFRESH if self._terminal else ''}{text}\n")

    def left(self, seconds: float) -> None:
        step = 1.0 if self._terminal else _TOLD_EVERY_S
        if self._told is None or self._told - seconds >= step:
            self._told = seconds
            told = f"waiting, {seconds:.0f} s left"
            self._write(f"{_AFRESH}{told}" if self._terminal else f"{told}\n")

    def _write(self, text: str) -> None:
        if self._screen:
            self._screen.write(text)
            self._screen.flush()


def _desktop() -> bool:
    """Whether a browser could appear before somebody: one in the terminal itself would take it over."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
