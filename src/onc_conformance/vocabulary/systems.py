"""Code systems: what they are called, what their codes look like, and the codes of those small enough to list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from onc_conformance.vocabulary import digits, snomed, ucum
from onc_conformance.vocabulary.answer import Answer
from onc_conformance.vocabulary.languages import language
from onc_conformance.vocabulary.names import plain
from onc_conformance.vocabulary.tables import facts, lines

MAX_CODE = 8_000
"""Characters; a longer code is none anybody issued."""


@dataclass(frozen=True, slots=True)
class System:
    """A code system as schemas/vocabulary/systems.json states it."""

    oid: str
    title: str
    uri: str | None
    names: tuple[str, ...]
    """What documents write as codeSystemName."""
    shape: str | None
    """A regular expression every code fits; None where codes have no common form."""
    check: str | None
    """The computation a code must pass beyond its shape."""
    form: str | None
    """Shape and check in words."""


@cache
def systems() -> dict[str, System]:
    """Every code system this project has a name for, by OID; one with several OIDs stands under each."""
    found = {}
    for oid, entry in facts("systems").items():
        system = System(
            oid, entry["title"], entry.get("uri"), tuple(entry["names"]), entry.get("shape"), entry.get("check"),
            entry.get("form"),
        )  # fmt: skip
        found.update(dict.fromkeys((oid, *entry.get("also", ())), system))
    return found


def by_uri(uri: str) -> str | None:
    """The OID of the code system FHIR identifies so; `urn:oid:` stands for itself."""
    return uri.removeprefix("urn:oid:") if uri.startswith("urn:oid:") else _uris().get(uri)


def title(oid: str) -> str:
    """What a person calls a code system; the OID where we have no name."""
    known = systems().get(oid)
    return known.title if known else oid


def named(name: str) -> frozenset[str]:
    """OIDs of the code systems this is a name of, however it is spelt; none if it is no name we know."""
    return _names().get(_plain(name), frozenset())


@lru_cache(maxsize=16384)
def objection(oid: str, code: str) -> str | None:
    """Why this code cannot exist in that system, in a few words; None if it can, or if the system is not known."""
    system = systems().get(oid)
    if system is None:
        return None
    if len(code) > MAX_CODE:
        return "no code is that long"
    if system.shape and not _shapes(system.oid).fullmatch(code):
        return f"a {system.title} code has {system.form}"
    return _CHECKS[system.check](code) if system.check else None


def known(system_oid: str, code: str) -> Answer:
    """Whether a code exists in its system, as far as shape, check digit and small tables tell."""
    if objection(system_oid, code):
        return Answer.NOT_IN
    entry = _table(system_oid)
    if entry is not None and code in entry["codes"]:
        return Answer.IN
    system = systems().get(system_oid)
    if system and system.check in ("ucum", "language"):
        return Answer.IN
    return Answer.NOT_IN if entry is not None and entry["closed"] else Answer.UNKNOWN_HERE


def display(system_oid: str, code: str) -> str | None:
    """The name of a code; None where it is not known here."""
    entry = _table(system_oid)
    return (entry["codes"].get(code) or None) if entry is not None else None


def called(system_oid: str, name: str) -> frozenset[str]:
    """The codes of a system that are called exactly so, apart from case, punctuation and semantic tag."""
    return _called(system_oid).get(plain(name), frozenset())


@lru_cache(maxsize=64)
def _called(oid: str) -> dict[str, frozenset[str]]:
    entry = _table(oid)
    found: dict[str, set[str]] = {}
    for code, name in (entry["codes"] if entry is not None else {}).items():
        if name:
            found.setdefault(plain(name), set()).add(code)
    return {name: frozenset(codes) for name, codes in found.items()}


def _table(oid: str) -> dict[str, Any] | None:
    system = systems().get(oid)
    return lines("codes").get(oid) or (lines("codes").get(system.oid) if system else None)


@cache
def _uris() -> dict[str, str]:
    return {system.uri: oid for oid, system in reversed(systems().items()) if system.uri and oid == system.oid}


@cache
def _names() -> dict[str, frozenset[str]]:
    owners: dict[str, set[str]] = {}
    for system in systems().values():
        for name in (*system.names, system.title):
            owners.setdefault(_plain(name), set()).add(system.oid)
    return {name: frozenset(oids) for name, oids in owners.items()}


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _shapes(oid: str) -> re.Pattern[str]:
    return re.compile(systems()[oid].shape or "")


def _loinc(code: str) -> str | None:
    if code[0] == "L":  # parts, answers and lists: their check digit is computed in a way LOINC does not publish
        return None
    number = code.replace("-", "")
    return None if digits.luhn(number) else "its last digit is not the check digit of the others"


def _cdc(code: str) -> str | None:
    return None if digits.luhn(code.replace("-", "")) else "its last digit is not the check digit of the others"


def _unit(code: str) -> str | None:
    return None if ucum.is_unit(code) else "it is no unit by UCUM's grammar"


def _tag(code: str) -> str | None:
    return "it is no language tag" if language(code) is Answer.NOT_IN else None


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "snomed": snomed.objection, "mod10": _loinc, "cdc": _cdc, "ucum": _unit, "language": _tag,
}  # fmt: skip
