"""The sections of a C-CDA, known by LOINC code, or by template where the code is none that is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from onc_conformance import uscdi
from onc_conformance.ccda.tree import Element, child, words


@dataclass(frozen=True, slots=True)
class Section:
    """One section as it stands in a document."""

    element: Element
    code: str | None
    """The LOINC code as written."""
    loinc: str | None
    """The section it is taken for; differs from `code` where only the template tells."""

    @property
    def informs(self) -> bool:
        """Whether it says something: no null flavor of its own."""
        return self.element.get("nullFlavor") is None


def find(root: Element) -> list[Section]:
    """Every section, wherever it stands, in document order."""
    return [_read(element) for element in root.iter("{*}section")]


def narrative(section: Section) -> str:
    """The words of the section's own text."""
    text = child(section.element, "text")
    return words(text) if text is not None else ""


def _read(element: Element) -> Section:
    coded = child(element, "code")
    code = coded.get("code") if coded is not None else None
    if code in uscdi.sections():
        return Section(element, code, code)
    by_template = (_templates().get(each.get("root") or "") for each in element.iterchildren("{*}templateId"))
    return Section(element, code, next(filter(None, by_template), code))


@cache
def _templates() -> dict[str, str]:
    return {root: loinc for loinc, section in uscdi.sections().items() for root in section.templates}
