"""What is of which versions of US Core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onc_conformance.reference.settings import US_CORE

if TYPE_CHECKING:
    from collections.abc import Mapping

SPAN = frozenset({"since", "until"})
"""The names of the keys that tell it."""


def has(version: str, told: Mapping[str, Any]) -> bool:
    """Whether what is told of `since` a version and `until` another, both included, is of this version.

    ValueError for one that there is not.
    """
    number = US_CORE.index(version)
    first = US_CORE.index(told.get("since", US_CORE[0]))
    last = US_CORE.index(told.get("until", US_CORE[-1]))
    return first <= number <= last
