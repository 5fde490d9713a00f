"""What libxml2 objects to, in words: the kind of violation, what was expected, what was found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from onc_conformance.ccda.tree import Element, name

if TYPE_CHECKING:
    from collections.abc import Callable

V3 = "urn:hl7-org:v3"
SDTC = "urn:hl7-org:sdtc"
_PREFIXES = {
    V3: "", SDTC: "sdtc:", "http://www.w3.org/2001/XMLSchema-instance": "xsi:",
    "http://www.w3.org/2001/XMLSchema": "xs:", "http://www.w3.org/XML/1998/namespace": "xml:",
}  # fmt: skip
_SHOWN = 60
_LISTED = 12
_ABOUT = re.compile(r"^Element '([^']+)'(?:, attribute '([^']+)')?: (?:\[facet '(\w+)'\] )?", re.DOTALL)
_LACKING = re.compile(r"The attribute '([^']+)' is required")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)\.$", re.DOTALL)
_ALLOWED = re.compile(r"is not an element of the set \{(.*)\}\.$", re.DOTALL)
_PATTERN = re.compile(r"is not accepted by the pattern '(.*)'\.$", re.DOTALL)
_FIXED = re.compile(r"does not match the fixed value constraint '(.*)'\.$", re.DOTALL)
_KIND = re.compile(r"is not a valid value of the (?:atomic|list|union|local \w+) type '?([^']*)'?\.$", re.DOTALL)

PATTERNS = {
    r"[^\s]+": "a code without spaces",
    "true|false": "true or false",
    r"[0-2](\.(0|[1-9][0-9]*))*": "an OID",
    r"[0-9a-zA-Z]{8}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{12}": "a UUID",
    r"[A-Za-z][A-Za-z0-9\-]*": "a name reserved by HL7",
    r"[0-9]{1,8}|([0-9]{9,14}|[0-9]{14,14}\.[0-9]+)([+\-][0-9]{1,4})?": (
        "digits YYYYMMDDHHMMSS as far as known, then fractions of a second and a time zone such as -0500 if any"
    ),
}
"""Every pattern of schemas/cda, in words."""
KINDS = {
    "uid": "an OID, a UUID or a name reserved by HL7",
    "real": "a number",
    "int": "a whole number",
    "xs:integer": "a whole number",
    "sdtc:int_pos": "a whole number of at least 1",
    "bin": "base64",
    "url": "a URI",
    "xs:ID": "a name (no digit first) that is no other element's ID",
    "xs:IDREF": "the ID of an element",
    "xs:IDREFS": "IDs of elements",
    "xs:NMTOKEN": "one name without spaces",
    "xs:NMTOKENS": "names without spaces",
    "xs:QName": "a name, after a prefix only if that is declared",
    "probability": "a number from 0 to 1",
    "list_int": "whole numbers",
}
"""Types of values whose violations libxml2 tells by type, in words; lists of codes speak for themselves."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One objection to one element, ready for a finding."""

    element: Element
    rule: str
    message: str
    expected: str | None
    found: str | None
    attribute: str | None = None
    """Name of the attribute objected to, as the tree has it."""


def read(entry: Any, element: Element) -> Violation:
    """A libxml2 schema error about an element of a tree."""
    about = _ABOUT.match(entry.message)
    lacking = _LACKING.search(entry.message)
    attribute = lacking.group(1) if lacking else about.group(2) if about else None
    said = _SPOKEN.get(entry.type, _other)
    rule, message, expected, found = said(
        _Context(element, attribute, entry.message, about.group(3) if about else None)
    )
    return Violation(element, rule, message, expected, found, attribute)


def short(tag: str) -> str:
    """A name as people write it: bare in the CDA namespace, else with its usual prefix or its namespace."""
    space, _, local = tag.removeprefix("{").rpartition("}")
    if not space:
        return local if tag.startswith("{") else f"{local} (in no namespace)"
    return f"{_PREFIXES[space]}{local}" if space in _PREFIXES else f"{local} (in the namespace {space})"


@dataclass(frozen=True, slots=True)
class _Context:
    element: Element
    attribute: str | None
    message: str
    facet: str | None

    @property
    def subject(self) -> str:
        return short(self.element.tag)

    @property
    def key(self) -> str:
        """The attribute as people write it."""
        attribute = self.attribute or ""
        return short(attribute) if attribute.startswith("{") else attribute

    @property
    def value(self) -> str:
        """The value objected to, of the attribute or of the element, cut short."""
        value = self.element.get(self.attribute) if self.attribute else self.element.text
        return _quoted(value or "")


_Words = tuple[str, str, str | None, str | None]


def _content(context: _Context) -> _Words:
    match = _EXPECTED.search(context.message)
    wanted = [short(each) for each in match.group(1).split(", ")] if match else []
    expected = _listed(wanted) if wanted else None
    if "Missing child" in context.message:
        children = list(context.element.iterchildren("*"))
        last = f"nothing after {short(children[-1].tag)}" if children else "nothing"
        return "SCHEMA-MISSING", f"{context.subject} ends before it is complete", expected, last
    parent = context.element.getparent()
    inside = f" in {short(parent.tag)}" if parent is not None else ""
    return (
        "SCHEMA-ELEMENT",
        f"{context.subject} may not stand here{inside}",
        expected or "no further element",
        context.subject,
    )


def _not_allowed(context: _Context) -> _Words:
    message = f"{context.subject} may not have the attribute {context.key}"
    return "SCHEMA-ATTRIBUTE", message, f"no {context.key}", context.value


def _required(context: _Context) -> _Words:
    return "SCHEMA-ATTRIBUTE-MISSING", f"{context.subject} lacks the attribute {context.key}", context.key, "none"


def _value(context: _Context) -> _Words:
    where = f"{context.subject}/@{context.key}" if context.attribute else context.subject
    return "SCHEMA-VALUE", f"{where} has a value that is not allowed", _wanted(context), context.value


def _wanted(context: _Context) -> str | None:
    message = context.message
    if match := _ALLOWED.search(message):
        return _listed([each.strip("'") for each in match.group(1).split(", ")])
    if match := _PATTERN.search(message):
        return PATTERNS.get(match.group(1), f"the pattern {match.group(1)}")
    if match := _FIXED.search(message):
        return match.group(1)
    if match := _KIND.search(message):
        kind = match.group(1)
        return KINDS.get(
            short(kind) if kind.startswith("{") else kind,
            f"a value of the type {short(kind) if kind.startswith('{') else kind}",
        )
    return {"minLength": "at least one character", "maxLength": "no text", "minInclusive": "a larger number"}.get(
        context.facet or ""
    )


def _type(context: _Context) -> _Words:
    said = context.element.get("{http://www.w3.org/2001/XMLSchema-instance}type")
    if said is None:
        message = f"{context.subject} does not say of which data type it is"
        return "SCHEMA-TYPE", message, "xsi:type", "none"
    if (
        "does not resolve" in context.message
        or "namespace declaration" in context.message
        or "xs:QName" in context.message
    ):
        return (
            "SCHEMA-TYPE",
            f"{context.subject} is of a data type that CDA does not know",
            "a data type of CDA",
            _quoted(said),
        )
    if "abstract" in context.message:
        return (
            "SCHEMA-TYPE",
            f"{context.subject} is of a data type that is none by itself",
            "a kind of it",
            _quoted(said),
        )
    message = f"{context.subject} is of a data type that may not stand here"
    return "SCHEMA-TYPE", message, "the data type of this element or a kind of it", _quoted(said)


def _datatype(context: _Context) -> _Words:
    return _type(context) if "XMLSchema-instance}type" in (context.attribute or "") else _value(context)


def _filled(context: _Context) -> _Words:
    if "Element content" in context.message:
        first = next(iter(context.element.iterchildren("*")), None)
        found = short(first.tag) if first is not None else None
        return "SCHEMA-ELEMENT", f"{context.subject} may not hold elements", "no element", found
    texts = [context.element.text, *(each.tail for each in context.element)]
    found = next((each.strip() for each in texts if each and each.strip()), None)
    return "SCHEMA-TEXT", f"{context.subject} may not hold text", "no text", _quoted(found) if found else None


def _other(context: _Context) -> _Words:
    said = _ABOUT.sub("", context.message).strip().rstrip(".")
    return "SCHEMA-OTHER", f"{name(context.element)} breaks the CDA schema: {said}", None, None


def _quoted(value: str) -> str:
    """A value that may be a patient's is shown no longer than it takes to find it."""
    value = " ".join(value.split()) if value.strip() else value
    return f"'{value[:_SHOWN]}…'" if len(value) > _SHOWN else f"'{value}'"


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    shown = ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"one of {shown}" if len(names) > 1 else shown


_T = etree.ErrorTypes
_SPOKEN: dict[int, Callable[[_Context], _Words]] = {
    _T.SCHEMAV_ELEMENT_CONTENT: _content,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_3_2_1: _not_allowed,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_3_2_2: _not_allowed,
    _T.SCHEMAV_CVC_TYPE_3_1_1: _not_allowed,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_4: _required,
    _T.SCHEMAV_CVC_AU: _value,
    _T.SCHEMAV_CVC_ENUMERATION_VALID: _value,
    _T.SCHEMAV_CVC_PATTERN_VALID: _value,
    _T.SCHEMAV_CVC_MINLENGTH_VALID: _value,
    _T.SCHEMAV_CVC_MAXLENGTH_VALID: _value,
    _T.SCHEMAV_CVC_MININCLUSIVE_VALID: _value,
    _T.SCHEMAV_CVC_MAXINCLUSIVE_VALID: _value,
    _T.SCHEMAV_CVC_DATATYPE_VALID_1_2_1: _datatype,
    _T.SCHEMAV_CVC_DATATYPE_VALID_1_2_2: _datatype,
    _T.SCHEMAV_CVC_DATATYPE_VALID_1_2_3: _datatype,
    _T.SCHEMAV_CVC_ELT_4_1: _type,
    _T.SCHEMAV_CVC_ELT_4_2: _type,
    _T.SCHEMAV_CVC_ELT_4_3: _type,
    _T.SCHEMAV_CVC_TYPE_2: _type,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_2_1: _filled,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_2_2: _filled,
    _T.SCHEMAV_CVC_COMPLEX_TYPE_2_3: _filled,
    _T.SCHEMAV_CVC_TYPE_3_1_2: _filled,
    _T.SCHEMAV_CVC_ELT_3_2_1: _filled,
}
