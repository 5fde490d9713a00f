"""The contexts of rules: XPath patterns taken apart, so that only rules that may match a node are tried on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

_ASKED = r"""\(?\s* (?:(?P<prefix>[\w.-]+):)? templateId
    (?: \[\s*@root\s*=\s*(?P<q1>['"])(?P<root>[^'"]*)(?P=q1)
        (?: (?:\s*\]\s*\[\s*|\s+and\s+)
            (?: @extension\s*=\s*(?P<q2>['"])(?P<extension>[^'"]*)(?P=q2) | (?P<bare>not\(\s*@extension\s*\)) ) )?
        \s*\]
      | /@root\s*=\s*(?P<q3>['"])(?P<any>[^'"]*)(?P=q3) )
    \s*\)?"""
_TEMPLATE = re.compile(_ASKED, re.VERBOSE)
_START = re.compile(
    rf"(?:(?P<space>[\w.-]+):)?(?P<name>[A-Za-z_][\w.-]*)\[\s*(?P<asked>{_ASKED})\s*\]", re.VERBOSE | re.ASCII
)
_NAMED = re.compile(r"(?:child::)?(?:(?P<prefix>[A-Za-z_][\w.-]*):)?(?P<name>[A-Za-z_][\w.-]*)", re.ASCII)
_POSITIONAL = re.compile(r"\b(?:position|last)\s*\(")
_LEAF = re.compile(r"@|attribute::|(?:text|comment|processing-instruction|node)\(")


class BadPatternError(ValueError):
    """A context that is no XPath pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class Template:
    """A templateId that a context asks for."""

    root: str
    extension: str | None
    """None: a templateId without extension, unless `any_extension`."""
    any_extension: bool = False

    def fits(self, extension: str | None) -> bool:
        """Whether a templateId of the same root does."""
        return self.any_extension or self.extension == extension


@dataclass(frozen=True, slots=True)
class Alternative:
    """One member of a union of patterns."""

    tag: str | None
    """Of the element the search starts at, in Clark notation; None where only a search of the whole tree will do."""
    template: Template | None
    """Which that element must bear."""
    path: str | None
    """XPath from that element, or from the tree where `tag` is None, to the elements that match; None: itself."""
    leaf: str | None
    """The last step where it is no element: an attribute, a text, or the document (`/self::node()`)."""
    target: str
    """Name of what matches, as written: two patterns of different names never match one node."""
    again: bool = False
    """Whether searches from different elements may find the same node."""


def read(context: str, namespaces: Mapping[str, str]) -> tuple[Alternative, ...]:
    """The members of a pattern."""
    return tuple(_alternative(member.strip(), namespaces) for member in split(context, "|"))


def starts(context: str, namespaces: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """Tag and template root of the elements a search for each member starts at, at a glance; None: `read` must tell."""
    found = []
    for member in context.split("|") if "|" in context else (context,):
        start = _START.match(member.strip())
        template = _template(start["asked"], namespaces) if start else None
        if start is None or template is None or start["space"] not in namespaces:
            return None
        found.append((_clark(start["space"], start["name"], namespaces), template.root))
    return found


def split(text: str, separator: str) -> Iterator[str]:
    """The parts of an expression between separators that stand outside brackets and quotes."""
    depth, start, quote = 0, 0, ""
    for position, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
            if depth < 0:
                break
        elif char == separator and not depth:
            yield text[start:position]
            start = position + 1
    if quote or depth:
        raise BadPatternError(f"quotes or brackets do not match in {text!r}")
    yield text[start:]


def _alternative(text: str, namespaces: Mapping[str, str]) -> Alternative:
    if text == "/":
        return Alternative(None, None, "/*", "/self::node()", "/")
    absolute = text.startswith("/") and not text.startswith("//")
    steps, leaf = _taken_apart(text)
    first, predicates = _step(steps[0])
    target = _target(leaf or steps[-1])
    named = _NAMED.fullmatch(first)
    counted = any(_by_position(each) for each in predicates)
    rest = "/".join((".", *steps[1:])) if steps[1:] else None
    deep = "" in steps or "descendant-or-self::*" in steps
    if not absolute and named and not counted:
        tag = _clark(named["prefix"], named["name"], namespaces)
        for number, predicate in enumerate(predicates):
            if template := _template(predicate, namespaces):
                others = "".join(f"[{each}]" for each in predicates[:number] + predicates[number + 1 :])
                path = f"self::node(){others}{(rest or '.')[1:]}" if others else rest
                return Alternative(tag, template, path, leaf, target, deep)
        if not predicates:
            return Alternative(tag, None, rest, leaf, target, deep)
    path = "/".join(steps)
    if not absolute:
        # Quicker by far, and the same unless siblings are counted
        path = f"/descendant-or-self::node()/{path}" if counted else f"/descendant::{path.removeprefix('child::')}"
    return Alternative(None, None, path, leaf, target)


def _taken_apart(text: str) -> tuple[list[str], str | None]:
    """The steps to the element (the first is empty in an absolute path), and the step from there to what is none."""
    steps = [step.strip() for step in split(text.removeprefix("//"), "/")]
    leaf = steps.pop() if _LEAF.match(steps[-1]) else None
    if leaf is not None and not steps:
        steps = ["*"]
    elif leaf is not None and not steps[-1]:
        steps[-1] = "descendant-or-self::*"
    if not steps[-1] or (not steps[0] and not text.startswith("/")):
        raise BadPatternError(f"a step is missing in {text!r}" if text else "it is empty")
    return steps, leaf


@cache
def _step(step: str) -> tuple[str, tuple[str, ...]]:
    """A step's node test and its predicates."""
    test, bracket, rest = step.partition("[")
    if not bracket:
        return test.strip(), ()
    predicates: list[str] = []
    depth, quote, start = 1, "", 0
    for position, char in enumerate(rest):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "[":
            depth += 1
            start = position + 1 if depth == 1 else start
        elif char == "]":
            depth -= 1
            if not depth:
                predicates.append(rest[start:position].strip())
        elif not depth and not char.isspace():
            raise BadPatternError(f"{char!r} stands after a predicate in {step!r}")
    return test.strip(), tuple(predicates)


def _by_position(predicate: str) -> bool:
    """A predicate that counts siblings says something else from where the search starts."""
    return predicate.isdigit() or bool(_POSITIONAL.search(predicate))


def _target(step: str) -> str:
    test, _ = _step(step)
    test = test.replace("child::", "").replace("attribute::", "@")
    return "*" if "*" in test or "(" in test else test


def _clark(prefix: str | None, name: str, namespaces: Mapping[str, str]) -> str:
    if prefix is None:
        return name
    if prefix not in namespaces:
        raise BadPatternError(f"the prefix {prefix!r} is bound to no namespace")
    return f"{{{namespaces[prefix]}}}{name}"


def _template(predicate: str, namespaces: Mapping[str, str]) -> Template | None:
    """The templateId a predicate asks for, where that is all it asks."""
    found = _TEMPLATE.fullmatch(predicate)
    if found is None or predicate.count("(") != predicate.count(")"):
        return None
    if namespaces.get(found["prefix"] or "") != "urn:hl7-org:v3":
        return None
    anything = found["extension"] is None and found["bare"] is None
    return Template(found["root"] or found["any"] or "", found["extension"], any_extension=anything)
