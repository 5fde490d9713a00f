"""SMART's scopes: what each opens, what is offered of those asked for, and whether one goes beyond another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEVELS = ("patient", "user", "system")
OF_LAUNCH = ("openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter")
LASTING = ("offline_access", "online_access")
"""Scopes for a refresh token."""
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Condition": (
        "http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
        "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
        "http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
    ),
    "Observation": (
        "http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        "http://terminology.hl7.org/CodeSystem/observation-category|social-history",
        "http://terminology.hl7.org/CodeSystem/observation-category|survey",
        "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|clinical-test",
    ),
}
"""What granular scopes may be told apart by, system|code."""
_RIGHTS = "cruds"
_V1 = {"read": "rs", "write": "cud", "*": _RIGHTS}
_FORM = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]{1,40})\.([a-z*]{1,5})(?:\?(.{1,300}))?")


@dataclass(frozen=True, slots=True)
class Scope:
    """One that opens resources."""

    level: str
    kind: str
    """A type; * is all."""
    rights: str
    """Some of the letters cruds, in this order."""
    categories: tuple[str, ...] = ()
    """system|code or code, any of which a resource must have; none means no such limit."""
    v1: bool = False

    def opens(self, kind: str, right: str = "") -> bool:
        """Whether resources of a type may be read (r) or searched (s); without a right, either."""
        return self.kind in {kind, "*"} and (right in self.rights if right else bool(set(self.rights) & set("rs")))

    def fits(self, resource: Mapping[str, Any]) -> bool:
        """Whether the resource is of a category the scope is limited to."""
        if not self.categories:
            return True
        found = resource.get("category", ())
        for one in found if isinstance(found, list) else ():
            for coding in one.get("coding", ()) if isinstance(one, dict) else ():
                code = str(coding.get("code", ""))
                if code in self.categories or f"{coding.get('system', '')}|{code}" in self.categories:
                    return True
        return False

    def covers(self, other: Scope) -> bool:
        """Whether everything the other opens is opened by this."""
        return (
            self.level == other.level
            and self.kind in {other.kind, "*"}
            and set(other.rights) <= set(self.rights)
            and (not self.categories or (bool(other.categories) and set(other.categories) <= set(self.categories)))
        )

    def __str__(self) -> str:
        rights = next((name for name, rights in _V1.items() if self.v1 and rights == self.rights), self.rights)
        limits = "?" + "&".join(f"category={one}" for one in self.categories) if self.categories else ""
        return f"{self.level}/{self.kind}.{rights}{limits}"


@lru_cache(4096)
def parsed(text: str) -> Scope | None:
    """The scope of that text; None if it opens no resources or is in no form of SMART's."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    level, kind, told, query = match.groups()
    rights = _V1.get(told, told)
    if rights != "".join(letter for letter in _RIGHTS if letter in rights):
        return None
    limits = parse_qsl(query or "", keep_blank_values=True)
    if (query and not limits) or any(name != "category" or not value for name, value in limits):
        return None
    if limits and (kind not in CATEGORIES or told in _V1):
        return None
    return Scope(level, kind, rights, tuple(dict.fromkeys(value for _, value in limits)), told in _V1)


def offered(asked: Iterable[str], kinds: Iterable[str], levels: Iterable[str] = LEVELS) -> tuple[str, ...]:
    """What may be granted of the scopes asked for, in their order: reading and searching, of types there are."""
    known = {*kinds, "*"}
    given: dict[str, None] = {}
    for text in asked:
        scope = parsed(text)
        if scope is None:
            given |= {text: None} if text in (*OF_LAUNCH, *LASTING) else {}
        elif (
            scope.kind in known and scope.level in levels and (rights := "".join(r for r in "rs" if r in scope.rights))
        ):
            told = (
                scope if scope.rights == rights else Scope(scope.level, scope.kind, rights, scope.categories, scope.v1)
            )
            given[text if told is scope else str(told)] = None
    return tuple(given)


def narrower(scope: str) -> tuple[str, ...]:
    """The granular scopes that may be granted in place of this one; of most there are none."""
    whole = parsed(scope)
    if whole is None or whole.v1 or whole.categories or whole.kind not in CATEGORIES:
        return ()
    return tuple(str(Scope(whole.level, whole.kind, whole.rights, (one,))) for one in CATEGORIES[whole.kind])


def beyond(asked: Iterable[str], granted: Iterable[str]) -> list[str]:
    """Those asked for that nothing granted covers."""
    own = set(granted)
    scopes = [one for one in map(parsed, own) if one]
    return [
        text
        for text in asked
        if text not in own and not ((scope := parsed(text)) and any(one.covers(scope) for one in scopes))
    ]
