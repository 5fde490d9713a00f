"""What pydantic objects to in a description, said in terms of the file: the key, what was expected, what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from onc_conformance.targets.lines import Path, line_of
from onc_conformance.targets.models import Description

if TYPE_CHECKING:
    from pydantic import ValidationError

_PHRASES = {
    "missing": "this key is missing",
    "string_type": "expected a text",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "dict_type": "expected a table",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
}


def first(invalid: ValidationError, data: Any, lines: dict[Path, int]) -> tuple[Path, str]:
    """The topmost error of the file: its path and what was expected."""
    found = []
    for error in invalid.errors(include_url=False):
        path = _within(error["loc"], data)
        found.append((line_of(lines, path) or 0, path, _message(dict(error), path)))
    _, path, message = min(found, key=lambda item: (item[0], "unknown key" not in item[2], len(item[1])))
    return path, message


def _within(location: tuple[str | int, ...], data: Any) -> Path:
    """The part of a pydantic location that is a path in the file: union branches are not."""
    path: list[str | int] = []
    for part in location:
        if part == "[key]":
            continue
        if isinstance(data, dict) and part not in data and path and part != location[-1]:
            break
        if not isinstance(data, (dict, list)):
            break
        path.append(part)
        if isinstance(data, dict):
            data = data.get(str(part))
        else:
            data = data[part] if isinstance(part, int) and part < len(data) else None
    return tuple(path)


def _message(error: dict[str, Any], path: Path) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        expected = _keys(path[:-1])
        return f"unknown key; expected one of {', '.join(expected)}" if expected else "unknown key"
    if kind == "literal_error" and error["loc"][-1] == "[key]":
        return f"unknown key; expected one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    if kind == "string_pattern_mismatch":
        return f"{error['input']!r} is not of the form {context['pattern']}"
    if kind == "literal_error":
        return f"expected {context['expected']}, found {error['input']!r}"
    if kind == "value_error":
        return str(context["error"])
    message = _PHRASES.get(kind) or error["msg"][:1].lower() + error["msg"][1:]
    plain = isinstance(error["input"], (str, int, float, bool))
    return f"{message}, found {error['input']!r}" if plain and kind != "missing" else message


def _keys(path: Path) -> list[str]:
    """The keys the vocabulary has at `path`."""
    model: Any = Description
    for part in path:
        model = _inside(model, part)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _inside(annotation: Any, part: str | int) -> Any:
    """The type of what stands under `part` in a value of this type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if part == (info.alias or name):
                return _table(info.annotation)
        return None
    arguments = get_args(annotation)
    return _table(arguments[-1]) if get_origin(annotation) in (list, dict) and arguments else None


def _table(annotation: Any) -> Any:
    """The annotation without Annotated and Optional around it."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in (list, dict):
        return annotation
    branches = [branch for branch in get_args(annotation) if branch is not type(None)]
    return _table(branches[0]) if branches and not isinstance(annotation, type) else annotation
