"""What a fact of an answer must be able to say to be compared, in whatever format the answer came."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onc_conformance.moments import Days
    from onc_conformance.record.codes import Code
    from onc_conformance.record.details import Said
    from onc_conformance.record.facts import Name


class Seen(Protocol):
    """A fact of an answer, in whatever format the answer came."""

    @property
    def kind(self) -> str: ...
    @property
    def codes(self) -> tuple[Code, ...]: ...
    @property
    def text(self) -> str: ...
    @property
    def start(self) -> Days | None: ...
    @property
    def end(self) -> Days | None: ...
    @property
    def date(self) -> Days | None: ...
    @property
    def stated(self) -> tuple[Days, ...]: ...
    @property
    def value(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def udi(self) -> tuple[str, ...]: ...
    @property
    def member(self) -> Name | None: ...
    @property
    def negated(self) -> bool: ...
    @property
    def manners(self) -> Mapping[str, str]:
        """The elements that can be compared, and how (see `details`)."""

    def detail(self, name: str) -> Sequence[Said]:
        """What is said of one element."""


class Likeness(IntEnum):
    """How like a fact of the record a fact of an answer about the same thing is, from best to worst."""

    SAME = 0
    SAME_DAYS = 1
    """The values cannot be compared: none, or other units."""
    OTHER_VALUE = 2
    NO_END = 3
    UNDATED = 4
    OTHER_DAYS = 5
