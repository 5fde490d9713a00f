"""Telecom values and US addresses by their form."""

from __future__ import annotations

import re
from functools import lru_cache

from onc_conformance.vocabulary.tables import facts

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_NUMBER = re.compile(
    r"\+?[0-9A-Fa-f*#().\- ]+(?:\s?(?:;(?:ext|isub|phone-context)=[^;]*|(?:x|ext\.?)\s?[0-9]+))*", re.IGNORECASE
)
_MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+(?:\?\S*)?")
_ZIP = re.compile(r"[0-9]{5}(?:-?[0-9]{4})?")
_ALL_ZEROS = re.compile(r"0+-?0*")


@lru_cache(maxsize=4096)
def telecom(value: str) -> str | None:
    """What is wrong with a telecom value, in a few words; None if it can be dialled, written to or opened.

    Blanks within a number are let pass: RFC 3966 knows none, and every certified system writes them.
    """
    match = _SCHEME.fullmatch(value.strip())
    if match is None:
        return "it has no scheme such as tel: or mailto:"
    scheme, rest = match.group(1).lower(), match.group(2).strip()
    if not rest:
        return f"nothing follows {scheme}:"
    if scheme in ("tel", "fax", "modem", "sms"):
        digits = sum(character.isdigit() for character in rest)
        if not _NUMBER.fullmatch(rest) or digits < 3:
            return "it is no telephone number"
        return None
    if scheme == "mailto" and not _MAIL.fullmatch(rest):
        return "it is no mail address"
    return None if scheme in facts("contacts")["schemes"] or scheme == "mailto" else f"{scheme} is no telecom scheme"


@lru_cache(maxsize=4096)
def state(text: str) -> bool:
    """Whether a text is the postal abbreviation of a US state, district, territory or freely associated state."""
    return text.strip() in facts("contacts")["states"]


@lru_cache(maxsize=4096)
def postal_code(text: str) -> bool:
    """Whether a text has the form of a ZIP code, five digits or nine."""
    stripped = text.strip()
    return bool(_ZIP.fullmatch(stripped)) and not _ALL_ZEROS.fullmatch(stripped)
