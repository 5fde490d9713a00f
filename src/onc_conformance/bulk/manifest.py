"""The manifest of a finished export, field by field as its version of Bulk Data Access has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import Finding, Severity

INSTANT = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
    r"(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
)
_LISTS: Mapping[str, tuple[str, ...]] = {"1.0.1": ("output", "error"), "2.0.0": ("output", "error", "deleted")}
_DEMANDED = ("output", "error")


@dataclass(frozen=True)
class Output:
    """One file of an export, as it is announced."""

    type: str
    url: str
    count: int | None
    list: str = "output"
    number: int = 1

    @property
    def name(self) -> str:
        """What people call it."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2]) or self.url


@dataclass(frozen=True)
class Manifest:
    """What there is to be fetched."""

    got: Got
    told: Mapping[str, Any]

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The files, those with an address at least."""
        return tuple(self._of("output"))

    @property
    def messages(self) -> tuple[Output, ...]:
        """The files of what went wrong."""
        return tuple(self._of("error"))

    @property
    def guarded(self) -> bool:
        """Whether files are for those alone who have a token; taken for granted where the manifest does not say."""
        return self.told.get("requiresAccessToken") is not False

    @property
    def time(self) -> str:
        """The instant as of which the data are; empty where it is none."""
        told = self.told.get("transactionTime")
        return told if isinstance(told, str) and INSTANT.fullmatch(told) else ""

    def _of(self, name: str) -> Iterator[Output]:
        told = self.told.get(name)
        for number, each in enumerate(told if isinstance(told, list) else (), 1):
            if isinstance(each, dict) and isinstance(each.get("url"), str):
                count = each.get("count")
                known = count if isinstance(count, int) and not isinstance(count, bool) else None
                yield Output(str(each.get("type") or ""), each["url"], known, name, number)


def read(got: Got) -> Manifest | None:
    """The manifest of an answer; None where it is no JSON object."""
    try:
        told = json.loads(got.exchange.response_body)
    except (ValueError, RecursionError):
        return None
    return Manifest(got, told) if isinstance(told, dict) else None


def judged(manifest: Manifest, kickoff: str, version: str, rule: str) -> Iterator[Finding]:
    """Objections to the manifest of an export that was asked for at the address `kickoff`."""
    got, told = manifest.got, manifest.told
    if got.exchange.media_type != "application/json":
        yield _amiss(got, rule, "Content-Type", "application/json", got.exchange.media_type)
    if not manifest.time:
        yield _amiss(got, rule, "transactionTime", "an instant with its time zone", told.get("transactionTime"))
    request = told.get("request")
    if not isinstance(request, str) or _asked(request) != _asked(kickoff):
        yield _amiss(got, rule, "request", kickoff, request)
    if not isinstance(told.get("requiresAccessToken"), bool):
        yield _amiss(got, rule, "requiresAccessToken", "true or false", told.get("requiresAccessToken"))
    for name in _LISTS[version]:
        files = told.get(name)
        if (name in _DEMANDED or name in told) and not isinstance(files, list):
            yield _amiss(got, rule, name, "a list of files", files)
        for number, file in enumerate(files if isinstance(files, list) else ()):
            yield from _file(got, f"{name}[{number}]", file, rule)


def _file(got: Got, place: str, file: Any, rule: str) -> Iterator[Finding]:
    if not isinstance(file, dict):
        yield _amiss(got, rule, place, "an object", file)
        return
    kind, url, count = file.get("type"), file.get("url"), file.get("count")
    if not isinstance(kind, str) or not re.fullmatch("[A-Z][A-Za-z]+", kind):
        yield _amiss(got, rule, f"{place}.type", "a type of resource", kind)
    if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
        yield _amiss(got, rule, f"{place}.url", "an absolute address", url)
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
        yield _amiss(got, rule, f"{place}.count", "a number of resources", count)


def expiry(got: Got, rule: str, *, promised: bool) -> Iterator[Finding]:
    """What is to be said of the Expires header: an error where the product promises one, else advice."""
    told = got.exchange.header("expires")
    try:
        known = told is not None and parsedate_to_datetime(told) is not None
    except ValueError:
        known = False
    if not known:
        severity = Severity.ERROR if promised else Severity.WARNING
        yield _amiss(got, rule, "Expires", "a date until which the files are there", told, severity=severity)


def _asked(url: str) -> tuple[str, list[tuple[str, str]]]:
    """An address without what may be written in several ways."""
    parts = urlsplit(url)
    return f"{parts.netloc.lower()}{unquote(parts.path)}", sorted(parse_qsl(parts.query, keep_blank_values=True))


def _amiss(
    got: Got, rule: str, place: str, expected: str, found: Any, *, severity: Severity = Severity.ERROR
) -> Finding:
    shown = "nothing" if found is None or found == "" else json.dumps(found)[:200]
    path = place if place in {"Content-Type", "Expires"} else f"$.{place}"
    message = f"{place} is not {expected}"
    return got.objection(rule, message, severity=severity, path=path, expected=expected, found=shown)
