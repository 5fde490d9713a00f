"""Pages of the authorization server for people: never kept, never framed."""

from __future__ import annotations

from flask import Response

from onc_conformance.reference.screens import rendered


def page(template: str, status: int = 200, **facts: object) -> Response:
    """One of the templates html/smart-*.html."""
    response = Response(
        rendered(f"smart-{template}.html", **facts), status=status, content_type="text/html; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def notice(text: str, status: int = 400) -> Response:
    """A page that says why nothing goes on."""
    return page("notice", status, text=text)
