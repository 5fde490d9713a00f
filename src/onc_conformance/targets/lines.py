"""Where in a TOML text a key stands, so that an error can name the line.

The text has been read by tomllib already: this walks it again, trusting that it is well formed.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[Path, int]:
    """The line of every table, key and array item of a well-formed TOML text; the first where several make one."""
    return _Walk(text).lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, or of what it would stand in."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}
        table: Path = ()
        self.skip(_SPACE)
        while self.at < len(text):
            if text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(_SPACE)

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match.group() if match else ""

    def take(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def note(self, path: Path, at: int) -> None:
        line = self.text.count("\n", 0, at) + 1
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def key(self) -> list[str]:
        parts = []
        while True:
            self.skip(_BLANK)
            if self.text[self.at] in "\"'":
                parts.append(str(tomllib.loads(f"x = {self.skip(_STRING)}")["x"]))
            else:
                parts.append(self.skip(_BARE))
            self.skip(_BLANK)
            if not self.take("."):
                return parts

    def header(self) -> Path:
        start = self.at
        array = self.take("[[")
        if not array:
            self.take("[")
        path: Path = ()
        *parents, last = self.key()
        for name in parents:
            path = (*path, name)
            if path in self.counts:
                path = (*path, self.counts[path])
        path = (*path, last)
        if array:
            self.counts[path] = self.counts.get(path, -1) + 1
            self.note(path, start)
            path = (*path, self.counts[path])
        elif path in self.counts:
            path = (*path, self.counts[path])
        self.take("]]" if array else "]")
        self.note(path, start)
        return path

    def pair(self, table: Path) -> None:
        start = self.at
        path = (*table, *self.key())
        self.note(path, start)
        self.take("=")
        self.value(path)

    def value(self, path: Path) -> None:
        self.skip(_SPACE)
        if self.take("["):
            self.items(path)
        elif self.take("{"):
            self.skip(_SPACE)
            while not self.take("}"):
                self.pair(path)
                self.skip(_SPACE)
                self.take(",")
                self.skip(_SPACE)
        elif self.text[self.at] in "\"'":
            self.skip(_STRING)
        else:
            self.skip(_SCALAR)

    def items(self, path: Path) -> None:
        count = 0
        self.skip(_SPACE)
        while not self.take("]"):
            self.note((*path, count), self.at)
            self.value((*path, count))
            count += 1
            self.skip(_SPACE)
            self.take(",")
            self.skip(_SPACE)
