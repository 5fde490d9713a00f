"""Exports from kick-off to deletion: several may be under way, each is asked for as often as the server wishes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode, urljoin

from onc_conformance.bulk import files
from onc_conformance.bulk.files import File, Watcher
from onc_conformance.bulk.manifest import Manifest, Output, read
from onc_conformance.bulk.service import JSON, Fetched, Service
from onc_conformance.bulk.watching import Changes, Form, Likeness, Messages, People, Support
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import NotTested

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between requests where the server does not say how long; the last again and again."""
SHORTEST_PAUSE = 0.1
KICKED_OFF, COMPLETED = "DAT-PAT-10", "DAT-PAT-13"
"""Where it is told first that an export did not begin, or not end."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An export to be asked for."""

    name: str
    """As people say it: `of the group`."""
    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    scope: str | None = None


@dataclass(eq=False)
class Export:
    """One export, as far as it came."""

    wanted: Wanted
    kickoff: Got
    polls: list[Got] = field(default_factory=list)
    waited: float = 0.0
    manifest: Manifest | None = None
    stopped: str = ""
    """Why it is not waited for any longer."""
    files: dict[str, File] = field(default_factory=dict)
    """By address."""
    deletions: list[Got] = field(default_factory=list)
    """The answer to the request to delete it, and to the request for its status afterwards."""

    @property
    def address(self) -> str:
        """Where its status is told; empty where nobody said."""
        told = self.kickoff.exchange.header("content-location")
        begun = self.kickoff.exchange.status == 202
        return urljoin(self.kickoff.exchange.url, told) if begun and told else ""

    @property
    def last(self) -> Got:
        """The answer that decided."""
        return self.polls[-1] if self.polls else self.kickoff


@dataclass(frozen=True)
class Whole:
    """An export read to its end, and what was noticed on the way."""

    export: Export
    manifest: Manifest
    files: Sequence[File]
    form: Form
    support: Support
    people: People
    likeness: Likeness
    changes: Changes
    messages: Messages


@dataclass
class Exports:
    """The exports of one service, each asked for once."""

    service: Service
    begun: dict[str, Export] = field(default_factory=dict)
    whole: Whole | None = None
    """The export of the group with nothing left out, once it was read."""
    keys: Fetched | None = None
    """What came of keys that the server had to fetch, once it was tried."""
    _refusals: dict[str, Got] = field(default_factory=dict)

    # --- kick-off

    def begin(self, several: Sequence[Wanted]) -> list[Export]:
        """Ask for exports, no more at once than the server takes."""
        for wanted in several:
            if wanted.name not in self.begun:
                under_way = [each for each in self.begun.values() if each.address and not self._over(each)]
                for early in under_way[: max(0, len(under_way) + 1 - self.service.table.at_once)]:
                    self.completed(early)
                self.begun[wanted.name] = Export(wanted, self.asked(wanted))
        exports = [self.begun[wanted.name] for wanted in several]
        self.service.note(each.kickoff.exchange.id for each in exports)
        return exports

    def asked(self, wanted: Wanted, *, token: str | None = None, asynchronous: bool = True) -> Got:
        """A kick-off; `token` replaces the service's own, and is none where it is empty."""
        bearer = self.service.bearer(wanted.scope) if token is None else token
        prefer = (("Prefer", "respond-async"),) if asynchronous else ()
        return self.service.get(
            self.address(wanted), f"export {wanted.name}", token=bearer, accept=JSON, headers=prefer
        )

    def address(self, wanted: Wanted) -> str:
        """Where it is asked for."""
        query = urlencode(wanted.parameters, quote_via=quote, safe=":/")
        return f"{self.service.base}/{wanted.path}" + (f"?{query}" if query else "")

    @staticmethod
    def _over(export: Export) -> bool:
        return export.manifest is not None or bool(export.stopped) or bool(export.deletions)

    # --- status

    def completed(self, export: Export) -> Export:
        """Wait until there is a manifest, or none will come. NotTested where the export did not begin."""
        if not export.address:
            raise NotTested(f"the export {export.wanted.name} did not begin: {export.kickoff.said}", KICKED_OFF)
        while not self._over(export):
            self._polled(export)
        self.service.note(each.exchange.id for each in export.polls[-1:])
        return export

    def told(self, export: Export) -> Manifest:
        """The manifest. NotTested where there is none."""
        self.completed(export)
        if export.manifest is None:
            raise NotTested(f"the export {export.wanted.name} has no manifest: {export.stopped}", COMPLETED)
        return export.manifest

    def _polled(self, export: Export) -> None:
        number = len(export.polls) + 1
        what = f"status of the export {export.wanted.name}"
        got = self.service.get(export.address, what, token=self._token(export), accept="application/json")
        export.polls.append(got)
        status = got.exchange.status
        if status in {202, 429} and not got.exchange.error:
            pause = asked_pause(got)
            pause = PAUSES[min(number, len(PAUSES)) - 1] if pause is None else max(pause, SHORTEST_PAUSE)
            export.waited += pause
            if export.waited > self.service.table.max_wait_s:
                at_most = f"{self.service.table.max_wait_s:g} s"
                export.stopped = f"it is not ready within {at_most}; where it takes longer, raise bulk.max_wait_s"
            else:
                self.service.client.sleep(pause)
        elif status == 200 and not got.exchange.error and (manifest := read(got)):
            export.manifest = manifest
        else:
            export.stopped = got.exchange.error or got.said

    def _token(self, export: Export) -> str | None:
        """The token for the address of its status: none where that is on another server."""
        return self.service.bearer(export.wanted.scope) if self.service.trusts(export.address) else None

    def once(self, what: str, ask: Callable[[], Got]) -> Got:
        """A request that is made once however many sentences are about it."""
        if what not in self._refusals:
            self._refusals[what] = ask()
        self.service.note([self._refusals[what].exchange.id])
        return self._refusals[what]

    # --- files

    def fetched(
        self, export: Export, watchers: Sequence[Watcher] = (), outputs: Sequence[Output] | None = None
    ) -> list[File]:
        """These files, or all with data, each fetched once, with whoever watches."""
        manifest = self.told(export)
        chosen = manifest.outputs if outputs is None else outputs
        for output in chosen:
            if output.url not in export.files:
                kind = "file" if output.list == "output" else f"{output.list} file"
                what = f"{kind} {output.number} of the export {export.wanted.name}"
                export.files[output.url] = files.fetched(self.service, output, what, watchers, guarded=manifest.guarded)
        found = [export.files[each.url] for each in chosen]
        self.service.note(file.got.exchange.id for file in found if file.got)
        return found

    # --- deletion

    def deleted(self, export: Export) -> list[Got]:
        """Delete it, and ask for its status afterwards."""
        if not export.address:
            raise NotTested(f"the export {export.wanted.name} did not begin: {export.kickoff.said}", KICKED_OFF)
        if not export.deletions:
            token, what = self._token(export), f"the export {export.wanted.name}"
            export.deletions.append(self.service.get(export.address, f"delete {what}", token=token, method="DELETE"))
            export.deletions.append(self.service.get(export.address, f"status of {what}, deleted", token=token))
        self.service.note(each.exchange.id for each in export.deletions)
        return export.deletions


def asked_pause(got: Got) -> float | None:
    """The seconds that Retry-After asks for, as a number or as a date; None where it does not say."""
    told = (got.exchange.header("retry-after") or "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None
