"""Attachments of notes and reports: whether they can be opened, are what they say, and stand where both look."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from onc_conformance.exchange import redirect
from onc_conformance.fhirwork.asking import JSON, Got
from onc_conformance.fhirwork.chart import Chart, Kept
from onc_conformance.fhirwork.guidance import told
from onc_conformance.fhirwork.parameters import at, pairs
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity

_PLACES = {"DocumentReference": "content.attachment", "DiagnosticReport": "presentedForm"}
_ANYTHING = frozenset({"", "application/octet-stream", "application/json"})
"""Media types that say nothing about what a file is."""


@dataclass(frozen=True)
class Content:
    """What an attachment turned out to be."""

    data: bytes
    media_type: str
    """Without parameters; empty where nothing says it."""
    got: Got | None
    """The answer it came in; None for what stands in the attachment itself."""


def opened(charts: Sequence[Chart], rule: str) -> Iterator[Finding]:
    """Objections to attachments that hold nothing and lead nowhere, or are not what they say of themselves."""
    if not any(chart.of(kind) for chart in charts for kind in _PLACES):
        raise NotTested("no test patient has a note or a report")
    for chart in charts:
        for kept, attachment in _attachments(chart, *_PLACES):
            yield from _opened(chart, kept, attachment, rule)


def _attachments(chart: Chart, *kinds: str) -> Iterator[tuple[Kept, dict[str, Any]]]:
    for kind in kinds:
        for kept in chart.of(kind):
            yield from ((kept, each) for each in at(kept.resource, _PLACES[kind]) if isinstance(each, dict))


def _opened(chart: Chart, kept: Kept, attachment: dict[str, Any], rule: str) -> Iterator[Finding]:
    url, data = attachment.get("url"), attachment.get("data")
    if data:
        if (held := _decoded(data)) is not None:
            yield from _true(kept, attachment, Content(held, "", None), rule)
        return  # data in no form are told where the resource is judged
    if any(name.startswith("_") for name in attachment):
        return  # absent, and says why
    path = _local(url, chart)
    if path and "://" in path:
        return  # elsewhere, where nobody here may look
    got = chart.server.read(chart.subject, path) if path else None
    if got is not None and redirect(got.exchange):
        return  # leads elsewhere; within this server it was followed
    if got is None or got.exchange.status != 200 or not (content := _content(got)).data:
        yield _wrong(
            kept,
            "cannot be opened",
            expected="data, or an address that brings them",
            found=got.said if got else "neither",
            rule=rule,
            content=Content(b"", "", got),
        )
        return
    yield from _true(kept, attachment, content, rule)


def _local(url: Any, chart: Chart) -> str:
    """The address as it is below the base of this server; whole for another server's."""
    return url.removeprefix(chart.server.base).lstrip("/") if isinstance(url, str) else ""


def _content(got: Got) -> Content:
    """What an answer holds: as it is, within a Binary, or nothing where it is another resource, as a refusal is."""
    media_type = got.exchange.media_type or ""
    if got.kind == "Binary" and got.resource is not None:
        held = _decoded(got.resource.get("data")) or b""
        return Content(held, _bare(got.resource.get("contentType")), got)
    if got.kind and media_type in JSON:
        return Content(b"", "", got)
    return Content(got.exchange.response_body, _bare(media_type), got)


def _true(kept: Kept, attachment: dict[str, Any], content: Content, rule: str) -> Iterator[Finding]:
    """Objections to an attachment that says something else of itself than it is."""
    digest = base64.b64encode(hashlib.sha1(content.data, usedforsecurity=False).digest()).decode()
    kinds = _bare(attachment.get("contentType")), content.media_type
    wrong = [
        ("size", str(len(content.data)), "size" in attachment and attachment["size"] != len(content.data)),
        ("hash", digest, "hash" in attachment and attachment["hash"] != digest),
        ("contentType", content.media_type, not _alike(*kinds)),
    ]
    for name, expected, differs in wrong:
        if differs:
            message, found = f"is not of the {name} that it says", str(attachment[name])
            yield _wrong(kept, message, expected=expected, found=found, rule=rule, content=content)


def _alike(one: str, other: str) -> bool:
    """Whether two media types may mean the same file."""
    return one == other or bool(_ANYTHING & {one, other}) or {_ending(one), _ending(other)} == {"xml"}


def _ending(media_type: str) -> str:
    return media_type.rpartition("/")[2].rpartition("+")[2]


def _bare(media_type: Any) -> str:
    return str(media_type or "").partition(";")[0].strip().lower()


def _decoded(data: Any) -> bytes | None:
    try:
        return base64.b64decode("".join(data.split()), validate=True) if isinstance(data, str) else None
    except (ValueError, binascii.Error):
        return None


def shared(charts: Sequence[Chart], rule: str) -> Iterator[Finding]:
    """Objections to attachments of narrative reports that no DocumentReference of the patient has (US Core).

    NotApplicable where no such report has an attachment with an address.
    """
    categories, seen = set(told()["notes"]["reports"]), False
    for chart in charts:
        documents = {_local(each.get("url"), chart) for _, each in _attachments(chart, "DocumentReference")}
        for kept, attachment in _attachments(chart, "DiagnosticReport"):
            codes = {code for value in at(kept.resource, "category") for _, code in pairs(value)}
            url = _local(attachment.get("url"), chart)
            if not url or not codes & categories or "DocumentReference" not in chart.kinds:
                continue
            seen = True
            if url not in documents:
                yield _wrong(
                    kept,
                    "is in no DocumentReference",
                    expected=f"a DocumentReference with {url}",
                    found=f"{len(documents)} others" if documents else "no attachment",
                    rule=rule,
                    content=Content(b"", "", None),
                )
    if not seen:
        raise NotApplicable("no narrative report of any test patient has an attachment with an address")


def _wrong(kept: Kept, message: str, *, expected: str, found: str, rule: str, content: Content) -> Finding:
    place = f"{kept.name}.{_PLACES[kept.key[0]]}"
    return Finding(
        layer=Layer.CONTENT,
        severity=Severity.ERROR,
        rule=rule,
        message=f"{kept.name}: the attachment {message}",
        path=place,
        expected=expected,
        found=found,
        exchange=(content.got or kept.got).exchange.id,
    )
