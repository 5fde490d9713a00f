"""String templates: `{name}` and `{name|filter:argument|…}`, nothing else; any other brace is itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import cache
from html import escape
from urllib.parse import quote

Value = str | bytes | datetime | list[str]
Lookup = Callable[[str], Value]

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.-]*)((?:\|[a-z0-9]+(?::[^|}]*)?)*)\}")
_LOOKS_LIKE_ONE = re.compile(r"\{\s*[A-Za-z_][\w.-]*\s*(?=[|}])")


class TemplateError(ValueError):
    """A template that says nothing, or a value that does not fit its filter. One line."""


def text_of(value: Value) -> str:
    """The value as it is inserted where no filter asks for more."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return ",".join(value) if isinstance(value, list) else value


def _bytes_of(value: Value) -> bytes:
    return value if isinstance(value, bytes) else text_of(value).encode()


def _moment(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value
    text = text_of(value)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise TemplateError(f"{text!r} is no date; expected YYYY-MM-DD") from None


def _date(value: Value, argument: str) -> str:
    if text_of(value) == "":
        return ""
    return _moment(value).strftime(argument or "%Y-%m-%d")


def _aware(value: Value) -> datetime:
    moment = _moment(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


FILTERS: dict[str, Callable[[Value, str], Value]] = {
    "url": lambda value, _: quote(_bytes_of(value), safe=""),
    "b64": lambda value, _: base64.b64encode(_bytes_of(value)).decode(),
    "b64url": lambda value, _: base64.urlsafe_b64encode(_bytes_of(value)).decode().rstrip("="),
    "hex": lambda value, _: _bytes_of(value).hex(),
    "sha256hex": lambda value, _: hashlib.sha256(_bytes_of(value)).hexdigest(),
    "date": _date,
    "httpdate": lambda value, _: format_datetime(_aware(value), usegmt=True),
    "unix": lambda value, _: str(int(_aware(value).timestamp())),
    "jsonstr": lambda value, _: json.dumps(text_of(value), ensure_ascii=False)[1:-1],
    "xmlesc": lambda value, _: escape(text_of(value)),
    "upper": lambda value, _: text_of(value).upper(),
    "lower": lambda value, _: text_of(value).lower(),
}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `{name|filter:argument}`."""

    name: str
    filters: tuple[tuple[str, str], ...]

    def value(self, lookup: Lookup) -> Value:
        """The filtered value; TemplateError if it does not fit."""
        value = lookup(self.name)
        for name, argument in self.filters:
            value = FILTERS[name](value, argument)
        return value


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders, read once."""

    pieces: tuple[str | Placeholder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable used, in order."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Placeholder))

    def render(self, lookup: Lookup, *, quoting: Callable[[str], str] = str) -> str:
        """The text with every placeholder replaced; `quoting` is applied to what is inserted."""
        return "".join(
            piece if isinstance(piece, str) else quoting(text_of(piece.value(lookup))) for piece in self.pieces
        )


@cache
def parse(text: str) -> Template:
    """Read a template; TemplateError names an unknown filter or a placeholder that is none."""
    pieces: list[str | Placeholder] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        pieces += [*_plain(text[at : match.start()]), Placeholder(match.group(1), _filters(match.group(2), match[0]))]
        at = match.end()
    return Template((*pieces, *_plain(text[at:])))


def _plain(text: str) -> Sequence[str]:
    if odd := _LOOKS_LIKE_ONE.search(text):
        raise TemplateError(f"{odd[0]!r}… is no placeholder; expected {{name}} or {{name|filter:argument}}")
    return [text] if text else []


def _filters(text: str, whole: str) -> tuple[tuple[str, str], ...]:
    found = []
    for item in text.split("|")[1:]:
        name, _, argument = item.partition(":")
        if name not in FILTERS:
            raise TemplateError(f"unknown filter {name!r} in {whole}; expected one of {', '.join(FILTERS)}")
        if argument and name != "date":
            raise TemplateError(f"filter {name!r} in {whole} takes no argument")
        if name == "date":
            try:
                date(2000, 1, 1).strftime(argument)
            except ValueError:
                raise TemplateError(
                    f"{argument!r} in {whole} is no date format; expected %Y-%m-%d or the like"
                ) from None
        found.append((name, argument))
    return tuple(found)
