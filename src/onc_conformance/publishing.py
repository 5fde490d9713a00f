"""Judges the list of service base addresses that a developer publishes for machines to read (45 CFR 170.404(b)(2))."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from onc_conformance.documentation import Page
from onc_conformance.findings import Finding, Layer, Severity

REST = "hl7-fhir-rest"
"""The connection type of a FHIR server."""
LARGEST = 50_000_000
_HINT = "publish a Bundle of an Endpoint for each base address and an Organization for whoever is served there"


def listed(page: Page, base: str, rule: str) -> Iterator[Finding]:
    """Objections to a list that does not open, is no Bundle of Endpoints and Organizations, or leaves out `base`."""
    told = _Told(page, rule, _HINT)
    if page.trouble or page.status != 200:
        found = page.trouble or f"status {page.status}"
        yield told.objection("the list of service base addresses does not open", "an answer with status 200", found)
        return
    resources = _resources(page)
    if resources is None:
        found = page.media_type or "something else"
        yield told.objection("the list of service base addresses is no FHIR Bundle", "a Bundle in JSON", found)
        return
    endpoints = _of(resources, "Endpoint")
    own = [each for each in endpoints if _address(each) == base.rstrip("/")]
    if not own:
        some = ", ".join(str(each.get("address")) for each in endpoints[:3]) or "no Endpoint"
        yield told.objection("the base address of this server is not in the list", base, some)
    for endpoint in endpoints:
        yield from _endpoint(told, endpoint)
    served = {reference for each in _of(resources, "Organization") for reference in _references(each.get("endpoint"))}
    for endpoint in own:
        names = {f"Endpoint/{endpoint.get('id')}", str(endpoint.get("fullUrl"))}
        managing = set(_references([endpoint.get("managingOrganization")]))
        if not names & served and not managing & resources.keys():
            yield told.objection(
                "nobody says whom this server serves",
                "an Organization that refers to the Endpoint, or that the Endpoint refers to",
                "neither",
            )
    for organization in _of(resources, "Organization"):
        missing = [name for name in ("name", "identifier", "address") if not organization.get(name)]
        if missing:
            yield told.objection(
                f"an Organization has no {' and no '.join(missing)}",
                "name, location and identifier of the facility",
                f"Organization/{organization.get('id')}",
            )


def opens(page: Page, rule: str) -> Iterator[Finding]:
    """Objections to a page that does not open; one that asks for a login is a page."""
    if page.trouble or page.status != 200 or not page.body.strip():
        found = page.trouble or f"status {page.status}, {len(page.body)} bytes"
        yield _Told(page, rule).objection("the page does not open", "a page with status 200", found)


def _endpoint(told: _Told, endpoint: dict[str, Any]) -> Iterator[Finding]:
    name = f"Endpoint/{endpoint.get('id')}"
    connection = endpoint.get("connectionType")
    code = connection.get("code") if isinstance(connection, dict) else None
    if code != REST:
        yield told.objection("an Endpoint is not said to be a FHIR server's", REST, f"{code} in {name}")
    if urlsplit(_address(endpoint)).scheme != "https":
        yield told.objection("an Endpoint has no address of TLS", "https://…", f"{endpoint.get('address')} in {name}")
    if not isinstance(endpoint.get("status"), str):
        yield told.objection("an Endpoint has no status", "active", name)


class _Told:
    def __init__(self, page: Page, rule: str, hint: str | None = None) -> None:
        self._page, self._rule, self._hint = page, rule, hint

    def objection(self, message: str, expected: str, found: str) -> Finding:
        return Finding(
            layer=Layer.DOCUMENTATION,
            severity=Severity.ERROR,
            rule=self._rule,
            message=message,
            path=self._page.url,
            expected=expected,
            found=found,
            exchange=self._page.exchange,
            hint=self._hint,
        )


def _resources(page: Page) -> dict[str, dict[str, Any]] | None:
    """The resources by `Type/id` and by full address; None where it is no Bundle."""
    if len(page.body) > LARGEST:
        return None
    try:
        bundle = json.loads(page.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return None
    found: dict[str, dict[str, Any]] = {}
    entries = bundle.get("entry")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            kept = {**resource, "fullUrl": entry.get("fullUrl")}
            found[f"{resource.get('resourceType')}/{resource.get('id', f'#{number}')}"] = kept
            if isinstance(entry.get("fullUrl"), str):
                found[entry["fullUrl"]] = kept
    return found


def _of(resources: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return list({id(each): each for each in resources.values() if each.get("resourceType") == kind}.values())


def _references(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        reference = each.get("reference") if isinstance(each, dict) else None
        if isinstance(reference, str):
            yield reference


def _address(endpoint: dict[str, Any]) -> str:
    address = endpoint.get("address")
    return address.rstrip("/") if isinstance(address, str) else ""
