"""Reading a target description: from TOML and the environment to a Target, every error with file, line and key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from onc_conformance.exchange import Transport
from onc_conformance.findings import UsageError
from onc_conformance.redaction import SHORTEST
from onc_conformance.targets import scope
from onc_conformance.targets.lines import Path, key_lines, line_of
from onc_conformance.targets.models import Category, CategoryTable, Description, Misuse, ProductTable
from onc_conformance.targets.templates import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECRET = re.compile(r"(PASS|PASSWORD|SECRET|TOKEN|KEY)$")
_ENV = re.compile(r"\{env\.(\w+)[|}]")
_NUMBERED = re.compile(r"_\d+$")
_AT = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)$")
_OPTIONAL = ("documentation", "negative")
_PHRASES = {"missing": "this key is missing", "string_type": "expected a text"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A description together with what the environment adds to it."""

    description: Description
    source: str
    """The file, as it is named in messages."""
    env: Mapping[str, str] = field(repr=False)

    @property
    def id(self) -> str:
        """Short name."""
        return self.description.target.id

    @property
    def title(self) -> str:
        """What people call it."""
        return self.description.target.title or self.product.name or self.id

    @property
    def product(self) -> ProductTable:
        """What is printed on every report."""
        return self.description.product

    @property
    def criteria(self) -> tuple[str, ...]:
        """The criteria claimed, in order."""
        claimed: list[str] | None = list(self.description.target.criteria or []) or None
        ops = self.description.ops
        return tuple(claimed or ["g7", *(["g8"] if ops.category else []), *(["g9"] if ops.all_data else [])])

    @cached_property
    def bases(self) -> dict[str, str]:
        """The named base URLs, without a slash at the end."""
        named = self.description.target.base
        return {name: (self.rendered(text) or "").rstrip("/") for name, text in named.items()}

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Where the API is, each address once."""
        return tuple(dict.fromkeys(self.bases.values()))

    @property
    def supported(self) -> tuple[str, ...]:
        """Canonical names of the categories that can be asked for, in the order of the vocabulary."""
        return tuple(name for name in get_args(Category) if self.supports(name))

    def supports(self, category: str) -> bool:
        """Whether the description says how to ask for the category of this canonical name."""
        entry = self.category(category)
        return self.description.ops.category is not None and entry is not None and not entry.unsupported

    def category(self, name: str) -> CategoryTable | None:
        """What the description says of a category."""
        return {str(key): entry for key, entry in self.description.categories.items()}.get(name)

    def documentation(self, page: str) -> str | None:
        """The address of a page, `api` or `terms`; None if there is none, or its variable is not set."""
        return self.rendered(getattr(self.description.documentation, page))

    def documentation_item(self, name: str) -> str | None:
        """CSS selector, XPath or text by which a required item of the documentation is found."""
        return {str(key): place for key, place in self.description.documentation.items.items()}.get(name)

    @cached_property
    def missing_optional(self) -> dict[str, tuple[str, ...]]:
        """Unset variables that only documentation and negatives need, by place: `documentation.api`, `negative.2`."""
        missing: dict[str, tuple[str, ...]] = {}
        for path, name in variables(self.description):
            if path[0] in _OPTIONAL and not self.env.get(name):
                place = f"{path[0]}.{path[1]}"
                missing[place] = tuple(dict.fromkeys((*missing.get(place, ()), name)))
        return missing

    def misuses(self, op: str | None = None) -> list[Misuse]:
        """The [[negative]] tests, of one operation or all, whose variables are set."""
        return [
            misuse
            for index, misuse in enumerate(self.description.negative)
            if (op is None or misuse.op == op) and f"negative.{index}" not in self.missing_optional
        ]

    @cached_property
    def named_secrets(self) -> dict[str, str]:
        """Declared secrets that are set, by environment name; numbered siblings (`…_2`) included."""
        return {name: value for name, value in self.env.items() if value and self.is_secret(name)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of declared secrets."""
        return tuple(self.named_secrets.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a report should say beforehand: secrets too short to be masked wherever they turn up."""
        return tuple(
            f"{self.id}: {name} has fewer than {SHORTEST} characters, so it is masked only where it is sent by name"
            for name, value in self.named_secrets.items()
            if len(value) < SHORTEST
        )

    @property
    def transport(self) -> Transport:
        """How it is reached."""
        table = self.description.target
        return Transport(
            timeout_s=table.timeout_s, tls_verify=table.tls_verify, client_cert=table.client_cert, proxy=table.proxy
        )

    def is_secret(self, name: str) -> bool:
        """Whether an environment variable of this name holds a secret."""
        plain = _NUMBERED.sub("", name)
        declared = self.description.target.secrets
        return bool(_SECRET.search(plain)) if declared is None else plain in declared or name in declared

    def uses(self, name: str) -> bool:
        """Whether the description has a [vars] entry of this name, or uses the environment variable."""
        return name in self.description.vars or any(name == used for _, used in variables(self.description))

    def date_policy(self, kind: str) -> str | None:
        """Which date decides about facts of a class: filter, overlap, encounter or ignore; None if nothing is said."""
        entry = self.category(kind)
        if entry is not None and entry.date_policy:
            return entry.date_policy
        policies = self.description.dates.policy
        return policies.get(kind) or policies.get("default")

    def rendered(self, text: str | None) -> str | None:
        """A template of environment variables alone; None if one of them is not set."""
        if text is None:
            return None
        names = [name.removeprefix("env.") for name in parse(text).names]
        if not all(self.env.get(name) for name in names):
            return None
        return parse(text).render(lambda name: self.env[name.removeprefix("env.")])


def bundled() -> list[str]:
    """The names of the descriptions that come with the suite."""
    return sorted(item.name.removesuffix(".toml") for item in _room().iterdir() if item.name.endswith(".toml"))


def text_of(name: str) -> str:
    """The TOML of a bundled description; UsageError if there is none of that name."""
    if name not in bundled():
        raise UsageError(f"{name}: no bundled target; expected one of {', '.join(bundled())}")
    return str((_room() / f"{name}.toml").read_text(encoding="utf-8"))


def load(name_or_path: str, env: Mapping[str, str]) -> Target:
    """Read a description, by bundled name or by path; UsageError names file, line and key."""
    text, source = _read(name_or_path)
    return load_text(text, source, env)


def unbound(text: str, source: str) -> Target:
    """A description without its environment: to look at, not to use."""
    return _target(text, source, {}, bind=False)


def load_text(text: str, source: str, env: Mapping[str, str]) -> Target:
    """Read a description from its text; `source` is what messages call it."""
    return _target(text, source, env, bind=True)


def _target(text: str, source: str, env: Mapping[str, str], *, bind: bool) -> Target:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise _syntax(problem, text, source) from None
    lines = key_lines(text)

    def wrong(path: Path, message: str) -> UsageError:
        line = line_of(lines, path)
        where = f"{source}, line {line}" if line else source
        return UsageError(f"{where}: {'.'.join(map(str, path))}: {message}" if path else f"{where}: {message}")

    try:
        description = Description.model_validate(data)
        scope.check(description)
    except ValidationError as invalid:
        path, message = _first(invalid, data, lines)
        raise wrong(path, message) from None
    except scope.Problem as problem:
        raise wrong(problem.path, str(problem)) from None
    if bind:
        _require(description, env, wrong)
    used = {name for _, name in variables(description)}
    kept = {name: value for name, value in env.items() if _NUMBERED.sub("", name) in used or name in used}
    return Target(description=description, source=source, env=kept)


def variables(description: Description) -> Iterator[tuple[Path, str]]:
    """Every `{env.NAME}` used, with the place of the text that uses it."""
    for path, text in _texts(description.model_dump(by_alias=True, exclude_unset=True), ()):
        yield from ((path, name) for name in _ENV.findall(text))


def _room() -> Any:
    return files("onc_conformance.targets")


def _read(name_or_path: str) -> tuple[str, str]:
    if name_or_path in bundled():
        return text_of(name_or_path), f"{name_or_path}.toml"
    path = FilePath(name_or_path)
    if path.is_dir():
        raise UsageError(f"{path}: a directory; expected a target description in TOML")
    try:
        return path.read_bytes().decode("utf-8-sig"), str(path)
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path}: byte {problem.start} is not UTF-8; expected a target description in TOML") from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else "cannot be read"
        known = ", ".join(bundled())
        raise UsageError(f"{name_or_path}: {reason}; expected a TOML file or a bundled target ({known})") from None


def _syntax(problem: tomllib.TOMLDecodeError, text: str, source: str) -> UsageError:
    at = _AT.search(str(problem))
    line = (at.group(1) if at else None) or str(text.count("\n") + 1)
    return UsageError(f"{source}, line {line}: not TOML: {_AT.sub('', str(problem))}")


def _require(description: Description, env: Mapping[str, str], wrong: Any) -> None:
    missing: dict[str, Path] = {}
    for path, name in variables(description):
        if path[0] not in _OPTIONAL and not env.get(name):
            missing.setdefault(name, path)
    if missing:
        names = list(missing)
        verb = "is not set" if len(names) == 1 else "are not set"
        raise wrong(
            missing[names[0]],
            f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} {verb}; "
            "set it in the environment, or in the file given with --env-file",
        )


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _first(invalid: ValidationError, data: Any, lines: dict[Path, int]) -> tuple[Path, str]:
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
