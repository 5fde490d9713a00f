"""Documents with something wrong in their form, whatever the chart says: what the faults of form do to the markup."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

_NAMES = {"c": "urn:hl7-org:v3", "s": "urn:hl7-org:sdtc", "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
_XSI = "{" + _NAMES["xsi"] + "}"


def _remove(element: Any, _: object) -> None:
    element.getparent().remove(element)


def _set(element: Any, attributes: Any) -> None:
    for name, value in attributes.items():
        element.set(name.replace("xsi:", _XSI), value)


def _unset(element: Any, names: Any) -> None:
    for name in names:
        element.attrib.pop(name.replace("xsi:", _XSI), None)


def _to_the_end(element: Any, _: object) -> None:
    element.getparent().append(element)


def _repeat(element: Any, _: object) -> None:
    element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))


def _rename(element: Any, name: Any) -> None:
    element.tag = f"{{{_NAMES['c']}}}{name}"


def _insert(element: Any, markup: Any) -> None:
    element.append(etree.fromstring(markup))


def _say(element: Any, text: Any) -> None:
    element.text = text


_ACTS: Mapping[str, Callable[[Any, Any], None]] = {
    "remove": _remove,
    "set": _set,
    "unset": _unset,
    "to_the_end": _to_the_end,
    "repeat": _repeat,
    "rename": _rename,
    "insert": _insert,
    "say": _say,
}


@cache
def forms() -> Mapping[str, Mapping[str, Any]]:
    """What each fault of form does, by its id: `where` (document, category), `at` (an XPath), and one act."""
    content = tomllib.loads(Path(__file__).with_name("faults_form.toml").read_text(encoding="utf-8"))
    return {entry["id"]: entry["form"] for entry in content["fault"]}


def misshapen(root: Any, where: str, faults: Collection[str]) -> None:
    """Do to the markup what the faults say; where the place is not in it, nothing happens."""
    for fault in sorted(forms().keys() & set(faults)):
        form = forms()[fault]
        if form["where"] != where:
            continue
        for element in root.xpath(form["at"], namespaces=_NAMES):
            for act, value in form.items():
                if act in _ACTS:
                    _ACTS[act](element, value)
