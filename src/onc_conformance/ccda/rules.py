"""What a rule is: a context, and assertions about every node that matches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onc_conformance.findings import Severity

Functions = Mapping[tuple[str | None, str], Callable[..., Any]]
"""By namespace and name, as lxml's `extensions`."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """One thing a rule demands of a node."""

    id: str
    test: str
    """XPath 1.0 relative to the node; true: it holds."""
    severity: Severity
    message: str
    expected: str | None = None
    hint: str | None = None
    unjudged: str | None = None
    """Why it cannot be judged here; it is then never evaluated, and told wherever it would have been."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Assertions about every node that matches."""

    context: str
    """An XPath pattern, as in Schematron and XSLT."""
    assertions: tuple[Assertion, ...]
    variables: tuple[tuple[str, str], ...] = ()
    """Name and expression, relative to the node: Schematron's `let`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rules of which a node meets one at most: the first that matches."""

    id: str
    rules: tuple[Rule, ...]
