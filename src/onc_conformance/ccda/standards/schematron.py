"""A Schematron file of HL7's, read into the rules of the engine; what of it cannot be run is told, with the reason.

Severity is the phase's: `errors` are SHALL, `warnings` SHOULD; a `role` of the assertion's own wins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from onc_conformance.ccda.contexts import BadPatternError, read
from onc_conformance.ccda.rules import Assertion, Pattern, Rule
from onc_conformance.ccda.standards import lookups, xpath1
from onc_conformance.findings import Severity, UsageError

NAMESPACE = "http://purl.oclc.org/dsdl/schematron"
MAX_BYTES = 64 * 1024 * 1024
VALUE = "\x00"
"""Stands around an expression within a message: Schematron's `value-of`."""

_ALWAYS = (".", "true()")
"""HL7 fills empty rules so."""
_CONF = re.compile(r"CONF:\s*(\d+-\d+)")
_STRING = re.compile(r"""(['"])([^'"]*)\1""")
_SEVERITIES = {
    "fatal": Severity.ERROR, "error": Severity.ERROR, "errors": Severity.ERROR, "warning": Severity.WARNING,
    "warn": Severity.WARNING, "warnings": Severity.WARNING, "info": Severity.INFO, "information": Severity.INFO,
    "note": Severity.INFO, "notes": Severity.INFO,
}  # fmt: skip


@dataclass(slots=True)
class Schematron:
    """What a file holds."""

    title: str | None
    said: str | None
    """What its head says of where it comes from, in one line."""
    namespaces: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    patterns: list[Pattern] = field(default_factory=list)
    not_run: list[tuple[str, str]] = field(default_factory=list)
    """Of a pattern, rule or assertion that cannot be run: its id and why."""
    lookups: set[tuple[str, str]] = field(default_factory=set)
    """File and value set that tests look codes up in."""


def load(data: bytes, name: str) -> Schematron:
    """Read a file; `name` is what complaints call it. UsageError where it is no Schematron, or hostile."""
    root = _root(data, name)
    if root.tag != f"{{{NAMESPACE}}}schema":
        raise UsageError(f"{name}: is no Schematron; expected the element schema of {NAMESPACE}, found {root.tag}")
    binding = root.get("queryBinding", "xslt")
    if binding.lower() not in {"xslt", "xslt1", "xslt2", "xpath", "xpath2"}:
        raise UsageError(f"{name}: its rules are written in {binding!r}; expected XPath (queryBinding xslt or xslt2)")
    read_ = _Reader(root).read()
    if not any(rule.assertions for pattern in read_.patterns for rule in pattern.rules):
        raise UsageError(f"{name}: holds no rule that can be run; expected HL7's Schematron of a C-CDA release")
    return read_


def _root(data: bytes, name: str) -> Any:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name}: {len(data)} bytes; at most {MAX_BYTES} are read")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UsageError(f"{name}: is not XML: {' '.join(str(error).split())}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UsageError(f"{name}: declares a document type; a rule file with entities of its own is never read")
    return root


class _Reader:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._found = Schematron(_text(root.find(_in("title"))), _origin(root))
        self._ids: Counter[str] = Counter()

    def read(self) -> Schematron:
        found = self._found
        for each in self._root.iterchildren(_in("ns")):
            found.namespaces[each.get("prefix", "")] = each.get("uri", "")
        for each in self._root.iterchildren(_in("let")):
            self._variable(each)
        for each in self._root.iter(_in("include")):
            found.not_run.append((each.get("href", "?"), "another file is included; import the whole in one file"))
        self._abstract = {
            each.get("id"): each for each in self._root.iter(_in("rule")) if each.get("abstract") == "true"
        }
        severities = self._phases()
        for number, each in enumerate(self._root.iterchildren(_in("pattern")), start=1):
            name = each.get("id") or f"pattern-{number}"
            if each.get("abstract") == "true" or each.get("is-a"):
                found.not_run.append((name, "abstract patterns are not supported"))
                continue
            rules = tuple(self._rules(each, name, severities.get(name, Severity.ERROR)))
            if rules:
                found.patterns.append(Pattern(name, rules))
        return found

    def _variable(self, element: Any) -> None:
        written = (element.get("value") or "").strip()
        literal = _STRING.fullmatch(written)
        if literal is None:
            self._found.not_run.append(
                (f"let {element.get('name')}", "is no string; only these are known to all rules")
            )
        else:
            self._found.variables[element.get("name", "")] = literal[2]

    def _phases(self) -> dict[str, Severity]:
        """The gravest phase each pattern is active in."""
        order = (Severity.INFO, Severity.WARNING, Severity.ERROR)
        found: dict[str, Severity] = {}
        for phase in self._root.iterchildren(_in("phase")):
            severity = _SEVERITIES.get((phase.get("id") or "").lower(), Severity.ERROR)
            for each in phase.iterchildren(_in("active")):
                pattern = each.get("pattern", "")
                found[pattern] = max(found.get(pattern, Severity.INFO), severity, key=order.index)
        return found

    def _rules(self, pattern: Any, name: str, severity: Severity) -> Iterator[Rule]:
        for number, each in enumerate(pattern.iterchildren(_in("rule")), start=1):
            if each.get("abstract") == "true":
                continue
            rule_name = each.get("id") or f"{name}-{number}"
            context = each.get("context") or ""
            if wrong := self._unreadable(context):
                self._found.not_run.append((rule_name, f"its context cannot be read: {wrong}"))
                # A rule that takes no node would leave its nodes to the rules below it; nobody knows which
                return
            variables: list[tuple[str, str]] = []
            assertions = tuple(self._content(each, rule_name, severity, variables, ()))
            known = {*self._found.variables, *(given for given, _ in variables)}
            for given, expression in variables:
                if wrong := xpath1.objection(expression, self._found.namespaces, known, known={"current"}):
                    self._found.not_run.append((f"{rule_name}, let {given}", wrong))
            yield Rule(context, assertions, tuple(variables))

    def _unreadable(self, context: str) -> str | None:
        try:
            found = read(context, self._found.namespaces)
        except BadPatternError as bad:
            return str(bad)
        paths = [path for each in found for path in (each.path, each.leaf) if path]
        return next(filter(None, (xpath1.objection(path, self._found.namespaces, ()) for path in paths)), None)

    def _content(
        self, rule: Any, name: str, severity: Severity, variables: list[tuple[str, str]], above: tuple[str, ...]
    ) -> Iterator[Assertion]:
        for each in rule.iterchildren(etree.Element):
            kind = each.tag.rpartition("}")[2]
            if kind == "let":
                variables.append((each.get("name", ""), each.get("value") or ""))
            elif kind == "extends":
                other = each.get("rule", "")
                if other not in self._abstract or other in above:
                    self._found.not_run.append((name, f"extends the rule {other!r}, which is not there"))
                else:
                    yield from self._content(self._abstract[other], name, severity, variables, (*above, other))
            elif kind == "report" or (kind == "assert" and (each.get("test") or "").strip() not in _ALWAYS):
                yield self._assertion(each, name, severity, {given for given, _ in variables})

    def _assertion(self, element: Any, rule: str, severity: Severity, local: set[str]) -> Assertion:
        message = _message(element)
        test = (element.get("test") or "").strip()
        given = element.get("id")
        conf = _CONF.search(message)
        base = given.removeprefix("a-") if given else conf[1] if conf else rule
        self._ids[rule] += 1
        own = base if given or conf else f"{rule}-{self._ids[rule]}"
        wrong = None
        try:
            test = lookups.rewritten(test, self._found.lookups)
        except lookups.UnreadableLookupError as bad:
            wrong = str(bad)
        wrong = wrong or xpath1.objection(
            test, self._found.namespaces, {*self._found.variables, *local}, known={"current", *lookups.FUNCTIONS}
        )
        if wrong:
            self._found.not_run.append((own, wrong))
        if element.tag == _in("report"):
            test = f"not({test})"
        role = (element.get("role") or "").lower()
        return Assertion(own, test, _SEVERITIES.get(role, severity), message, unjudged=wrong)


def _in(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _text(element: Any) -> str | None:
    return " ".join("".join(element.itertext()).split()) or None if element is not None else None


def _message(element: Any) -> str:
    parts = [element.text or ""]
    for each in element.iterchildren():
        if each.tag in {_in("value-of"), _in("name")}:
            parts.append(f"{VALUE}{each.get('select') or each.get('path') or 'name()'}{VALUE}")
        elif isinstance(each.tag, str):
            parts += each.itertext()
        parts.append(each.tail or "")
    return " ".join("".join(parts).split())


def _origin(root: Any) -> str | None:
    """The line of the comments before the schema that says what made it, and when."""
    comments = [each.text or "" for each in root.itersiblings(etree.Comment, preceding=True)]
    lines = [" ".join(line.split()) for text in comments for line in text.splitlines()]
    return next((line for line in lines if "generated" in line.lower() and len(line) < 200), None)
