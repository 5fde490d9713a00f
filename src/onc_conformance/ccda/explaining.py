"""Why an element breaks the schema, as `xmlschema` sees it: a second reader of the same schema, asked about elements.

It takes half a second to load and a hundred times as long as libxml2 to judge. So it is loaded for the first document
that fails and no sooner, and is never shown a whole document: only the elements that libxml2 objects to, one by one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import suite
from onc_conformance.ccda.tree import Element
from onc_conformance.ccda.violations import SDTC, V3, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_WIDEST = 1000
_LONGEST = 300


def explain(violation: Violation, top: Element) -> str | None:
    """The reason in one line, or None where it has none; `top` is the element that was judged."""
    element = violation.element
    unexpected = violation.rule == "SCHEMA-ELEMENT" and element is not top and violation.expected != "no element"
    judged = element.getparent() if unexpected else element
    if len(judged) > _WIDEST or (declared := _declared(judged, top)) is None:
        return None
    from xmlschema import XMLSchemaException

    try:
        errors = list(declared.iter_errors(judged, namespaces=dict(_prefixes(judged)), max_depth=1))
    except XMLSchemaException:  # a type that nobody knows, below the element that is explained
        return None
    mine = (each for each in errors if each.elem is judged and _is_about(each, violation, unexpected=unexpected))
    reason = next((each.reason for each in mine if each.reason), None)
    return _line(reason) if reason else None


@cache
def _schema() -> Any:
    import xmlschema

    # The schema was proven sound when it was written; looking again takes as long as reading it
    return xmlschema.XMLSchema(str(suite.schemas() / "cda" / "fragments.xsd"), validation="skip")


def _declared(element: Element, top: Element) -> Any | None:
    """The declaration of an element, found from the judged one downwards, by what xsi:type says on the way."""
    chain = [element]
    while chain[-1] is not top:
        chain.append(chain[-1].getparent())
    declared = _schema().maps.elements.get(top.tag)
    for node in reversed(chain[:-1]):
        kind = _kind(declared, node.getparent())
        declared = next((each for each in _children(kind) if each.name == node.tag), None)
    return declared


def _kind(declared: Any, element: Element) -> Any | None:
    if declared is None:
        return None
    if (said := element.get(_XSI_TYPE)) is None:
        return declared.type
    prefix, _, local = said.strip().rpartition(":")
    return _schema().maps.types.get(f"{{{element.nsmap.get(prefix or None)}}}{local}")


def _children(kind: Any) -> Iterator[Any]:
    content: Any = getattr(kind, "content", None)
    for each in content.iter_elements() if hasattr(content, "iter_elements") else ():
        if getattr(each, "type", None) is not None:
            yield each


def _is_about(error: Any, violation: Violation, *, unexpected: bool) -> bool:
    reason = error.reason or ""
    if unexpected:
        return bool(getattr(error, "invalid_tag", None) == violation.element.tag)
    if violation.attribute is not None:
        return f"attribute {violation.attribute}" in reason or f"'{violation.attribute}'" in reason
    return "character data" in reason if violation.rule == "SCHEMA-TEXT" else "character data" not in reason


def _prefixes(element: Element) -> Iterator[tuple[str, str]]:
    for prefix, space in element.nsmap.items():
        yield prefix or "", space


def _line(reason: str) -> str:
    said = " ".join(reason.replace(f"{{{V3}}}", "").replace(f"{{{SDTC}}}", "sdtc:").split())
    return f"{said[:_LONGEST]}…" if len(said) > _LONGEST else said
