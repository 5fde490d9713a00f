"""The documentation the reference EHR publishes of its APIs, as every certified product has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, request

from onc_conformance.reference import docref, ehryourway, jose, screens, webchart
from onc_conformance.reference.ehryourway_categories import NAMES as CATEGORIES
from onc_conformance.reference.fhir import published, server
from onc_conformance.reference.fhir.answers import as_json
from onc_conformance.reference.signing import PARTS
from onc_conformance.reference.smart import server as smart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from flask import Flask
    from werkzeug.wrappers import Response as AnyResponse

    from onc_conformance.reference.settings import Settings

    Service = tuple[str, Sequence[dict[str, Any]]]

WEBCHART = "/webchart-documentation"
EHRYOURWAY = "/ehryourway-documentation"
DOCREF = "/docref-documentation"
ENDPOINTS = "/service-base-addresses"
ITEMS = (
    "syntax",
    "functions",
    "parameters",
    "returns",
    "exceptions",
    "components",
    "dates",
    "registration",
    "terms",
)
"""Ids of the elements that hold what a documentation must have."""
VERSION = "1.0"
EFFECTIVE = "2026-01-01"
_LOGIN = "/documentation-login"
_INSTEAD = {
    "docs-behind-agreement": "agreement.html",
    "docs-login-form": "login.html",
    "docs-built-by-script": "script.html",
}
"""Pages that a fault shows where the documentation should be."""


class Documentation:
    """The documentation of each API and their terms of use, open to everybody."""

    def __init__(self, faults: frozenset[str], settings: Settings, service: Callable[[], Service]) -> None:
        """`service` tells of the FHIR server: its base address, and the Organizations it serves."""
        self._faults = faults
        self._settings = settings
        self._service = service

    def register(self, app: Flask) -> None:
        for path, view in ((WEBCHART, self.webchart), (EHRYOURWAY, self.ehryourway), (DOCREF, self.docref)):
            app.add_url_rule(path, f"documentation {path}", view)
            app.add_url_rule(f"{path}/terms", f"terms {path}", self.terms)
        app.add_url_rule(_LOGIN, "documentation login", screens.login_page)

        app.add_url_rule(ENDPOINTS, "service base addresses", self.endpoints)
        app.add_url_rule("/", "front page", self.front)

    @staticmethod
    def front() -> str:
        return screens.rendered("index.html", webchart=WEBCHART, ehryourway=EHRYOURWAY, docref=DOCREF)

    def webchart(self) -> AnyResponse:
        like = {
            "prefix": "; a value with neither is meant as a beginning",
            "contains": "; a value with neither is meant to be contained",
            "sql": "",
        }
        return self._page(
            "webchart.html",
            WEBCHART,
            url=f"{_host()}{webchart.PATH}",
            cookie=webchart.COOKIE,
            names=list(webchart.NAMES),
            of_encounters=webchart.OF_ENCOUNTERS,
            no_access=webchart.NO_ACCESS,
            no_definition=webchart.NO_DEFINITION,
            dates_in_syntax="" if "docs-without-dates" in self._faults else "[&sdate=…][&edate=…]",
            like=like[self._settings.like],
            wrapped=self._settings.wrapped,
            session_life=f"{self._settings.session_life:.0f}",
            refusal_status=self._settings.refusal_status,
        )

    def ehryourway(self) -> AnyResponse:
        return self._page(
            "ehryourway.html",
            EHRYOURWAY,
            url=_host(),
            login=ehryourway.LOGIN,
            authenticate=ehryourway.AUTHENTICATE,
            all_data=ehryourway.ALL_DATA,
            by_category=ehryourway.BY_CATEGORY,
            names=list(CATEGORIES),
            parts=" ".join(PARTS),
            reference_number_life=f"{self._settings.reference_number_life:.0f}",
            token_life=f"{self._settings.token_life:.0f}",
            clock_skew=f"{self._settings.clock_skew:.0f}",
            token_error_status=200 if self._settings.failures_are_200 else 401,
        )

    def docref(self) -> AnyResponse:
        return self._page(
            "docref.html",
            DOCREF,
            url=f"{_host()}{server.BASE}",
            token=f"{_host()}{smart.PATH}/token",
            issuer=f"{_host()}{smart.PATH}",
            assertion_type=jose.TYPE,
            algorithms=jose.ALGORITHMS,
            longest=jose.LONGEST,
            scopes=docref.SCOPES,
            search=docref.SEARCH,
            ccd=docref.CCD[0],
            by_year=self._settings.docref_by_year,
            token_life=f"{self._settings.smart_token_life:.0f}",
        )

    def terms(self) -> AnyResponse:
        if "docs-without-terms" in self._faults:
            return Response(screens.notice("There is no such page."), status=404)
        if "terms-behind-login" in self._faults:
            return redirect(_LOGIN)
        path = request.path.removesuffix("/terms")
        product = {WEBCHART: "WebChart", EHRYOURWAY: "EHR Your Way", DOCREF: "FHIR"}[path]
        return self._written("terms.html", path, product=product)

    def endpoints(self) -> AnyResponse:
        """The list of service base addresses."""
        if "fhir-endpoints-missing" in self._faults:
            return Response(screens.notice("There is no such page."), status=404)
        base, organizations = self._service()
        return as_json(published.bundle(organizations, base, self._faults))

    def _page(self, template: str, path: str, **facts: object) -> AnyResponse:
        if "docs-behind-login" in self._faults:
            return redirect(_LOGIN)
        if "docs-missing" in self._faults:
            return Response(screens.notice("There is no such page."), status=404)
        for fault, page in _INSTEAD.items():
            if fault in self._faults:
                return Response(screens.rendered(page), content_type="text/html; charset=utf-8")
        return self._written(template, path, **facts)

    def _written(self, template: str, path: str, **facts: object) -> AnyResponse:
        without = {item: f"docs-without-{item}" in self._faults for item in ITEMS}
        html = screens.rendered(
            template,
            **facts,
            version=VERSION,
            effective=EFFECTIVE,
            items=ITEMS,
            without=without,
            documentation=path,
            terms=f"{path}/terms",
        )
        return Response(html, content_type="text/html; charset=utf-8")


def _host() -> str:
    return request.host_url.rstrip("/")
