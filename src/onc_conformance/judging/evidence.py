"""A record's facts and the facts of an answer brought together once, for every question asked of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from onc_conformance.ccda.kinds import table
from onc_conformance.record import Fact, Record, plain
from onc_conformance.record.comparing import Pairing, likeness, pair, pair_equals, pair_other_days
from onc_conformance.record.index import Index, keys
from onc_conformance.record.seen import Likeness

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Sequence

    from onc_conformance.ccda import Document, Found

_TELLING = 20
"""A text of fewer letters may stand in two charts by chance."""


@dataclass(frozen=True)
class Evidence:
    """What of `record` is in `docs`, and what in `docs` is not of `record`, for some classes of facts."""

    docs: Sequence[Document]
    record: Record
    others: Sequence[Record]
    kinds: Collection[str] | None
    """None for all."""

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Of the record."""
        every = self.record.facts
        return every if self.kinds is None else tuple(fact for fact in every if self._asked(fact.kind))

    @cached_property
    def seen(self) -> list[tuple[Document, Found]]:
        """Of the documents, what they deny among it."""
        return [(doc, found) for doc in self.docs for found in (*doc.facts, *doc.denials) if self._asked(found.kind)]

    @cached_property
    def matched(self) -> dict[int, tuple[int, Likeness]]:
        """Position in `facts` -> (position in `seen`, how like), on days that agree."""
        return self._pairing.pairs

    @property
    def equal(self) -> frozenset[int]:
        """Positions of facts that came back with nothing different about them."""
        return self._pairing.equal

    @property
    def plainly_there(self) -> bool:
        """Whether a fact came back with nothing different about it: less to find out than how all came back."""
        return bool(pair_equals(self.facts, [found for _, found in self.seen]))

    @cached_property
    def _pairing(self) -> Pairing:
        return pair(self.facts, [found for _, found in self.seen])

    @cached_property
    def told(self) -> set[int]:
        """Positions of facts that stand in the narrative: those that are words, and those without a code."""
        return {
            number
            for number, fact in enumerate(self.facts)
            if fact.text
            and (table().of[fact.kind].narrated or not keys(fact))
            and any(
                doc.narrates(table().of[fact.kind].sections, fact.text) or self._said(doc, fact) for doc in self.docs
            )
        }

    @cached_property
    def dated(self) -> list[int]:
        """Positions of facts in the documents on the record's days, with a date and an end if it has them."""
        matched = {number for number, (_, like) in self.matched.items() if like < Likeness.NO_END}
        only_told = self.told - self.matched.keys()
        return sorted(matched | (only_told - self.moved.keys() if only_told else only_told))

    @cached_property
    def foreign(self) -> dict[int, Record]:
        """Positions in `seen` of what is in another patient's record and not in this one."""
        others = [other for other in self.others if other.id != self.record.id]
        found: dict[int, Record] = {}
        for position in self._unexplained:
            seen = self.seen[position][1]
            owner = next(
                (
                    other
                    for key in keys(seen)
                    for other in others
                    for fact in other.about.get((seen.kind, key), ())
                    if not fact.no_information and _telling(fact, seen)
                ),
                None,
            )
            if owner:
                found[position] = owner
        return found

    @cached_property
    def foreign_words(self) -> list[tuple[Document, Fact, Record]]:
        """Texts of other records that stand in narratives here and in no text of this record."""
        if not any(doc.narratives for doc in self.docs):
            return []
        return [
            (doc, fact, other)
            for other in self.others
            if other.id != self.record.id
            for fact in other.in_words
            if len(fact.text) >= _TELLING
            and self._asked(fact.kind)
            and table().of[fact.kind].narrated
            and plain(fact.text) not in self.record.words
            for doc in self.docs
            if doc.narrates(table().of[fact.kind].sections, fact.text)
        ]

    @cached_property
    def moved(self) -> dict[int, int]:
        """Positions of facts whose entries came back on other days only, though words may tell them."""
        absent = [number for number in range(len(self.facts)) if number not in self.matched]
        left = [position for position in self._unexplained if position not in self.foreign] + self._spoken_only
        return pair_other_days(self.facts, [found for _, found in self.seen], absent, left)

    @cached_property
    def surplus(self) -> list[int]:
        """Positions in `seen` of facts that are in no record, of classes in which that is remarkable."""
        gone = set(self.moved.values()) | set(self.foreign)
        for_eyes = {fact.kind for fact in self.facts if fact.visual and table().of[fact.kind].narrated}
        return [
            position
            for position in self._unexplained
            if position not in gone
            and table().of[self.seen[position][1].kind].extra
            and not table().of[self.seen[position][1].kind].unknown.intersection(_bare(self.seen[position][1]))
            and self.seen[position][1].kind not in for_eyes  # whether its words are those wanted only a person can tell
            and self.seen[position][1].section is not None
            and not self._foreign_in_words(position)
        ]

    @cached_property
    def denied(self) -> dict[int, int]:
        """Positions of facts that did not come back and which an entry denies -> position in `seen` of the denial."""
        denials: dict[Hashable, int] = {}
        for position, (_, found) in enumerate(self.seen):
            if found.negated:
                for key in keys(found):
                    denials.setdefault((found.kind, key), position)
        if not denials:
            return {}
        return {
            number: denials[fact.kind, key]
            for number, fact in enumerate(self.facts)
            if not (fact.negated or self.came_back(number))
            for key in keys(fact)
            if (fact.kind, key) in denials
        }

    @property
    def _unexplained(self) -> list[int]:
        """Positions in `seen` that are no fact of the record, nor one of them said again elsewhere."""
        return self._rest[0]

    @property
    def _spoken_only(self) -> list[int]:
        """Positions in `seen` of what says the words of a fact of the record and is not matched with it."""
        return self._rest[1]

    @cached_property
    def _rest(self) -> tuple[list[int], list[int]]:
        of_fact = {number: position for number, (position, _) in self.matched.items()}
        taken = set(of_fact.values())
        if all(position in taken or seen.negated for position, (_, seen) in enumerate(self.seen)):
            return [], []
        mine = Index(enumerate(self.facts))
        words: dict[str, list[str]] = defaultdict(list)
        for fact in self.facts:
            if fact.text:
                words[fact.kind].append(plain(fact.text))
        unexplained: list[int] = []
        spoken: list[int] = []
        for position, (_, seen) in enumerate(self.seen):
            if position in taken or seen.negated:
                continue
            again = any(
                likeness(self.facts[number], seen) not in {Likeness.OTHER_DAYS, Likeness.OTHER_VALUE}
                and not self._counted_twice(of_fact.get(number), position)
                for number in mine.about(seen)
            )
            if not again:
                says = seen.text and any(text in plain(seen.text) for text in words[seen.kind])
                (spoken if says else unexplained).append(position)
        return unexplained, spoken

    def _foreign_in_words(self, position: int) -> bool:
        """Whether the entry says the words of another patient's fact, which is told once, where they are read."""
        doc, seen = self.seen[position]
        return any(
            doc is place and fact.kind == seen.kind and plain(fact.text) in plain(seen.text)
            for place, fact, _ in self.foreign_words
        )

    def _counted_twice(self, matched: int | None, position: int) -> bool:
        """Whether a section that tells each fact once tells this one beside the one that is matched."""
        if matched is None:
            return False
        (doc, seen), (other, again) = self.seen[matched], self.seen[position]
        return doc is other and table().of[seen.kind].counted and _section(seen) is _section(again)

    def came_back(self, number: int) -> bool:
        """Whether the fact at this position of `facts` is in the documents."""
        return number in self.matched or number in self.told

    def certain(self, number: int) -> bool:
        """Whether this fact came back and not perhaps another of the record with the same words on another day.

        Words prove it only where there is no code: a narrative may tell more than the entries of a window.
        """
        if number in self.matched:
            return True
        return (
            not keys(self.facts[number])
            and number in self.told
            and self._spoken[self.facts[number].kind, plain(self.facts[number].text)] == 1
        )

    @cached_property
    def _spoken(self) -> Counter[tuple[str, str]]:
        return Counter((fact.kind, plain(fact.text)) for fact in self.facts)

    def _asked(self, kind: str) -> bool:
        return self.kinds is None or kind in self.kinds

    def _said(self, doc: Document, fact: Fact) -> bool:
        return any(plain(fact.text) in text for text in self._texts[doc].get(fact.kind, ()))

    @cached_property
    def _texts(self) -> dict[Document, dict[str, list[str]]]:
        """What the entries of each document say, by class."""
        said: dict[Document, dict[str, list[str]]] = {doc: defaultdict(list) for doc in self.docs}
        for doc, texts in said.items():
            for found in doc.facts:
                if found.text:
                    texts[found.kind].append(plain(found.text))
        return said


def _telling(fact: Fact, seen: Found) -> bool:
    """Whether being alike means being the same: a device's identifier does, a code on a day with the value does."""
    if fact.attributes.get("udi") and fact.attributes["udi"] in seen.udi:
        return True
    if fact.kind == "care_team" or not fact.stated or not seen.stated:
        return False
    like = likeness(fact, seen)
    return like is Likeness.SAME or (like is Likeness.SAME_DAYS and fact.attributes.get("value") is None)


def _bare(found: Found) -> set[str]:
    return {code.code for code in found.codes}


def _section(found: Found) -> object:
    return next(found.element.iterancestors("{*}section"), None)


def gather(
    docs: Iterable[Document], record: Record, others: Iterable[Record] = (), kinds: Collection[str] | None = None
) -> Evidence:
    """Evidence from those documents that can be read."""
    return Evidence([doc for doc in docs if doc.root is not None], record, tuple(others), kinds)
