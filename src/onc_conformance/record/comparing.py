"""Facts of a record held against facts of an answer: one to one, by code, day and value."""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from onc_conformance.moments import Days
from onc_conformance.record.facts import Fact, Name, letters, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence

    from onc_conformance.record.codes import Code


class Seen(Protocol):
    """A fact of an answer, in whatever format the answer came."""

    @property
    def kind(self) -> str: ...
    @property
    def codes(self) -> tuple[Code, ...]: ...
    @property
    def text(self) -> str: ...
    @property
    def start(self) -> Days | None: ...
    @property
    def end(self) -> Days | None: ...
    @property
    def date(self) -> Days | None: ...
    @property
    def stated(self) -> tuple[Days, ...]: ...
    @property
    def value(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def udi(self) -> tuple[str, ...]: ...
    @property
    def member(self) -> Name | None: ...


class Likeness(IntEnum):
    """How like a fact of the record a fact of an answer about the same thing is, from best to worst."""

    SAME = 0
    SAME_DAYS = 1
    """The values cannot be compared: none, other units, or words."""
    OTHER_VALUE = 2
    NO_END = 3
    UNDATED = 4
    OTHER_DAYS = 5


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which facts of the record came back as which facts of the answer; both by position."""

    pairs: dict[int, tuple[int, Likeness]] = field(default_factory=dict)
    """Position in the record -> (position in the answer, how like)."""

    @property
    def taken(self) -> set[int]:
        """Positions in the answer."""
        return {seen for seen, _ in self.pairs.values()}


def pair(facts: Sequence[Fact], seen: Sequence[Seen]) -> Pairing:
    """Pair facts one to one, the most like first; facts on other days are left alone (see `pair_other_days`)."""
    pairs: dict[int, tuple[int, Likeness]] = {}
    taken: set[int] = set()
    kinds = {each.kind for each in seen}  # an answer is often of one class, or empty
    exact: dict[Hashable, deque[int]] = defaultdict(deque)
    for position, each in enumerate(seen):
        for key in keys(each):
            exact[(each.kind, key, each.start, each.end, each.date, _comparable(each.value))].append(position)
    for number, fact in enumerate(facts):
        if fact.kind not in kinds or fact.text:
            continue  # what a text says is compared word by word below
        for key in keys(fact):
            queue = exact[(fact.kind, key, fact.start, fact.end, fact.date, _comparable(fact.attributes.get("value")))]
            while queue and queue[0] in taken:
                queue.popleft()
            if queue and number not in pairs:
                taken.add(queue[0])
                pairs[number] = (queue.popleft(), Likeness.SAME)
    edges = _edges(facts, seen, skip_facts=pairs.keys(), skip_seen=taken)
    _assign(edges, pairs)
    return Pairing(pairs)


def pair_other_days(
    facts: Sequence[Fact], seen: Sequence[Seen], among: Iterable[int], left: Iterable[int]
) -> dict[int, int]:
    """Pair facts `among` the record's positions with those `left` of the answer about the same, earliest first."""
    by_key: dict[Hashable, list[int]] = defaultdict(list)
    for position in sorted(left, key=lambda position: _first(seen[position].stated)):
        for key in keys(seen[position]):
            by_key[(seen[position].kind, key)].append(position)
    taken: set[int] = set()
    pairs: dict[int, int] = {}
    for number in sorted(among, key=lambda number: _first(facts[number].stated)):
        candidates = (position for key in keys(facts[number]) for position in by_key.get((facts[number].kind, key), ()))
        chosen = next((position for position in candidates if position not in taken), None)
        if chosen is not None:
            taken.add(chosen)
            pairs[number] = chosen
    return pairs


def likeness(fact: Fact, seen: Seen) -> Likeness:
    """How like the fact `seen` is, given that both are about the same thing."""
    days = _days(fact, seen)
    return days if days is not Likeness.SAME else _value(fact, seen)


def keys(fact: Fact | Seen) -> Iterator[Hashable]:
    """What a fact is about: a device its identifier, a person a name, anything else its codes."""
    if isinstance(fact, Fact):
        udi = fact.attributes.get("udi")
        udis: tuple[str, ...] = (str(udi),) if udi else ()
    else:
        udis = fact.udi
    if udis:
        yield from (("udi", "".join(udi.split())) for udi in udis)
        if isinstance(fact, Fact):
            return  # another device of the same type is another fact
    if fact.member:
        yield ("member", letters(fact.member.family), letters(fact.member.given[0] if fact.member.given else ""))
        if isinstance(fact, Fact):
            return
    yield from fact.codes


def _days(fact: Fact, seen: Seen) -> Likeness:
    if not fact.stated:
        return Likeness.SAME
    if not seen.stated:
        return Likeness.UNDATED
    return _day(fact.date, seen) if fact.date else _interval(fact, seen)


def _day(day: Days, seen: Seen) -> Likeness:
    around = [Days(seen.start.first, seen.end.last)] if seen.start and seen.end else []
    hit = any(day.overlaps(days) for days in (*seen.stated, *around))
    return Likeness.SAME if hit else Likeness.OTHER_DAYS


def _interval(fact: Fact, seen: Seen) -> Likeness:
    begin, end = seen.start or seen.date, seen.end or (None if seen.start else seen.date)
    if fact.start and begin and not fact.start.overlaps(begin):
        return Likeness.OTHER_DAYS
    if fact.end and seen.end and not fact.end.overlaps(seen.end):
        return Likeness.OTHER_DAYS
    if fact.start and not begin and not (fact.end and seen.end):
        return Likeness.UNDATED
    return Likeness.NO_END if fact.end and not (end and fact.end.overlaps(end)) else Likeness.SAME


def _value(fact: Fact, seen: Seen) -> Likeness:
    if fact.text and seen.text:
        return Likeness.SAME if plain(fact.text) in plain(seen.text) else Likeness.OTHER_VALUE
    expected = fact.attributes.get("value")
    if expected is None or seen.value is None or isinstance(expected, dict):
        return Likeness.SAME_DAYS
    mine, theirs = _comparable(expected), _comparable(seen.value)
    if mine == theirs:
        return Likeness.SAME
    numbers = isinstance(mine, float) and isinstance(theirs, float)
    unit = fact.attributes.get("unit")
    if not numbers or (unit and seen.unit and unit != seen.unit):
        return Likeness.SAME_DAYS
    return Likeness.OTHER_VALUE


def _comparable(value: object) -> float | str | None:
    """Numbers as numbers however they are written, words as words."""
    if value is None or isinstance(value, dict):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return plain(str(value)) or unicodedata.normalize("NFKC", str(value))
    return round(number, 9) if math.isfinite(number) else str(value)


def _first(stated: Sequence[Days]) -> str:
    return min((str(days.first) for days in stated), default="")


class Index:
    """Facts by what they are about and the years they name, so that a flowsheet of decades costs no square."""

    def __init__(self, items: Iterable[tuple[int, Fact | Seen]]) -> None:
        self._places: dict[Hashable, list[int]] = defaultdict(list)
        for position, item in items:
            for key in keys(item):
                for year in (*(_years(item) or {"undated"}), "any"):
                    self._places[(item.kind, key, year)].append(position)

    def about(self, item: Fact | Seen) -> set[int]:
        """Positions of facts about the same thing that share a year with it; what has no date shares every year."""
        years = {*_years(item), "undated"} if item.stated else {"any"}
        return {
            position
            for key in keys(item)
            for year in years
            for position in self._places.get((item.kind, key, year), ())
        }


def _years(item: Fact | Seen) -> set[int | str]:
    stated = [days for days in item.stated if days.first and days.last]
    if item.start and item.end and item.start.first and item.end.last:
        stated.append(Days(item.start.first, item.end.last))
    return {year for days in stated if days.first and days.last for year in range(days.first.year, days.last.year + 1)}


def _edges(
    facts: Sequence[Fact], seen: Sequence[Seen], *, skip_facts: Collection[int], skip_seen: Iterable[int]
) -> dict[int, dict[int, Likeness]]:
    """Who might be whom."""
    skipped = set(skip_seen)
    index = Index((position, each) for position, each in enumerate(seen) if position not in skipped)
    edges: dict[int, dict[int, Likeness]] = {}
    kinds = {each.kind for each in seen}
    for number in (number for number, fact in enumerate(facts) if fact.kind in kinds and number not in skip_facts):
        fact = facts[number]
        likes = {position: likeness(fact, seen[position]) for position in sorted(index.about(fact))}
        edges[number] = {position: like for position, like in likes.items() if like < Likeness.OTHER_DAYS}
    return edges


def _assign(edges: dict[int, dict[int, Likeness]], pairs: dict[int, tuple[int, Likeness]]) -> None:
    """Add to `pairs` as many as can be, the most like first: augmenting paths, one degree of likeness after another."""
    owner: dict[int, int] = {}
    chosen: dict[int, int] = {}
    for limit in sorted({like for options in edges.values() for like in options.values()}):
        for number in sorted(edges):
            if number not in chosen:
                _augment(number, limit, edges, owner, chosen)
    pairs.update({number: (position, edges[number][position]) for number, position in chosen.items()})


def _augment(
    number: int, limit: Likeness, edges: dict[int, dict[int, Likeness]], owner: dict[int, int], chosen: dict[int, int]
) -> None:
    came_from: dict[int, int] = {}
    queue = deque([number])
    while queue:
        current = queue.popleft()
        for position, like in edges[current].items():
            if like > limit or position in came_from:
                continue
            came_from[position] = current
            if position in owner:
                queue.append(owner[position])
                continue
            step: int | None = position
            while step is not None:
                taker = came_from[step]
                previous = chosen.get(taker)
                owner[step], chosen[taker] = taker, step
                step = previous
            return
