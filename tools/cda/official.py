"""What a CDA schema says, as facts: read from its files, without its documentation, comments or defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

XS = "http://www.w3.org/2001/XMLSchema"
V3 = "urn:hl7-org:v3"
SDTC = "urn:hl7-org:sdtc"
COMPOSITORS = ("sequence", "choice")

Name = tuple[str, str]
"""Namespace and local name."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a type. `type` is a Name, or the values of a type without a name."""

    name: Name
    type: Any
    use: str = "optional"
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Particle:
    """`kind` element, any, sequence or choice, and how often: `most` is None for any number."""

    kind: str
    least: int = 1
    most: int | None = 1
    name: Name | None = None
    type: Name | None = None
    """None for an element that is declared elsewhere: a reference."""
    nillable: bool = False
    parts: tuple[Particle, ...] = ()


@dataclass(frozen=True, slots=True)
class Complex:
    """A type of element."""

    name: Name
    base: Name | None
    how: str | None
    """extension or restriction"""
    mixed: bool
    abstract: bool
    content: Particle | None
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Simple:
    """A type of value; `values` where it is a closed list, whatever unions it was put together from."""

    name: Name
    base: Name | None = None
    facets: tuple[tuple[str, str], ...] = ()
    values: tuple[str, ...] = ()
    item: Name | None = None
    members: tuple[Name, ...] = ()


class Official:
    """The facts of a schema, from its entry file on; nothing outside its folder tree is read."""

    def __init__(self, entry: Path) -> None:
        self._nodes: dict[tuple[str, Name], etree._Element] = {}
        self._read: set[tuple[Path, str]] = set()
        self._spaces: dict[etree._Element, str] = {}
        self._load(entry.resolve(), "")

    def _load(self, path: Path, including: str) -> None:
        root = etree.parse(str(path), etree.XMLParser(no_network=True, remove_comments=True, remove_pis=True)).getroot()
        # A file without a namespace of its own takes that of the file which includes it
        space = root.get("targetNamespace") or including
        if (path, space) in self._read:
            return
        self._read.add((path, space))
        self._spaces[root] = space
        for node in root.iterchildren("{*}*"):
            kind = etree.QName(node).localname
            if kind in {"include", "import"}:
                self._load((path.parent / str(node.get("schemaLocation"))).resolve(), space)
            elif node.get("name"):
                self._nodes.setdefault((kind, (space, str(node.get("name")))), node)

    def complexes(self) -> Iterator[Complex]:
        """Every type of element that has a name, which `xsi:type` may therefore say."""
        for (kind, name), node in self._nodes.items():
            if kind == "complexType":
                yield self._complex(name, node)

    def elements(self) -> Iterator[tuple[Name, Name]]:
        """Name and type of every element declared by itself."""
        for (kind, name), node in self._nodes.items():
            if kind == "element":
                yield name, self._named(node, str(node.get("type")))

    def attributes(self) -> Iterator[tuple[Name, Name]]:
        """Name and type of every attribute declared by itself."""
        for (kind, name), node in self._nodes.items():
            if kind == "attribute":
                yield name, self._named(node, str(node.get("type")))

    def simple(self, name: Name) -> Simple:
        """The type of value of that name."""
        node = self._nodes["simpleType", name]
        if values := self._values(node):
            base = self._closed_base(node)
            return Simple(name, base=base, values=values)
        [how] = [each for each in node.iterchildren("{*}*") if etree.QName(each).localname != "annotation"]
        kind = etree.QName(how).localname
        if kind == "list":
            return Simple(name, item=self._named(how, str(how.get("itemType"))))
        if kind == "union":
            members = tuple(self._named(how, each) for each in str(how.get("memberTypes")).split())
            if self._lets_any_code_in(node):
                return Simple(name, base=(V3, "cs"))
            return Simple(name, members=members)
        facets = tuple(
            (etree.QName(each).localname, str(each.get("value")))
            for each in how.iterchildren("{*}*")
            if etree.QName(each).localname != "annotation"
        )
        return Simple(name, base=self._named(how, str(how.get("base"))), facets=facets)

    def _lets_any_code_in(self, node: etree._Element) -> bool:
        """Whether a union has, at any depth, a member that is every code; then so is the union."""
        for how in node.iterchildren(f"{{{XS}}}restriction"):
            return not len(how) and self._named(how, str(how.get("base"))) == (V3, "cs")
        for how in node.iterchildren(f"{{{XS}}}union"):
            names = [self._named(how, each) for each in str(how.get("memberTypes") or "").split()]
            members = [self._nodes["simpleType", each] for each in names if each[0] != XS]
            return any(self._lets_any_code_in(each) for each in (*members, *how.iterchildren(f"{{{XS}}}simpleType")))
        return False

    def _closed_base(self, node: etree._Element) -> Name:
        for how in node.iter(f"{{{XS}}}restriction"):
            return self._named(how, str(how.get("base")))
        [union] = node.iterchildren(f"{{{XS}}}union")
        first = self._named(union, str(union.get("memberTypes")).split()[0])
        return self._closed_base(self._nodes["simpleType", first])

    def _values(self, node: etree._Element) -> tuple[str, ...]:
        """Every value let in, sorted; empty where they cannot be counted."""
        for how in node.iterchildren(f"{{{XS}}}restriction", f"{{{XS}}}union"):
            if etree.QName(how).localname == "restriction":
                return tuple(sorted(str(each.get("value")) for each in how.iterchildren(f"{{{XS}}}enumeration")))
            names = [self._named(how, each) for each in str(how.get("memberTypes") or "").split()]
            members = [self._nodes.get(("simpleType", each)) for each in names]
            members += list(how.iterchildren(f"{{{XS}}}simpleType"))
            lists = [() if each is None else self._values(each) for each in members]
            return tuple(sorted({value for each in lists for value in each})) if all(lists) else ()
        return ()

    def _complex(self, name: Name, node: etree._Element) -> Complex:
        inside, base, how = node, None, None
        for content in node.iterchildren(f"{{{XS}}}complexContent"):
            for derivation in content.iterchildren(f"{{{XS}}}extension", f"{{{XS}}}restriction"):
                inside, how = derivation, etree.QName(derivation).localname
                base = self._named(derivation, str(derivation.get("base")))
        models = [each for each in inside.iterchildren("{*}*") if etree.QName(each).localname in COMPOSITORS]
        return Complex(
            name=name,
            base=base,
            how=how,
            mixed=node.get("mixed") == "true",
            abstract=node.get("abstract") == "true",
            content=self._particle(models[0]) if models else None,
            attributes=tuple(self._attribute(each) for each in inside.iterchildren(f"{{{XS}}}attribute")),
        )

    def _attribute(self, node: etree._Element) -> Attribute:
        use, fixed = str(node.get("use") or "optional"), node.get("fixed")
        if node.get("ref"):
            name = self._named(node, str(node.get("ref")))
            return Attribute(name, None, use, fixed)
        name = ("", str(node.get("name")))
        if node.get("type"):
            return Attribute(name, self._named(node, str(node.get("type"))), use, fixed)
        [simple] = node.iterchildren(f"{{{XS}}}simpleType")
        values = self._values(simple)
        if values:
            return Attribute(name, values, use, fixed)
        [how] = simple.iterchildren(f"{{{XS}}}restriction")
        return Attribute(name, self._named(how, str(how.get("base"))), use, fixed)

    def _particle(self, node: etree._Element) -> Particle:
        kind = etree.QName(node).localname
        most = str(node.get("maxOccurs") or 1)
        times = {"least": int(node.get("minOccurs") or 1), "most": None if most == "unbounded" else int(most)}
        if kind == "any":
            assert (node.get("namespace"), node.get("processContents")) == ("##other", "skip")
            return Particle("any", **times)
        if kind == "element":
            if node.get("ref"):
                return Particle("element", **times, name=self._named(node, str(node.get("ref"))))
            return Particle(
                "element", **times, name=(self._space(node), str(node.get("name"))),
                type=self._named(node, str(node.get("type"))), nillable=node.get("nillable") == "true",
            )  # fmt: skip
        parts = [
            self._particle(each) for each in node.iterchildren("{*}*") if etree.QName(each).localname != "annotation"
        ]
        # What may occur no more than zero times is not there
        return Particle(kind, **times, parts=tuple(each for each in parts if each.most != 0))

    def _space(self, node: etree._Element) -> str:
        return self._spaces[node.getroottree().getroot()]

    def _named(self, node: etree._Element, said: str) -> Name:
        prefix, _, local = said.rpartition(":")
        space = node.nsmap.get(prefix or None)
        return (space if space is not None else self._space(node), local)
