"""C-CDA inside JSON: a document as a string, and as nested objects."""

from __future__ import annotations

import json
import re
from typing import Any

from lxml import etree

from onc_conformance.reference import slices

_DECLARED = re.compile(r"""^(<\?xml[^>]*?encoding=["'])[A-Za-z0-9._-]+""")


def as_text(document: bytes) -> str:
    """The characters of a document, its declaration naming UTF-8, in which the JSON around it travels."""
    try:
        encoding = slices.parse(document).getroottree().docinfo.encoding or "UTF-8"
    except slices.NotReadableError:
        encoding = "UTF-8"
    return _DECLARED.sub(r"\g<1>UTF-8", document.decode(encoding, errors="replace").removeprefix("\ufeff"))


def as_json(document: bytes) -> str:
    """The document as JSON text: each element an object of name, attributes, text and children."""
    try:
        return json.dumps(_element(slices.parse(document)), ensure_ascii=False)
    except slices.NotReadableError:
        return json.dumps(None)


def _element(element: etree._Element) -> dict[str, Any]:
    return {
        "name": etree.QName(element).localname,
        "attributes": {etree.QName(name).localname: value for name, value in element.attrib.items()},
        "text": (element.text or "").strip(),
        "children": [_element(child) for child in element.iterchildren("*")],
    }
