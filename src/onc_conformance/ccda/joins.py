"""Tests that look for their like in the whole document, without looking through all of it each time.

HL7's rules for later releases ask in many places whether some element anywhere in the document bears the same id
(`/cda:ClinicalDocument//cda:act[cda:id[… = current()/cda:id[1]/@root …] …]`). Judged as written, that is the whole
document once for each element. Here the elements are found by their ids, and an answer is remembered for the next
element that asks with the same id. What is asked of the elements found stays as it was written.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from onc_conformance.ccda.tree import Element

NAMESPACE = "urn:onc-conformance:joins"
PREFIX = "onc-join"

_START = re.compile(r"(?:^|\s(?:or|and)\s)[\s(]*(?P<path>/(?P<p>[\w.-]+:)ClinicalDocument//(?P=p)(?P<name>[\w.-]+)\[)")
_SELF = r"self::node\(\)/"
_LIKE = re.compile(
    rf"""(?P<way>(?:[\w.-]+:[\w.-]+/)*)(?:[\w.-]+:)?id\[\s*{_SELF}@root\s*=\s*current\(\)/(?P<at>[\w.:/\[\]-]+?)/@root\s+and\s+
        \(\s*not\({_SELF}@extension\)\s+and\s+not\(current\(\)/(?P=at)/@extension\)\s*\)
        \s+or\s+{_SELF}@extension\s*=\s*current\(\)/(?P=at)/@extension\s*\]""",
    re.VERBOSE,
)
Key = tuple[str | None, str | None]
"""Root and extension of an id."""


class Joins:
    """The joins of one set of rules, and what was found in the document under judgement. One document per thread."""

    def __init__(self, compile_: Callable[[str], Any], namespaces: dict[str, str]) -> None:
        self._compile, self._namespaces = compile_, namespaces
        self._asked: list[_Join] = []
        self._numbers: dict[str, int] = {}
        self._state = threading.local()

    def begin(self, root: Element) -> None:
        """Turn to another document."""
        self._state.document = _Document(root)

    def end(self) -> None:
        """Let go of the document."""
        del self._state.document

    def rewritten(self, test: str) -> str:
        """The test with its joins as calls."""
        position = 0
        while (start := _START.search(test, position)) is not None:
            begin, end = start.start("path"), _closed(test, start.end("path"))
            position = start.end("path")
            following = test[end:].lstrip(" )")
            like = _LIKE.search(test, position, end)
            if like is None or (following and not re.match(r"(?:or|and)\b", following)):
                continue
            predicate = test[position : end - 1]
            if "current()" in predicate.replace(like[0], "") or re.search(r"\[\s*\d|position\(|last\(", like["way"]):
                continue
            call = f"{PREFIX}:any({self._number(start, predicate, like)}, current()/{like['at']})"
            test = test[:begin] + call + test[end:]
            position = begin + len(call)
        return test

    def functions(self) -> dict[tuple[str | None, str], Callable[..., Any]]:
        """What the calls mean."""
        return {(NAMESPACE, "any"): self._any}

    def _number(self, start: re.Match[str], predicate: str, like: re.Match[str]) -> int:
        written = f"{start['path']}{predicate}"
        if written not in self._numbers:
            self._numbers[written] = len(self._asked)
            own = predicate.replace(f"current()/{like['at']}", "$like")
            tag = f"{{{self._namespaces.get(start['p'][:-1], '')}}}"
            way = tuple(f"{tag}{step.rpartition(':')[2]}" for step in like["way"].split("/") if step)
            self._asked.append(
                _Join(f"{tag}{start['name']}", (*way, f"{tag}id"), f"self::node()[{own}]", self._compile)
            )
        return self._numbers[written]

    def _any(self, _: Any, number: float, ids: list[Element]) -> bool:
        document: _Document = self._state.document
        return document.any(int(number), self._asked[int(number)], ids)


class _Join:
    """Which elements are looked for: their name, the way from them to their ids, and what is asked of them."""

    def __init__(self, tag: str, way: tuple[str, ...], asked: str, compile_: Callable[[str], Any]) -> None:
        self.tag, self.way = tag, way
        self.asked = compile_(asked)


class _Document:
    """What was found in one document."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._found: dict[tuple[str, tuple[str, ...]], dict[Key, list[Element]]] = {}
        self._answers: dict[tuple[int, frozenset[Key]], bool] = {}

    def any(self, number: int, join: _Join, ids: list[Element]) -> bool:
        """Whether an element with one of these ids is as it is asked to be."""
        keys = frozenset((each.get("root"), each.get("extension")) for each in ids)
        answer = self._answers.get((number, keys))
        if answer is None:
            index = self._index(join)
            # By extension alone where there is one: so the rules are written
            near = {(None, extension) if extension is not None else (root, None) for root, extension in keys}
            candidates = (each for key in near for each in index.get(key, ()))
            answer = any(join.asked(each, like=ids) for each in candidates)
            self._answers[number, keys] = answer
        return answer

    def _index(self, join: _Join) -> dict[Key, list[Element]]:
        found = self._found.get((join.tag, join.way))
        if found is None:
            found = self._found[join.tag, join.way] = {}
            path = "/".join(join.way)
            whole = self._root.tag.endswith("}ClinicalDocument")
            for each in self._root.iterdescendants(join.tag) if whole else ():
                for own in each.iterfind(path):
                    root, extension = own.get("root"), own.get("extension")
                    found.setdefault((None, extension) if extension is not None else (root, None), []).append(each)
        return found


def _closed(text: str, start: int) -> int:
    """Just behind the bracket that closes the one before `start`."""
    depth, quote = 1, ""
    for position in range(start, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "[]":
            depth += 1 if char == "[" else -1
            if not depth:
                return position + 1
    return len(text)
