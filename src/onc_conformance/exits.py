"""The exit codes of the command, the same for people, scripts and CI."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What an exit code of the command means."""

    CONFORMS = 0
    OBJECTIONS = 1
    USAGE = 2
    UNREACHABLE = 3
    FAULT = 4
    INTERRUPTED = 130
