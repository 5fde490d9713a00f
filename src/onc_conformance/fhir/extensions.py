"""The extensions a guide defines, wherever in a resource they stand."""

from __future__ import annotations

from typing import Any

from onc_conformance.fhir.hearing import Hearing, shown
from onc_conformance.fhir.invariants import Scope
from onc_conformance.fhir.profiling import Judge
from onc_conformance.findings import Layer

_DEEPEST = 60


def check(hearing: Hearing, value: dict[str, Any], path: str, scope: Scope) -> None:
    """Judge each extension of a guide's own by its definition, and whether it may stand where it does."""
    _walk(hearing, value, path, scope, 0)


def _walk(hearing: Hearing, value: dict[str, Any], path: str, scope: Scope, depth: int) -> None:
    if depth > _DEEPEST:
        return
    for key, told in value.items():
        if isinstance(told, dict):
            _walk(hearing, told, f"{path}.{key.removeprefix('_')}", scope, depth + 1)
        elif isinstance(told, list):
            for number, each in enumerate(told):
                if isinstance(each, dict):
                    there = f"{path}.{key.removeprefix('_')}[{number}]"
                    if key in ("extension", "modifierExtension"):
                        _extension(hearing, each, there, value, scope)
                    if key not in ("contained", "entry"):
                        _walk(hearing, each, there, scope, depth + 1)


def _extension(hearing: Hearing, extension: dict[str, Any], path: str, around: dict[str, Any], scope: Scope) -> None:
    url = extension.get("url")
    profile = hearing.tables.profiles.get(url) if isinstance(url, str) else None
    if profile is None or profile.context is None:
        return
    kind = around.get("resourceType")
    if isinstance(kind, str) and profile.context and not _allowed(profile.context, kind):
        hearing.object(
            f"{profile.id}#Extension", f"{profile.name} is not meant for {kind}", path, layer=Layer.TEMPLATE,
            expected=" or ".join(profile.context), found=shown(kind),
        )  # fmt: skip
    Judge(hearing, profile, scope).check(extension, path)


def _allowed(context: tuple[str, ...], kind: str) -> bool:
    return not {kind, "Element", "Resource", "DomainResource"}.isdisjoint(context)
