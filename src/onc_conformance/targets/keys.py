"""What a request is recognised by in a recording: the request with names in place of values that differ each time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from onc_conformance.targets.assembly import Pairs, assemble
from onc_conformance.targets.logins import ASSERTION
from onc_conformance.targets.variables import Captured, Variables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from onc_conformance.targets.models import Apply
    from onc_conformance.targets.steps import Request

_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def key(
    request: Request,
    variables: Variables,
    *,
    apply: Apply | None,
    url: str | None,
    extra: Iterable[tuple[str, Pairs]] = (),
    without: Collection[str] = (),
) -> str:
    """The patient, method, address, headers but those `without`, and body, in lines.

    Environment variables, base addresses, secrets that came in answers, the time and the random id stand by name, and
    nothing is signed: so the same request has the same key on another host, on another day, with other credentials.
    """
    try:
        made = assemble(request, _named(variables), apply=apply, url=url, extra=extra)
    except ValueError:  # a filter that a name does not fit, as a date made of an environment variable
        return "\n".join([variables.patient.get("id", ""), request.method, url or request.url])
    headers = sorted(f"{name.lower()}: {value}" for name, value in made.headers if name.lower() not in without)
    spoiled = sorted(f"({name} = {value})" for name, value in _spoiled(variables).items())
    lines = [variables.patient.get("id", ""), f"{made.method} {made.url}", *headers, *spoiled]
    return "\n".join([*lines, *(f"(without {name})" for name in sorted(without)), made.body.decode("utf-8", "replace")])


def _named(variables: Variables) -> Variables:
    secret = variables.target.secret_captures
    captured: dict[str, Captured] = {
        name: f"{{{name}}}" if name in secret else value for name, value in variables.captured.items()
    }
    return Variables(
        variables.target.named,
        variables.patient,
        {name: f"{{env.{name}}}" for name in variables.overrides},
        captured,
        _spoiled(variables),
        {**variables.own, "now": _MOMENT, "uuid": "{uuid}", ASSERTION: "{assertion}"},
    )


def _spoiled(variables: Variables) -> Mapping[str, str]:
    """The values that are wrong on purpose; of a secret, only how far its wrong value is from the right one."""
    target = variables.target
    by_value = {value: f"{{env.{name}}}" for name, value in target.env.items()}
    told = {}
    for name, value in variables.spoiled.items():
        if name in target.secret_captures:
            told[name] = _distance(value, variables.captured.get(name, ""))
        elif name in target.env and target.is_secret(name):
            told[name] = "{wrong}" if value else ""
        else:
            told[name] = by_value.get(value, value)
    return told


def _distance(wrong: str, right: Captured) -> str:
    if not wrong or wrong == right:
        return "{right}" if wrong else ""
    near = len(wrong) == len(right) and sum(a != b for a, b in zip(wrong, right, strict=True)) == 1
    return "{altered}" if near else "{another}"
