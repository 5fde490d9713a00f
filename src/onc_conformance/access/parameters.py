"""The parameters of a request, in order, and what is wrong with them on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What is different about a request: parameters replaced or removed (None), some added, and headers likewise."""

    parameters: Mapping[str, str | None] = field(default_factory=dict)
    """Replaces the parameter of this name, or adds it; None removes it."""
    more: Parameters = ()
    """Added at the end, even where there is one of the same name."""
    headers: Mapping[str, str | None] = field(default_factory=dict)

    def made(self, parameters: Parameters) -> Parameters:
        """The parameters with the change."""
        return (*_changed(parameters, self.parameters), *self.more)

    def headed(self, headers: Parameters) -> Parameters:
        """The headers with the change."""
        return _changed(headers, self.headers)


AS_IT_IS = Change()


def _changed(pairs: Parameters, change: Mapping[str, str | None]) -> Parameters:
    wanted = {name.lower(): (name, value) for name, value in change.items()}
    there = {name.lower() for name, _ in pairs}
    kept = []
    for name, value in pairs:
        new = wanted[name.lower()][1] if name.lower() in wanted else value
        if new is not None:
            kept.append((name, new))
    added = [(name, value) for lower, (name, value) in wanted.items() if lower not in there and value is not None]
    return (*kept, *added)


def value_of(parameters: Parameters, name: str) -> str:
    """The first value of this name; empty where there is none."""
    return next((value for key, value in parameters if key == name), "")


def in_query(url: str, parameters: Parameters) -> str:
    """The address with the parameters in its query, after those it has."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit(parts._replace(query=query, fragment=""))


def of_query(url: str) -> Parameters:
    """The parameters in the query of an address, in order, empty ones included."""
    return tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))
