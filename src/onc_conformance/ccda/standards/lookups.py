"""Codes that a test of a standard looks up in a file beside it (`document('voc.xml')`), without parsing it again.

A look-up is rewritten as a call of a function here; the codes are read once, when the standard is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from onc_conformance.findings import UsageError

NAMESPACE = "urn:onc-conformance:lookups"
PREFIX = "onc-lookup"
FUNCTIONS = {f"{PREFIX}:holds"}

_CALL = re.compile(r"\bdocument\s*\(")
_LOOKUP = re.compile(
    r"""(?P<value>[@\w][\w./:-]{0,200}|\.)\s*=\s*
        document\(\s*(?P<q1>['"])(?P<file>[^'"]+)(?P=q1)\s*\)
        /(?:[\w-]+:)?systems/(?:[\w-]+:)?system\[\s*@valueSetOid\s*=\s*(?P<q2>['"])(?P<oid>[\d.]+)(?P=q2)\s*\]
        /(?:[\w-]+:)?code/@value""",
    re.VERBOSE,
)


class UnreadableLookupError(ValueError):
    """A look-up of a form that is not known; the message says so."""


def rewritten(test: str, found: set[tuple[str, str]]) -> str:
    """The test with its look-ups as calls; `found` is given file and value set of each."""
    if not _CALL.search(test):
        return test

    def call(match: re.Match[str]) -> str:
        found.add((match["file"], match["oid"]))
        return f"{PREFIX}:holds('{match['oid']}', {match['value']})"

    test = _LOOKUP.sub(call, test)
    if _CALL.search(test):
        raise UnreadableLookupError("looks codes up in another file in a way that is not known")
    return test


def named(test: str) -> set[str]:
    """The value sets a rewritten test looks codes up in."""
    return set(re.findall(rf"{PREFIX}:holds\('([\d.]+)'", test)) if PREFIX in test else set()


def functions(codes: Mapping[str, Collection[str]]) -> dict[tuple[str | None, str], Callable[..., Any]]:
    """What the calls mean: whether one of the values is a code of the set."""
    sets = {oid: frozenset(each) for oid, each in codes.items()}

    def holds(_: Any, oid: str, values: Any) -> bool:
        if not isinstance(values, list):
            values = [values]
        return any(str(getattr(each, "text", each)) in sets[oid] for each in values)

    return {(NAMESPACE, "holds"): holds}


def codes(path: Path, wanted: Iterable[str]) -> dict[str, list[str]]:
    """The codes of value sets out of HL7's voc.xml or an IHE SVS answer, read as a stream whatever its size.

    UsageError where it cannot be read.
    """
    left = set(wanted)
    found: dict[str, list[str]] = {}
    oid: str | None = None
    try:
        stream = etree.iterparse(
            str(path), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for event, element in stream:
            name = str(element.tag).rpartition("}")[2]
            if event == "start":
                if name in {"system", "ValueSet", "DescribedValueSet"}:
                    oid = element.get("valueSetOid") or element.get("ID") or element.get("id")
                    if oid in left:
                        found.setdefault(oid, [])
                continue
            if oid in found and name in {"code", "Concept"} and (code := element.get("value") or element.get("code")):
                found[oid].append(code)
            if name in {"system", "ValueSet", "DescribedValueSet", "code", "Concept"}:
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except (OSError, etree.XMLSyntaxError) as error:
        raise UsageError(f"{path}: the value sets the rules look up cannot be read: {error}") from None
    return found
