"""Pages, answers, refusals and the CapabilityStatement, with something wrong about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Response

    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.search import Query


def _links(bundle: Resource, kept: Iterable[Resource]) -> Resource:
    return bundle | {"link": list(kept)}


def _no_link(relation: str) -> Callable[[Resource, Query], Resource]:
    return lambda bundle, _: _links(bundle, (one for one in bundle["link"] if one["relation"] != relation))


def _loop(bundle: Resource, query: Query) -> Resource:  # noqa: ARG001 - all are asked alike
    here = bundle["link"][0]["url"]
    return _links(bundle, (one | {"url": here} if one["relation"] == "next" else one for one in bundle["link"]))


def _matches(bundle: Resource) -> int:
    return sum(entry["search"]["mode"] == "match" for entry in bundle.get("entry", ()))


def _page_total(bundle: Resource, query: Query) -> Resource:  # noqa: ARG001
    return bundle | {"total": _matches(bundle)}


def _entries(change: Callable[[Resource], Resource]) -> Callable[[Resource, Query], Resource]:
    def changed(bundle: Resource, query: Query) -> Resource:  # noqa: ARG001
        return bundle | ({"entry": [change(one) for one in bundle["entry"]]} if "entry" in bundle else {})

    return changed


def _empty_second_page(bundle: Resource, query: Query) -> Resource:
    return {name: value for name, value in bundle.items() if name != "entry"} if query.page > 1 else bundle


def _later_total(bundle: Resource, query: Query) -> Resource:
    return bundle | {"total": bundle["total"] + 1} if query.page > 1 else bundle


def _nothing_last(bundle: Resource, query: Query) -> Resource:  # noqa: ARG001
    return bundle | ({"entry": [*bundle["entry"], None]} if "entry" in bundle else {})


BUNDLED: dict[str, Callable[[Resource, Query], Resource]] = {
    "fhir-paging-stops-early": _no_link("next"),
    "fhir-paging-loops": _loop,
    "fhir-second-page-empty": _empty_second_page,
    "fhir-self-link-missing": _no_link("self"),
    "fhir-total-lies": lambda bundle, _: bundle | {"total": bundle["total"] + 1},
    "fhir-total-of-page": _page_total,
    "fhir-total-changes": _later_total,
    "fhir-entry-null": _nothing_last,
    "fhir-bundle-type-wrong": lambda bundle, _: bundle | {"type": "collection"},
    "fhir-full-url-wrong": _entries(lambda one: one | {"fullUrl": f"{one.get('fullUrl', '')}0"}),
    "fhir-search-mode-wrong": _entries(lambda one: one | {"search": {"mode": "include"}}),
}


def _kind(response: Response, kind: str) -> Response:
    response.headers["Content-Type"] = kind
    return response


def _cut(response: Response) -> Response:
    response.set_data(response.get_data()[:-20])
    return response


def _twice(response: Response) -> Response:
    """A key that is there twice, of which most readers see the last."""
    response.set_data(response.get_data().replace(b"{", b'{"language": "fr", "language": "en", ', 1))
    return response


def _partial(response: Response) -> Response:
    if b'"searchset"' in response.get_data()[:200]:
        response.status_code = 206
    return response


def _read_as_page(response: Response) -> Response:
    told = response.get_data()[:60]
    return response if b'"Bundle"' in told or b'"CapabilityStatement"' in told else _kind(response, "text/html")


SENT: dict[str, Callable[[Response], Response]] = {
    "fhir-content-type-lies": lambda response: _kind(response, "text/html; charset=utf-8"),
    "fhir-read-as-page": _read_as_page,
    "fhir-partial-content": _partial,
    "fhir-json-cut-short": _cut,
    "fhir-key-twice": _twice,
}


def _status(before: int, after: int) -> Callable[[Response], Response]:
    def changed(response: Response) -> Response:
        if response.status_code == before:
            response.status_code = after
        return response

    return changed


REFUSED: dict[str, Callable[[Response], Response]] = {
    "fhir-not-found-as-success": _status(404, 200),
    "fhir-bad-request-as-failure": _status(400, 500),
}


def _of_type(kind: str, change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    def changed(statement: Resource) -> Resource:
        rest = statement["rest"][0]
        resources = [change(one) if kind in {one["type"], "*"} else one for one in rest["resource"]]
        return statement | {"rest": [rest | {"resource": resources}]}

    return changed


def _less(*names: str) -> Callable[[Resource], Resource]:
    return lambda entry: {name: value for name, value in entry.items() if name not in names}


def _without_category(entry: Resource) -> Resource:
    return entry | {"searchParam": [one for one in entry["searchParam"] if one["name"] != "category"]}


def _without_goals(statement: Resource) -> Resource:
    rest = statement["rest"][0]
    return statement | {"rest": [rest | {"resource": [one for one in rest["resource"] if one["type"] != "Goal"]}]}


def _secured(change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    def changed(statement: Resource) -> Resource:
        rest = statement["rest"][0]
        return statement | {"rest": [rest | {"security": change(rest["security"])}]}

    return changed


def _moved(security: Resource) -> Resource:
    uris = security["extension"][0]
    moved = [one | {"valueUri": f"{one['valueUri']}/old"} for one in uris["extension"]]
    return security | {"extension": [uris | {"extension": moved}]}


STATED: dict[str, Callable[[Resource], Resource]] = {
    "fhir-statement-of-another-release": lambda statement: statement | {"fhirVersion": "3.0.2"},
    "fhir-statement-without-json": lambda statement: statement | {"format": ["xml"]},
    "fhir-statement-without-profiles": _of_type("Condition", _less("supportedProfile")),
    "fhir-statement-without-category": _of_type("Observation", _without_category),
    "fhir-statement-without-provenance": _of_type("*", _less("searchRevInclude")),
    "fhir-statement-without-goals": _without_goals,
    "smart-oauth-uris-missing": _secured(_less("extension")),
    "smart-oauth-uris-of-another": _secured(_moved),
}
