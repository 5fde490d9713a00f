"""Secrets, and how each is recognised in every dress it travels in: raw, URL, form, JSON, XML, base64, hex."""

from __future__ import annotations

import base64
import html
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MASK = "***"
Known = tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]
"""Values of secrets, names of fields that carry one, and short secrets by name."""
SHORT_TEXT, REMEMBERED = 300, 20_000
"""Texts up to this many characters are masked once and remembered, so many at the most."""
SHORTEST = 6
"""Values below this many characters would mask innocent text: they are masked only where they are sent by name."""

_STEMS = (
    "passw", "pwd", "secret", "session_id", "session-id", "sessionid", "access_token", "accesstoken", "refresh_token",
    "refreshtoken", "id_token", "idtoken", "api_key", "api-key", "apikey", "client_assertion",
)  # fmt: skip
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-auth-token"})
_OPEN_PARAMETERS = frozenset({"keyid", "algorithm", "headers", "nonce", "realm"})
_PARAMETER = re.compile(r'([\w-]+)=("(?:[^"\\]|\\.)*"|[^\s,]+)')
_UNRESERVED = re.compile(r"[A-Za-z0-9._-]+")
_RUN = re.compile(rf"[a-z0-9._-]{{{SHORTEST},}}")
_ESCAPE = re.compile(r"%[0-9a-f]{2}|(?<=\\)u[0-9a-f]{4}|&#[0-9a-fx]+;")
_BASE64 = r"[A-Za-z0-9+/_-]"
_JSON_SHORT = {'"': '"', "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_XML_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def _units(char: str) -> list[int]:
    """UTF-16 code units, as JSON escapes count."""
    raw = char.encode("utf-16-be")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]


def _byte_forms(text: str) -> Iterator[bytes]:
    """The bytes of `text` as sent: UTF-8, and Latin-1 where a header or an old form would use it."""
    yield text.encode()
    if not text.isascii():
        try:
            yield text.encode("latin-1")
        except UnicodeEncodeError:
            return


def _dress(char: str) -> str:
    """A pattern for one character, as itself or behind any escape."""
    ways = [re.escape(char)]
    for raw in _byte_forms(char):
        ways += ["".join(rf"%(?:25)*(?i:{byte:02x})" for byte in raw), "".join(rf"\\+x(?i:{byte:02x})" for byte in raw)]
    ways.append("".join(rf"\\+u(?i:{unit:04x})" for unit in _units(char)))
    ways.append(rf"&(?:amp;)*#(?:0*{ord(char)}|(?i:x0*{ord(char):x}));")
    if not char.isascii():
        ways.append(re.escape(char.encode().decode("latin-1")))
    if char == " ":
        ways.append(r"\+")
    if char == "\\":
        ways.append(r"\\{2,}")
    if char in _JSON_SHORT:
        ways.append(rf"\\+{re.escape(_JSON_SHORT[char])}")
    if char in _XML_NAMES:
        ways.append(rf"&(?:amp;)*{_XML_NAMES[char]};")
    return f"(?:{'|'.join(ways)})"


def _disguises(value: str) -> set[bytes]:
    """What may stand inside base64: the value itself, or the value already escaped for a URL, JSON or XML."""
    forms = {value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value), json.dumps(value)[1:-1]}
    return {raw for form in forms for raw in _byte_forms(form)}


def _base64_cores(raw: bytes) -> Iterator[str]:
    """The base64 characters that `raw` alone decides, at each of the three places it can start in a larger text."""
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode()
        core = encoded[-(-8 * lead // 6) : 8 * (lead + len(raw)) // 6]
        if core:
            yield core


def _base64_pattern(core: str) -> str:
    variants = {"+": f"(?:{_dress('+')}|-)", "/": f"(?:{_dress('/')}|_)"}
    return _BASE64 + "?" + "".join(variants.get(char, char) for char in core) + _BASE64 + "?=*"


class _Seen:
    """What a text holds that a secret could be told by, gathered in one pass however many secrets there are."""

    def __init__(self, text: str, shortest: int) -> None:
        self.lowered = text.lower()
        # few words are as long as the shortest needle, so that there is next to nothing left to search
        self.runs = "\n".join({run for run in _RUN.findall(self.lowered) if len(run) >= shortest})
        self.escapes = set(_ESCAPE.findall(self.lowered))

    def may_hold(self, secret: _Value) -> bool:
        """Whether it is worth looking for the secret."""
        if not self.escapes.isdisjoint(secret.escapes) or any(needle in self.runs for needle in secret.needles):
            return True
        return any(needle in self.lowered for needle in secret.short_needles)


class _Value:
    """One secret: cheap signs of it, one of which must be there before the thorough pattern is worth running."""

    def __init__(self, value: str) -> None:
        self.value = value
        anchor = max(_UNRESERVED.findall(value), key=len, default="")
        self._cores = sorted({core for raw in _disguises(value) for core in _base64_cores(raw)}, key=len, reverse=True)
        self._hexes = sorted({raw.hex() for raw in _byte_forms(value)})
        signs = {anchor, *self._hexes, *(max(re.split(r"[+/]", core), key=len) for core in self._cores)}
        self.needles = tuple(sign.lower() for sign in signs if len(sign) >= SHORTEST)
        self.short_needles = tuple(sign.lower() for sign in signs if len(sign) < SHORTEST)
        first = (anchor or value)[0]
        escapes = {f"u{_units(first)[0]:04x}", f"&#{ord(first)};", f"&#x{ord(first):x};"}
        self.escapes = frozenset(escapes | {f"%{raw[0]:02x}" for raw in _byte_forms(first)})

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        ways = ["".join(map(_dress, self.value)), *map(_base64_pattern, self._cores)]
        ways += [f"(?i:{text})" for text in self._hexes]
        return re.compile("|".join(ways))


class Secrets:
    """Every secret of a run, by value and by the names of the fields that carry one.

    `values` maps a declared name (an environment variable) to its value.
    """

    def __init__(self, values: Mapping[str, str] | None = None, names: Iterable[str] = ()) -> None:
        self._values: dict[str, _Value] = {}
        self._names: set[str] = set()
        self._short: dict[str, str] = {}
        self._shortest = 0
        self._masked: dict[str, str] = {}
        """Headers and other short texts that come again and again."""
        for name, value in (values or {}).items():
            self.add(value, name)
        for name in names:
            self.add_name(name)

    def add(self, value: str, name: str = "") -> None:
        """Take `value` for a secret from now on; `name` is only for telling which declared ones are too short."""
        if len(value) >= SHORTEST:
            if value not in self._values:
                self._values[value] = _Value(value)
                self._values = dict(sorted(self._values.items(), key=lambda item: -len(item[0])))
                self._shortest = min(len(needle) for each in self._values.values() for needle in each.needles or ("",))
                self._masked.clear()
        elif value and name:
            self._short[name] = value

    def add_name(self, name: str) -> None:
        """Take whatever is sent in a field or header of this name for a secret."""
        if name.lower() not in self._names:
            self._names.add(name.lower())
            self.__dict__.pop("_fields", None)
            self._masked.clear()

    @property
    def short(self) -> tuple[str, ...]:
        """Names of declared secrets that are too short to be masked by value."""
        return tuple(sorted(self._short))

    def mask_text(self, text: str) -> str:
        """`text` with every secret replaced, whatever it is: a URL, a form, JSON, XML, a log line."""
        if len(text) > SHORT_TEXT:
            return self._by_name(self._by_value(text))
        if text not in self._masked:
            if len(self._masked) >= REMEMBERED:
                self._masked.clear()
            self._masked[text] = self._by_name(self._by_value(text))
        return self._masked[text]

    def mask_values(self, text: str) -> str:
        """`text` with every secret replaced where it stands, whatever the names around it."""
        return self._by_value(text)

    @property
    def known(self) -> Known:
        """Everything told so far, for the process that masks what this one gathered."""
        return tuple(self._values), tuple(self._names), dict(self._short)

    def learn(self, known: Known) -> None:
        """Take over what another process knows."""
        values, names, short = known
        for value in values:
            self.add(value)
        for name in names:
            self.add_name(name)
        for name, value in short.items():
            self.add(value, name)

    def mask_bytes(self, data: bytes) -> bytes:
        """`data` with every secret replaced, in its own encoding; bytes that are no text stay as they are."""
        try:
            return self.mask_text(data.decode()).encode()
        except UnicodeDecodeError:
            return self.mask_text(data.decode("latin-1")).encode("latin-1")

    def mask_headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """The header lines, with the values of those that carry credentials masked; names and schemes stay readable."""
        return [(name, self._header(name, value)) for name, value in headers]

    def _is_secret_name(self, name: str) -> bool:
        lowered = name.lower()
        return lowered in self._names or lowered in _HEADERS or any(stem in lowered for stem in _STEMS)

    def _header(self, name: str, value: str) -> str:
        lowered = name.lower()
        if lowered == "set-cookie":
            cookie, separator, attributes = value.partition(";")
            return f"{cookie.partition('=')[0]}={MASK}{separator}{self.mask_text(attributes)}"
        if lowered == "cookie":
            return "; ".join(f"{pair.partition('=')[0].strip()}={MASK}" for pair in value.split(";"))
        if lowered in {"authorization", "proxy-authorization"}:
            scheme, _, rest = value.partition(" ")
            if not rest:
                return MASK
            if _PARAMETER.sub("", rest).strip(", ") == "":
                return f"{scheme} {self._by_value(_PARAMETER.sub(self._parameter, rest))}"
            return f"{scheme} {MASK}"
        return MASK if self._is_secret_name(name) else self.mask_text(value)

    @staticmethod
    def _parameter(match: re.Match[str]) -> str:
        name, value = match.groups()
        return f"{name}={value}" if name.lower() in _OPEN_PARAMETERS else f'{name}="{MASK}"'

    def _by_value(self, text: str) -> str:
        if not self._values:
            return text
        seen = _Seen(text, self._shortest)
        for secret in self._values.values():
            if seen.may_hold(secret):
                text = secret.pattern.sub(MASK, text)
        return text

    @cached_property
    def _fields(self) -> tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]:
        """What must occur in a text with such a field, and patterns of what comes before a value and of the value."""
        stems = [re.escape(stem) + r"[\w-]*" for stem in _STEMS]
        name = "(?:" + "|".join(stems + [r"\b" + re.escape(own) for own in sorted(self._names)]) + ")"
        patterns = (
            rf"({name}=)([^&;\s\"'<>\\]+)",  # form, query
            rf"({name}\s*=\s*\")([^\"]+)",  # XML attribute
            rf"(<[\w:.-]*{name}>)([^<]+)",  # XML element
            rf'({name}"\s*:\s*")((?:[^"\\]|\\.)+)',  # JSON string
            rf'({name}\\+"\s*:\s*\\+")((?:[^"\\]|\\[^"\\])+)',  # JSON inside a JSON string
            rf'({name}"\s*:\s*)(?!null\b|true\b|false\b)([\w.+-]+)',  # JSON number
        )
        return (*_STEMS, *self._names), tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)

    def _by_name(self, text: str) -> str:
        stems, patterns = self._fields
        lowered = text.lower()
        if any(stem in lowered for stem in stems):
            for pattern in patterns:
                text = pattern.sub(rf"\1{MASK}", text)
        return text
