"""What somebody at a login page is asked to do, and where it led."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from onc_conformance.access.authorization import Redirected
from onc_conformance.access.forms import Form
from onc_conformance.access.parameters import Parameters
from onc_conformance.exchange import Exchange
from onc_conformance.targets.smart import SmartPage


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Open an address, do what the pages on the way ask for, and come back where the browser is sent."""

    purpose: str
    """As the evidence calls it."""
    url: str
    form: Parameters | None = None
    """Posted to the address instead of opening it."""
    until: str
    """The address of the app at which the journey ends."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What pages may be filled with: {pat_id} and the like."""
    grant: Collection[str] | None = None
    """The scopes to grant of those offered; None is every one that is."""
    deny: bool = False
    """Whether to refuse where one is asked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A page on the way, and what was done there."""

    exchange: Exchange
    page: SmartPage
    form: Form
    sent: Parameters = field(repr=False)


@dataclass(frozen=True)
class Arrival:
    """Where an errand led."""

    last: Exchange | None
    """The last answer; None where nobody knows what the browser showed."""
    url: str | None = None
    """The address of the app, with what was told it; None where the journey ended elsewhere."""
    trouble: str | None = None
    """Why it ended elsewhere."""
    seen: Sequence[Seen] = ()
    exchanges: tuple[str, ...] = ()

    @property
    def back(self) -> Redirected | None:
        """What the app was told; None where the browser did not come to it."""
        return None if self.url is None else Redirected(self.url)

    @property
    def code(self) -> str:
        """The code the app was given; empty where it was given none."""
        return self.back.code if self.back else ""

    @property
    def refused(self) -> bool:
        """Whether no code was given: a page said no, or the app was told an error."""
        return not self.code

    @property
    def said(self) -> str:
        """What came back instead of what was hoped for, in a few words."""
        if self.back is None:
            return self.trouble or "the browser was not sent back to the app"
        told = {name: self.back.value(name) for name in ("error", "error_description")}
        if not any(told.values()) and "code=" in self.back.fragment:
            return "the code stands in the fragment of the address, where no server of an app sees it"
        return ": ".join(filter(None, told.values())) or "the app was told neither a code nor an error"


class Driver(Protocol):
    """A browser and somebody in front of it; what it keeps, such as a login, lasts as long as it does."""

    def address(self, registered: str) -> str:
        """The registered address of the app as this browser reaches it."""

    def do(self, errand: Errand) -> Arrival:
        """Do an errand; whatever goes wrong is told, not raised."""
