"""How somebody is reached, by post or by telephone: what an answer says of it against what a record says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onc_conformance.record.facts import letters, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIALLED = re.compile(r"^(tel|mailto):|[^\w@.]|(?<=\d)\.(?=\d)")
"""What is no part of a number or an address."""
_HOME = {"", "us", "usa", "unitedstates", "unitedstatesofamerica"}
"""How documents call the country that goes without saying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postal:
    """A postal address as an answer has it."""

    use: str = ""
    """In the words of a record, or as written."""
    line: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""

    def __str__(self) -> str:
        region = f"{self.state} {self.postal_code}".strip()
        return ", ".join(filter(None, (*self.line, self.city, region)))


def postal(wanted: Mapping[str, Any]) -> Postal:
    """The address of a record."""
    told = {key: str(wanted.get(key) or "") for key in ("use", "city", "state", "postal_code", "country")}
    return Postal(line=tuple(wanted.get("line") or ()), **told)


def apart(wanted: Postal, found: Postal) -> list[tuple[str, str, str]]:
    """(part, expected, found) of each part that the record names and the answer has otherwise."""
    wrong: list[tuple[str, str, str]] = []
    if wanted.line and plain(" ".join(wanted.line)) != plain(" ".join(found.line)):
        wrong.append(("street", ", ".join(wanted.line), ", ".join(found.line)))
    wrong += [
        (part, one, other)
        for part, one, other in (("city", wanted.city, found.city), ("state", wanted.state, found.state))
        if one and plain(one) != plain(other)
    ]
    post, told = wanted.postal_code, plain(found.postal_code)
    if post and told != plain(post) and not (len(post) == 5 and told.startswith(post)):
        wrong.append(("postal code", post, found.postal_code))
    countries = {letters(wanted.country), letters(found.country)}
    if wanted.country and len(countries) > 1 and not countries <= _HOME:
        wrong.append(("country", wanted.country, found.country))
    if wanted.use not in {"", "old", found.use}:
        wrong.append(("use", wanted.use, found.use))
    return wrong


def same_number(wanted: Mapping[str, Any], told: str) -> bool:
    """Whether the same is dialled, however it is punctuated and with or without the country code of North America."""
    mine, theirs = (_DIALLED.sub("", text.casefold()) for text in (wanted["value"], told))
    return mine.removeprefix("1") == theirs.removeprefix("1") if wanted["system"] == "phone" else mine == theirs


def written_postal(found: Postal) -> dict[str, Any]:
    """An address as a record has it."""
    use = found.use if found.use in {"home", "work", "temp", "old"} else ""
    parts = {"city": found.city, "state": found.state, "postal_code": found.postal_code, "country": found.country}
    return {"use": use, "line": list(found.line), **parts}


def written_telecom(told: str, use: str = "") -> dict[str, str]:
    """A telephone number or an e-mail address, with or without its scheme, as a record has it."""
    scheme, colon, rest = told.partition(":")
    is_mail = scheme.casefold() == "mailto" or "@" in told
    known = use if use in {"home", "mobile", "work"} else ""
    return {"system": "email" if is_mail else "phone", "use": known, "value": rest if colon else told}
