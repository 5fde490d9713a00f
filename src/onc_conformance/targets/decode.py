"""Taking a document out of its wrappings, one step after the other."""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import html
import io
import json
import re
import zipfile
import zlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lxml import etree

from onc_conformance.targets.paths import read_xml

if TYPE_CHECKING:
    from collections.abc import Callable

Wrapped = bytes | str

_LARGEST = 64 * 1024 * 1024
_DECLARED = re.compile(r"""^<\?xml[^>]*?encoding=["']([A-Za-z0-9._-]+)["']""")


class DecodeError(ValueError):
    """The answer is not wrapped as described. One line."""


def decode(data: Wrapped, steps: list[str]) -> list[bytes]:
    """The documents in `data`: one, unless a `zip` step finds several. DecodeError names the step that failed."""
    found: list[Wrapped] = [data]
    for step in steps:
        name, _, argument = step.partition(":")
        found = [inner for outer in found for inner in _STEPS[name](outer, argument)]
    return [_bytes(item) for item in found]


def _bytes(data: Wrapped) -> bytes:
    """A text as the bytes its XML declaration promises, so that a parser reads what was meant."""
    if isinstance(data, bytes):
        return data
    declared = _DECLARED.match(data)
    try:
        return data.encode(codecs.lookup(declared.group(1)).name if declared else "utf-8", "xmlcharrefreplace")
    except (LookupError, UnicodeError):
        return data.encode("utf-8", "surrogatepass")


def _text(data: Wrapped, step: str) -> str:
    try:
        return data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError as problem:
        raise DecodeError(f"{step}: byte {problem.start} is not UTF-8") from None


def _strip_bom(data: Wrapped, _: str) -> list[Wrapped]:
    return [data.removeprefix(codecs.BOM_UTF8)] if isinstance(data, bytes) else [data.removeprefix("\N{BOM}")]


def _utf8(data: Wrapped, _: str) -> list[Wrapped]:
    """Bytes that are not UTF-8 go on as they are: to say what is wrong with them is the judges' part."""
    try:
        return [data if isinstance(data, str) else data.decode()]
    except UnicodeDecodeError:
        return [data]


def _base64(data: Wrapped, _: str) -> list[Wrapped]:
    packed = "".join(_text(data, "base64").split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return [base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)]
    except (binascii.Error, ValueError) as problem:
        raise DecodeError(f"base64: {problem}") from None


def _json_string(data: Wrapped, _: str) -> list[Wrapped]:
    try:
        value = json.loads(_text(data, "json_string"))
    except (ValueError, RecursionError) as problem:
        raise DecodeError(f"json_string: {problem}") from None
    if not isinstance(value, str):
        raise DecodeError(f"json_string: expected a string, found {type(value).__name__}")
    return [value]


def _xml_unescape(data: Wrapped, _: str) -> list[Wrapped]:
    return [html.unescape(_text(data, "xml_unescape"))]


def _gzip(data: Wrapped, _: str) -> list[Wrapped]:
    try:
        with gzip.open(io.BytesIO(_bytes(data))) as stream:
            plain = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise DecodeError(f"gzip: {problem}") from None
    if len(plain) > _LARGEST:
        raise DecodeError(f"gzip: larger than {_LARGEST >> 20} MB unpacked")
    return [plain]


def _zip(data: Wrapped, glob: str) -> list[Wrapped]:
    found: list[Wrapped] = []
    room = _LARGEST
    try:
        with zipfile.ZipFile(io.BytesIO(_bytes(data))) as archive:
            for info in archive.infolist():
                if info.is_dir() or not fnmatchcase(info.filename, glob):
                    continue
                room -= info.file_size  # which zipfile never reads beyond, whatever is packed
                if room < 0:
                    raise DecodeError(f"zip: larger than {_LARGEST >> 20} MB unpacked, at {info.filename}")
                found.append(archive.read(info))
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError) as problem:
        raise DecodeError(f"zip: {problem}") from None
    if not found:
        raise DecodeError(f"zip: no file matches {glob}")
    return found


def _xml_child(data: Wrapped, name: str) -> list[Wrapped]:
    root = read_xml(_bytes(data))
    if root is None:
        raise DecodeError(f"xml_child:{name}: not XML")
    found = next((node for node in root.iter(f"{{*}}{name}")), None)
    if found is None:
        raise DecodeError(f"xml_child:{name}: no such element")
    return [etree.tostring(found, encoding="UTF-8", xml_declaration=False, with_tail=False)]


_STEPS: dict[str, Callable[[Wrapped, str], list[Wrapped]]] = {
    "strip_bom": _strip_bom,
    "utf8": _utf8,
    "base64": _base64,
    "json_string": _json_string,
    "xml_unescape": _xml_unescape,
    "gzip": _gzip,
    "zip": _zip,
    "xml_child": _xml_child,
}
