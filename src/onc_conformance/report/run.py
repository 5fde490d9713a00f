"""Everything a report is written from: one record of one run."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from onc_conformance.exchange import Exchange
from onc_conformance.gate import ScenarioResult, Settlement
from onc_conformance.procedure import Criterion, Edition, Step
from onc_conformance.redaction import Secrets

if TYPE_CHECKING:
    from onc_conformance.report.resultsfile import Results

_Record = TypeVar("_Record")
_SUSPECT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNPRINTABLE = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), 127, 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One target: the product it stands for, as its description presents it."""

    id: str
    title: str
    name: str = ""
    version: str = ""
    developer: str = ""
    chpl_id: str = ""
    setting: str = ""
    criteria: tuple[str, ...] = ()
    """The criteria it claims."""
    base_urls: tuple[str, ...] = ()
    unreachable: str | None = None
    """Why it could not be reached or logged in to, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNotRun:
    """A layer of judgement that did not speak, or not in full, and why."""

    layer: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run over one or more targets, complete or interrupted."""

    version: str
    """Of this tool."""
    rules: Mapping[str, str]
    """What was judged by: name of each rule file, and its sha256."""
    targets: tuple[Product, ...]
    edition: Edition
    criteria: tuple[Criterion, ...]
    """Those selected, in the order of the report."""
    started: datetime
    seconds: float
    settlement: Settlement
    exit_code: int
    results: tuple[ScenarioResult, ...] = ()
    patients: tuple[tuple[str, str], ...] = ()
    """Id and title of each expected record; no other fact about a patient is reported here."""
    layers_not_run: tuple[LayerNotRun, ...] = ()
    warnings: tuple[str, ...] = ()
    """Cautions about the run as a whole, in sentences."""
    command: str = ""
    """What was typed."""
    interrupted: bool = False
    baseline: Results | None = None
    """The earlier run that this one is compared with."""
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)
    """Raw; those another process has written to the evidence folder need not be repeated here."""
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    bodies: bool = True
    """Whether evidence keeps the bodies of requests and answers."""

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """Every warning about the run: of the edition, of the run, of the gate."""
        edition = (self.edition.caution,) if self.edition.caution else ()
        return tuple(dict.fromkeys((*edition, *self.warnings, *self.settlement.warnings)))

    def masked(self) -> Run:
        """The same run fit to print: no secret in any text, no character a report cannot hold."""
        known: dict[int, Any] = {}
        cleaned = {
            name: _cleaned(getattr(self, name), self.secrets.mask_text, known)
            for name in (
                "targets", "settlement", "results", "patients", "layers_not_run", "warnings", "command",
            )
        }  # fmt: skip
        return replace(self, **cleaned)


def printable(text: str) -> str:
    """`text` without the control characters and lone surrogates that XML, HTML and UTF-8 refuse."""
    if not _SUSPECT.search(text):  # which is much quicker than to write it anew
        return text
    return text.translate(_UNPRINTABLE).encode("utf-8", "replace").decode("utf-8")


def _cleaned(value: _Record, mask: Callable[[str], str], known: dict[int, Any]) -> _Record:
    """A deep copy of records, tuples and mappings with every text masked; shared parts stay shared."""
    cleaned: Any = value
    if isinstance(value, Enum | Step):
        return value
    if isinstance(value, str):
        cleaned = printable(mask(value))
    elif isinstance(value, tuple):
        cleaned = tuple(_cleaned(each, mask, known) for each in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        if id(value) not in known:
            parts = {each.name: _cleaned(getattr(value, each.name), mask, known) for each in dataclasses.fields(value)}
            known[id(value)] = replace(value, **parts)
        cleaned = known[id(value)]
    return cleaned  # type: ignore[no-any-return]
