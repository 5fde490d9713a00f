"""Searches by date: with each comparator that US Core demands, by a year, and between two dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from onc_conformance.fhirwork import parameters
from onc_conformance.fhirwork.chart import Chart
from onc_conformance.fhirwork.searches import Search, value_of

_PREFIXES = ("gt", "ge", "lt", "le")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_EARLY = "T00:00:01Z"
"""A time of day at which hardly anything begins or ends, so that no server is judged by how it takes the very edge."""


def compared(chart: Chart, kind: str) -> list[Search]:
    """The searches of a type by date with each comparator US Core requires, by the patient's middlemost day.

    Of the fullest group also by a moment, to the second and with a time zone, which US Core demands of servers.
    """
    told = chart.tables.searches[kind]
    found: list[Search] = []
    for strength, names in told["combinations"]:
        dated = [name for name in names if told["parameters"].get(name, {}).get("type") == "date"]
        if strength != "SHALL" or len(dated) != 1:
            continue
        needed = told["parameters"][dated[0]].get("comparator", {})
        prefixes = [prefix for prefix in _PREFIXES if needed.get(prefix) == "SHALL"]
        others = [name for name in names if name not in {"patient", dated[0]}]
        for rank, (beside, moments) in enumerate(_moments(chart, kind, others, dated[0])):
            moment = moments[len(moments) // 2]
            own = chart.asked(kind, beside)
            for text in (moment[:10], moment) if rank == 0 else (moment[:10],):
                found += [Search(chart, kind, (*own, (dated[0], f"{prefix}{text}"))) for prefix in prefixes]
    return found


def bounded(chart: Chart, kind: str) -> list[Search]:
    """The searches of a type by a year, and by two dates that bound one day."""
    found: list[Search] = []
    for search in compared(chart, kind):
        (*own, (name, told)) = search.asked
        prefix, day = told[:2], told[2:]
        if prefix == "ge" and len(day) == len("YYYY-MM-DD"):
            found.append(Search(chart, kind, (*own, (name, day[:4]))))
            found.append(Search(chart, kind, (*own, (name, f"ge{day}"), (name, f"le{day}"))))
    return found


def _moments(chart: Chart, kind: str, others: Sequence[str], dated: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A moment of each day of the patient's resources, by what else is searched for; the fullest groups first."""
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for kept in chart.of(kind):
        values = [value_of(chart, kept, name) for name in others]
        text = parameters.sample(kept.resource, dated, "date")
        if text and len(text) >= len("YYYY-MM-DD") and None not in values:
            whole = is_moment(text) and text in parameters.elements(kept.resource, dated)
            days = groups.setdefault(tuple(map(str, values)), {})
            days.setdefault(text[:10], text if whole else text[:10] + _EARLY)
    fullest = sorted(groups.items(), key=lambda item: -len(item[1]))
    for told, days in fullest[:2]:
        yield dict(zip(others, told, strict=True)), [days[day] for day in sorted(days)]


def is_moment(value: object) -> bool:
    """Whether a value is a date and time to the second, with a time zone."""
    return isinstance(value, str) and _MOMENT.fullmatch(value) is not None
