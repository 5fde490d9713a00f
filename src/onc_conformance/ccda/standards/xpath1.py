"""What of an expression libxml2 would only find out on a document, or not at all: names that nobody defines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from lxml import etree

CORE = frozenset({
    "last", "position", "count", "id", "local-name", "namespace-uri", "name", "string", "concat",
    "starts-with", "contains", "substring-before", "substring-after", "substring", "string-length",
    "normalize-space", "translate", "boolean", "not", "true", "false", "lang", "number", "sum", "floor",
    "ceiling", "round",
})  # fmt: skip
"""The functions of XPath 1.0."""
_NODE_TESTS = frozenset({"node", "text", "comment", "processing-instruction", "and", "or", "div", "mod"})
_STRINGS = re.compile(r"'[^']*'|\"[^\"]*\"")
_CALLED = re.compile(r"(?<![\w.-])((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)\s*\(")
_VARIABLES = re.compile(r"\$([\w.-]+)")


def objection(
    expression: str, namespaces: Mapping[str, str], variables: Collection[str], known: Collection[str] = ()
) -> str | None:
    """Why an expression cannot be run, or None. `known` are functions beyond XPath 1.0."""
    if not expression:
        return "the test is empty"
    bare = _STRINGS.sub("''", expression)
    unknown = sorted({each for each in _CALLED.findall(bare) if each not in {*CORE, *_NODE_TESTS, *known}})
    if unknown:
        return f"uses {', '.join(f'{each}()' for each in unknown)}, which XPath 1.0 does not have"
    if missing := sorted(set(_VARIABLES.findall(bare)) - set(variables)):
        return f"names the variable {', '.join(missing)}, which is not defined"
    prefixes = {name.partition(":")[0] for name in re.findall(r"(?<![:\w.-])[A-Za-z_][\w.-]*:(?!:)[\w*]", bare)}
    if strange := sorted(prefixes - set(namespaces) - {each.partition(":")[0] for each in known}):
        return f"uses the prefix {', '.join(strange)}, which is bound to no namespace"
    try:
        etree.XPath(expression, namespaces=dict(namespaces))
    except (etree.XPathError, ValueError) as bad:
        return f"is no XPath 1.0: {' '.join(str(bad).split())}"
    return None
