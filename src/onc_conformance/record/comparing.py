"""Facts of a record held against facts of an answer: one to one, by code, time and value, then element by element."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onc_conformance.record.assignment import assign
from onc_conformance.record.dating import date_differences, days_alike
from onc_conformance.record.details import Difference, compared
from onc_conformance.record.details import number as as_number
from onc_conformance.record.facts import plain
from onc_conformance.record.index import Index, Words, keys
from onc_conformance.record.seen import Likeness, Seen
from onc_conformance.record.values import value_difference

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence

    from onc_conformance.record.facts import Fact

_NEAR = 8
"""How many facts about the same thing before and after its day a fact that moved may be."""
_CANDIDATES = 200
"""How many facts about the same thing in the same years a fact is weighed against."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which facts of the record came back as which facts of the answer; both by position."""

    pairs: dict[int, tuple[int, Likeness]] = field(default_factory=dict)
    """Position in the record -> (position in the answer, how like)."""
    equal: frozenset[int] = frozenset()
    """Positions in the record of those in which nothing differs."""

    @property
    def taken(self) -> set[int]:
        """Positions in the answer."""
        return {seen for seen, _ in self.pairs.values()}


def pair(facts: Sequence[Fact], seen: Sequence[Seen]) -> Pairing:
    """Pair facts one to one at the least cost; facts on other days are left alone (see `pair_other_days`)."""
    if not seen:
        return Pairing()
    pairs = pair_equals(facts, seen)
    equal = frozenset(pairs)
    taken = {position for position, _ in pairs.values()}
    edges = _edges(facts, seen, skip_facts=pairs.keys(), skip_seen=taken)
    costs = {
        number: {position: _cost(facts[number], seen[position], like) for position, like in options.items()}
        for number, options in edges.items()
    }
    pairs |= {number: (position, edges[number][position]) for number, position in assign(costs).items()}
    return Pairing(pairs, equal)


def pair_equals(facts: Sequence[Fact], seen: Sequence[Seen]) -> dict[int, tuple[int, Likeness]]:
    """Facts in which nothing differs, those that say most first; this is all there is to do for a faithful answer."""
    kinds = {each.kind for each in seen}  # an answer is often of one class, or empty
    exact: dict[Hashable, list[int]] = defaultdict(list)
    for position, each in enumerate(seen):
        for key in keys(each):
            exact[_identity(each, key, each.value)].append(position)
    pairs: dict[int, tuple[int, Likeness]] = {}
    taken: set[int] = set()
    numbers = [number for number, fact in enumerate(facts) if fact.kind in kinds and not fact.text]
    # what a text says is compared word by word
    for number in sorted(numbers, key=lambda number: -len(facts[number].attributes)):
        fact = facts[number]
        for key in keys(fact):
            free = (each for each in exact[_identity(fact, key, fact.attributes.get("value"))] if each not in taken)
            first = next(free, None)
            if first is not None and not any(differences(fact, seen[first])):
                taken.add(first)
                pairs[number] = (first, Likeness.SAME)
                break
    return pairs


def _identity(item: Fact | Seen, key: Hashable, value: object) -> Hashable:
    return (item.kind, item.negated, key, item.start, item.end, item.date, _comparable(value))


def _cost(fact: Fact, seen: Seen, like: Likeness) -> int:
    """Days weigh more than the value, the value more than any element."""
    return 1000 * like + sum(10 if each.grave else 1 for each in differences(fact, seen))


def pair_other_days(
    facts: Sequence[Fact], seen: Sequence[Seen], among: Iterable[int], left: Iterable[int]
) -> dict[int, int]:
    """Pair facts `among` the record's positions with those `left` of the answer about the same, nearest in time."""
    about: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    left = list(left)
    if not left:
        return {}
    for position in left:
        for key in keys(seen[position]):
            about[seen[position].kind, seen[position].negated, key].append((_ordinal(seen[position]), position))
    for candidates in about.values():
        candidates.sort()
    spoken = Words((position, seen[position]) for position in left)
    costs: dict[int, dict[int, int]] = {}
    for number in among:
        fact = facts[number]
        near = set(spoken.saying(fact))
        for key in keys(fact):
            candidates = about.get((fact.kind, fact.negated, key), [])
            place = bisect_left(candidates, (_ordinal(fact), 0))
            near |= {position for _, position in candidates[max(0, place - _NEAR) : place + _NEAR]}
        costs[number] = {position: _distance(fact, seen[position]) for position in near}
    return assign(costs)


def _distance(fact: Fact, seen: Seen) -> int:
    apart = abs(_ordinal(fact) - _ordinal(seen))
    return 10_000 * sum(each.what not in {"date", "start", "end"} for each in differences(fact, seen)) + min(
        apart, 9_999
    )


def _ordinal(item: Fact | Seen) -> int:
    return min((days.first.toordinal() for days in item.stated if days.first), default=0)


def likeness(fact: Fact, seen: Seen) -> Likeness:
    """How like the fact `seen` is, given that both are about the same thing."""
    days = days_alike(fact, seen)
    return days if days is not Likeness.SAME else _value(fact, seen)


def differences(fact: Fact, seen: Seen) -> Iterator[Difference]:
    """Everything in which `seen` is not as the record has it, given that both are about the same thing."""
    yield from date_differences(fact, seen)
    if fact.text and seen.text and plain(fact.text) not in plain(seen.text):
        yield Difference(what="text", expected=fact.text, found=seen.text)
    if difference := value_difference(fact, seen.value, seen.unit, seen.codes):
        yield difference
    yield from _device_type(fact, seen)
    yield from compared(fact, seen.manners, seen.detail)


def _device_type(fact: Fact, seen: Seen) -> Iterator[Difference]:
    """What type of device it is that is known by its identifier; two systems may call it in two ways."""
    if not (fact.codes and seen.udi) or set(fact.codes) & set(seen.codes):
        return
    shared = {code.system for code in fact.codes} & {code.system for code in seen.codes}
    told = ", ".join(map(str, seen.codes)) or "none"
    yield Difference(what="type", expected=str(fact.codes[0]), found=told, absent=not seen.codes, grave=bool(shared))


def _value(fact: Fact, seen: Seen) -> Likeness:
    if fact.text and seen.text:
        return Likeness.SAME if plain(fact.text) in plain(seen.text) else Likeness.OTHER_VALUE
    expected = fact.attributes.get("value")
    if expected is None or seen.value is None or isinstance(expected, dict):
        return Likeness.SAME_DAYS
    difference = value_difference(fact, seen.value, seen.unit, seen.codes)
    if difference is None:
        return Likeness.SAME
    return Likeness.SAME_DAYS if difference.what == "unit" else Likeness.OTHER_VALUE


def _comparable(value: object) -> float | str | None:
    """Numbers as numbers however they are written, words as words."""
    if value is None or isinstance(value, dict):
        return None
    found = as_number(value)
    return (plain(str(value)) or unicodedata.normalize("NFKC", str(value))) if found is None else found


def _edges(
    facts: Sequence[Fact], seen: Sequence[Seen], *, skip_facts: Collection[int], skip_seen: Iterable[int]
) -> dict[int, dict[int, Likeness]]:
    """Who might be whom."""
    kinds = {each.kind for each in seen}
    numbers = [number for number, fact in enumerate(facts) if fact.kind in kinds and number not in skip_facts]
    if not numbers:
        return {}
    skipped = set(skip_seen)
    left = [(position, each) for position, each in enumerate(seen) if position not in skipped]
    if not left:
        return {}
    index, spoken = Index(left), Words(left)
    edges: dict[int, dict[int, Likeness]] = {}
    for number in numbers:
        fact = facts[number]
        candidates = sorted({*index.about(fact), *spoken.saying(fact)})[:_CANDIDATES]
        likes = {position: likeness(fact, seen[position]) for position in candidates}
        edges[number] = {position: like for position, like in likes.items() if like < Likeness.OTHER_DAYS}
    return edges
