"""One exit code for a run, the same for people, scripts and CI."""

from __future__ import annotations

from collections.abc import Collection

from onc_conformance.exits import Exit
from onc_conformance.findings import Outcome
from onc_conformance.gate.settlement import Settlement


def exit_code(
    settlement: Settlement,
    *,
    ran: int,
    targets: Collection[str],
    unreachable: Collection[str] = (),
    interrupted: bool = False,
    fault: bool = False,
) -> Exit:
    """The code of a run in which `ran` scenarios came to an outcome.

    `unreachable` are the targets that could not be reached or logged in to; `fault` is trouble of this tool outside
    any step.
    """
    if interrupted:
        return Exit.INTERRUPTED
    if fault or any(each.outcome is Outcome.ERROR for each in settlement.steps):
        return Exit.FAULT
    if targets and set(targets) <= set(unreachable):
        return Exit.UNREACHABLE
    if not ran:
        return Exit.USAGE
    objections = any(outcome.objectionable for each in settlement.steps for outcome in each.targets)
    return Exit.OBJECTIONS if objections else Exit.CONFORMS
