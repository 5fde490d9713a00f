"""On which line of a TOML or YAML file a key stands, so that an error can say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*(?:\.|=)")

_DEEPEST = 50
_MOST = 500_000
"""So many keys and items a file may hold."""

Place = tuple[str | int, ...]


def of_toml(text: str) -> dict[Place, int]:
    """Lines of tables and of keys that begin a line; keys inside an inline table share the line of the table."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(header[2].split("."), array=header[1] == "[[", counts=counts)
            lines.setdefault(table, number)
            if header[1] == "[[":
                lines.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1].strip("\"'")), number)
    return lines


def key_of(line: str) -> str | None:
    """The key that begins a line of TOML."""
    key = _KEY.match(line)
    return key[1].strip("\"'") if key else None


def _table(parts: Sequence[str], *, array: bool, counts: dict[Place, int]) -> Place:
    place: Place = ()
    for index, raw in enumerate(parts):
        place = (*place, raw.strip().strip("\"'"))
        if array and index == len(parts) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def of_yaml(node: yaml.Node | None) -> dict[Place, int]:
    """Lines of every key and item; yaml.MarkedYAMLError where a key is there twice, or there are too many."""
    lines: dict[Place, int] = {}
    _walk(node, (), lines)
    return lines


def _walk(node: yaml.Node | None, place: Place, lines: dict[Place, int]) -> None:
    if node is not None and (len(place) > _DEEPEST or len(lines) > _MOST):
        what = "is nested too deeply" if len(place) > _DEEPEST else "holds too much, with what its aliases stand for"
        raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        own: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in own:
                raise yaml.MarkedYAMLError(problem=f"{name}: the key is there twice", problem_mark=key.start_mark)
            own.add(name)
            lines[(*place, name)] = key.start_mark.line + 1
            _walk(value, (*place, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*place, index)] = item.start_mark.line + 1
            _walk(item, (*place, index), lines)


def nearest(lines: dict[Place, int], place: Sequence[str | int]) -> int | None:
    """The line of `place`, or of the innermost thing around it whose line is known."""
    for length in range(len(place), 0, -1):
        if (line := lines.get(tuple(place[:length]))) is not None:
            return line
    return None
