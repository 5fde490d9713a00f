"""An earlier run judged again without its servers: what it was asked for, and its exchanges by what was asked."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel

from onc_conformance import targets
from onc_conformance.exchange import OBSERVED, Exchange, Journal
from onc_conformance.findings import NotTested, UsageError
from onc_conformance.redaction import MASK, Secrets
from onc_conformance.report import evidence, reading
from onc_conformance.report.folder import EVIDENCE, writing
from onc_conformance.targets.target import unnumbered
from onc_conformance.transport import Halt, Headers, Received, Receiver, Transport
from onc_conformance.trouble import Trouble

INPUTS = "inputs"
_INDEX = "inputs.json"
_BARE_MASK = re.compile(rb"(:\s*)" + re.escape(MASK.encode()) + rb"(?=\s*[,}\]])")
_ENV = re.compile(r"\{env\.(\w+)[|}]")
_NAME = re.compile(r"\{([\w.]+)[|}]")
_COMPARED = frozenset({"where", "between", "error", "ok"})
"""Parts of a description that read answers: a variable used there must have its true value."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class RecordedTarget(_Kept):
    """One target as it was described when it was recorded."""

    id: str
    name: str
    """As it was chosen: `webchart`, `reference:webchart`, a path."""
    description: str
    """Name of the file with the description."""
    patients: tuple[str, ...]
    """Names of the files with the expected records."""
    bases: Mapping[str, str]
    """Base addresses, as every recorded request shows them."""
    variables: tuple[str, ...]
    """Names of the environment variables that were set."""


class Inputs(_Kept):
    """What a run was asked for."""

    started: str
    edition: str
    criteria: tuple[str, ...]
    tags: str = ""
    targets: tuple[RecordedTarget, ...]


class _Row(_Kept):
    file: str
    request: str | None


class _Index(RootModel[list[_Row]]):
    pass


class _Fact(_Kept):
    id: str
    target: str
    url: str
    status: int | None
    error: str | None
    started: str
    seconds: float
    sha256: str
    response: str | None
    response_headers: Headers
    key: str
    trouble: Trouble | None = None
    omitted: int = 0


def keep(
    folder: Path, inputs: Inputs, descriptions: Mapping[str, str], patients: Mapping[Path, str], secrets: Secrets
) -> None:
    """Write what a replay needs besides the evidence: descriptions by name, copies of patients files by their names.

    Secrets are masked by value alone: what reads like one by name is a placeholder here.
    """
    room = folder / INPUTS
    texts = {name: path.read_text(encoding="utf-8") for path, name in patients.items()}
    with writing(room):
        room.mkdir(parents=True, exist_ok=True)
        for name, text in {**descriptions, **texts, _INDEX: inputs.model_dump_json(indent=1) + "\n"}.items():
            (room / name).write_text(secrets.mask_values(text), encoding="utf-8")


@dataclass(frozen=True)
class Recording:
    """An earlier run in its folder."""

    folder: Path
    inputs: Inputs
    facts: Sequence[_Fact] = field(repr=False)

    def target(self, name: str) -> RecordedTarget | None:
        """The recorded target of this id or, as it was chosen, of this name."""
        return next((each for each in self.inputs.targets if name in (each.id, each.name)), None)

    def described(self, recorded: RecordedTarget, environment: Mapping[str, str]) -> targets.Target:
        """The target as it was described then, on placeholders where the environment lacks a variable of then."""
        path = self.folder / INPUTS / recorded.description
        known = {name: value for name, value in environment.items() if name in recorded.variables}
        return self._bound(
            targets.load_text(reading.text(path), str(path), _placeholders(recorded) | known, keys=False), known
        )

    def redescribed(self, name: str, environment: Mapping[str, str]) -> tuple[targets.Target, RecordedTarget]:
        """A description of now for a target of then; UsageError where its id was not recorded."""
        placeholders = {name: value for each in self.inputs.targets for name, value in _placeholders(each).items()}
        target = targets.load(name, {**placeholders, **environment}, keys=False)
        recorded = self.target(target.id)
        if recorded is None:
            known = ", ".join(each.id for each in self.inputs.targets)
            raise UsageError(f"--target {name}: {target.id} was not recorded; {self.folder} holds {known}")
        return self._bound(target, environment), recorded

    def patients(self, recorded: RecordedTarget) -> list[Path]:
        """The files with the expected records of then."""
        return [self.folder / INPUTS / name for name in recorded.patients]

    def journal(self, secrets: Secrets, prefix: str = "") -> Replay:
        """What answers in place of the servers."""
        return Replay(secrets, prefix=prefix, recording=self)

    def _bound(self, target: targets.Target, environment: Mapping[str, str]) -> targets.Target:
        recorded = self.target(target.id)
        needed = {unnumbered(name) for name in _compared_with(target)}
        missing = [name for name in target.env if unnumbered(name) in needed and not environment.get(name)]
        if missing:
            raise UsageError(
                f"{target.source}: answers are compared with {', '.join(sorted(missing))}, which a recording does not "
                "hold; set it as it was when the run was made"
            )
        return replace(target, addresses=recorded.bases if recorded else {})


def load(path: Path) -> Recording:
    """The run in this folder, or beside this results.json; UsageError where it cannot be judged again."""
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise UsageError(f"--replay {path}: no such folder; expected that of an earlier run")
    index = reading.read(folder / EVIDENCE / evidence.INDEX, _Index)
    if any(row.request is None for row in index.root):
        raise UsageError(f"--replay {path}: made with --evidence digest, so that no answers were kept to judge again")
    if not index.root:
        raise UsageError(f"--replay {path}: no exchange was recorded; there is nothing to judge again")
    inputs = reading.read(folder / INPUTS / _INDEX, Inputs)
    return Recording(folder, inputs, [reading.read(folder / EVIDENCE / row.file, _Fact) for row in index.root])


@dataclass
class Replay(Journal):
    """A journal whose answers come out of a recording; what was not recorded is not tested."""

    recording: Recording = field(kw_only=True)
    _kept: dict[tuple[str, str], list[_Fact]] = field(default_factory=lambda: defaultdict(list), repr=False)
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        self.sleep = _at_once
        for fact in sorted(self.recording.facts, key=lambda each: (each.started, each.id)):
            self._kept[fact.target, fact.key].append(fact)

    def send(
        self,
        method: str,
        url: str,
        *,
        target: str,
        purpose: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        transport: Transport | None = None,  # noqa: ARG002 - nothing is transported
        key: str = "",
        receiver: Receiver | None = None,
        patience_s: float | None = None,  # noqa: ARG002
    ) -> Exchange:
        """The recorded answer to this request, those to a repeated one in order; raises NotTested without one."""
        return self._recalled(
            method, url, target=target, purpose=purpose, key=key, headers=tuple(headers), body=body, receiver=receiver
        )

    def observe(
        self,
        url: str,
        *,
        target: str,
        purpose: str,
        look: Callable[[float | None], Received],  # noqa: ARG002 - nothing is looked at
        key: str,
        method: str = OBSERVED,
    ) -> Exchange:
        """What was seen when the recording was made."""
        return self._recalled(method, url, target=target, purpose=purpose, key=key)

    def _recalled(
        self,
        method: str,
        url: str,
        *,
        target: str,
        purpose: str,
        key: str,
        headers: Headers = (),
        body: bytes = b"",
        receiver: Receiver | None = None,
    ) -> Exchange:
        fact = self._next(target, key)
        if fact is None:
            raise NotTested(f"not in the recording: {purpose} ({method} {self.secrets.mask_text(url)})")
        if fact.omitted:
            raise NotTested(f"only the beginning was recorded of what came: {purpose}")
        answered = _body(self.recording.folder / EVIDENCE, fact)
        if receiver and fact.status and (sink := receiver(fact.status, fact.response_headers)):
            with contextlib.suppress(Halt):  # which the recorded error tells
                sink(answered)
        exchange = Exchange(
            id=self.next_id(),
            target=target,
            purpose=purpose,
            method=method,
            url=fact.url,
            request_headers=headers,
            request_body=body,
            status=fact.status,
            response_headers=fact.response_headers,
            response_body=answered,
            started=fact.started,
            seconds=fact.seconds,
            sha256=fact.sha256,
            error=fact.error,
            trouble=fact.trouble,
            key=key,
        )
        self.exchanges[exchange.id] = exchange
        return exchange

    def _next(self, target: str, key: str) -> _Fact | None:
        kept = self._kept.get((target, key), [])
        number = self._asked[target, key]
        self._asked[target, key] += 1
        if number < len(kept):
            return kept[number]
        alike = len({(fact.status, fact.sha256) for fact in kept}) == 1  # asked once more, and never answered otherwise
        return kept[-1] if alike else None


def _at_once(_: float) -> None:
    """Nobody has to be waited for."""


def _placeholders(recorded: RecordedTarget) -> dict[str, str]:
    return {name: f"placeholder-of-{name}" for name in recorded.variables}


def _compared_with(target: targets.Target) -> Iterator[str]:
    """The environment variables that answers are compared with."""
    declared = target.description.vars
    for path, text in targets.texts(target.description):
        if not _COMPARED.isdisjoint(map(str, path)):
            for used in (text, *(declared.get(name, "") for name in _NAME.findall(text))):
                yield from _ENV.findall(used)


def _body(folder: Path, fact: _Fact) -> bytes:
    if fact.response is None:
        return b""
    path = folder / fact.response
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; the recording is not complete") from None
    if path.suffix == ".json":
        try:
            json.loads(content)
        except ValueError:  # a number was masked
            return _BARE_MASK.sub(rb'\1"' + MASK.encode() + rb'"', content)
    return content
