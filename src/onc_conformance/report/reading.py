"""Reading back what an earlier run wrote; every error names the file and the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from onc_conformance.findings import UsageError
from onc_conformance.report.run import printable

_Model = TypeVar("_Model", bound=BaseModel)


def text(path: Path) -> str:
    """The file as text; UsageError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; expected a file that a run has written") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text; expected a file that a run has written") from None


def read(path: Path, model: type[_Model]) -> _Model:
    """The JSON file as `model`; UsageError if it cannot be read, is no JSON, or is not of that form."""
    content = text(path)
    try:
        return model.model_validate(_printable(json.loads(content)))
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}") from None
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        said = problem["msg"][:1].lower() + problem["msg"][1:]
        if problem["type"] == "missing":
            said = "missing; every run writes it, so this is no file of a run, or a broken one"
        where = f", key {key}" if key else ""
        raise UsageError(f"{path}{where}: {' '.join(said.split())}") from None


def _printable(content: Any) -> Any:
    match content:
        case str():
            return printable(content)
        case list():
            return [_printable(each) for each in content]
        case dict():
            return {printable(name): _printable(each) for name, each in content.items()}
    return content
