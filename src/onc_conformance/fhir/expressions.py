"""The invariants of a package a user imported, run as the package writes them."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from typing import Any

from onc_conformance.fhir.invariants import Scope

_FOREIGN = ("memberOf(", "resolve()", "htmlChecks()", "conformsTo(")
"""What asks a server, or is no FHIRPath."""


def holds(expression: str, value: Any, kind: str, scope: Scope) -> bool | None:
    """Whether an expression holds for a value of a type, or at a path; None where it cannot be run.

    None for an empty answer, too: the guides write expressions that are empty where they have nothing to ask. What
    `trace()` prints goes nowhere.
    """
    compiled = _compiled(expression)
    if compiled is None:
        return None
    from fhirpathpy.engine.nodes import ResourceNode

    try:
        with redirect_stdout(io.StringIO()):
            found = compiled(
                ResourceNode.create_node(value, kind), {"resource": scope.resource, "rootResource": scope.root}
            )
    except Exception:  # noqa: BLE001 - the engine raises whatever a value that is not of its type leads to
        return None
    return found[0] is not False if len(found) == 1 else None


def objection(expression: str) -> str | None:
    """Why an expression cannot be run, or None."""
    foreign = [each for each in _FOREIGN if each in expression]
    if foreign:
        return f"{', '.join(foreign)} cannot be answered here"
    return None if _compiled(expression) else "it is no FHIRPath"


@cache
def _compiled(expression: str) -> Callable[..., list[Any]] | None:
    if any(each in expression for each in _FOREIGN):
        return None
    import fhirpathpy
    from fhirpathpy.models import models

    try:
        compiled: Callable[..., list[Any]] = fhirpathpy.compile(expression, models["r4"])
    except Exception:  # noqa: BLE001 - its parser has no error of its own
        return None
    return compiled
