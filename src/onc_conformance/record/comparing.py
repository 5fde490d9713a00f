"""Facts of a record held against facts of an answer: one to one, by code, time and value, then element by element."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from onc_conformance.moments import Days
from onc_conformance.record.assignment import assign
from onc_conformance.record.details import Difference, Said, compared, meaning
from onc_conformance.record.details import number as as_number
from onc_conformance.record.facts import Fact, Name, letters, plain
from onc_conformance.record.values import value_difference

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from onc_conformance.record.codes import Code

_KINDS = frozenset({"actcode"})
"""Systems whose codes say what kind of thing it is, as an ambulatory visit, and not which."""
_NEAR = 8
"""How many facts about the same thing before and after its day a fact that moved may be."""
_CANDIDATES = 200
"""How many facts about the same thing in the same years a fact is weighed against."""


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
    @property
    def negated(self) -> bool: ...
    @property
    def manners(self) -> Mapping[str, str]:
        """The elements that can be compared, and how (see `details`)."""

    def detail(self, name: str) -> Sequence[Said]:
        """What is said of one element."""


class Likeness(IntEnum):
    """How like a fact of the record a fact of an answer about the same thing is, from best to worst."""

    SAME = 0
    SAME_DAYS = 1
    """The values cannot be compared: none, or other units."""
    OTHER_VALUE = 2
    NO_END = 3
    UNDATED = 4
    OTHER_DAYS = 5


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
    pairs = _pair_equals(facts, seen)
    equal = frozenset(pairs)
    taken = {position for position, _ in pairs.values()}
    edges = _edges(facts, seen, skip_facts=pairs.keys(), skip_seen=taken)
    costs = {
        number: {position: _cost(facts[number], seen[position], like) for position, like in options.items()}
        for number, options in edges.items()
    }
    pairs |= {number: (position, edges[number][position]) for number, position in assign(costs).items()}
    return Pairing(pairs, equal)


def _pair_equals(facts: Sequence[Fact], seen: Sequence[Seen]) -> dict[int, tuple[int, Likeness]]:
    """Facts in which nothing differs, those that say most first; this is all there is to do for a faithful answer."""
    kinds = {each.kind for each in seen}  # an answer is often of one class, or empty
    exact: dict[Hashable, list[int]] = defaultdict(list)
    for position, each in enumerate(seen):
        for key in keys(each):
            exact[_identity(each, key, each.value)].append(position)
    pairs: dict[int, tuple[int, Likeness]] = {}
    taken: set[int] = set()
    for number in sorted(range(len(facts)), key=lambda number: -len(facts[number].attributes)):
        fact = facts[number]
        if fact.kind not in kinds or fact.text:
            continue  # what a text says is compared word by word
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
    for position in left:
        for key in keys(seen[position]):
            about[seen[position].kind, seen[position].negated, key].append((_ordinal(seen[position]), position))
    for candidates in about.values():
        candidates.sort()
    spoken = _Words((position, seen[position]) for position in left)
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
    days = _days(fact, seen)
    return days if days is not Likeness.SAME else _value(fact, seen)


def differences(fact: Fact, seen: Seen) -> Iterator[Difference]:
    """Everything in which `seen` is not as the record has it, given that both are about the same thing."""
    yield from _dates(fact, seen)
    if fact.text and seen.text and plain(fact.text) not in plain(seen.text):
        yield Difference(what="text", expected=fact.text, found=seen.text)
    if difference := value_difference(fact, seen.value, seen.unit, seen.codes):
        yield difference
    yield from compared(fact, seen.manners, seen.detail)


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
    named = [code for code in fact.codes if code.system not in _KINDS]
    yield from named or fact.codes


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
    begin, end = _bounds(seen)
    if fact.start and begin and not fact.start.overlaps(begin):
        return Likeness.OTHER_DAYS
    if fact.end and seen.end and not fact.end.overlaps(seen.end):
        return Likeness.OTHER_DAYS
    if fact.start and not begin and not (fact.end and seen.end):
        return Likeness.UNDATED
    return Likeness.NO_END if fact.end and not (end and fact.end.overlaps(end)) else Likeness.SAME


def _bounds(seen: Seen) -> tuple[Days | None, Days | None]:
    return seen.start or seen.date, seen.end or (None if seen.start else seen.date)


def _dates(fact: Fact, seen: Seen) -> Iterator[Difference]:
    like = _days(fact, seen)
    if like is Likeness.OTHER_DAYS:
        yield Difference(what="date", expected=when(fact), found=when(seen))
    elif like is Likeness.UNDATED:
        yield Difference(what="date", expected=when(fact), absent=True)
    elif like is Likeness.NO_END:
        yield Difference(what="end", expected=str(fact.end), absent=True)
    elif fact.date:
        told = next((days for days in seen.stated if days.overlaps(fact.date)), None)
        yield from _precision("date", fact.date, told)
    else:
        begin, end = _bounds(seen)
        yield from _precision("start", fact.start, begin)
        yield from _precision("end", fact.end, end)
        if fact.start and not fact.end and seen.end and not seen.end.overlaps(fact.start):
            over = "active" in meaning(str(fact.attributes.get("status")))
            yield Difference(what="end", expected="none", found=str(seen.end), grave=over)


def _precision(what: str, expected: Days | None, told: Days | None) -> Iterator[Difference]:
    """A date less precise than the record's, or another time of the same day."""
    if expected is None or told is None:
        return
    if _wider(told, expected):
        yield Difference(what=what, expected=str(expected), found=str(told))
    elif expected.clock and expected.first == expected.last:
        spoken = f"{expected} {expected.clock}"
        if told.clock is None:
            yield Difference(what=what, expected=spoken, found=str(told), grave=False)
        elif not expected.clock.agrees(told.clock):
            yield Difference(what=what, expected=spoken, found=f"{told} {told.clock}")


def _wider(told: Days, expected: Days) -> bool:
    earlier = expected.first is not None and (told.first is None or told.first < expected.first)
    return earlier or (expected.last is not None and (told.last is None or told.last > expected.last))


def when(fact: Fact | Seen) -> str:
    """The dates a fact states, for a person."""
    if fact.date:
        return str(fact.date)
    return (
        f"{fact.start or '…'} to {fact.end or '…'}" if fact.end else f"from {fact.start}" if fact.start else "no date"
    )


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


class _Words:
    """Facts by the words they say, for those of a record that have nothing but words."""

    def __init__(self, items: Iterable[tuple[int, Seen]]) -> None:
        self._texts: dict[int, str] = {}
        self._places: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, item in items:
            if item.text:
                self._texts[position] = f" {plain(item.text)} "
                for word in set(self._texts[position].split()):
                    self._places[item.kind, word].append(position)

    def saying(self, fact: Fact) -> Iterator[int]:
        """Positions of what says the fact's words in their order; none for a fact with a code."""
        text = plain(fact.text)
        if text and next(keys(fact), None) is None:
            longest = max(text.split(), key=len)
            yield from (each for each in self._places.get((fact.kind, longest), ()) if f" {text} " in self._texts[each])


class Index:
    """Facts by what they are about and the years they name, so that a flowsheet of decades costs no square."""

    def __init__(self, items: Iterable[tuple[int, Fact | Seen]]) -> None:
        self._places: dict[Hashable, list[int]] = defaultdict(list)
        for position, item in items:
            for key in keys(item):
                for year in (*(_years(item) or {"undated"}), "any"):
                    self._places[item.kind, item.negated, key, year].append(position)

    def about(self, item: Fact | Seen) -> set[int]:
        """Positions of facts about the same thing that share a year with it; what has no date shares every year."""
        years = {*_years(item), "undated"} if item.stated else {"any"}
        return {
            position
            for key in keys(item)
            for year in years
            for position in self._places.get((item.kind, item.negated, key, year), ())
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
    kinds = {each.kind for each in seen}
    numbers = [number for number, fact in enumerate(facts) if fact.kind in kinds and number not in skip_facts]
    if not numbers:
        return {}
    skipped = set(skip_seen)
    left = [(position, each) for position, each in enumerate(seen) if position not in skipped]
    index, spoken = Index(left), _Words(left)
    edges: dict[int, dict[int, Likeness]] = {}
    for number in numbers:
        fact = facts[number]
        candidates = sorted({*index.about(fact), *spoken.saying(fact)})[:_CANDIDATES]
        likes = {position: likeness(fact, seen[position]) for position in candidates}
        edges[number] = {position: like for position, like in likes.items() if like < Likeness.OTHER_DAYS}
    return edges
