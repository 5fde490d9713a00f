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
SHORT_TEXT, REMEMBERED = 300, 5_000
"""Texts up to this many characters are masked once and remembered, so many at the most."""
KNOWN_WORDS = 50_000
"""How many words are remembered."""
SHORTEST = 6
"""Values below this many characters would mask innocent text: they are masked only where they are sent by name."""

_STEMS = (
    "passw", "pwd", "secret", "session_id", "session-id", "sessionid", "access_token", "accesstoken", "refresh_token",
    "refreshtoken", "id_token", "idtoken", "api_key", "api-key", "apikey", "client_assertion",
)  # fmt: skip
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-auth-token"})
_OPEN_PARAMETERS = frozenset({"keyid", "algorithm", "headers", "nonce", "realm"})
_PARAMETER = re.compile(r'([\w-]+)=("(?:[^"\\]|\\.)*"|[^\s,="][^\s,]*)')
_UNRESERVED = re.compile(r"[A-Za-z0-9._-]+")
_RUN = re.compile(rf"[a-z0-9._-]{{{SHORTEST},}}")
_ESCAPE = re.compile(
    r"%(?P<byte>[0-9a-f]{2})|\\\\*(?:x(?P<raw>[0-9a-f]{2})|u(?P<unit>[0-9a-f]{4}))"
    r"|&(?:amp|#(?:x0*(?P<hex>[0-9a-f]{1,6})|0*(?P<decimal>[0-9]{1,7})));"
)
_LAYERS = 8
"""Escapes of escapes are undone this often."""
_BASE64 = r"[A-Za-z0-9+/_-]"
_JSON_SHORT = {'"': '"', "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
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


def _unescaped(match: re.Match[str]) -> str:
    number = match["byte"] or match["raw"] or match["unit"] or match["hex"]
    code = int(number, 16) if number else int(match["decimal"] or ord("&"))
    return chr(code).lower() if code < 128 else " "


def _layers(lowered: str) -> str:
    """The text, and below it the text with its escapes undone once, twice, and so on."""
    layers = [lowered]
    while len(layers) <= _LAYERS and ("%" in layers[-1] or "\\" in layers[-1] or "&" in layers[-1]):
        layers.append(_ESCAPE.sub(_unescaped, layers[-1]))
        if layers[-1] == layers[-2]:
            return "\n".join(layers[:-1])
    return "\n".join(layers)


class _Value:
    """One secret: cheap signs of it, one of which must be there before the thorough pattern is worth running."""

    def __init__(self, value: str, number: int) -> None:
        self.value = value
        self.turn = -len(value), number
        """The longest is masked first, since others may be part of it."""
        anchor = max(_UNRESERVED.findall(value), key=len, default="")
        self._cores = sorted({core for raw in _disguises(value) for core in _base64_cores(raw)}, key=len, reverse=True)
        self._hexes = sorted({raw.hex() for raw in _byte_forms(value)})
        signs = {anchor, *self._hexes, *(max(re.split(r"[+/]", core), key=len) for core in self._cores)}
        self.needles = tuple(sign.lower() for sign in signs if len(sign) >= SHORTEST)
        self.short_needles = tuple(sign.lower() for sign in signs if len(sign) < SHORTEST)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        ways = ["".join(map(_dress, self.value)), *map(_base64_pattern, self._cores)]
        ways += [f"(?i:{text})" for text in self._hexes]
        return re.compile("|".join(ways))

    def masked(self, text: str) -> str:
        """`text` without the secret. A thorough pattern takes long to make; most secrets stand there as they are."""
        plain = text.replace(self.value, MASK)
        layers = _layers(plain.lower())
        if plain != text and not any(each in layers for each in (*self.needles, *self.short_needles)):
            return plain
        return self.pattern.sub(MASK, plain)


class Secrets:
    """Every secret of a run, by value and by the names of the fields that carry one.

    `values` maps a declared name (an environment variable) to its value.
    """

    def __init__(self, values: Mapping[str, str] | None = None, names: Iterable[str] = ()) -> None:
        self._values: dict[str, _Value] = {}
        self._names: set[str] = set()
        self._short: dict[str, str] = {}
        self._masked: dict[str, str] = {}
        """Short texts that come again and again."""
        self._lines: dict[tuple[str, str], str] = {}
        """Headers do so too."""
        self._innocent: set[str] = set()
        """Words seen before that hold no sign of any secret: documents are made of the same words."""
        self._shortly: list[_Value] = []
        """Secrets with a sign too short to be looked up by its beginning."""
        self._guilty: dict[str, frozenset[_Value]] = {}
        """Words seen before that do, and of which."""
        self._beginnings: dict[str, list[tuple[str, _Value]]] = {}
        """Signs of secrets by how they begin: words are looked up here, however many secrets there are."""
        for name, value in (values or {}).items():
            self.add(value, name)
        for name in names:
            self.add_name(name)

    def add(self, value: str, name: str = "") -> None:
        """Take `value` for a secret from now on; `name` is only for telling which declared ones are too short."""
        if len(value) >= SHORTEST:
            if value not in self._values:
                secret = self._values[value] = _Value(value, len(self._values))
                if secret.short_needles:
                    self._shortly.append(secret)
                for needle in secret.needles:
                    self._beginnings.setdefault(needle[:SHORTEST], []).append((needle, secret))
                self._forget()
        elif value and name:
            self._short[name] = value

    def add_name(self, name: str) -> None:
        """Take whatever is sent in a field or header of this name for a secret."""
        if name.lower() not in self._names:
            self._names.add(name.lower())
            self.__dict__.pop("_fields", None)
            self._forget()

    def _forget(self) -> None:
        for kept in (self._masked, self._lines, self._innocent, self._guilty):
            kept.clear()

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
        masked: list[tuple[str, str]] = []
        for line in headers:
            if line not in self._lines:
                if len(self._lines) >= REMEMBERED:
                    self._lines.clear()
                self._lines[line] = self._header(*line)
            masked.append((line[0], self._lines[line]))
        return masked

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
        layers = _layers(text.lower())
        words = set(_RUN.findall(layers)) - self._innocent
        suspects = self._suspects(words) if words else set()
        suspects |= {secret for secret in self._shortly if any(each in layers for each in secret.short_needles)}
        for secret in sorted(suspects, key=lambda each: each.turn):
            text = secret.masked(text)
        return text

    def _suspects(self, words: set[str]) -> set[_Value]:
        """The secrets that the words hold a sign of; words are remembered as innocent or as whose they are."""
        found = {secret for word in words & self._guilty.keys() for secret in self._guilty[word]}
        fresh = words - self._guilty.keys()
        joined = "\n".join(fresh)
        beginnings = {joined[at : at + SHORTEST] for at in range(len(joined) - SHORTEST + 1)} & self._beginnings.keys()
        suspicious = [word for word in fresh if any(each in word for each in beginnings)] if beginnings else ()
        guilty = {word: secrets for word in suspicious if (secrets := frozenset(self._told_by(word)))}
        if len(self._innocent) + len(self._guilty) >= KNOWN_WORDS:
            self._innocent.clear()
            self._guilty.clear()
        self._innocent |= fresh - guilty.keys()
        self._guilty |= guilty
        return found.union(*guilty.values())

    def _told_by(self, word: str) -> Iterator[_Value]:
        for at in range(len(word) - SHORTEST + 1):
            for needle, secret in self._beginnings.get(word[at : at + SHORTEST], ()):
                if word.startswith(needle, at):
                    yield secret

    @cached_property
    def _fields(self) -> tuple[tuple[str, ...], re.Pattern[str]]:
        """What a telling name begins with, and a pattern of the name with the value it carries.

        One search for each beginning and a match where it stands is many times faster than a search for the pattern.
        """
        stems = [re.escape(stem) + r"[\w-]*" for stem in _STEMS]
        names = "|".join(stems + [r"\b" + re.escape(own) for own in sorted(self._names)])
        values = (
            r"=(?P<form>[^&;\s\"'<>\\]+)",  # form, query
            r"\s*=\s*\"(?P<attribute>[^\"]+)",  # XML
            r">(?P<element>[^<]+)",  # XML
            r'"\s*:\s*"(?P<json>(?:[^"\\]|\\.)+)',
            r'\\+"\s*:\s*\\+"(?P<inner>(?:[^"\\]|\\[^"\\])+)',  # JSON inside a JSON string
            r'"\s*:\s*(?!null\b|true\b|false\b)(?P<number>[\w.+-]+)',
        )
        return (*_STEMS, *self._names), re.compile(f"(?:{names})(?:{'|'.join(values)})", re.IGNORECASE)

    def _by_name(self, text: str) -> str:
        beginnings, field = self._fields
        lowered = text.lower()
        if len(lowered) != len(text):  # a few capitals become two letters
            lowered = text.translate(_SMALL)
        pieces, done = [], 0
        for place in sorted({place for beginning in beginnings for place in _places(lowered, beginning)}):
            match = field.match(text, place) if place >= done else None
            if match and (match.lastgroup != "element" or _opens_tag(text, place)):
                first, last = match.span(match.lastgroup or 0)
                pieces += [text[done:first], MASK]
                done = last
        return "".join([*pieces, text[done:]])


def _places(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _opens_tag(text: str, place: int) -> bool:
    """Whether what stands before `place` is the beginning of a start tag's name."""
    while place and (text[place - 1].isalnum() or text[place - 1] in "_:.-"):
        place -= 1
    return place > 0 and text[place - 1] == "<"
