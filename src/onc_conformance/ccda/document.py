"""One answer that claims to be a C-CDA, read once: its type, its people, its sections and its facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from onc_conformance import uscdi
from onc_conformance.ccda import facts, identity, lines, parsing, sections
from onc_conformance.ccda.identity import Person, facts_of_documents
from onc_conformance.ccda.tree import Element, Positions, name, words, xpath
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.record import plain

if TYPE_CHECKING:
    from onc_conformance.ccda.facts import Found
    from onc_conformance.ccda.sections import Section

CCD = "2.16.840.1.113883.10.20.22.1.2"
"""Root of the templateId of a Continuity of Care Document."""
SUMMARY = "34133-9"
"""LOINC code of a Continuity of Care Document."""


class Document:
    """Bytes read as a C-CDA or a fragment of one. Unreadable: `root` is None and `findings` say why."""

    def __init__(self, data: bytes, exchange: str | None = None) -> None:
        self.exchange = exchange
        self.data = data
        self.bytes = len(data)
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.root: Element | None
        self.root, found = parsing.parse(data)
        if self.root is not None and (refusal := self._not_ccda()):
            found.append(refusal)
            self.root = None
        self.findings = tuple(finding.at(exchange) for finding in found)
        self._positions: Positions = {}
        self._paths: dict[Element, str] = {}

    @property
    def is_whole(self) -> bool:
        """A ClinicalDocument, not a fragment."""
        return self.root is not None and name(self.root) == "ClinicalDocument"

    @cached_property
    def templates(self) -> frozenset[tuple[str, str]]:
        """(root, extension) of each templateId of the document itself."""
        if self.root is None:
            return frozenset()
        return frozenset(
            (each.get("root") or "", each.get("extension") or "") for each in self.root.iterchildren("{*}templateId")
        )

    @property
    def loinc(self) -> str | None:
        """The code of the document itself."""
        code = next(self.root.iterchildren("{*}code"), None) if self.root is not None else None
        return code.get("code") if code is not None else None

    @cached_property
    def type(self) -> str:
        """What kind of document it declares itself to be, in words; never by its title."""
        if self.root is None:
            return "unreadable"
        if not self.is_whole:
            return f"fragment ({name(self.root)})"
        roots = {root for root, _ in self.templates}
        known = [entry for entry in facts_of_documents()["document"] if entry["template"] in roots]
        if not known:
            return "C-CDA document of unknown type"
        # A document may declare several, a Referral Note on top of a CCD: its own code decides
        return str(next((entry for entry in known if entry.get("loinc") == self.loinc), known[0])["title"])

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Its record targets; a fragment may have none."""
        return tuple(identity.people(self.root)) if self.root is not None else ()

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Every section in document order."""
        return tuple(sections.find(self.root)) if self.root is not None else ()

    @cached_property
    def facts(self) -> tuple[Found, ...]:
        """Every fact of its entries and header that it says is so."""
        return tuple(found for found in self._entries if not found.negated)

    @cached_property
    def denials(self) -> tuple[Found, ...]:
        """Every entry that says that something is not so, or was not done."""
        return tuple(found for found in self._entries if found.negated)

    @cached_property
    def _entries(self) -> tuple[Found, ...]:
        return tuple(facts.read(self.root, self.sections, self._texts)) if self.root is not None else ()

    @cached_property
    def narratives(self) -> Mapping[str, str]:
        """The words of each section's text by LOINC code, fit for `in`; "" is all of them together."""
        spoken: dict[str, str] = {}
        for section in self.sections:
            text = f" {plain(sections.narrative(section))} "
            for key in (section.loinc or "?", ""):
                spoken[key] = spoken.get(key, "") + text
        return spoken

    @cached_property
    def section_codes(self) -> frozenset[str]:
        """LOINC codes of its sections, as written."""
        return frozenset(section.code for section in self.sections if section.code)

    def narrates(self, loincs: Iterable[str], text: str) -> bool:
        """Whether one of these sections (any, if none is named) has these words in this order."""
        wanted = f" {plain(text)} "
        return any(wanted in self.narratives.get(loinc, "") for loinc in (loincs or ("",)))

    def referred(self, anchor: str) -> Element | None:
        """The element with this ID."""
        return self._texts.element(anchor) if self.root is not None else None

    def finding(self, element: Element | None, **what: Any) -> Finding:
        """A finding located at an element of this document, or at its root; `what` are a Finding's own fields."""
        return self.locate(Finding(**what), element)

    def locate(self, finding: Finding, element: Element | None) -> Finding:
        """The same finding located at an element of this document, or at its root."""
        at = self.root if element is None else element
        path = xpath(at, self._positions, self._paths) if at is not None else None
        line = self.line(at) if at is not None else None
        return replace(finding, path=path, line=line, exchange=self.exchange)

    def line(self, element: Element) -> int:
        """Line of an element of this document, of any size."""
        kept = int(element.sourceline or 0)
        return kept if kept <= lines.LAST_KEPT else self._lines.get(element, kept)

    @cached_property
    def _lines(self) -> Mapping[Element, int]:
        return lines.exact(self.root, self.data)

    @cached_property
    def _texts(self) -> _Texts:
        assert self.root is not None
        return _Texts(self.root)

    def _not_ccda(self) -> Finding | None:
        assert self.root is not None
        root, here = name(self.root), self.root.sourceline
        namespace = self.root.tag[1:].partition("}")[0] if self.root.tag.startswith("{") else ""
        said = None
        if root == "ClinicalDocument":
            if namespace != facts_of_documents()["namespace"]:
                expected = facts_of_documents()["namespace"]
                said = f"ClinicalDocument is in the namespace {namespace!r}; expected {expected!r}"
        elif (
            namespace != facts_of_documents()["namespace"]
            and next(self.root.iter("{*}section", "{*}patientRole"), None) is None
        ):
            said = f"{root} is no C-CDA: no ClinicalDocument, section or record target is in it"
        if said is None:
            return None
        return Finding(
            layer=Layer.XML, severity=Severity.ERROR, rule="XML-NOT-CCDA", message=f"{said} (line {here}, column 1)",
            path=f"/{root}", line=here,
        )  # fmt: skip


class _Texts(Mapping[str, str]):
    """The words under each ID, read when asked for."""

    def __init__(self, root: Element) -> None:
        self._elements = {str(each.get("ID")): each for each in root.iterfind(".//*[@ID]")}

    def element(self, key: str) -> Element | None:
        return self._elements.get(key)

    def __getitem__(self, key: str) -> str:
        return words(self._elements[key])

    def __iter__(self) -> Any:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)


def title_of_section(loinc: str) -> str:
    """`Problems (11450-4)`."""
    known = uscdi.sections().get(loinc)
    return f"{known.title} ({loinc})" if known else loinc
