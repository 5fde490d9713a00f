"""An official Schematron file as a table of facts: which constraint holds where, how binding, under which number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from lxml import etree

from onc_conformance.ccda.derivation.constraints import ALWAYS, Condition, UnknownFormError, condition, steps
from onc_conformance.ccda.derivation.xpath import Call, Path, Tree, parse

_SCHEMATRON = "{http://purl.oclc.org/dsdl/schematron}"
_NUMBER = re.compile(r"a-(\d+-\d+)")
_NUMBER_IN_TEXT = re.compile(r"CONF:(\d+-\d+)")
_JOINING = "and|of|for|to|in|the|or|with|-"
_NAMED = re.compile(
    rf"((?:[A-Z][\w/',&.\u2019-]*|{_JOINING})(?: (?:[A-Z(][\w/',&.()\u2019-]*|{_JOINING}))*)"
    r" \(identifier: urn:(?:oid:|hl7ii:)([\d.]+)(?::([\d-]+))?\)"
)
_IDENTIFIER = re.compile(r"urn:(?:oid:|hl7ii:)([\d.]+\d)(?::([\d-]+))?")
_WORDS = re.compile(r"(?<=[a-z]{5})(?=(?:and|for|in|of|to|with)[A-Z])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BINDING = re.compile(r"contains\(\s*\$")
_LEVELS = {"errors": "SHALL", "warnings": "SHOULD"}


@dataclass
class Derivation:
    """A table, and what of the file is not in it."""

    table: dict[str, Any]
    untestable: list[str] = field(default_factory=list)
    """Numbers of assertions that the file itself cannot make fail."""
    bound: list[str] = field(default_factory=list)
    """Tests of a code against a list that the file holds under a name: a binding, left to the vocabulary."""
    unread: list[tuple[str, str]] = field(default_factory=list)
    """Pattern, and a test or context of it that the vocabulary of constraints has no word for."""


def derive(file: File, release: str, known: Mapping[tuple[str, str | None], str] | None = None) -> Derivation:
    """The facts of a file with phases `errors` and `warnings`; `known` are names of templates beyond its own."""
    return _Reader(etree.parse(file).getroot(), release, {**(known or {}), **names(file)}).read()


def names(file: File) -> dict[tuple[str, str | None], str]:
    """What templates are called in references to them, else by the names of patterns; also without extension."""
    root = etree.parse(file).getroot()
    found = _names(root)
    for pattern in root.iter(f"{_SCHEMATRON}pattern"):
        name = re.sub(r"-(errors|warnings)$", "", str(pattern.get("id")))
        for comment in pattern.iterchildren(etree.Comment):
            if (match := _IDENTIFIER.search(comment.text or "")) and name.isalnum():
                found.setdefault((str(match[1]), match[2]), _WORDS.sub(" ", name))
    for (oid, _), name in list(found.items()):
        found.setdefault((oid, None), name)
    return found


class _Reader:
    def __init__(self, root: Any, release: str, known: Mapping[tuple[str, str | None], str]) -> None:
        self.root = root
        self.rules = {each.get("id"): each for each in root.iter(f"{_SCHEMATRON}rule") if each.get("id")}
        self.derivation = Derivation({"release": release, "templates": [], "shared": []})
        self.names = known
        self.ids: Counter[str] = Counter()
        self.templates: dict[tuple[str, str, str | None], dict[str, Any]] = {}

    def read(self) -> Derivation:
        for phase in self.root.iter(f"{_SCHEMATRON}phase"):
            level = _LEVELS[phase.get("id")]
            active = [each.get("pattern") for each in phase.iter(f"{_SCHEMATRON}active")]
            patterns = {each.get("id"): each for each in self.root.iter(f"{_SCHEMATRON}pattern")}
            for name in active:
                self.pattern(patterns[name], level)
        table = self.derivation.table
        table["templates"] = sorted(self.templates.values(), key=_order)
        return self.derivation

    def pattern(self, pattern: Any, level: str) -> None:
        for rule in pattern.iter(f"{_SCHEMATRON}rule"):
            context = rule.get("context")
            if not context:
                continue
            try:
                places = [self.place(each) for each in _alternatives(parse(context))]
            except (UnknownFormError, ValueError, KeyError, TypeError) as trouble:
                self.derivation.unread.append((pattern.get("id"), str(trouble)))
                continue
            own = self.assertions(rule)
            inherited, parents = self.inherited(rule)
            if len(places) > 1 or "-5." in pattern.get("id"):
                self.shared(pattern.get("id"), places, level, inherited + own)
                continue
            self.add(places[0], level, own, inherited, parents)

    def add(
        self, place: dict[str, Any], level: str, own: list[Condition], rules: list[Condition], parents: list[str]
    ) -> None:
        key = (place["element"], place["template"], place.get("extension"))
        template = self.templates.get(key)
        if template is None:
            root, extension = key[1:]
            template = self.templates[key] = {"element": place["element"], "root": root}
            if extension is not None:
                template["extension"] = extension
            if name := self.name(root, extension):
                template["name"] = name
        if parents:
            template["inherits"] = sorted({*template.get("inherits", ()), *parents})
        blocks = template.setdefault("blocks", [])
        block: dict[str, Any] = {"level": level}
        if place.get("at"):
            block["at"] = place["at"]
        if rules:
            block["rules"] = rules
        if own:
            block["own"] = own
        if rules or own:
            blocks.append(block)

    def shared(self, pattern: str, places: list[dict[str, Any]], level: str, rules: list[Condition]) -> None:
        if not rules:
            return
        match = re.search(r"(\d+(?:\.\d+)+)(?:-(\d{4}-\d\d-\d\d))?", pattern)
        if match is None:
            self.derivation.unread.append((pattern, "no template in its name"))
            return
        block: dict[str, Any] = {"root": match[1], "level": level, "rules": rules, "places": places}
        if name := self.name(match[1], match[2]):
            block["name"] = name
        self.derivation.table["shared"].append(block)

    def name(self, root: str, extension: str | None) -> str | None:
        return self.names.get((root, extension or None)) or self.names.get((root, None))

    def place(self, path: Path) -> dict[str, Any]:
        first, *below = steps(path)
        (template,) = first["where"]
        place = {"element": first["step"], "template": template["template"]}
        if "extension" in template:
            place["extension"] = template["extension"]
        if below:
            place["at"] = below
        return place

    def inherited(self, rule: Any) -> tuple[list[Condition], list[str]]:
        """What the template's own abstract rule states, and the templates whose rules it takes over."""
        stated: list[Condition] = []
        parents: list[str] = []
        for extends in rule.iter(f"{_SCHEMATRON}extends"):
            abstract = self.rules[extends.get("rule")]
            for further in abstract.iter(f"{_SCHEMATRON}extends"):
                found = re.search(r"-([\d.]+\d)-(\d{4}-\d\d-\d\d)?", further.get("rule"))
                if found is None:
                    raise UnknownFormError(f"extends {further.get('rule')}")
                parents.append(f"{found[1]}:{found[2]}" if found[2] else found[1])
            stated += self.assertions(abstract)
        return stated, parents

    def assertions(self, rule: Any) -> list[Condition]:
        stated = []
        for each in rule.iter(f"{_SCHEMATRON}assert"):
            text = "".join(each.itertext())
            match = _NUMBER.match(each.get("id") or "") or _NUMBER_IN_TEXT.search(text)
            number = match[1] if match else ""
            if _BINDING.search(each.get("test")):
                self.derivation.bound.append(number)
                continue
            try:
                made = condition(parse(each.get("test")))
            except (UnknownFormError, ValueError) as trouble:
                self.derivation.unread.append((rule.getparent().get("id"), f"{number} {trouble}".strip()))
                continue
            if made == ALWAYS or _never_tested(made):
                self.derivation.untestable.append(number)
                continue
            stated.append({"rule": number or self.own_id(rule, made), **made})
        return stated

    def own_id(self, rule: Any, made: Condition) -> str:
        """For a rule the file gives no number: the template's name, where it holds and what it is about."""
        name = re.sub(r"-(errors|warnings)$", "", rule.getparent().get("id"))
        context = parse(rule.get("context") or ".")
        at = [step.name.partition(":")[2] for step in _alternatives(context)[0].steps[1:] if ":" in step.name]
        written = ".".join([name, *at, *_subject(made)])
        self.ids[written] += 1
        return f"{written}-{self.ids[written]}" if self.ids[written] > 1 else written


def _subject(made: Condition) -> list[str]:
    """The names a condition is about, in short."""
    match made:
        case {"path": path}:
            return [step if isinstance(step, str) else step["step"] for step in path]
        case {"attribute": name}:
            return [f"@{name}"]
        case {"template": _}:
            return ["templateId"]
        case {"not": inner}:
            return _subject(inner)
        case {"any": [first, *_]} | {"all": [first, *_]}:
            return _subject(first)
    return [next(iter(made))]


def _alternatives(tree: Tree) -> list[Path]:
    parts = tree.arguments if isinstance(tree, Call) and tree.name == "|" else (tree,)
    return [part for part in parts if isinstance(part, Path)]


def _never_tested(made: Condition) -> bool:
    """An official file marks what it leaves to the reader by the absence of an element that nothing can contain."""
    return made.get("max") == 0 and str(made.get("path", [""])[0]).startswith("test")


def _names(root: Any) -> dict[tuple[str, str | None], str]:
    found: dict[tuple[str, str | None], str] = {}
    for each in root.iter(f"{_SCHEMATRON}assert"):
        for name, oid, extension in _NAMED.findall("".join(each.itertext())):
            found.setdefault((oid, extension or None), name)
    return found


def _order(template: dict[str, Any]) -> tuple[list[int], str, str]:
    return [int(part) for part in template["root"].split(".")], template.get("extension", ""), template["element"]
