"""Value sets and code systems as lists of codes: what is listed, what is a whole system, what only a server knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MOST = 3000
"""Codes; larger systems and sets are named and not listed."""
UNKNOWN = "?"
"""Stands for codes that are chosen by a property nobody can look up here."""
WHOLE = "*"
"""Stands for every code of a system."""


def systems(resources: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The codes of each code system that is published complete and is not too large, by its URL."""
    found = {}
    for each in resources:
        if each.get("content") == "complete" and "url" in each:
            codes = sorted({code for code, _ in _concepts(each.get("concept", ()), ())})
            if 0 < len(codes) <= MOST:
                found[each["url"]] = codes
    return found


def value_sets(
    resources: Iterable[Mapping[str, Any]], described: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """By URL: `in` and `out`, each a list of [system, codes], and `of`, sets it takes over."""
    found = {}
    for each in resources:
        told = _stated(each, described)
        if "url" in each and sum(len(codes) for _, codes in told["in"] if isinstance(codes, list)) <= MOST:
            found[each["url"]] = told
    return found


def _stated(resource: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    compose = resource.get("compose") or {}
    told: dict[str, Any] = {"in": []}
    for part in compose.get("include", ()):
        if sets := [each.partition("|")[0] for each in part.get("valueSet", ())]:
            told.setdefault("of", []).extend(sets)
        if "system" in part:
            told["in"].append([_bare(part["system"]), _chosen(part, described)])
    if left_out := [
        [_bare(part["system"]), _chosen(part, described)] for part in compose.get("exclude", ()) if "system" in part
    ]:
        told["out"] = left_out
    if not told["in"] and "of" not in told:
        listed: dict[str, set[str]] = {}
        for each in _flat((resource.get("expansion") or {}).get("contains", ())):
            listed.setdefault(each.get("system", ""), set()).add(each.get("code", ""))
        told["in"] = [[system, sorted(codes)] for system, codes in sorted(listed.items())]
    return told


def _chosen(part: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> list[str] | str:
    if part.get("concept"):
        return sorted({each["code"] for each in part["concept"]})
    if not part.get("filter"):
        return WHOLE
    system = described.get(_bare(part["system"]))
    if system is None or system.get("content") != "complete":
        return UNKNOWN
    chosen: set[str] | None = None
    for each in part["filter"]:
        if each["op"] not in ("is-a", "descendent-of", "=") or each["property"] not in ("concept", "code"):
            return UNKNOWN
        below = {
            code
            for code, above in _descent(system)
            if each["value"] in above or (code == each["value"] and each["op"] != "descendent-of")
        }
        chosen = below if chosen is None else chosen & below
    return sorted(chosen or ())


def _bare(system: str) -> str:
    """Without the version, which some guides put behind it and which belongs elsewhere."""
    return system.partition("|")[0]


def _descent(system: Mapping[str, Any]) -> list[tuple[str, frozenset[str]]]:
    """Each code with all that stand above it, by nesting and by `subsumedBy`."""
    flat = list(_concepts(system.get("concept", ()), ()))
    parents: dict[str, set[str]] = {code: set(above) for code, above in flat}
    for concept in _flat(system.get("concept", ()), "concept"):
        for each in concept.get("property", ()):
            if each.get("code") in ("subsumedBy", "parent") and each.get("valueCode"):
                parents[concept["code"]].add(each["valueCode"])
    closed: dict[str, frozenset[str]] = {}

    def above(code: str, seen: frozenset[str]) -> frozenset[str]:
        if code not in closed:
            direct = parents.get(code, set()) - seen
            closed[code] = frozenset(direct).union(*(above(each, seen | {code}) for each in direct))
        return closed[code]

    return [(code, above(code, frozenset())) for code in parents]


def _concepts(concepts: Iterable[Mapping[str, Any]], above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in concepts:
        yield each["code"], above
        yield from _concepts(each.get("concept", ()), (*above, each["code"]))


def _flat(concepts: Iterable[Mapping[str, Any]], inside: str = "contains") -> Iterator[Mapping[str, Any]]:
    for each in concepts:
        yield each
        yield from _flat(each.get(inside, ()), inside)
