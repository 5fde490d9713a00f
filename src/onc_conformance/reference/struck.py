"""What faults do to a summary already written: elements struck out, codes put under another system."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

_V3 = "{urn:hl7-org:v3}"
_OID = "2.16.840.1.113883.10.20.22.4"
_GENDER, _ICD10 = "2.16.840.1.113883.5.1", "2.16.840.1.113883.6.90"
_RETIRED_CVX, _LOCAL = "2.16.840.1.113883.6.59", "2.16.840.1.113883.19.5.99999.77"


def _strike(path: str, within: str | None = None) -> Callable[[etree._Element], None]:
    """Take out what is at a path from the document, or the entries with a template."""

    def change(root: etree._Element) -> None:
        for found in _at(root, path, within):
            around = found.getparent()
            if around is not None:
                around.remove(found)

    return change


def _code_under(oid: str, path: str, within: str) -> Callable[[etree._Element], None]:
    """Give the codes at a path below a template another code system."""

    def change(root: etree._Element) -> None:
        for found in _at(root, path, within):
            if found.get("code"):
                found.set("codeSystem", oid)
                if found.get("codeSystemName"):
                    del found.attrib["codeSystemName"]

    return change


def _at(root: etree._Element, path: str, within: str | None) -> list[etree._Element]:
    steps = "/".join(_V3 + step if step.isalpha() else step for step in path.split("/"))
    if within is None:
        return list(root.iterfind(steps))
    bearers = [each.getparent() for each in root.iter(f"{_V3}templateId") if each.get("root") == f"{_OID}.{within}"]
    return [found for bearer in bearers if bearer is not None for found in bearer.iterfind(steps)]


_CHANGES: dict[str, tuple[Callable[[etree._Element], None], ...]] = {
    "sex-unsaid": (_strike("..", "507"), _strike("..", "200")),
    "sex-system-wrong": (_code_under(_GENDER, "value", "507"),),
    "author-time-missing": (_strike("author/time"),),
    "author-organization-missing": (_strike("author/assignedAuthor/representedOrganization"),),
    "reaction-system-wrong": (_code_under(_ICD10, "value", "9"),),
    "vaccine-system-wrong": (
        _code_under(_RETIRED_CVX, "consumable/manufacturedProduct/manufacturedMaterial/code", "52"),
    ),
    "diagnosis-system-wrong": (_code_under(_LOCAL, ".//value", "80"),),
}
FAULTS = frozenset(_CHANGES)


def strike(root: etree._Element, faults: Collection[str]) -> None:
    """Change the document in place as those of `faults` say that are among FAULTS."""
    for fault in sorted(FAULTS.intersection(faults)):
        for change in _CHANGES[fault]:
            change(root)
