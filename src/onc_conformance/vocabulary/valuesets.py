"""Value sets: the small ones stated under schemas/vocabulary, those of a user's packs, and those known only by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from onc_conformance.vocabulary import contacts, languages, packs, systems, ucum
from onc_conformance.vocabulary.answer import Answer
from onc_conformance.vocabulary.tables import lines

UCUM = "2.16.840.1.113883.6.8"


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A value set, and what of it is known here."""

    oid: str
    name: str
    canonical: tuple[str, ...]
    """What FHIR calls it."""
    codes: Mapping[str, frozenset[str]]
    """By OID of the code system."""
    closed: bool
    """Whether a code that is not among `codes` cannot be in it."""
    unlisted: frozenset[str] = frozenset()
    """Systems whose codes may be in it without being listed."""
    grammar: str | None = None
    """`ucum`, `language`, `country` or `zip`: a form decides what the list does not."""
    pack: str | None = None
    """The pack it comes from; None for one of ours."""
    _spaces: frozenset[str] = field(default=frozenset(), compare=False)

    def contains(self, code: str, system_oid: str | None) -> Answer:
        """Whether a code of a system, or of whichever is meant if None, is in the set."""
        if system_oid is None:
            listed = any(code in codes for codes in self.codes.values())
        else:
            listed = any(code in self.codes[oid] for oid in _same(system_oid) if oid in self.codes)
        if listed:
            return Answer.IN
        if self.grammar:
            return self._by_grammar(code)
        if system_oid is not None and self._spaces and not self._spaces.intersection(_same(system_oid)):
            return Answer.NOT_IN
        if system_oid is not None and systems.objection(system_oid, code):
            return Answer.NOT_IN
        if system_oid is None and self._spaces and all(systems.objection(oid, code) for oid in self._spaces):
            return Answer.NOT_IN
        return Answer.NOT_IN if self.closed else Answer.UNKNOWN_HERE

    def _by_grammar(self, code: str) -> Answer:
        return _GRAMMARS[self.grammar or ""](code)


def _unit(code: str) -> Answer:
    return Answer.IN if ucum.is_unit(code) else Answer.NOT_IN


def _country(code: str) -> Answer:
    return Answer.IN if languages.country(code) else Answer.NOT_IN


def _zip(code: str) -> Answer:
    return Answer.IN if contacts.postal_code(code) else Answer.NOT_IN


_GRAMMARS: dict[str, Callable[[str], Answer]] = {
    "ucum": _unit,
    "language": languages.language,
    "country": _country,
    "zip": _zip,
}


def value_set(oid: str) -> ValueSet | None:
    """What is known of a value set; None if nothing is. The newest pack that has it wins over what we state."""
    return _found(oid, packs.state())


def forget() -> None:
    """Read packs again, as after one was written."""
    packs.forget()
    _found.cache_clear()


def value_sets() -> list[ValueSet]:
    """Every value set stated here or in a pack, by OID."""
    oids = {*lines("value-sets"), *packs.contents()}
    return [found for oid in sorted(oids) if (found := value_set(oid))]


def contains(value_set_oid: str, code: str, system_oid: str | None) -> Answer:
    """Whether a code is in a value set; `unknown_here` where the set is not known or not listed in full."""
    found = value_set(value_set_oid)
    if found is not None:
        return found.contains(code, system_oid)
    impossible = system_oid is not None and systems.objection(system_oid, code)
    return Answer.NOT_IN if impossible else Answer.UNKNOWN_HERE


def by_canonical(url: str) -> str | None:
    """The OID of the value set FHIR identifies so, with or without its version."""
    bare = url.partition("|")[0]
    if bare in _canonicals():
        return _canonicals()[bare]
    last = bare.rpartition("/")[2]
    return last if value_set(last) else None


@cache
def _canonicals() -> dict[str, str]:
    return {url: oid for oid in lines("value-sets") for url in (lines("value-sets").get(oid) or {})["canonical"]}


@cache
def _found(oid: str, _state: object) -> ValueSet | None:
    packed = packs.newest(oid)
    if packed is not None:
        content = {system: frozenset(codes) for system, codes in packed.codes.items()}
        return ValueSet(
            oid, packed.name, (), content, closed=packed.complete, pack=packed.pack, _spaces=_spaces(content)
        )
    line = lines("value-sets").get(oid)
    if line is None:
        return None
    content = {system: frozenset(codes) for system, codes in line["codes"].items()}
    unlisted = frozenset(line.get("unlisted", ()))
    return ValueSet(
        oid, line["name"], tuple(line["canonical"]), content, closed=line["closed"], unlisted=unlisted,
        grammar=line.get("grammar"), _spaces=_spaces(content) | unlisted,
    )  # fmt: skip


def _spaces(content: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(content)


@cache
def _same(oid: str) -> tuple[str, ...]:
    """Every OID of the code system that has this one."""
    known = systems.systems().get(oid)
    return (oid,) if known is None else tuple(each for each, system in systems.systems().items() if system is known)
