"""WebChart's query language: API strings such as `GET/db/patients/LIKE_last_name=New&limit=5`, asked of rows."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = dict[str, str]
_LIKE = "LIKE_"


class BadApiString(ValueError):  # noqa: N818 - it is the string that is bad
    """What was asked cannot be answered; `status` is the one to put into the answer's `meta`."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Query:
    """Rows of one table in which every filter holds."""

    table: str
    exact: tuple[tuple[str, str], ...]
    like: tuple[tuple[str, str], ...]
    limit: int | None

    def with_exact(self, column: str, value: str) -> Query:
        """The same query with another value in its exact filters on that column."""
        exact = tuple((name, value if name == column else old) for name, old in self.exact)
        return Query(self.table, exact, self.like, self.limit)


def decode(carried: str) -> Query:
    """The query in a base64 API string."""
    try:
        text = base64.b64decode(carried.strip() + "=" * (-len(carried.strip()) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadApiString(400, "The API string is not the base64 of a text") from error
    return read(text)


def read(text: str) -> Query:
    """The query in a plain API string; it has a percent-encoding of its own, in which `+` is a plus sign."""
    method, _, rest = text.partition("/")
    source, _, rest = rest.partition("/")
    table, _, filters = rest.partition("/")
    if method.upper() != "GET":
        raise BadApiString(405, f"{method or 'Nothing'}: this system is read-only, use GET")
    if source != "db" or not table:
        raise BadApiString(400, "An API string is GET/db/<table>/<query>")
    exact: list[tuple[str, str]] = []
    like: list[tuple[str, str]] = []
    limit: int | None = None
    # mieapi-js writes the word null where its caller asks for nothing in particular.
    for pair in filters.split("&") if filters != "null" else ():
        if not pair:
            continue
        name, equals, value = (unquote(part) for part in pair.partition("="))
        if not equals:
            raise BadApiString(400, f"{name}: a filter is column=value")
        if name == "limit":
            if not value.isdecimal():
                raise BadApiString(400, f"limit={value}: a limit is a number")
            limit = int(value)
        elif name.startswith(_LIKE):
            like.append((name.removeprefix(_LIKE), value))
        else:
            exact.append((name, value))
    return Query(unquote(table), tuple(exact), tuple(like), limit)


def select(
    query: Query,
    tables: Mapping[str, tuple[tuple[str, ...], Iterable[Row]]],
    like: Literal["prefix", "contains", "sql"],
) -> list[Row]:
    """The rows that answer the query. `tables` gives each table's columns and rows."""
    if query.table not in tables:
        raise BadApiString(404, f"{query.table}: no such table")
    columns, rows = tables[query.table]
    for name, _ in (*query.exact, *query.like):
        if name not in columns:
            raise BadApiString(400, f"{name}: {query.table} has no such column")
    patterns = [(name, _pattern(value, like)) for name, value in query.like]
    found = [
        row
        for row in rows
        if all(_same(row[name], value) for name, value in query.exact)
        and all(pattern.fullmatch(row[name]) for name, pattern in patterns)
    ]
    return found if query.limit is None else found[: query.limit]


def _same(stored: str, asked: str) -> bool:
    """Databases compare text without case, and a date with a moment as if it were midnight."""
    return stored.casefold() in {asked.casefold(), f"{asked} 00:00:00".casefold()}


def _pattern(value: str, like: str) -> re.Pattern[str]:
    if "%" not in value and "_" not in value:
        value = {"prefix": f"{value}%", "contains": f"%{value}%", "sql": value}[like]
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in value), re.IGNORECASE | re.DOTALL)
