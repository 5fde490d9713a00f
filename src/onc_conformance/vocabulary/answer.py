"""The three answers to whether a code belongs somewhere."""

from __future__ import annotations

from enum import StrEnum


class Answer(StrEnum):
    """What can be said of a code without asking anybody."""

    IN = "in"
    NOT_IN = "not_in"
    UNKNOWN_HERE = "unknown_here"
