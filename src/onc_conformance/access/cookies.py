"""Cookies as a browser keeps them for one trip (RFC 6265), as far as login pages need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from onc_conformance.exchange import Exchange


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str
    host: str
    path: str
    secure: bool
    everywhere: bool
    """Whether hosts below this one get it too."""

    def fits(self, url: str) -> bool:
        parts = urlsplit(url)
        host, path = (parts.hostname or "").lower(), parts.path or "/"
        here = host == self.host or (self.everywhere and host.endswith("." + self.host))
        below = path == self.path or path.startswith(self.path.rstrip("/") + "/")
        return here and below and (parts.scheme == "https" or not self.secure)


@dataclass
class Jar:
    """The cookies of one browser."""

    _kept: dict[tuple[str, str, str], _Cookie] = field(default_factory=dict)

    def take(self, exchange: Exchange) -> list[str]:
        """Keep the cookies that an answer sets; their values."""
        made = [
            cookie
            for name, line in exchange.response_headers
            if name.lower() == "set-cookie" and (cookie := self._set(line, exchange.url))
        ]
        return [cookie.value for cookie in made if cookie.value]

    def header(self, url: str) -> str:
        """What the Cookie header says to this address; empty where nothing is to be said."""
        fit = sorted((each for each in self._kept.values() if each.fits(url)), key=lambda each: -len(each.path))
        return "; ".join(f"{each.name}={each.value}" for each in fit)

    def _set(self, line: str, url: str) -> _Cookie | None:
        pair, *rest = line.split(";")
        name, equals, value = pair.strip().partition("=")
        if not equals or not name:
            return None
        attributes = {key.strip().lower(): text.strip() for key, _, text in (each.partition("=") for each in rest)}
        parts = urlsplit(url)
        own = (parts.hostname or "").lower()
        asked = attributes.get("domain", "").lstrip(".").lower()
        if asked and own != asked and not own.endswith("." + asked):
            return None  # a cookie for somebody else
        path = attributes.get("path", "")
        if not path.startswith("/"):
            path = (parts.path or "/").rpartition("/")[0] or "/"
        cookie = _Cookie(name, value.strip(), asked or own, path, "secure" in attributes, bool(asked))
        key = (cookie.name, cookie.host, cookie.path)
        if attributes.get("max-age", "1").lstrip("-").strip("0") == "" or attributes.get("max-age", "").startswith("-"):
            self._kept.pop(key, None)
        else:
            self._kept[key] = cookie
        return cookie
