"""The narrative of a resource: the part of XHTML that can be shown without harm."""

from __future__ import annotations

import re
from functools import lru_cache
from html.entities import name2codepoint

from lxml import etree

XHTML = "http://www.w3.org/1999/xhtml"
MOST = 4 * 1024 * 1024
_ELEMENTS = frozenset({
    "a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn",
    "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "q",
    "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u",
    "ul", "var",
})  # fmt: skip
_ATTRIBUTES = frozenset({
    "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign", "cellpadding", "cellspacing",
    "cellvalign", "char", "charoff", "charset", "cite", "class", "colspan", "compact", "coords", "dir", "frame",
    "headers", "height", "href", "hreflang", "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev",
    "rowspan", "rules", "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title", "type",
    "valign", "value", "vspace", "width",
})  # fmt: skip
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_PICTURES = frozenset({"img"})
_SCRIPT = re.compile(r"\s*(javascript|vbscript|data:text/html)", re.IGNORECASE)


@lru_cache(maxsize=256)
def objection(div: str) -> str | None:
    """Why this is no narrative, in a few words; None where it is one."""
    if len(div) > MOST:
        return f"longer than {MOST} characters"
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_ENTITY.sub(_character, div).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return f"not well-formed XHTML: {' '.join(str(error).split())[:160]}"
    if "<!DOCTYPE" in div[:1024]:
        return "a document type is declared"
    if root.tag != f"{{{XHTML}}}div":
        return f"the root is {root.tag!s}, not div of {XHTML}"
    shown = False
    for each in root.iter():
        if each.tag is not etree.Comment:
            if why := _element(each):
                return why
            name = str(each.tag).rpartition("}")[2]
            shown = shown or name in _PICTURES or bool((each.text or "").strip())
        shown = shown or bool((each.tail or "").strip())
    return None if shown else "nothing is shown: no text and no picture"


def _element(element: etree._Element) -> str | None:
    if not isinstance(element.tag, str):
        return "a processing instruction or an entity stands in it"
    namespace, _, name = element.tag[1:].partition("}")
    if namespace != XHTML or name not in _ELEMENTS:
        return f"the element {name or element.tag} is not allowed"
    for attribute, value in element.attrib.items():
        called = str(attribute)
        if called not in _ATTRIBUTES and not called.startswith("{http://www.w3.org/XML/1998/"):
            return f"the attribute {called} of {name} is not allowed"
        if called in ("href", "src") and _SCRIPT.match(str(value)):
            return f"the attribute {called} of {name} would run a script"
    return None


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _XML or name not in name2codepoint else f"&#{name2codepoint[name]};"
