"""Where a description is not enough: a class of one's own for a step or an operation, a package for a whole target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from onc_conformance.exchange import Exchange
from onc_conformance.moments import Days
from onc_conformance.targets.assembly import Prepared
from onc_conformance.targets.templates import Lookup

GROUP = "onc_conformance.targets"
"""The entry-point group of packages that bring a target: a name, and a function that returns its TOML text."""


class PluginError(ValueError):
    """A plugin that is not there, or is none. One line."""


class StepPlugin:
    """What `plugin` on a step names is a subclass; each patient's session has an instance of its own."""

    def request(self, prepared: Prepared, names: Lookup) -> Prepared:  # noqa: ARG002 - for subclasses
        """The request to send in place of `prepared`, before it is signed; `names("pat_id")` is a name's value."""
        return prepared

    def documents(self, found: list[bytes], exchange: Exchange) -> list[bytes]:  # noqa: ARG002 - for subclasses
        """The documents in place of those that the step's `document` found."""
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation came to: captures such as pat_id, and documents with the exchange each came in."""

    captures: Mapping[str, str | list[str]] = field(default_factory=dict)
    documents: Sequence[tuple[bytes, Exchange]] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One question to an operation that is a plugin's."""

    op: str
    window: Days | None
    value: Callable[[str], str]
    """The value of a name, as in {name}: pat_id, category, patient.family, base.api."""
    send: Callable[[Mapping[str, Any]], Exchange]
    """Sends the request of a table with the keys of a step, and leaves the operation if the answer is a refusal."""


class OpPlugin:
    """What `plugin` on an operation names is a subclass; each patient's session has an instance of its own."""

    def operate(self, call: Call) -> Outcome:
        """Carry the operation out."""
        raise NotImplementedError


def load(reference: str, kind: type[Any]) -> type[Any]:
    """The class that `pkg.module:Class` names, a subclass of `kind`; PluginError if there is none."""
    module, _, name = reference.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as problem:
        raise PluginError(f"{reference}: {problem}; expected pkg.module:Class that can be imported") from None
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise PluginError(f"{reference}: expected a subclass of {kind.__module__}.{kind.__name__}")
    return found


def installed() -> list[str]:
    """The names of the targets that other packages bring."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def text_of(name: str) -> str:
    """The description of an installed target; PluginError if its package does not deliver one."""
    point = next(point for point in entry_points(group=GROUP) if point.name == name)
    try:
        text = point.load()()
    except Exception as problem:  # noqa: BLE001 - whatever a stranger's package does is told in one line
        raise PluginError(f"{name}: the package that brings it fails: {type(problem).__name__}: {problem}") from None
    if not isinstance(text, str):
        raise PluginError(f"{name}: {point.value} returned {type(text).__name__}; expected the text of a description")
    return text
