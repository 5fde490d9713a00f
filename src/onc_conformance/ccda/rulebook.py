"""The template tables as patterns for the engine: facts in, XPath and sentences of ours out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from onc_conformance import suite
from onc_conformance.ccda import constraints, wording
from onc_conformance.ccda.rules import Assertion, Pattern, Rule
from onc_conformance.findings import Severity

Fact = Mapping[str, Any]
"""A condition with the number of its rule."""
Key = tuple[str, str | None]
"""Root and extension of a template."""

_SEVERITIES = {"SHALL": Severity.ERROR, "SHOULD": Severity.WARNING}
_VERBS = {"SHALL": "shall", "SHOULD": "should"}


@dataclass(frozen=True)
class Rulebook:
    """Every template of every table under schemas/ccda/templates."""

    templates: tuple[Mapping[str, Any], ...]
    shared: tuple[Mapping[str, Any], ...]
    """Rules of data types and of every release, with the places where they hold."""
    releases: Mapping[str, str]
    """What was published under an extension."""

    @cached_property
    def names(self) -> wording.Names:
        """What templates are called."""
        return {(each["root"], each.get("extension")): each["name"] for each in self._named}

    @cached_property
    def extensions(self) -> Mapping[str, frozenset[str | None]]:
        """The extensions known of each root; None: of none."""
        known: dict[str, set[str | None]] = {}
        for each in self.templates:
            known.setdefault(each["root"], set()).add(each.get("extension") or None)
        return {root: frozenset(found) for root, found in known.items()}

    @cached_property
    def sections(self) -> Mapping[str, frozenset[str]]:
        """Roots of the section templates that fix each code."""
        known: dict[str, set[str]] = {}
        for each in self.templates:
            for block in each.get("blocks", ()) if each["element"] == "section" else ():
                for fact in _codes(block):
                    for code in fact["path"][0]["where"][0]["one_of"]:
                        known.setdefault(code, set()).add(each["root"])
        return {code: frozenset(found) for code, found in known.items()}

    def title(self, root: str) -> str:
        """What the template of that root is called, whatever its extension."""
        return self._titles.get(root, root)

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        return {each["root"]: each["name"] for each in reversed(self._named)}

    def heirs(self, template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The template and every one that takes over its rules."""
        return [template, *self._heirs.get((template["root"], template.get("extension")), ())]

    @cached_property
    def _named(self) -> list[Mapping[str, Any]]:
        data_types = (each for each in self.shared if all("template" in place for place in each["places"]))
        return [each for each in (*data_types, *self.templates) if "name" in each]

    @cached_property
    def _heirs(self) -> Mapping[Key, list[Mapping[str, Any]]]:
        parents: dict[Key, set[Key]] = {}
        for each in self.templates:
            key = (each["root"], each.get("extension"))
            parents.setdefault(key, set()).update(_key(parent) for parent in each.get("inherits", ()))
        found: dict[Key, list[Mapping[str, Any]]] = {}
        for each in self.templates:
            if each.get("supplement"):
                continue
            for ancestor in _ancestors((each["root"], each.get("extension")), parents):
                found.setdefault(ancestor, []).append(each)
        return found


@cache
def rulebook() -> Rulebook:
    """What is under schemas/ccda/templates."""
    templates: list[dict[str, Any]] = []
    shared: list[Mapping[str, Any]] = []
    releases: dict[str, str] = {}
    names: dict[str, str] = {}
    for path in sorted((suite.schemas() / "ccda" / "templates").glob("*.json")):
        content = json.loads(path.read_bytes())
        templates += content.get("templates", ())
        shared += content.get("shared", ())
        releases |= content.get("releases", {})
        names |= content.get("names", {})
    for each in templates:
        if each["root"] in names:
            each["name"] = names[each["root"]]
    shared += _of_every_release(templates)
    return Rulebook(tuple(templates), tuple(shared), releases)


def _of_every_release(templates: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """A section's code has been the same in every release of its template: it is judged whatever the extension."""
    done: set[str] = set()
    for each in templates:
        codes = [fact for block in each.get("blocks", ()) for fact in _codes(block)] if "extension" in each else []
        if each["element"] == "section" and codes and each["root"] not in done:
            done.add(each["root"])
            place = {"element": "section", "template": each["root"]}
            named = (
                {"root": each["root"], "name": each["name"]}
                if "name" in each
                else {"root": each["root"], "element": "section"}
            )
            yield {**named, "level": "SHALL", "places": [place], "rules": codes}


def _codes(block: Mapping[str, Any]) -> list[Fact]:
    """The facts of a block that fix the code of its element."""
    found = []
    for fact in block.get("rules", ()) if block["level"] == "SHALL" and "at" not in block else ():
        match fact:
            case {"path": [{"step": "code", "where": [{"attribute": "code", "one_of": _}]}], "min": 1} if (
                "max" not in fact
            ):
                found.append(fact)
    return found


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an assertion comes from, and its words."""

    fact: Fact
    template: Mapping[str, Any]
    level: str
    at: Sequence[Any]

    def message(self, names: wording.Names) -> str:
        """What the rule demands, of what."""
        title = wording.title(self.template)
        if self.at:
            title = f"{title}, {'/'.join(step if isinstance(step, str) else step['step'] for step in self.at)}"
        doubt = " (unconfirmed: no official artefact of this template is at hand)" if self.unconfirmed else ""
        return f"{title} {wording.demand(self.fact, _VERBS[self.level], names)}{doubt}"

    @property
    def expected(self) -> str | None:
        """The value or number it demands."""
        return wording.expected(self.fact)

    @property
    def hint(self) -> str:
        """Where to read on."""
        number = self.fact["rule"]
        where = f"template {wording.identifier(self.template['root'], self.template.get('extension'))}"
        return f"{where}, CONF:{number}" if number[0].isdigit() else where

    @property
    def unconfirmed(self) -> bool:
        """No official artefact of the template was at hand."""
        return bool(self.template.get("unconfirmed"))


def patterns(known: Rulebook | None = None) -> tuple[list[Pattern], dict[Assertion, Origin]]:
    """The rules of all templates, and where each assertion comes from."""
    writer = _Writer(known or rulebook())
    return list(writer.patterns()), writer.origins


class _Writer:
    def __init__(self, known: Rulebook) -> None:
        self.rulebook = known
        self.origins: dict[Assertion, Origin] = {}

    def patterns(self) -> Iterator[Pattern]:
        for template in self.rulebook.templates:
            for level in _SEVERITIES:
                yield from self._of(template, level)
        for number, block in enumerate(self.rulebook.shared):
            assertions = self._assertions(block["rules"], block, block["level"])
            # One for each template that uses a data type: most are in no document, and a context costs to take apart
            contexts: dict[tuple[str, str | None], list[str]] = {}
            for place in block["places"]:
                key = place["element"], place.get("template")
                contexts.setdefault(key, []).append(_context(place, key[1], place.get("at", ())))
            for (element, root), alternatives in contexts.items():
                name = " ".join(filter(None, (block["root"], block["level"], str(number), "in", element, root)))
                yield Pattern(name, (Rule(" | ".join(alternatives), assertions),))

    def _of(self, template: Mapping[str, Any], level: str) -> Iterator[Pattern]:
        name = f"{template['element']} {wording.identifier(template['root'], template.get('extension'))} {level}"
        heirs = self.rulebook.heirs(template)
        blocks = [block for block in template.get("blocks", ()) if block["level"] == level]
        here = [block for block in blocks if "at" not in block]
        inherited = [fact for block in here for fact in block.get("rules", ())]
        own = [fact for block in here for fact in block.get("own", ())]
        if len(heirs) == 1:
            inherited, own = [], inherited + own
        if inherited:
            context = " | ".join(_context(each, each["root"]) for each in heirs)
            yield Pattern(f"{name} and heirs", (Rule(context, self._assertions(inherited, template, level)),))
        if own:
            yield Pattern(name, (Rule(_context(template, template["root"]), self._assertions(own, template, level)),))
        below = [
            Rule(
                _context(template, template["root"], block["at"]),
                self._assertions([*block.get("rules", ()), *block.get("own", ())], template, level, block["at"]),
            )
            for block in blocks
            if "at" in block
        ]
        if below:
            yield Pattern(f"{name} below", tuple(below))

    def _assertions(
        self, facts: Sequence[Fact], template: Mapping[str, Any], level: str, at: Sequence[Any] = ()
    ) -> tuple[Assertion, ...]:
        severity = Severity.WARNING if template.get("unconfirmed") else _SEVERITIES[level]
        made = []
        for fact in facts:
            # Words are made where they are needed: most assertions never fail
            assertion = Assertion(fact["rule"], constraints.test(fact), severity, wording.identifier(*_named(template)))
            self.origins[assertion] = Origin(fact, template, level, at)
            made.append(assertion)
        return tuple(made)


def _named(template: Mapping[str, Any]) -> Key:
    return template["root"], template.get("extension")


def _context(place: Mapping[str, Any], root: str | None, at: Sequence[Any] = ()) -> str:
    start = f"cda:{place['element']}"
    if root:
        start += f"[cda:templateId{constraints.template(root, place.get('extension'))}]"
    return f"{start}/{constraints.path(at)}" if at else start


def _key(parent: str) -> Key:
    root, _, extension = parent.partition(":")
    return root, extension or None


def _ancestors(key: Key, parents: Mapping[Key, set[Key]]) -> set[Key]:
    found: set[Key] = set()
    waiting = list(parents.get(key, ()))
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += parents.get(each, ())
    return found
