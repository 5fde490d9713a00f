"""Facts found again by what they are about, without comparing each with each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from onc_conformance.moments import Days
from onc_conformance.record.facts import Fact, about_codes, about_person, plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from onc_conformance.record.seen import Seen


def keys(fact: Fact | Seen) -> tuple[Hashable, ...]:
    """What a fact is about: a device its identifier, a person a name, anything else its codes.

    An answer may mean any of the three.
    """
    if isinstance(fact, Fact):
        return fact.about
    devices = (("udi", "".join(udi.split())) for udi in fact.udi)
    people = (about_person(fact.member),) if fact.member else ()
    return (*devices, *people, *about_codes(fact.codes))


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


class Words:
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
        if text and not keys(fact):
            longest = max(text.split(), key=len)
            yield from (each for each in self._places.get((fact.kind, longest), ()) if f" {text} " in self._texts[each])


def _years(item: Fact | Seen) -> set[int | str]:
    stated = [days for days in item.stated if days.first and days.last]
    if item.start and item.end and item.start.first and item.end.last:
        stated.append(Days(item.start.first, item.end.last))
    return {year for days in stated if days.first and days.last for year in range(days.first.year, days.last.year + 1)}
