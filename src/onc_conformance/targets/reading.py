"""An answer read once: as JSON, as XML, as text, by header or cookie."""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from onc_conformance.targets.paths import Node, json_path, read_json, read_xml, scalar, xml_path, xml_text
from onc_conformance.targets.terms import REGEX

if TYPE_CHECKING:
    from onc_conformance.exchange import Exchange


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The regular expression between the slashes; None for plain text."""
    found = REGEX.fullmatch(pattern)
    if found is None:
        return None
    flags = (re.IGNORECASE if "i" in found["flags"] else 0) | (re.DOTALL if "s" in found["flags"] else 0)
    return re.compile(found["regex"], flags)


class Reading:
    """The views of one exchange's answer; what it is not, it reads as empty."""

    def __init__(self, exchange: Exchange, united: Any = None) -> None:
        self.exchange = exchange
        if united is not None:
            self.__dict__["json"] = united  # what cached_property keeps

    @cached_property
    def json(self) -> Any:
        """The JSON value, None if the answer is none."""
        start = self.exchange.response_body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return None if start == b"<" else read_json(self.exchange.response_body)

    @cached_property
    def xml(self) -> Node | None:
        """The root element, None if the answer is no XML."""
        return read_xml(self.exchange.response_body)

    @cached_property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become replacement characters."""
        return self.exchange.response_body.decode("utf-8", "replace")

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies set by the answer."""
        found: dict[str, str] = {}
        for name, value in self.exchange.response_headers:
            if name.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                found.setdefault(cookie.strip(), content.strip().strip('"'))
        return found

    def headers(self, name: str) -> list[str]:
        """Every value of a header, whatever its case."""
        return [value for key, value in self.exchange.response_headers if key.lower() == name.lower()]

    def json_values(self, path: str) -> list[str]:
        """What a JSONPath finds, as texts; null is not there."""
        if self.json is None:
            return []
        return [text for value in json_path(path).findall(self.json) if (text := scalar(value)) is not None]

    def xml_found(self, path: str | None) -> list[Any]:
        """What an XPath by local names finds; without a path, the root."""
        if self.xml is None:
            return []
        if path is None:
            return [self.xml]
        found = xml_path(path)(self.xml)
        return list(found) if isinstance(found, list) else [found]

    def xml_values(self, path: str) -> list[str]:
        """What an XPath finds, as texts."""
        return [xml_text(item) for item in self.xml_found(path)]

    def cookie_values(self, name: str) -> list[str]:
        """The cookies of this name, or whose names match this /regex/."""
        pattern = compiled(name)
        return [value for key, value in self.cookies.items() if (pattern.search(key) if pattern else key == name)]
