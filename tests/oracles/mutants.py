"""Documents made to obey rules, and then to break them: what a Schematron test asks for is built, taken away, altered.

Nothing here judges. The tree of a test says which element, attribute or value to set; whether that kept or broke the
rule is for the rule sets to say.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lxml import etree

from onc_conformance.ccda.derivation.xpath import Call, Literal, Number, Path, Step, Tree

PREFIXES = {
    "cda": "urn:hl7-org:v3",
    "sdtc": "urn:hl7-org:sdtc",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "voc": "http://www.lantanagroup.com/voc",
    "svs": "urn:ihe:iti:svs:2008",
    "onc-lookup": "urn:onc-conformance:lookups",
}
_VALUES = {"value": "20150101120000-0500", "root": "1.2.3.4", "extension": "5", "nullFlavor": "UNK", "unit": "mg"}
_COUNTS = {"=", ">", ">=", "<", "<="}
Judge = Callable[[etree._Element], Iterable[tuple[str, Tree, etree._Element]]]
"""The broken rules of a document that may be obeyed: name, test, node."""
Way = Callable[[etree._Element], bool]
"""Changes a node; whether there was anything to change."""


def written(tree: Tree) -> str:
    """The XPath of a tree."""
    match tree:
        case Literal(value):
            return f"'{value}'" if "'" not in value else f'"{value}"'
        case Number(value):
            return str(value)
        case Path(steps, absolute):
            parts = [f"{'/' if (number or absolute) else ''}{_step(step)}" for number, step in enumerate(steps)]
            return "".join(parts)
        case Call(("or" | "and" | "|" | "=" | "!=" | ">" | ">=" | "<" | "<=") as sign, parts):
            return f"({f' {sign} '.join(map(written, parts))})"
        case Call(name, parts):
            return f"{name}({', '.join(map(written, parts))})"
    return f"${tree.name}"


def _step(step: Step) -> str:
    return ("/" if step.deep else "") + step.name + "".join(f"[{written(each)}]" for each in step.predicates)


def found(node: etree._Element, tree: Tree) -> list:
    """The nodes of a path, or of a union of them."""
    try:
        result = node.xpath(written(tree), namespaces=PREFIXES)
    except etree.XPathError:
        return []
    return result if isinstance(result, list) else []


class Maker:
    """Knows the codes of value sets."""

    def __init__(self, codes: Mapping[str, Sequence[str]]) -> None:
        self.codes = codes

    def fulfil(self, node: etree._Element, tree: Tree) -> bool:  # noqa: C901, PLR0912 - a case for each form
        """Build what a test asks for; whether everything could be built, right or wrong."""
        match tree:
            case Path(steps):
                return self.grow(node, steps, None)
            case Call("and", parts):
                return all(_done(self.fulfil(node, each) for each in parts))
            case Call("or" | "|", parts):
                return any(self.fulfil(node, each) for each in parts)
            case Call("not", (inner,)):
                return self.spoil(node, inner)
            case Call(sign, (Call("count", (counted,)), Number(many))) if sign in _COUNTS:
                return self.count(node, sign, counted, many)
            case Call("=", (Path(steps), Literal(value))) | Call("=", (Literal(value), Path(steps))):
                return self.grow(node, steps, value)
            case Call("!=", (Path(steps), Literal(value))):
                return self.grow(node, steps, f"{value}.9")
            case Call("starts-with" | "contains", (Path(steps), Literal(value))):
                return self.grow(node, steps, value)
            case Call("contains", (Literal(value), Path(steps))):
                return self.grow(node, steps, value.split()[0])
            case Call("onc-lookup:holds", (Literal(oid), Path(steps))):
                return bool(self.codes.get(oid)) and self.grow(node, steps, self.codes[oid][0])
            case Call(">=" | ">" | "=", (Call("string-length", (Path(steps),)), Number(_))):
                return self.grow(node, steps, _VALUES["value"])
            case Call("<=" | "<", (Call("count", (fewer,)), Call("count", (more,)))):
                return self.spoil(node, fewer) or self.fulfil(node, more)
            case Call("=", (Call("count", (one,)), Call("count", (other,)))):
                return self.fulfil(node, one) and self.fulfil(node, other)
        return False

    def grow(self, node: etree._Element, steps: Sequence[Step], value: str | None) -> bool:
        """Make a path lead somewhere, to a value if one is given."""
        if not steps:
            return value is None or _say(node, value)
        step, rest = steps[0], steps[1:]
        if step.name.startswith("@"):
            return self._attribute(node, step, value)
        if step.name in {".", ".."}:
            at = node if step.name == "." else node.getparent()
            return at is not None and self._meet(at, step) and self.grow(at, rest, value)
        if step.name in {"text()", "*"} or "(" in step.name:
            return _say(node, value or "text") if step.name == "text()" else False
        prefix, colon, name = step.name.partition(":")
        if not colon:
            return False
        tag = f"{{{PREFIXES[prefix]}}}{name}"
        for child in node.iterchildren(tag):
            attempt = copy.deepcopy(child)
            if self._meet(attempt, step) and self.grow(attempt, rest, value):
                node.replace(child, attempt)
                return True
        child = etree.SubElement(node, tag)
        return self._meet(child, step) and self.grow(child, rest, value)

    def _meet(self, node: etree._Element, step: Step) -> bool:
        return all(self.fulfil(node, each) or _holds(node, each) for each in step.predicates)

    def _attribute(self, node: etree._Element, step: Step, value: str | None) -> bool:
        name = _attribute(step.name)
        for predicate in step.predicates:
            match predicate:
                case Call("=", (Path((Step("."),)), Literal(wanted))):
                    value = wanted
        if name in node.attrib:
            return value is None or node.get(name) == value
        node.set(name, value or _VALUES.get(name, "x"))
        return True

    def count(self, node: etree._Element, sign: str, counted: Tree, many: int) -> bool:
        """Have as many as are asked for, one way or the other."""
        least = many + 1 if sign == ">" else 0 if sign in {"<", "<="} else many
        most = {"=": many, "<=": many, "<": many - 1}.get(sign)
        for _ in range(least - len(found(node, counted))):
            if not self.fulfil(node, counted) or not found(node, counted):
                return False
            if len(found(node, counted)) < least:
                _double(found(node, counted)[0])
        if most is not None:
            for each in found(node, counted)[most:]:
                _remove(each)
        return True

    def spoil(self, node: etree._Element, tree: Tree) -> bool:
        """Make a test untrue in the first way that there is."""
        return any(way(node) for way in self.ways(tree))

    def ways(self, tree: Tree) -> Iterator[Way]:  # noqa: C901, PLR0912 - a case for each form
        """Every way known to make a test untrue."""
        match tree:
            case Path():
                yield from self._without(tree)
            case Call("and", parts):
                for each in parts:
                    yield from self.ways(each)
            case Call("|", parts):
                yield lambda node: bool([_remove(each) for part in parts for each in found(node, part)])
            case Call("or", parts):
                # Where the condition was not met before, meeting it may already break what depends on it
                yield lambda node: any(_done(self.spoil(node, each) for each in parts[:-1]))
                for number, part in enumerate(parts):
                    others = parts[:number] + parts[number + 1 :]
                    for way in self.ways(part):
                        yield lambda node, way=way, others=others: any(
                            [*_done(self.spoil(node, each) for each in others), way(node)]
                        )
                yield lambda node: all(_done(self.spoil(node, each) or not _holds(node, each) for each in parts))
            case Call("not", (inner,)):
                yield lambda node: self.fulfil(node, inner)
            case Call(sign, (Call("count", (counted,)), Number(many))) if sign in _COUNTS:
                yield from self._miscounted(sign, counted, many)
            case Call("=", (Path() as path, Literal())) | Call("=", (Literal(), Path() as path)):
                yield lambda node: bool([_alter(each) for each in found(node, path)])
                yield from self._without(path)
            case Call("starts-with" | "contains" | "onc-lookup:holds", parts):
                path = next(each for each in parts if isinstance(each, Path))
                yield lambda node: bool([_alter(each) for each in found(node, path)])
            case Call(">=" | ">", (Call("string-length", (Path() as path,)), Number(_))):
                yield lambda node: bool([_alter(each, "2015") for each in found(node, path)])
            case Call("<" | "<=", (Call("string-length", (Path() as path,)), Number(most))):
                yield (
                    lambda node: (
                        self.fulfil(node, path) and bool([_alter(each, "9" * (most + 1)) for each in found(node, path)])
                    )
                )
            case Call("<=" | "<" | "=", (Call("count", (one,)), Call("count", (other,)))):
                yield lambda node: self.fulfil(node, one) and len([_remove(each) for each in found(node, other)]) >= 0
                yield lambda node: bool([_double(each) for each in found(node, one)[:1]])

    def _without(self, path: Path) -> Iterator[Way]:
        yield lambda node: bool([_remove(each) for each in found(node, path)])
        for number, step in enumerate(path.steps):
            before = Path((*path.steps[:number], step), path.absolute)
            for predicate in step.predicates:
                for way in self.ways(predicate):
                    yield lambda node, way=way, before=before: bool(
                        [way(each) for each in found(node, before) if isinstance(each, etree._Element)]
                    )
            if number + 1 < len(path.steps):
                yield lambda node, before=before: bool([_remove(each) for each in found(node, before)])

    def _miscounted(self, sign: str, counted: Tree, many: int) -> Iterator[Way]:
        if many == 0 and sign in {"=", "<="}:
            yield lambda node: self.fulfil(node, counted)
            return
        if sign in {"=", "<=", "<"}:
            yield (
                lambda node: (
                    (bool(found(node, counted)) or self.fulfil(node, counted))
                    and bool([_double(each) for _ in range(max(1, many)) for each in found(node, counted)[:1]])
                )
            )
        if sign in {"=", ">", ">="}:
            yield lambda node: bool([_remove(each) for each in found(node, counted)])
        if isinstance(counted, Path):
            yield from self._without(counted)


def grown(root: etree._Element, maker: Maker, judge: Judge, rounds: int = 100) -> Iterator[etree._Element]:
    """A document and what becomes of it as one broken rule after the other is obeyed, until none is left or none gives.

    A change that takes a templateId away is undone: it would silence the rules instead of obeying them.
    """
    yield root
    stuck: set[tuple[str, int]] = set()
    for _ in range(rounds):
        places = {element: number for number, element in enumerate(root.iter(etree.Element))}
        todo = [(name, tree, places[element]) for name, tree, element in judge(root)]
        todo = [each for each in todo if (each[0], each[2]) not in stuck]
        if not todo:
            return
        for name, tree, place in todo:
            attempt = copy.deepcopy(root)
            if maker.fulfil(_nth(attempt, place), tree) and _declared(attempt) >= _declared(root):
                root = attempt
                break
            stuck.add((name, place))
        else:
            return
        yield root


def _declared(root: etree._Element) -> int:
    return sum(1 for _ in root.iter(f"{{{PREFIXES['cda']}}}templateId"))


def strays(root: etree._Element) -> Iterator[Way]:
    """Changes no rule asks for: each element dropped, doubled or renamed, each attribute dropped or altered."""
    for number, element in enumerate(root.iter(etree.Element)):
        if number:
            yield lambda top, at=number: _remove(_nth(top, at))
            yield lambda top, at=number: _double(_nth(top, at))
        for name in element.attrib:
            yield lambda top, at=number, name=name: _nth(top, at).attrib.pop(name) is not None
            yield lambda top, at=number, name=name: _nth(top, at).set(name, f"{_nth(top, at).get(name)}9") is None


def _done(results: Iterable[bool]) -> list[bool]:
    """All of them, where one alone would settle the question but leave the rest undone."""
    return list(results)


def _nth(root: etree._Element, at: int) -> etree._Element:
    return next(each for number, each in enumerate(root.iter(etree.Element)) if number == at)


def _holds(node: etree._Element, tree: Tree) -> bool:
    try:
        return bool(node.xpath(f"boolean({written(tree)})", namespaces=PREFIXES))
    except etree.XPathError:
        return False


def _attribute(step: str) -> str:
    prefix, _, name = step.removeprefix("@").rpartition(":")
    return f"{{{PREFIXES[prefix]}}}{name}" if prefix else name


def _say(node: etree._Element, text: str) -> bool:
    node.text = text
    return True


def _remove(node: object) -> bool:
    parent = node.getparent() if hasattr(node, "getparent") else None
    if parent is None:
        return False
    if isinstance(node, etree._Element):
        parent.remove(node)
    elif getattr(node, "is_attribute", False):
        parent.attrib.pop(node.attrname, None)
    else:
        parent.text = None
    return True


def _double(node: object) -> bool:
    if not isinstance(node, etree._Element) or node.getparent() is None:
        return False
    node.addnext(copy.deepcopy(node))
    return True


def _alter(node: object, value: str | None = None) -> bool:
    if isinstance(node, etree._Element):
        node.text = value or f"{node.text or ''}9"
        return True
    parent = node.getparent() if hasattr(node, "getparent") else None
    if parent is None:
        return False
    if getattr(node, "is_attribute", False):
        parent.set(node.attrname, value or f"9{node}")
    else:
        parent.text = value or f"{node}9"
    return True
