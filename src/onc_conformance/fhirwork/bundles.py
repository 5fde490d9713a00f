"""What the pages of an answer are as Bundles, and what they say of themselves: addresses, links, the total."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl

from onc_conformance.fhir import validate
from onc_conformance.fhir.tables import Tables
from onc_conformance.fhirwork.asking import Found, Got, link, plain
from onc_conformance.findings import Finding, Severity


def formed(page: Got, tables: Tables, rule: str) -> Iterator[Finding]:
    """What FHIR R4 has against the Bundle itself; its resources are judged elsewhere. An empty list is let off."""
    if (kind := (page.resource or {}).get("type")) != "searchset":
        yield page.objection(
            rule, "is no answer to a search", expected="type searchset", found=str(kind), path="Bundle.type"
        )
        return
    for each in validate(page.resource, tables, within=False):
        if each.severity is Severity.ERROR:
            yield replace(
                each,
                severity=Severity.WARNING if each.rule == "ele-1" else Severity.ERROR,
                message=f"{page.request}: {each.message}",
                exchange=page.exchange.id,
            )


def addressed(found: Found, base: str, rule: str) -> Iterator[Finding]:
    """Objections to addresses of entries that are another resource's; a warning for none, and for another server's."""
    bare = [entry for entry in found.entries if not entry.addressed]
    elsewhere = [
        e for e in found.entries if e.address.startswith("http") and not plain(e.address).startswith(plain(base))
    ]
    for entry in found.entries:
        if entry.astray:
            yield entry.page.objection(
                rule,
                "the address of an entry is not that of its resource",
                path=_address(entry.place),
                expected=f"an address that ends in {'/'.join(entry.key)}",
                found=entry.address,
            )
    for entries, what in ((bare, "whole"), (elsewhere, "at this server")):
        for entry in entries[:1]:
            yield entry.page.objection(
                rule,
                f"the address of an entry is not {what}",
                severity=Severity.WARNING,
                path=_address(entry.place),
                expected=f"{base}/{'/'.join(entry.key)}",
                found=entry.address or "no address",
            )


def _address(place: str) -> str:
    return place.removesuffix("resource") + "fullUrl"


def linked(found: Found, rule: str) -> Iterator[Finding]:
    """An objection to an answer that does not say what was searched for; a warning where it leaves a parameter out."""
    own = link(found.first, "self")
    if own is None:
        yield found.first.objection(
            rule, "does not say what was searched for", path="Bundle.link", expected="a link self", found="none"
        )
        return
    told = [(name.partition(":")[0], value) for name, value in parse_qsl(own.partition("?")[2])]
    for name, value in found.parameters:
        values = [each for its, each in told if its == name]
        if not name.startswith("_") and (not values or (name == "patient" and value not in _plain(values))):
            yield found.first.objection(
                rule,
                f"says that it was not searched by {name}",
                severity=Severity.WARNING,
                path="Bundle.link.where(relation = 'self').url",
                expected=f"{name}={value}",
                found=own,
            )


def _plain(patients: list[str]) -> set[str]:
    """The patients named, by id and by type and id."""
    ids = {each.rpartition("/")[2] for each in patients}
    return ids | {f"Patient/{each}" for each in ids}


def counted(found: Found, rule: str) -> Iterator[Finding]:
    """Objections to totals that are not what came, on any page; a warning for pages longer than was asked for."""
    for page in found.pages:
        total = (page.resource or {}).get("total")
        if isinstance(total, int) and not isinstance(total, bool) and 0 <= total != len(found.matches):
            yield page.objection(
                rule,
                "the total is not that of the pages",
                path="Bundle.total",
                expected=f"{len(found.matches)}, as many as came",
                found=str(total),
            )
    most = dict(found.parameters).get("_count")
    longest = max((sum(e.page is page for e in found.matches) for page in found.pages), default=0)
    if most and longest > int(most):
        yield found.first.objection(
            rule,
            "a page holds more than was asked for",
            severity=Severity.WARNING,
            path="Bundle.entry",
            expected=f"at most {most} matches",
            found=str(longest),
        )
