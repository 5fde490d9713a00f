"""The names of fields that carry a secret, as a description shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.targets.templates import Template, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.targets.steps import Request
    from onc_conformance.targets.target import Target


def field_names(target: Target) -> set[str]:
    """Names of form fields, parameters, headers and JSON keys into which nothing but a secret goes."""
    description = target.description
    steps: list[Request] = [request for step in description.auth.step for request in step.requests]
    for op in (
        description.ops.select_patient,
        description.ops.list_encounters,
        description.ops.category,
        description.ops.all_data,
    ):
        steps += op.step if op else []
    captured = {name for step in steps for name, place in step.capture.items() if place.secret}
    apply = description.auth.apply
    tables: list[dict[str, object]] = [
        dict(table) for step in steps for table in (step.query, step.headers, step.form or {}, step.json_ or {})
    ]
    tables += [dict(table) for table in (apply.headers, apply.cookies, apply.query, apply.form, apply.body, apply.xml)]
    logins = description.smart.login.values() if description.smart else ()
    tables += [dict(page.fill) for login in logins for page in login.page]
    names = {
        name
        for table in tables
        for name, value in table.items()
        if isinstance(value, str) and _is_secret(parse(value), target, captured)
    }
    return names | set(_answered(steps))


def _is_secret(template: Template, target: Target, captured: set[str]) -> bool:
    return len(template.pieces) == 1 and any(
        name in captured or (name.startswith("env.") and target.is_secret(name.removeprefix("env.")))
        for name in template.names
    )


def _answered(steps: list[Request]) -> Iterator[str]:
    """The key or header in an answer from which a secret is captured."""
    for step in steps:
        for place in step.capture.values():
            if place.secret and place.path and place.from_ in {"json", "header"}:
                last = place.path.rpartition(".")[2]
                if last.replace("_", "").replace("-", "").isalnum():
                    yield last
