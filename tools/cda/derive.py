"""Writes schemas/cda from the facts of HL7's CDA R2 schema with the SDTC extensions.

    python tools/cda/derive.py …/infrastructure/cda/CDA_SDTC.xsd

What is taken: names, order, cardinality, types and how they derive, values let in. What is not: documentation,
comments, layout, default values (no verdict hangs on them), the lattice of unions behind each vocabulary (only the
values it lets in), and vocabularies that nothing uses. Names of types of elements are kept: `xsi:type` may say them.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from official import SDTC, V3, XS, Attribute, Complex, Name, Official, Particle, Simple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WIDTH = 120
CLASS = "POCD_MT000040."
PREFIX = {V3: "", SDTC: "sdtc:", XS: "xs:"}
# Parts of content models that return often enough to have a name, by the elements they are made of
GROUPS = {
    ("realmCode", "typeId", "templateId"): "infrastructure",
    (
        "act", "encounter", "observation", "observationMedia", "organizer", "procedure", "regionOfInterest",
        "substanceAdministration", "supply",
    ): "statement",
    ("content", "linkHtml", "sub", "sup", "br", "footnote", "footnoteRef", "renderMultiMedia"): "inline",
}  # fmt: skip
ATTRIBUTE_GROUPS = {
    ("ID", "language", "styleCode"): "styled",
    ("align", "char", "charoff", "valign"): "aligned",
    ("code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName"): "coded",
}
HEADS = {
    "cda.xsd": "Clinical documents: the only root the standard knows, and every class of header, body and entries.",
    "sdtc.xsd": "HL7 Structured Documents' extensions: elements and attributes in their namespace.",
    "datatypes.xsd": "Data types. Their names stay as the standard has them: xsi:type says them, and which may stand "
    "in for which follows from how they derive.",
    "narrative.xsd": "The narrative block: what text and title of a section may hold.",
    "vocabulary.xsd": "The closed lists of codes that attributes take.",
    "fragments.xsd": "Parts of a document that a server may answer with by themselves: every class whose element name "
    "means one thing only. The standard knows none of them as a root, so they stand apart from cda.xsd.",
}
NOTES = {
    "ANY": "Abstract: an element declared so has to say by xsi:type what it is.",
    "QTY": "Abstract, so both terms of RTO have to say by xsi:type what they are.",
    "ED": "The wildcard lets one element of any other namespace in.",
    "ST": "Text only. What ED may hold besides is left out: said to occur zero times, libxml2 would let it in once.",
    "CE": "CD without qualifiers.",
    "CV": "CE without translations.",
    "CS": "A code of a system that the element implies; so no other attribute of CV.",
    "CO": "A code with a place in an order; nothing shows it here.",
    "TS": "What a time may look like is a pattern (see ts): a date that no calendar has is well-formed.",
    "IVL_TS": "Two of low, high, center and width at the most, and low before high; none for a bare value.",
    "EIVL.event": "Restricts CE to no content, as the standard does.",
    "SXPR_TS": "A set of times needs two of them at least.",
    "INT_POS": "For the order of a birth: there is no zeroth.",
    "StrucDoc.Sub": "Text only, without a style.",
    "POCD_MT000040.InfrastructureRoot.typeId": "One root for all documents; the extension is the templates' affair.",
    "POCD_MT000040.Component4": "seperatableInd is spelt so in the standard.",
}
"""Why a type is as it is, where that is no plain list of parts."""


class Schema:
    """The facts once more, in files of ours."""

    def __init__(self, facts: Official) -> None:
        self._facts = facts
        self._types: Mapping[Name, Complex] = {each.name: each for each in facts.complexes()}
        self._simple: dict[Name, Simple] = {}
        self._lists: dict[tuple[str, ...], str] = {}
        self._groups: dict[Name, Particle] = {}
        self._attribute_groups: dict[str, tuple[Attribute, ...]] = {}

    def files(self) -> dict[str, str]:
        """Content by file name."""
        written = {name: self._type(each) for name, each in self._types.items()}
        roots = sorted(self._facts.elements())
        declared = {name: f"<xs:element {_named(name, kind)}/>" for name, kind in roots}
        attributes = [
            f"<xs:attribute {_named(name, self._value_type(kind))}/>" for name, kind in sorted(self._facts.attributes())
        ]
        groups = {name: self._group(name) for name in self._groups}
        bundles = {name: self._bundle(name) for name in self._attribute_groups}
        classes = sorted(name for name in written if name[0] == V3 and name[1].startswith(CLASS))
        narrative = sorted(name for name in written if name[1].startswith("StrucDoc."))
        datatypes = [
            name for name in self._in_order_of_derivation() if name[0] == V3 and name not in (*classes, *narrative)
        ]
        for name in (*classes, *narrative, *datatypes):
            self._need_of_elements(self._types[name].content)
        for name in [each for each in self._types if each[0] == SDTC]:
            self._need_of_elements(self._types[name].content)
        simple = {name: self._written(each) for name, each in self._simple.items()}
        vocabulary = sorted(name for name, each in self._simple.items() if each.values and name[0] == V3)
        values = sorted(name for name in simple if name[0] == V3 and name not in vocabulary)
        narrated = [name for name in values if name[1].startswith("StrucDoc.")]
        lists = [
            _closed(name, (XS, "NMTOKEN"), values) for values, name in sorted(self._lists.items(), key=lambda x: x[1])
        ]
        return {
            "cda.xsd": _file(
                "cda.xsd",
                [_import("sdtc.xsd"), _include("datatypes.xsd"), _include("narrative.xsd")],
                [declared[name] for name, _ in roots if name[0] == V3],
                [groups[V3, "infrastructure"], groups[V3, "statement"]],
                [written[name] for name in classes],
            ),
            "sdtc.xsd": _file(
                "sdtc.xsd",
                [f'<xs:import namespace="{V3}" schemaLocation="cda.xsd"/>'],
                [declared[name] for name, _ in roots if name[0] == SDTC],
                attributes,
                [groups[SDTC, "infrastructure"]],
                [simple[name] for name in sorted(simple) if name[0] == SDTC],
                [written[name] for name in sorted(written) if name[0] == SDTC],
            ),
            "datatypes.xsd": _file(
                "datatypes.xsd",
                [_import("sdtc.xsd"), _include("vocabulary.xsd")],
                [simple[name] for name in values if name not in narrated],
                [bundles["coded"]],
                [written[name] for name in datatypes],
            ),
            "narrative.xsd": _file(
                "narrative.xsd",
                lists,
                [bundles["styled"], bundles["aligned"]],
                [groups[V3, "inline"]],
                [simple[name] for name in narrated] + [written[name] for name in narrative],
            ),
            "vocabulary.xsd": _file(
                "vocabulary.xsd", [_include("datatypes.xsd")], [simple[name] for name in vocabulary]
            ),
            "fragments.xsd": _file("fragments.xsd", [_include("cda.xsd")], list(self._fragments())),
        }

    def _fragments(self) -> Iterable[str]:
        meanings: dict[str, set[Name]] = {}
        for kind in self._types.values():
            for part in _elements(kind.content):
                if part.type is not None and part.name is not None and part.name[0] == V3:
                    meanings.setdefault(part.name[1], set()).add(part.type)
        for local, kinds in sorted(meanings.items()):
            if (
                len(kinds) == 1
                and (kind := next(iter(kinds)))[1].startswith(CLASS)
                and "." not in kind[1][len(CLASS) :]
            ):
                yield f"<xs:element {_named((V3, local), kind)}/>"

    def _in_order_of_derivation(self) -> list[Name]:
        """Bases before what derives from them."""
        ordered: dict[Name, None] = {}

        def put(name: Name) -> None:
            base = self._types[name].base
            if base is not None:
                put(base)
            ordered[name] = None

        for name in self._types:
            put(name)
        return list(ordered)

    # Types of elements

    def _type(self, kind: Complex) -> str:
        head = f"<xs:complexType name={quoteattr(kind.name[1])}"
        head += ' abstract="true"' * kind.abstract + ' mixed="true"' * kind.mixed
        inside = [*self._model(kind.content), *self._attributes(kind)]
        if kind.base is not None:
            derivation = f"<xs:{kind.how} base={quoteattr(_said(kind.base))}"
            inside = _around("<xs:complexContent>", _around(f"{derivation}>", inside, f"{derivation}/>"))
        note = NOTES.get(kind.name[1])
        return "\n".join([*([f"<!-- {note} -->"] if note else []), *_around(f"{head}>", inside, f"{head}/>")])

    def _model(self, part: Particle | None) -> list[str]:
        if part is None or not (part.parts or part.kind in {"element", "any"}):
            return []
        times = _times(part)
        if part.kind == "any":
            return [f'<xs:any namespace="##other" processContents="skip"{times}/>']
        if part.kind == "element":
            assert part.name is not None
            if part.type is None:
                return [f"<xs:element ref={quoteattr(_said(part.name))}{times}/>"]
            nil = ' nillable="true"' if part.nillable else ""
            return [f"<xs:element {_named(part.name, part.type)}{times}{nil}/>"]
        lines = []
        rest = list(part.parts)
        while rest:
            group = self._grouped(rest, part.kind)
            if group is not None:
                lines.append(f"<xs:group ref={quoteattr(_said(group))}/>")
                rest = rest[len(self._groups[group].parts) :]
            else:
                lines += self._model(rest.pop(0))
        return _around(f"<xs:{part.kind}{times}>", lines)

    def _grouped(self, parts: list[Particle], kind: str) -> Name | None:
        """The name of the group that the first of these parts make up."""
        for locals_, local in GROUPS.items():
            first = tuple(parts[: len(locals_)])
            if tuple(each.name[1] if each.name else None for each in first) != locals_:
                continue
            assert first[0].name is not None
            # The extensions' elements of the same local names are others
            name, group = (first[0].name[0], local), Particle(kind, parts=first)
            if self._groups.setdefault(name, group) == group:
                return name
        return None

    def _group(self, name: Name) -> str:
        group = self._groups[name]
        lines = [line for part in group.parts for line in self._model(part)]
        return "\n".join(_around(f"<xs:group name={quoteattr(name[1])}>", _around(f"<xs:{group.kind}>", lines)))

    # Attributes

    def _attributes(self, kind: Complex) -> list[str]:
        inherited = self._inherited(kind.base)
        # A restriction that only repeats what it restricts says nothing
        own = [each for each in kind.attributes if inherited.get(each.name) != each]
        lines = []
        while own:
            bundle = self._bundled(own)
            if bundle is not None:
                lines.append(f"<xs:attributeGroup ref={quoteattr(bundle)}/>")
                own = own[len(self._attribute_groups[bundle]) :]
            else:
                lines.append(self._attribute(own.pop(0), inherited))
        return lines

    def _inherited(self, name: Name | None) -> dict[Name, Attribute]:
        if name is None:
            return {}
        kind = self._types[name]
        return self._inherited(kind.base) | {each.name: each for each in kind.attributes}

    def _bundled(self, attributes: list[Attribute]) -> str | None:
        for names, name in ATTRIBUTE_GROUPS.items():
            first = tuple(attributes[: len(names)])
            if tuple(each.name[1] for each in first) == names and all(each.use == "optional" for each in first):
                known = self._attribute_groups.setdefault(name, first)
                if known == first:
                    return name
        return None

    def _bundle(self, name: str) -> str:
        lines = [self._attribute(each, {}) for each in self._attribute_groups[name]]
        return "\n".join(_around(f"<xs:attributeGroup name={quoteattr(name)}>", lines))

    def _attribute(self, attribute: Attribute, inherited: Mapping[Name, Attribute]) -> str:
        space, local = attribute.name
        use = f' use="{attribute.use}"' if attribute.use != "optional" else ""
        fixed = f" fixed={quoteattr(attribute.fixed)}" if attribute.fixed is not None else ""
        if attribute.type is None:
            return f"<xs:attribute ref={quoteattr(PREFIX[space] + local)}{use}{fixed}/>"
        if attribute.use == "prohibited":
            return f'<xs:attribute name={quoteattr(local)} use="prohibited"/>'
        kind = attribute.type
        if kind and isinstance(kind[0], str) and kind[0] in PREFIX:
            # One value is all there is, so its vocabulary does not matter, unless a base type is to be restricted
            alone = attribute.fixed is not None and attribute.name not in inherited
            coded = kind[0] != XS and bool(self._facts.simple(kind).values)
            said = _said(self._value_type((V3, "cs") if alone and coded else kind))
        else:
            said = self._lists.setdefault(kind, local)
        return f"<xs:attribute name={quoteattr(local)} type={quoteattr(said)}{use}{fixed}/>"

    # Types of values

    def _value_type(self, name: Name) -> Name:
        """The same name, its type noted as needed together with all it is made of."""
        if name[0] != XS and name not in self._simple:
            simple = self._simple[name] = self._facts.simple(name)
            for each in (simple.base, simple.item, *simple.members):
                if each is not None:
                    self._value_type(each)
        return name

    def _need_of_elements(self, part: Particle | None) -> None:
        """Elements may have a type of value too."""
        for each in _elements(part):
            if each.type is not None and each.type not in self._types:
                self._value_type(each.type)

    def _written(self, simple: Simple) -> str:
        if simple.values:
            assert simple.base is not None
            return _closed(simple.name[1], simple.base, simple.values)
        if simple.item is not None:
            how = [f"<xs:list itemType={quoteattr(_said(simple.item))}/>"]
        elif simple.members:
            how = [f"<xs:union memberTypes={quoteattr(' '.join(map(_said, simple.members)))}/>"]
        else:
            assert simple.base is not None
            facets = [f"<xs:{facet} value={quoteattr(value)}/>" for facet, value in simple.facets]
            head = f"<xs:restriction base={quoteattr(_said(simple.base))}"
            how = _around(f"{head}>", facets, f"{head}/>")
        return "\n".join(_around(f"<xs:simpleType name={quoteattr(simple.name[1])}>", how))


def _elements(part: Particle | None) -> Iterable[Particle]:
    if part is not None:
        yield from [part] if part.kind == "element" else ()
        for each in part.parts:
            yield from _elements(each)


def _said(name: Name) -> str:
    return PREFIX[name[0]] + name[1]


def _named(name: Name, kind: Name) -> str:
    return f"name={quoteattr(name[1])} type={quoteattr(_said(kind))}"


def _times(part: Particle) -> str:
    least = f' minOccurs="{part.least}"' if part.least != 1 else ""
    most = "unbounded" if part.most is None else part.most
    return least + (f' maxOccurs="{most}"' if most != 1 else "")


def _around(head: str, lines: list[str], alone: str | None = None) -> list[str]:
    """Lines set in an element; `alone` is the element where there are none."""
    if not lines and alone is not None:
        return [alone]
    tag = head[1:].partition(" ")[0].rstrip(">")
    return [head, *(f"  {line}" for line in lines), f"</{tag}>"]


def _closed(name: str, base: Name, values: Iterable[str]) -> str:
    """A list of codes, as many to a line as fit."""
    lines = [""]
    for value in values:
        code = f"<xs:enumeration value={quoteattr(value)}/>"
        if lines[-1] and len(lines[-1]) + len(code) > WIDTH - 8:
            lines.append("")
        lines[-1] += code
    inside = _around(f"<xs:restriction base={quoteattr(_said(base))}>", lines)
    return "\n".join(_around(f"<xs:simpleType name={quoteattr(name)}>", inside))


def _include(file: str) -> str:
    return f"<xs:include schemaLocation={quoteattr(file)}/>"


def _import(file: str) -> str:
    return f'<xs:import namespace="{SDTC}" schemaLocation={quoteattr(file)}/>'


def _file(name: str, *parts: list[str]) -> str:
    space = SDTC if name == "sdtc.xsd" else V3
    head = "\n     ".join(textwrap.wrap(HEADS[name], WIDTH - 10))
    body = "\n\n".join("\n".join(part) for part in parts if part)
    lines = "\n".join(f"  {line}" if line else "" for line in body.splitlines())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {head}\n     Written by tools/cda/derive.py. -->\n'
        f'<xs:schema xmlns:xs="{XS}" xmlns="{V3}" xmlns:sdtc="{SDTC}"\n'
        f'           targetNamespace="{space}" elementFormDefault="qualified">\n{lines}\n</xs:schema>\n'
    )


def main(entry: str) -> None:
    """Write every file beside the repository's other facts."""
    folder = Path(__file__).parents[2] / "schemas" / "cda"
    for name, content in Schema(Official(Path(entry))).files().items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
