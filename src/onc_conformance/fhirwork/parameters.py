"""Search parameters: where their values stand in a resource, and whether a resource is what was searched for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from onc_conformance import suite
from onc_conformance.fhirwork import instants

Resource = dict[str, Any]
_DATED = re.compile(r"(eq|ne|gt|ge|lt|le|sa|eb|ap)?(\d{4}.*)")


@cache
def _known() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((suite.schemas() / "us-core" / "searches.toml").read_text(encoding="utf-8"))


def types() -> tuple[str, ...]:
    """The types of resources that are found by their patient, Patient among them."""
    return tuple(_known())


def gathering(kind: str) -> list[dict[str, str]]:
    """The searches by which everything of a type is found, as parameters beside the patient."""
    return [dict(each) for each in _known()[kind].get("gather", [{}])]


def other(kind: str, name: str) -> str | None:
    """A code that hardly any resource has there, for a search for several values."""
    found: str | None = _known()[kind].get("others", {}).get(name)
    return found


def supports(kind: str, name: str) -> bool:
    """Whether it is known where the parameter's values stand."""
    return name in _known().get(kind, {})


def paths(kind: str, name: str) -> tuple[str, ...]:
    """The elements of a type that a parameter looks at."""
    return tuple(_known().get(kind, {}).get(name, ()))


def elements(resource: Resource, name: str) -> list[Any]:
    """What stands at the elements a parameter looks at."""
    return [value for path in paths(str(resource.get("resourceType")), name) for value in at(resource, path)]


def at(value: Any, path: str) -> Iterator[Any]:
    """What stands at a path of names, lists taken apart; `@URL` is the value of an extension."""
    if path.startswith("@"):
        for extension in value.get("extension", ()):
            if isinstance(extension, dict) and extension.get("url") == path[1:]:
                yield from (told for name, told in extension.items() if name.startswith("value"))
        return
    name, _, rest = path.partition(".")
    found = value.get(name) if isinstance(value, dict) else None
    for each in found if isinstance(found, list) else [] if found is None else [found]:
        yield from at(each, rest) if rest else [each]


def pairs(value: Any) -> Iterator[tuple[str, str]]:
    """System and code of whatever a token can be: a code, Coding, CodeableConcept or Identifier."""
    if isinstance(value, bool):
        yield "", str(value).lower()
    elif isinstance(value, str):
        yield "", value
    elif isinstance(value, dict):
        for each in value.get("coding", [value]):
            code = each.get("code", each.get("value")) if isinstance(each, dict) else None
            if isinstance(code, str):
                yield str(each.get("system") or ""), code


def sample(resource: Resource, name: str, how: str, *, last: bool = False) -> str | None:
    """A value by which the parameter finds the resource, the first or the last of its codes; None where it has none.

    `how` is the parameter's type.
    """
    values = elements(resource, name)
    for value in reversed(values) if last else values:
        found = _sample(value, how, last=last)
        if found:
            return found
    return None


def _sample(value: Any, how: str, *, last: bool) -> str | None:
    if how == "token":
        named = list(pairs(value))
        system, code = named[-1 if last else 0] if named else ("", "")
        return _escaped(system, code) if code else None
    if how == "date":
        text = (value.get("start") or value.get("end")) if isinstance(value, dict) else value
        return text if instants.span(text) else None
    if how == "reference":
        told = value.get("reference") if isinstance(value, dict) else value
        return told if isinstance(told, str) and not told.startswith("#") else None
    if isinstance(value, dict):
        value = value.get("family") or value.get("text") or next(iter(value.get("given") or ()), None)
    return value if isinstance(value, str) and value else None


def _escaped(system: str, code: str) -> str:
    code = re.sub(r"([\\,|$])", r"\\\1", code)
    return f"{system}|{code}" if system else code


def unsystematic(value: str) -> str:
    """A token without its system."""
    return value.rpartition("|")[2]


def matches(resource: Resource, name: str, how: str, asked: str) -> bool | None:
    """Whether the resource is one that a value finds; None where that cannot be told."""
    answers = [_matches(elements(resource, name), how, each) for each in re.split(r"(?<!\\),", asked)]
    if True in answers:
        return True
    return None if None in answers else False


def _matches(found: list[Any], how: str, asked: str) -> bool | None:
    if how == "token":
        system, bar, code = re.sub(r"\\([\\,|$])", r"\1", asked).rpartition("|")
        told = [pair for value in found for pair in pairs(value)]
        return any(code == each and (not bar or system == its) for its, each in told) or (
            None if bar and any(code == each and not its for its, each in told) else False
        )  # the system of a code element is not written down
    if how == "date":
        match = _DATED.fullmatch(asked)
        span = instants.span(match.group(2)) if match else None
        if match is None or span is None:
            return None
        return instants.any_compares(match.group(1) or "eq", [s for each in found for s in instants.spans(each)], span)
    if how == "reference":
        told_of = [each.get("reference") if isinstance(each, dict) else each for each in found]
        return any(isinstance(each, str) and _same(each, asked) for each in told_of)
    return any(word.casefold().startswith(asked.casefold()) for each in found for word in _words(each)) or None


def _same(one: str, other: str) -> bool:
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from value.split()
    elif isinstance(value, dict):
        for name in ("family", "text", "given", "prefix", "suffix"):
            told = value.get(name)
            for each in told if isinstance(told, list) else [told]:
                yield from _words(each) if isinstance(each, str) else ()
