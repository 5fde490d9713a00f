"""The XPath 1.0 that Schematron tests are written in, as a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<literal>'[^']*'|\"[^\"]*\")|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)"
    r"|(?P<mark>//|\.\.|!=|<=|>=|[/.@()\[\],|=<>*$+]))"
)
_COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Literal:
    """A string."""

    value: str


@dataclass(frozen=True)
class Number:
    """A number."""

    value: int


@dataclass(frozen=True)
class Variable:
    """`$name`."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function and its arguments; also `or`, `and`, `|` and comparisons, by their sign."""

    name: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True)
class Step:
    """One step down, or up."""

    name: str
    """`cda:code`, `@code`, `.`, `..`, `*`, `text()`."""
    predicates: tuple[Tree, ...] = ()
    deep: bool = False
    """Reached through `//`."""


@dataclass(frozen=True)
class Path:
    """Steps from the context node, or from the document."""

    steps: tuple[Step, ...]
    absolute: bool = False


Tree = Literal | Number | Variable | Call | Path


def parse(text: str) -> Tree:
    """The tree of an expression; ValueError names the place where it is none."""
    parser = _Parser(text.replace("self::node()", "."))
    tree = parser.either()
    if parser.kind:
        raise ValueError(f"cannot read {text!r} from {parser.here!r} on")
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if not match:
                raise ValueError(f"cannot read {text!r} at {position}")
            self.tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
            position = match.end()
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    @property
    def here(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.here
        self.at += 1
        return token

    def take(self, token: str) -> bool:
        if self.here == token and self.kind != "literal":
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise ValueError(f"cannot read {self.text!r}: {token!r} missing before {self.here!r}")

    def either(self) -> Tree:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Call("or", tuple(parts))

    def both(self) -> Tree:
        parts = [self.comparison()]
        while self.take("and"):
            parts.append(self.comparison())
        return parts[0] if len(parts) == 1 else Call("and", tuple(parts))

    def comparison(self) -> Tree:
        left = self.union()
        while self.here in _COMPARISONS and self.kind == "mark":
            left = Call(self.next(), (left, self.union()))
        return left

    def union(self) -> Tree:
        parts = [self.path()]
        while self.take("|"):
            parts.append(self.path())
        return parts[0] if len(parts) == 1 else Call("|", tuple(parts))

    def path(self) -> Tree:
        if self.kind == "literal":
            return Literal(self.next()[1:-1])
        if self.kind == "number":
            return Number(int(self.next()))
        if self.take("$"):
            return Variable(self.next())
        head: tuple[Step, ...] = ()
        if self.take("("):
            inner = self.either()
            self.expect(")")
            predicates = self.predicates()
            if self.here in {"/", "//"}:
                raise ValueError(f"cannot read {self.text!r}: steps after a bracket")
            return _filtered(inner, predicates) if predicates else inner
        followed = self.tokens[self.at + 1 : self.at + 2] == [("mark", "(")]
        if followed and self.kind == "name" and self.here != "text":  # text() is a step
            call = self.call()
            if self.here not in {"/", "//"}:
                return call
            head = (Step(f"{call.name}()", call.arguments),)
        absolute = not head and self.here in {"/", "//"}
        return Path((*head, *self.steps(bool(head) or absolute)), absolute=absolute)

    def call(self) -> Call:
        name = self.next()
        self.expect("(")
        arguments: list[Tree] = []
        while not self.take(")"):
            arguments.append(self.either())
            self.take(",")
        return Call(name, tuple(arguments))

    def steps(self, separated: bool) -> list[Step]:
        steps: list[Step] = []
        while True:
            deep = False
            if separated:
                if self.take("//"):
                    deep = True
                elif not self.take("/"):
                    return steps
            steps.append(self.step(deep))
            separated = True

    def step(self, deep: bool) -> Step:
        if self.take("@"):
            name = f"@{self.next()}"
        elif self.kind == "name" or self.here in {".", "..", "*"}:
            name = self.next()
            if name == "text":
                self.expect("(")
                self.expect(")")
                name = "text()"
        else:
            raise ValueError(f"cannot read {self.text!r}: a step missing before {self.here!r}")
        return Step(name, self.predicates(), deep)

    def predicates(self) -> tuple[Tree, ...]:
        found: list[Tree] = []
        while self.take("["):
            found.append(self.either())
            self.expect("]")
        return tuple(found)


def _filtered(inner: Tree, predicates: tuple[Tree, ...]) -> Tree:
    """A bracketed path or union with predicates, each member bearing them itself."""
    match inner:
        case Call("|", parts):
            return Call("|", tuple(_filtered(part, predicates) for part in parts))
        case Path(steps, absolute):
            last = steps[-1]
            return Path((*steps[:-1], Step(last.name, (*last.predicates, *predicates), last.deep)), absolute)
    raise ValueError(f"predicates after {inner}")
