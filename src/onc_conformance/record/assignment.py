"""Who is whom at the least cost: a sparse assignment, for the few facts that code and time do not tell apart."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANY = 40_000
"""Pairs that may be weighed one against the other in a group; beyond it the cheapest are taken first."""

Costs = dict[int, dict[int, int]]
"""Row -> {column: cost}; what is not named cannot be paired. Costs are not negative."""


def assign(costs: Mapping[int, Mapping[int, int]]) -> dict[int, int]:
    """Row -> column, one to one: as many as can be, and of those choices one of the least cost."""
    chosen: dict[int, int] = {}
    for group in _groups(costs):
        pairs = sum(map(len, group.values()))
        chosen |= _forced(group) if len(group) == 1 else _cheapest(group) if pairs > MANY else _least(group)
    return chosen


def _groups(costs: Mapping[int, Mapping[int, int]]) -> Iterator[Costs]:
    """The rows that may compete for a column, group by group."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, options in costs.items():
        for column in options:
            rows_of[column].append(row)
    seen: set[int] = set()
    for first in costs:
        if first in seen or not costs[first]:  # nobody it could be
            continue
        group: Costs = {}
        queue = [first]
        seen.add(first)
        while queue:
            row = queue.pop()
            group[row] = dict(costs[row])
            for column in costs[row]:
                for other in rows_of.pop(column, ()):
                    if other not in seen:
                        seen.add(other)
                        queue.append(other)
        yield dict(sorted(group.items()))


def _forced(group: Costs) -> dict[int, int]:
    [(row, options)] = group.items()
    return {row: min(options, key=lambda column: (options[column], column))}


def _cheapest(group: Costs) -> dict[int, int]:
    taken: set[int] = set()
    chosen: dict[int, int] = {}
    pairs = ((cost, row, column) for row, options in group.items() for column, cost in options.items())
    for _, row, column in sorted(pairs):
        if row not in chosen and column not in taken:
            chosen[row] = column
            taken.add(column)
    return chosen


def _least(group: Costs) -> dict[int, int]:
    """Successive shortest paths, with potentials that keep the reduced costs from being negative.

    Each row has a column of its own beside the others, dear enough to be taken only where nothing else is left.
    """
    dear = 1 + sum(max(options.values()) for options in group.values())
    costs = {row: options | {-1 - row: dear} for row, options in group.items()}
    owner: dict[int, int] = {}
    chosen: dict[int, int] = {}
    of_row = dict.fromkeys(costs, 0)
    of_column = {column: 0 for options in costs.values() for column in options}
    for row in costs:
        last, came_from, settled = _shortest(row, costs, owner, of_row, of_column)
        length = settled[last]
        for column, reached in settled.items():
            if column in owner:
                of_row[owner[column]] += length - reached
            of_column[column] -= length - reached
        of_row[row] += length
        step: int | None = last
        while step is not None:
            taker = came_from[step]
            previous = chosen.get(taker)
            owner[step], chosen[taker] = taker, step
            step = previous
    return {row: column for row, column in chosen.items() if column >= 0}


def _shortest(
    row: int, costs: Costs, owner: Mapping[int, int], of_row: Mapping[int, int], of_column: Mapping[int, int]
) -> tuple[int, dict[int, int], dict[int, int]]:
    """The nearest free column, from which row each column was reached, and how far the settled ones are."""
    reached: dict[int, int] = {}
    came_from: dict[int, int] = {}
    settled: dict[int, int] = {}
    queue: list[tuple[int, int]] = []
    current, far = row, 0
    while True:
        for column, cost in costs[current].items():
            length = far + cost - of_row[current] - of_column[column]
            if column not in settled and length < reached.get(column, length + 1):
                reached[column], came_from[column] = length, current
                heappush(queue, (length, column))
        while queue[0][1] in settled:
            heappop(queue)
        far, column = heappop(queue)
        settled[column] = far
        if column not in owner:
            return column, came_from, settled
        current = owner[column]
