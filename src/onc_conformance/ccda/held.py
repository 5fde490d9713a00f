"""Whether a node of a C-CDA holds a value, by the kind of thing that counts as one there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onc_conformance.ccda.tree import Element, child, down

_BOUNDS = ("low", "high", "center")


def holds(kind: str, node: Element) -> bool:
    """Whether it says something."""
    return KINDS[kind](node)


def is_null(kind: str, node: Element) -> bool:
    """Whether it says by a null flavor that it says nothing."""
    if kind == "time":
        return any(
            each is not None and each.get("nullFlavor") for each in (node, child(node, "low"), child(node, "high"))
        )
    return node.get("nullFlavor") is not None


def speaks(node: Element) -> bool:
    """Whether there are words below it."""
    return any(text.strip() for text in node.itertext())


def _told(node: Element) -> bool:
    return node.get("nullFlavor") is None


def _is_coded(node: Element) -> bool:
    return bool(_told(node) and node.get("code")) or any(
        each.get("code") for each in node.iterchildren("{*}translation")
    )


def _is_valued(node: Element) -> bool:
    said = _told(node) and bool(
        node.get("code")
        or node.get("value")
        or any(child(node, each) is not None for each in (*_BOUNDS, "numerator"))
        or speaks(node)
    )
    return said or _is_coded(node)


def _is_dated(node: Element) -> bool:
    bounds = (child(node, each) for each in _BOUNDS)
    return bool(node.get("value")) or any(each is not None and each.get("value") for each in bounds)


def _is_written(node: Element) -> bool:
    """A note has its words in place or points to them."""
    text = child(node, "text")
    return _told(node) and text is not None and _refers(text)


def _refers(text: Element) -> bool:
    return speaks(text) or any(each.get("value") for each in text.iterchildren("{*}reference"))


def _is_goal(node: Element) -> bool:
    if not _told(node):
        return False
    code = child(node, "code")
    coded = code is not None and (code.get("code") or child(code, "originalText") is not None)
    return bool(coded) or any(child(node, each) is not None for each in ("value", "text"))


def _is_open_ended(node: Element) -> bool:
    return any(each.get("value") for each in down(node, "low")) and child(node, "high") is None


KINDS: Mapping[str, Callable[[Element], bool]] = {
    "code": _is_coded,
    "plain_code": lambda node: _told(node) and bool(node.get("code")),
    "value": _is_valued,
    "text": lambda node: _told(node) and speaks(node),
    "time": _is_dated,
    "quantity": _is_dated,
    "id": lambda node: _told(node) and bool(node.get("root")),
    "extension": lambda node: _told(node) and bool(node.get("extension")),
    "there": _told,
    "point": lambda node: _told(node) and bool(node.get("value")),
    "used": lambda node: bool(node.get("value") and node.get("use")),
    "unit": lambda node: bool(node.get("unit")),
    "note": _is_written,
    "referred": _refers,
    "said": _is_goal,
    "false": lambda node: node.get("value") == "false",
    "open_ended": _is_open_ended,
}
