"""Asks a FHIR server in a patient's session, page by page and within bounds; each request is made once and kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from onc_conformance.exchange import Exchange, joined
from onc_conformance.fhir import reading
from onc_conformance.fhirwork.parameters import Resource
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.reply import Subject
from onc_conformance.targets.conversation import Question
from onc_conformance.targets.models import FhirTable

Parameters = tuple[tuple[str, str], ...]
JSON = ("application/fhir+json", "application/json")
"""The media types of a resource in JSON."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LARGEST = 64_000_000
"""Bytes of JSON that are read."""


@dataclass(frozen=True)
class Got:
    """One answer, read."""

    request: str
    """What was asked, as a tester would write it down: `GET Condition?patient=1`."""
    exchange: Exchange
    resource: Resource | None
    trouble: str | None
    """Why it is no FHIR resource in JSON; None where it is one."""
    flaws: tuple[Finding, ...] = ()
    """What is wrong with its JSON, though it can be read."""

    @property
    def ok(self) -> bool:
        """Whether a resource came back, and not as a refusal."""
        return self.exchange.status is not None and 200 <= self.exchange.status < 300 and self.resource is not None

    @property
    def refused(self) -> bool:
        """Whether the request was called a bad one, and a reason given."""
        return self.exchange.status == 400 and self.kind == "OperationOutcome"

    @property
    def kind(self) -> str:
        """The type of the resource that came back; empty for none."""
        return str((self.resource or {}).get("resourceType", ""))

    @property
    def said(self) -> str:
        """What came back instead of what was hoped for, in a few words."""
        if self.exchange.status is None:
            return self.exchange.error or "no answer"
        issues = (self.resource or {}).get("issue")
        issue = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
        details = issue.get("diagnostics") or issue.get("code") or self.trouble or self.kind
        return f"HTTP {self.exchange.status}" + (f", {details}" if details else "")

    def travelled(self, rule: str) -> Iterator[Finding]:
        """Objections to an answer with another status than 200, or said to be something else than FHIR's JSON."""
        if self.exchange.status != 200:
            yield self.objection(
                rule,
                "has a status that is not one of success here",
                expected="HTTP 200",
                found=f"HTTP {self.exchange.status}",
            )
        if (media := self.exchange.media_type) not in JSON:
            yield self.objection(
                rule,
                "the answer says that it is something else than it is",
                expected=JSON[0],
                found=media or "no media type",
            )

    def flawed(self, rule: str) -> Iterable[Finding]:
        """Objections to flaws of its JSON, as a key that is there twice."""
        return (self.objection(rule, each.message, severity=each.severity, found=each.found) for each in self.flaws)

    def objection(
        self,
        rule: str,
        message: str,
        *,
        severity: Severity = Severity.ERROR,
        layer: Layer = Layer.API,
        path: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> Finding:
        """A finding about this answer, at its address unless a place within is named."""
        return Finding(
            layer=layer,
            severity=severity,
            rule=rule,
            message=f"{self.request}: {message}",
            path=path or self.exchange.url,
            expected=expected,
            found=found,
            hint=hint,
            exchange=self.exchange.id,
        )


@dataclass(frozen=True)
class Entry:
    """A resource in the answer to a search."""

    resource: Resource
    mode: str
    """`match`, `include`, `outcome`, or what the server says instead; empty where it says nothing."""
    page: Got
    place: str
    """FHIRPath within the page's Bundle."""
    address: str = ""
    """The fullUrl; empty where there is none."""

    @property
    def key(self) -> tuple[str, str]:
        """Type and id."""
        return key(self.resource)

    @property
    def addressed(self) -> bool:
        """Whether it has an address that is whole."""
        return ":" in self.address

    @property
    def astray(self) -> bool:
        """Whether its address is one on the web, and not that of the resource."""
        return self.address.startswith("http") and not self.address.endswith("/" + "/".join(self.key))


@dataclass(frozen=True)
class Found:
    """The answer to a search, on however many pages."""

    kind: str
    parameters: Parameters
    pages: tuple[Got, ...]
    entries: tuple[Entry, ...]
    broken: str | None = None
    """Why there are not all pages; None where there are."""

    @property
    def first(self) -> Got:
        """The first page."""
        return self.pages[0]

    @property
    def ok(self) -> bool:
        """Whether it was answered with Bundles to the end."""
        return self.broken is None and all(page.ok and page.kind == "Bundle" for page in self.pages)

    @property
    def matches(self) -> tuple[Entry, ...]:
        """What was searched for, without what came along."""
        return tuple(each for each in self.entries if each.mode in {"match", ""} and each.key[0] == self.kind)

    @property
    def included(self) -> tuple[Entry, ...]:
        """What came along."""
        return tuple(each for each in self.entries if each.mode == "include")


@dataclass
class Server:
    """The FHIR server of one target."""

    table: FhirTable
    base: str
    note: Callable[[Iterable[str]], None]
    """Told the exchanges that the current scenario rests on."""
    id_of: Callable[[Subject], str]
    _kept: dict[tuple[object, ...], tuple[Got, tuple[str, ...]]] = field(default_factory=dict)
    _searches: dict[tuple[object, ...], Found] = field(default_factory=dict)

    def read(self, subject: Subject, path: str) -> Got:
        """What stands at `Type/id`, or at another path below the base."""
        return self._get(subject, Question(purpose=f"read {path}", path=quote(path, safe="/$")))

    def search(self, subject: Subject, kind: str, parameters: Parameters, *, form: bool = False) -> Found:
        """A search, all pages of its answer."""
        asked = (subject.id, kind, parameters, form)
        if asked in self._searches:
            found = self._searches[asked]
            self.note(page.exchange.id for page in found.pages)
            return found
        self._searches[asked] = self._searched(subject, kind, parameters, form=form)
        return self._searches[asked]

    def _searched(self, subject: Subject, kind: str, parameters: Parameters, *, form: bool) -> Found:
        path = f"{kind}/_search" if form else kind
        asked = Question(purpose=f"search {kind}", path=path, parameters=parameters, form=form)
        pages = [self._get(subject, asked)]
        seen = {pages[0].exchange.url}
        entries = list(_entries(pages[0]))
        broken = None
        while told := link(pages[-1], "next"):
            onward = joined(pages[-1].exchange.url, told)
            if onward is None:
                broken = f"the address of page {len(pages) + 1} is none: {told}"
            elif onward in seen:
                broken = f"page {len(pages) + 1} is at the address of an earlier page"
            elif len(pages) >= self.table.max_pages:
                broken = f"there are more than {self.table.max_pages} pages"
            if broken or onward is None:
                break
            seen.add(onward)
            pages.append(self._get(subject, Question(purpose=f"search {kind}, page {len(pages) + 1}", url=onward)))
            entries += _entries(pages[-1])
        return Found(kind, parameters, tuple(pages), tuple(entries), broken)

    def _get(self, subject: Subject, question: Question) -> Got:
        asked = (subject.id, question)
        if asked not in self._kept:
            self.id_of(subject)  # selected, so that the session is there
            exchange, trail = subject.session.ask(question)
            self._kept[asked] = Got(self._told(question, exchange), exchange, *_read(exchange)), trail
        got, trail = self._kept[asked]
        self.note(trail)
        return got

    def _told(self, question: Question, exchange: Exchange) -> str:
        below = unquote(exchange.url.removeprefix(self.base).lstrip("/"))
        sent = "&".join("=".join(pair) for pair in question.parameters) if question.form else ""
        return f"{exchange.method} {below}" + (f" with {sent}" if sent else "")


def key(resource: Resource) -> tuple[str, str]:
    """Type and id of a resource, empty texts where it has none."""
    return str(resource.get("resourceType") or ""), str(resource.get("id") or "")


def read(exchange: Exchange) -> tuple[Resource | None, str | None]:
    """The resource an answer holds, and why there is none."""
    resource, trouble, _ = _read(exchange)
    return resource, trouble


def _read(exchange: Exchange) -> tuple[Resource | None, str | None, tuple[Finding, ...]]:
    if exchange.error:
        return None, exchange.error, ()
    if len(exchange.response_body) > _LARGEST:
        return None, f"the answer has {len(exchange.response_body):,} bytes, of which nobody can make use", ()
    told = reading.read(exchange.response_body)
    if not told.readable:
        why = told.findings[-1].message
        return None, f"the answer is not JSON but {exchange.media_type or 'of no media type'}: {why}", ()
    found = told.resource
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        return None, "the answer is JSON without a resourceType", ()
    return found, None, tuple(told.findings)


def _entries(page: Got) -> Iterable[Entry]:
    told = (page.resource or {}).get("entry") if page.ok and page.kind == "Bundle" else None
    for index, entry in enumerate(told if isinstance(told, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            search = entry.get("search")
            mode = search.get("mode") if isinstance(search, dict) else None
            place = f"Bundle.entry[{index}].resource"
            yield Entry(resource, str(mode or ""), page, place, str(entry.get("fullUrl") or ""))


def link(page: Got, relation: str) -> str | None:
    """The address of a Bundle's link of this relation."""
    links = (page.resource or {}).get("link") if page.kind == "Bundle" else None
    for each in links if isinstance(links, list) else ():
        if isinstance(each, dict) and each.get("relation") == relation and isinstance(each.get("url"), str):
            return str(each["url"])
    return None


def local(reference: str, base: str) -> str | None:
    """`Type/id` of a reference to this server; None for one within the resource, by identifier, or elsewhere."""
    whole, own = plain(reference), plain(base).rstrip("/") + "/"
    told = whole.removeprefix(own) if whole.startswith(own) else reference
    if _SCHEME.match(told) or told.startswith("#"):
        return None
    parts = told.partition("/_history")[0].split("/")
    return "/".join(parts) if len(parts) == 2 and all(parts) else None


def plain(url: str) -> str:
    """An address without the port that goes without saying, its host in small letters."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    usual = {"https": ":443", "http": ":80"}.get(scheme.lower())
    return f"{scheme.lower()}://{host.lower().removesuffix(usual)}{slash}{path}" if usual else url
