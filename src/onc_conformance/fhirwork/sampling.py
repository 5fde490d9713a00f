"""Whom the exhaustive searches are made for: the fewest patients whose data let every search be made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onc_conformance.fhirwork import dating, parameters, searches
from onc_conformance.fhirwork.chart import Chart

Facet = tuple[str, ...]
FEWEST = 2


def smallest(charts: Sequence[Chart]) -> tuple[Chart, ...]:
    """Patients who together show all facets there are, in order, and two where there are two.

    Chosen greedily, who adds most first, of equals who has least; nobody whom the others make superfluous. One patient
    alone never shows that a server takes no notice of whose data are asked for.
    """
    facets = {chart: _facets(chart) for chart in charts}
    wanted = frozenset().union(*facets.values()) if facets else frozenset()
    chosen: list[Chart] = []
    while wanted:
        best = max(charts, key=lambda each: (len(facets[each] & wanted), -len(each.own)))
        chosen.append(best)
        wanted -= facets[best]
    for each in tuple(reversed(chosen)):
        others = [other for other in chosen if other is not each]
        if facets[each] <= frozenset().union(*(facets[other] for other in others)):
            chosen = others
    least = sorted((each for each in charts if each not in chosen and each.id), key=lambda each: len(each.own))
    chosen += [each for each in least if each.id not in {chart.id for chart in chosen}][: max(0, FEWEST - len(chosen))]
    return tuple(chart for chart in charts if chart in chosen)


def _facets(chart: Chart) -> frozenset[Facet]:
    """What searches of a patient's data can show: each demanded search by where the values stand that it is made by.

    A date may be a day, a moment or a period, a code one of several elements or of several codes; that a row is left
    out shows only among several.
    """
    return frozenset(facet for kind in chart.kinds for facet in _of_type(chart, kind))


def _of_type(chart: Chart, kind: str) -> Iterable[Facet]:
    there = chart.of(kind)
    if not there:
        return
    if len(there) > 1:
        yield kind, "several"
    demanded: set[str] = set()
    for search in searches.required(chart, kind):
        names = [name for name, _ in search.asked]
        demanded |= set(names)
        yield kind, *names
    for search in searches.further(chart, kind):
        yield kind, "another code", *(name for name, _ in search.asked)
    for name in demanded:
        for path in parameters.paths(kind, name):
            found = [value for each in there for value in parameters.at(each.resource, path)]
            if found:
                yield kind, name, path
            if any(dating.is_moment(value) for value in found):
                yield kind, name, path, "moment"
