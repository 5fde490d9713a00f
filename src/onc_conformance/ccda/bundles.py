"""The assertions of rules about one node as one compiled expression, so that a node costs one call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from onc_conformance.ccda.rules import Assertion, Functions, Rule
from onc_conformance.ccda.tree import Element

Order = tuple[int, int, int]
"""Of the pattern, of the rule in it, of the assertion in that."""

_CURRENT = re.compile(r"\bcurrent\(\s*\)")
_STEP = r"(?:\.\.?|@?[\w.-]+(?::[\w.-]+)?)"
_PATH = re.compile(rf"{_STEP}(?:/{_STEP})*")
_VARIABLE = re.compile(r"\$([\w.-]+)")


class BadRuleError(ValueError):
    """An expression that cannot be compiled; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """XPath as the rules of one set write it."""

    namespaces: Mapping[str, str]
    functions: Functions
    variables: Mapping[str, str]
    """Strings that tests may name."""
    joined: Callable[[str], str] = str
    """Puts calls in place of what would search the whole document each time."""

    def compile(self, expression: str) -> Any:
        """Ready to be called with an element."""
        try:
            return etree.XPath(
                expression,
                namespaces=dict(self.namespaces),
                extensions=dict(self.functions) or None,
                smart_strings=False,
            )
        except (etree.XPathError, ValueError) as bad:
            raise BadRuleError(f"{bad}: {expression if len(expression) < 300 else expression[:300] + '…'}") from bad


class Bundle:
    """What several rules demand of one node. An assertion that cannot be evaluated is unjudged, with the reason."""

    def __init__(self, compiler: Compiler, leaf: str | None, rules: Sequence[tuple[tuple[int, int], Rule]]) -> None:
        """`leaf` is the step from the element to the node where that is no element."""
        self.unjudged: list[Assertion] = []
        self._compiler = compiler
        self._leaf = compiler.compile(leaf) if leaf else None
        self._here = False
        self._variables: dict[str, Any] = {}
        self._tests: list[tuple[Order, Assertion, str]] = []
        for order, rule in rules:
            self._add(order, rule, leaf)
        try:
            self._one = self._joined([test for _, _, test in self._tests])
        except BadRuleError:
            self._drop()

    def judge(self, element: Element) -> list[tuple[Order, Assertion]]:
        """The assertions that do not hold."""
        given = self._given(element)
        try:
            digits = self._one(element, **given) if given else self._one(element)
        except etree.XPathError:
            self._drop(element, given)
            digits = self._one(element, **given)
        if "0" not in digits:
            return []
        return [self._tests[place][:2] for place, digit in enumerate(digits) if digit == "0"]

    def _given(self, element: Element) -> dict[str, Any]:
        """The values that tests name; one that cannot be computed is left out, and so are the tests that name it."""
        given: dict[str, Any] = {"current": [element]} if self._here else {}
        for name, value in self._variables.items():
            with suppress(etree.XPathError):
                given[name] = value(element)
        return given

    def concerns(self, element: Element) -> bool:
        """Whether the element has the node that is meant."""
        return self._leaf is None or bool(self._leaf(element))

    def _joined(self, tests: Sequence[str]) -> Any:
        return self._compiler.compile("concat('',''{})".format("".join(f",number(boolean({test}))" for test in tests)))

    def _add(self, order: tuple[int, int], rule: Rule, leaf: str | None) -> None:
        said = {name: literal(value) for name, value in self._compiler.variables.items()}
        for name, expression in rule.variables:
            written = expression.strip()
            if _PATH.fullmatch(written):
                # As a path from the node it stays a set of nodes, which no value handed in could be
                said[name] = f"current()/{written}"
            else:
                own = f"v{order[0]}.{order[1]}.{name}"
                said[name] = f"${own}"
                with suppress(BadRuleError):
                    self._variables[own] = self._compiler.compile(self._rewritten(written, said, leaf))
        for number, assertion in enumerate(rule.assertions):
            if assertion.unjudged:
                self.unjudged.append(assertion)
                continue
            test = self._rewritten(assertion.test, said, leaf)
            if leaf is not None:
                test = f"not({leaf}[not({test})])"
            self._tests.append(((*order, number), assertion, test))

    def _rewritten(self, test: str, said: Mapping[str, str], leaf: str | None) -> str:
        """The test with variables and `current()` in words that libxml2 knows."""
        if said and "$" in test:
            test = _VARIABLE.sub(lambda found: said.get(found[1], found[0]), test)
        if leaf is None:
            test = self._compiler.joined(test)
        if "current(" in test:
            self._here = True
            test = _CURRENT.sub(f"$current/{leaf}" if leaf else "$current", test)
        return test

    def _drop(self, element: Element | None = None, given: Mapping[str, Any] | None = None) -> None:
        """Set aside the assertions that do not compile, or that cannot be evaluated on this element."""
        kept = []
        for order, assertion, test in self._tests:
            try:
                compiled = self._joined([test])
                if element is not None:
                    compiled(element, **(given or {}))
            except (BadRuleError, etree.XPathError) as bad:
                self.unjudged.append(replace(assertion, unjudged=" ".join(str(bad).split())))
            else:
                kept.append((order, assertion, test))
        self._tests = kept
        self._one = self._joined([test for _, _, test in kept])


def literal(value: str) -> str:
    """A string as XPath 1.0 writes it."""
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    return "concat({})".format(',"\'",'.join(f"'{part}'" for part in value.split("'")))
