"""Rules judged on a document, as Schematron has it: within a pattern a node belongs to the first rule that matches it.

Rules are found by the templateIds a document bears, and compiled when their template is first seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from onc_conformance.ccda import joins
from onc_conformance.ccda.bundles import BadRuleError, Bundle, Compiler, Order
from onc_conformance.ccda.contexts import Alternative, BadPatternError, read, starts
from onc_conformance.ccda.rules import Assertion, Functions, Pattern, Rule
from onc_conformance.ccda.tree import Element

_TEMPLATE_ID = "{urn:hl7-org:v3}templateId"
_KEPT = 4096
"""Combinations of templates remembered; a hostile document may invent more."""

Place = tuple[int, int]
"""Of a rule: its pattern, and where it stands in it."""


@dataclass(slots=True, eq=False)
class _Search:
    """Where rules with the same context look, and what they demand there."""

    at: Alternative
    free: list[tuple[Place, Rule]] = field(default_factory=list)
    contested: list[tuple[Place, Rule]] = field(default_factory=list)
    """Another rule of the pattern, or another member of the union, may match the same node."""
    select: Callable[..., Any] | None = None
    bundle: Bundle | None = None
    single: dict[Place, Bundle] = field(default_factory=dict)
    ready: bool = False


class RuleSet:
    """Rules ready to judge any number of documents. A context that is no pattern raises `BadRuleError`."""

    def __init__(
        self,
        patterns: Sequence[Pattern],
        namespaces: Mapping[str, str],
        functions: Functions | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables` are strings that tests may name; `namespaces` bind the prefixes of contexts and tests."""
        self.patterns = tuple(patterns)
        bound = {**namespaces, joins.PREFIX: joins.NAMESPACE}
        self._joins = joins.Joins(Compiler(bound, functions or {}, {}).compile, bound)
        known = {**(functions or {}), **self._joins.functions()}
        self._compiler = Compiler(bound, known, variables or {}, self._joins.rewritten)
        self._found: dict[Alternative, _Search] = {}
        self._unread: dict[int, Pattern] = dict(enumerate(self.patterns))
        self._waiting: dict[tuple[str, str], list[int]] = {}
        """Patterns to read once an element of that tag with a template of that root is seen."""
        self._by_template: dict[tuple[str, str], list[_Search]] = {}
        self._by_name: dict[str, list[_Search]] = {}
        self._anywhere: list[_Search] = []
        self._programs: dict[Any, tuple[_Search, ...]] = {}
        for number, pattern in enumerate(self.patterns):
            keys = [starts(rule.context, namespaces) for rule in pattern.rules]
            if None in keys:
                self._read(number)
            else:
                for key in {each for found in keys for each in found or ()}:
                    self._waiting.setdefault(key, []).append(number)

    def judge(
        self, root: Element, unjudged: list[tuple[Assertion, Element]] | None = None
    ) -> Iterator[tuple[Assertion, Element]]:
        """Failed assertions in document order, each with the element it was tried on (of an attribute: its owner).

        `unjudged` is given the assertions that would have been tried but cannot be judged.
        """
        self._joins.begin(root)
        judging = _Judging(self._compiler, [] if unjudged is None else unjudged)
        for start, program in self._starts(root):
            for search in program:
                if not search.ready:
                    self._prepare(search)
                for node in judging.nodes(search, start):
                    judging.look(search, node)
        judging.settle()
        self._joins.end()
        return judging.failed(root)

    @property
    def namespaces(self) -> Mapping[str, str]:
        """What prefixes stand for in contexts and tests."""
        return self._compiler.namespaces

    def problems(self) -> list[str]:
        """Every assertion that does not compile, and why; compiles all there is."""
        found: list[str] = []
        for number in list(self._unread):
            self._read(number)
        self._waiting.clear()
        for search in self._found.values():
            try:
                self._prepare(search)
                bundles = [Bundle(self._compiler, search.at.leaf, [each]) for each in search.contested]
            except BadRuleError as bad:
                found.append(str(bad))
                continue
            named = {assertion for _, rule in (*search.free, *search.contested) for assertion in rule.assertions}
            for bundle in (*bundles, *([search.bundle] if search.bundle else [])):
                found += [f"{each.id}: {each.unjudged}" for each in bundle.unjudged if each not in named]
        return sorted(set(found))

    def _read(self, number: int) -> None:
        """Take apart the contexts of a pattern."""
        pattern = self._unread.pop(number, None)
        if pattern is None:
            return
        self._programs.clear()
        members: list[tuple[Alternative, Place, Rule]] = []
        for position, rule in enumerate(pattern.rules):
            try:
                alternatives = read(rule.context, self._compiler.namespaces)
            except BadPatternError as bad:
                raise BadRuleError(f"{pattern.id}: the context {rule.context!r}: {bad}") from bad
            members += [(each, (number, position), rule) for each in alternatives]
        targets = Counter(each.target for each, _, _ in members)
        for each, place, rule in members:
            search = self._found.get(each)
            if search is None:
                search = self._found[each] = _Search(each)
                self._index(search)
            alone = not each.again and targets[each.target] == 1 and ("*" not in targets or len(members) == 1)
            (search.free if alone else search.contested).append((place, rule))
            search.ready = False

    def _index(self, search: _Search) -> None:
        at = search.at
        if at.tag and at.template:
            self._by_template.setdefault((at.tag, at.template.root), []).append(search)
        elif at.tag:
            self._by_name.setdefault(at.tag, []).append(search)
        else:
            self._anywhere.append(search)

    def _starts(self, root: Element) -> Iterator[tuple[Element, Sequence[_Search]]]:
        """Every element a search starts from."""
        bearers: dict[Element, list[tuple[str, str | None]]] = {}
        for each in root.iter(_TEMPLATE_ID):
            bearer = each.getparent()
            key = (bearer.tag, each.get("root")) if bearer is not None else None
            if key in self._waiting:
                for number in self._waiting.pop(key):
                    self._read(number)
            if key in self._by_template:
                bearers.setdefault(bearer, []).append((each.get("root"), each.get("extension")))
        for bearer, templates in bearers.items():
            combined = (bearer.tag, *templates)
            program = self._programs.get(combined)
            if program is None:
                if len(self._programs) >= _KEPT:
                    self._programs.clear()
                program = self._programs[combined] = self._program(bearer.tag, templates)
            yield bearer, program
        if self._by_name:
            for element in root.iter(*self._by_name):
                yield element, self._by_name[element.tag]
        yield root, self._anywhere

    def _program(self, tag: str, templates: Sequence[tuple[str, str | None]]) -> tuple[_Search, ...]:
        return tuple(
            dict.fromkeys(
                search
                for root, extension in templates
                for search in self._by_template[tag, root]
                if search.at.template and search.at.template.fits(extension)
            )
        )

    def _prepare(self, search: _Search) -> None:
        if search.at.path is not None:
            search.select = self._compiler.compile(search.at.path)
        if search.free:
            search.bundle = Bundle(self._compiler, search.at.leaf, search.free)
        search.ready = True


class _Judging:
    """One document under judgement."""

    def __init__(self, compiler: Compiler, unjudged: list[tuple[Assertion, Element]]) -> None:
        self._compiler = compiler
        self._unjudged = unjudged
        self._failed: dict[Element, list[tuple[Order, Assertion]]] = {}
        self._claims: dict[tuple[int, Element, str | None], tuple[Place, Rule, _Search]] = {}

    def nodes(self, search: _Search, start: Element) -> Sequence[Element]:
        """What matches from there; of a context that turns out to be no path, the rules are told to be unjudged."""
        if search.select is None:
            return (start,)
        try:
            found, why = search.select(start), "its context leads to no elements"
        except etree.XPathError as bad:
            found, why = None, f"its context cannot be followed: {bad}"
        if isinstance(found, list) and (not found or etree.iselement(found[0])):
            return found
        rules = (rule for _, rule in (*search.free, *search.contested))
        self._unjudged += [(replace(each, unjudged=why), start) for rule in rules for each in rule.assertions]
        return ()

    def look(self, search: _Search, node: Element) -> None:
        """Try a node against what a search demands; where rules compete for it, note the first."""
        if search.bundle:
            self._try(search.bundle, node)
        leaf = search.at.leaf
        if search.contested and leaf and "[" in leaf and not node.xpath(leaf, namespaces=self._compiler.namespaces):
            return
        for place, rule in search.contested:
            key = (place[0], node, search.at.target if leaf else None)
            holder = self._claims.get(key)
            if holder is None or place < holder[0]:
                self._claims[key] = (place, rule, search)

    def settle(self) -> None:
        """Try the nodes rules competed for against those that got them."""
        for (_, node, _leaf), (place, rule, search) in self._claims.items():
            bundle = search.single.get(place)
            if bundle is None:
                bundle = search.single[place] = Bundle(self._compiler, search.at.leaf, [(place, rule)])
            self._try(bundle, node)

    def failed(self, root: Element) -> Iterator[tuple[Assertion, Element]]:
        """What failed, in document order."""
        left = len(self._failed)
        for element in root.iter(etree.Element) if left else ():
            if (failed := self._failed.get(element)) is not None:
                for _, assertion in sorted(failed, key=lambda pair: pair[0]):
                    yield assertion, element
                left -= 1
                if not left:
                    return

    def _try(self, bundle: Bundle, node: Element) -> None:
        if failed := bundle.judge(node):
            self._failed.setdefault(node, []).extend(failed)
        if bundle.unjudged and bundle.concerns(node):
            self._unjudged += [(assertion, node) for assertion in bundle.unjudged]


__all__ = ["Assertion", "BadRuleError", "Functions", "Pattern", "Rule", "RuleSet"]
