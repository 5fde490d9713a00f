"""Reading a target description: from TOML and the environment to a Target, every error with file, line and key."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from onc_conformance.access.assertions import KeyFileError, read_key
from onc_conformance.findings import UsageError
from onc_conformance.targets import complaints, plugins, scope
from onc_conformance.targets.lines import Path, key_lines, line_of
from onc_conformance.targets.models import Description
from onc_conformance.targets.target import Target, optional, unnumbered, variables
from onc_conformance.targets.templates import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_AT = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)$")


def bundled() -> list[str]:
    """The names of the descriptions that come with the suite, and of those that installed packages bring."""
    return sorted({*_own(), *plugins.installed()})


def _own() -> list[str]:
    return sorted(item.name.removesuffix(".toml") for item in _room().iterdir() if item.name.endswith(".toml"))


def text_of(name: str) -> str:
    """The TOML of a bundled description; UsageError if there is none of that name."""
    if name in _own():
        return str((_room() / f"{name}.toml").read_text(encoding="utf-8"))
    if name not in plugins.installed():
        raise UsageError(f"{name}: no bundled target; expected one of {', '.join(bundled())}")
    try:
        return plugins.text_of(name)
    except plugins.PluginError as problem:
        raise UsageError(str(problem)) from None


def load(name_or_path: str, env: Mapping[str, str], *, keys: bool = True) -> Target:
    """Read a description, by bundled name or by path; UsageError names file, line and key."""
    text, source = _read(name_or_path)
    return load_text(text, source, env, keys=keys)


def unbound(text: str, source: str) -> Target:
    """A description without its environment: to look at, not to use."""
    return _target(text, source, {}, bind=False, keys=False)


def load_text(text: str, source: str, env: Mapping[str, str], *, keys: bool = True) -> Target:
    """Read a description from its text; `source` is what messages call it."""
    return _target(text, source, env, bind=True, keys=keys)


def _target(text: str, source: str, env: Mapping[str, str], *, bind: bool, keys: bool) -> Target:
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
        path, message = complaints.first(invalid, data, lines)
        raise wrong(path, message) from None
    except scope.Problem as problem:
        raise wrong(problem.path, str(problem)) from None
    _plugged(description, wrong)
    if bind:
        _require(description, env, wrong)
    used = {name for _, name in variables(description)}
    kept = {name: value for name, value in env.items() if unnumbered(name) in used or name in used}
    target = Target(description=description, source=source, env=kept, text=text)
    if keys:
        _keys(target, wrong)
    return target


def _plugged(description: Description, wrong: Callable[[Path, str], UsageError]) -> None:
    """Whether every plugin can be imported and is one."""
    named: list[tuple[Path, str | None, type[Any]]] = [
        (("auth", "step", index, "plugin"), step.plugin, plugins.StepPlugin)
        for index, step in enumerate(description.auth.step)
    ]
    for name in type(description.ops).model_fields:
        op = getattr(description.ops, name)
        named += [(("ops", name, "plugin"), op.plugin, plugins.OpPlugin)] if op else []
        named += [
            (("ops", name, "step", index, "plugin"), step.plugin, plugins.StepPlugin)
            for index, step in enumerate(op.step if op else [])
        ]
    for path, reference, kind in named:
        try:
            if reference:
                plugins.load(reference, kind)
        except plugins.PluginError as problem:
            raise wrong(path, str(problem)) from None


def _keys(target: Target, wrong: Callable[[Path, str], UsageError]) -> None:
    """Whether every file of certificates and keys can be used; one that depends on the patient is read when needed."""
    table = target.description.target
    certificate = table.client_cert if isinstance(table.client_cert, tuple) else (table.client_cert,)
    for name, path in (("tls_verify", target.transport.tls_verify), *(("client_cert", each) for each in certificate)):
        if isinstance(path, str) and not FilePath(path).exists():
            raise wrong(("target", name), f"{path}: no such file; expected certificates in PEM")
    for place, key, algorithm in _signing(target.description):
        path = target.rendered(key) if all(name.startswith("env.") for name in parse(key).names) else None
        if path is not None:
            try:
                read_key(path, algorithm)
            except KeyFileError as problem:
                raise wrong((*place, "key"), str(problem)) from None


def _signing(description: Description) -> Iterator[tuple[Path, str, str]]:
    """Everybody who signs assertions: their place, the path of their key and the algorithm."""
    for index, step in enumerate(description.auth.step):
        if step.key and step.alg:
            yield ("auth", "step", index), step.key, step.alg
    app = description.smart.client.asymmetric if description.smart else None
    if app and app.key and app.alg:
        yield ("smart", "client", "asymmetric"), app.key, app.alg
    if description.bulk and description.bulk.client.alg:
        yield ("bulk", "client"), description.bulk.client.key, description.bulk.client.alg


def _room() -> Any:
    return files("onc_conformance.targets")


def _read(name_or_path: str) -> tuple[str, str]:
    if name_or_path in _own() or name_or_path in plugins.installed():  # which looks into every package there is
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


def _require(description: Description, env: Mapping[str, str], wrong: Callable[[Path, str], UsageError]) -> None:
    missing: dict[str, Path] = {}
    for path, name in variables(description):
        if not optional(path) and not env.get(name):
            missing.setdefault(name, path)
    if missing:
        names = list(missing)
        verb, what = ("is not set", "it") if len(names) == 1 else ("are not set", "them")
        raise wrong(
            missing[names[0]],
            f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} {verb}; "
            f"set {what} in the environment, or in the file given with --env-file",
        )
