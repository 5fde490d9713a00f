"""Reading lists of entries people write in TOML; every error names the file, the line and the key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from onc_conformance.findings import UsageError


class Entry(BaseModel):
    """A table of such a file: no unknown keys, no blank text."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, str_min_length=1)


_File = TypeVar("_File", bound=BaseModel)


def read(path: Path, model: type[_File]) -> _File:
    """The file as `model`; UsageError if it cannot be read, is no TOML, or has a key or value not expected."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason}") from error
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = problem["loc"]
        keys = ".".join(str(part) for part in where)
        line = _line(text, where)
        raise UsageError(f"{path}, line {line}, key {keys}: {_expectation(problem['type'], problem['msg'])}") from error


def _expectation(kind: str, message: str) -> str:
    if kind == "missing":
        return "missing; this key is required"
    if kind == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    if kind == "string_too_short":
        return "empty; fill it in"
    if kind == "string_pattern_mismatch":
        return "expected 64 hexadecimal digits, as sha256sum prints them"
    return message[:1].lower() + message[1:]


def _line(text: str, where: tuple[int | str, ...]) -> int:
    """The line of a key such as ("excuse", 1, "step"), of its table where the key is absent, else 1."""
    lines = text.splitlines()
    begin = 0
    index = next((part for part in where if isinstance(part, int)), None)
    if index is not None:
        header = re.compile(rf"\s*\[\[\s*{re.escape(str(where[0]))}\s*\]\]")
        heads = [number for number, line in enumerate(lines) if header.match(line)]
        begin = heads[index] if index < len(heads) else 0
    key = re.compile(rf"\s*{re.escape(str(where[-1]))}\s*=")
    for number, line in enumerate(lines[begin:], begin):
        if key.match(line):
            return number + 1
        if number > begin and index is not None and line.lstrip().startswith("["):
            break
    return begin + 1
