"""Searches misunderstood: each change takes something from what is asked for, or reads it wrongly."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from onc_conformance.reference.fhir.search import Clause, Query

_COMPARED = re.compile(r"(gt|lt|ge|le|sa|eb)(?=\d)")
_STATUSES = ("status", "clinical-status", "lifecycle-status")


def _dropping(*names: str) -> Callable[[Query], Query]:
    def change(query: Query) -> Query:
        for name in names:
            query = query.without(name)
        return query

    return change


def _dates(change: Callable[[str], str]) -> Callable[[Query], Query]:
    def changed(clause: Clause) -> Clause:
        if clause.parameter.kind != "date" or clause.modifier:
            return clause
        return replace(clause, values=tuple(map(change, clause.values)))

    return lambda query: query.changed(changed)


def _without_comparisons(query: Query) -> Query:
    kept = [one for one in query.clauses if one.parameter.kind != "date" or not _COMPARED.match(one.values[0])]
    return replace(query, clauses=tuple(kept))


def _without_moments(query: Query) -> Query:
    kept = [one for one in query.clauses if one.parameter.kind != "date" or not any("T" in each for each in one.values)]
    return replace(query, clauses=tuple(kept))


def _alone(name: str) -> Callable[[Query], Query]:
    """Heeded where it is asked for alone, and ignored beside another."""
    return lambda query: query.without(name) if len(query.clauses) > 1 else query


def _without_dates(query: Query) -> Query:
    dated = [one for one in query.clauses if one.parameter.kind == "date"]
    return replace(query, clauses=tuple(one for one in query.clauses if one not in dated))


def _first_values(query: Query) -> Query:
    return query.changed(lambda clause: replace(clause, values=clause.values[:1]))


def _first_of_each(query: Query) -> Query:
    first = {clause.parameter.name: clause for clause in reversed(query.clauses)}
    return replace(query, clauses=tuple(reversed(first.values())))


def _without_systems(query: Query) -> Query:
    def changed(clause: Clause) -> Clause:
        if clause.parameter.kind != "token":
            return clause
        return replace(clause, values=tuple(value.rpartition("|")[2] for value in clause.values))

    return query.changed(changed)


def _whole_strings(query: Query) -> Query:
    return query.changed(lambda one: replace(one, modifier="exact") if one.parameter.kind == "string" else one)


def _padded(text: str) -> str:
    prefix, date = (text[:2], text[2:]) if text[:2].isalpha() else ("", text)
    return prefix + (f"{date}-01-01"[:10] if len(date) < 10 else date)


def _swapped(before: str, after: str) -> Callable[[str], str]:
    return lambda text: after + text[2:] if text.startswith(before) else text


def _moment(text: str) -> str:
    return text.replace("gt", "ge", 1) if "T" in text else text


ASKED: dict[str, Callable[[Query], Query]] = {
    "fhir-comparator-ignored": _without_comparisons,
    "fhir-date-ignored": _without_dates,
    "fhir-partial-date-padded": _dates(_padded),
    "fhir-gt-as-lt": _dates(_swapped("gt", "lt")),
    "fhir-le-as-lt": _dates(_swapped("le", "lt")),
    "fhir-ge-as-gt": _dates(_swapped("ge", "gt")),
    "fhir-second-date-ignored": _first_of_each,
    "fhir-category-ignored": _dropping("category"),
    "fhir-code-ignored": _dropping("code"),
    "fhir-status-ignored": _dropping(*_STATUSES),
    "fhir-intent-ignored": _dropping("intent"),
    "fhir-type-ignored": _dropping("type"),
    "fhir-gender-ignored": _dropping("gender"),
    "fhir-birthdate-ignored": _dropping("birthdate"),
    "fhir-moment-ignored": _without_moments,
    "fhir-moment-itself-after": _dates(_moment),
    "fhir-name-ignored-beside": _alone("name"),
    "fhir-second-or-ignored": _first_values,
    "fhir-token-system-ignored": _without_systems,
    "fhir-string-whole-only": _whole_strings,
}
