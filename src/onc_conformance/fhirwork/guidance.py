"""What US Core's pages and ONC's guide say beyond the profiles, out of schemas/us-core/guidance.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from onc_conformance import suite
from onc_conformance.fhir.tables import Profile, Tables

Place = tuple[str, str]
"""A profile by id, and an element by its id without the type; an empty element is the profile itself."""


@cache
def told() -> Mapping[str, Any]:
    """`either`, `unneeded`, `notes`, `facts`, `apart` and `since`."""
    return tomllib.loads((suite.schemas() / "us-core" / "guidance.toml").read_text(encoding="utf-8"))


def alternatives(profile: Profile, guide: Tables, element: str) -> Iterator[Place]:
    """The places that stand in for a must-support element, itself among them where there are any."""
    for row in _rows("either", profile, guide):
        places = [_place(profile, each) for each in row["elements"]]
        if any(within(element, name) for id_, name in places if id_ == profile.id):
            yield from places


def unneeded(profile: Profile, guide: Tables, element: str | None = None) -> bool:
    """Whether no certified server has to show a profile, or one of its elements."""
    rows = _rows("unneeded", profile, guide)
    if element is None:
        return any("elements" not in row for row in rows)
    plain = ".".join(part.partition(":")[0] for part in element.split("."))
    return any(within(each, name) for row in rows for name in row.get("elements", ()) for each in (element, plain))


def within(element: str, other: str) -> bool:
    """Whether an element is another, or stands within it."""
    return element == other or element.startswith(f"{other}.")


def _rows(name: str, profile: Profile, guide: Tables) -> list[Mapping[str, Any]]:
    return [
        row
        for row in told()[name]
        if (row.get("profile") == profile.id or row.get("type") == profile.type)
        and guide.version in row.get("versions", [guide.version])
    ]


def _place(profile: Profile, name: str) -> Place:
    other, mark, element = name.rpartition("#")
    return (other, element) if mark else (profile.id, element)
