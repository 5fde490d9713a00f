"""What the FHIR server says: resources as JSON, and the refusals it answers instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Response, request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FHIR = "application/fhir+json"
_CHALLENGES = {401: ', error="invalid_token"', 403: ', error="insufficient_scope"'}
"""What RFC 6750 wants said of a refused token, by status."""


class Refusal(Exception):  # noqa: N818 - an answer, though not the one hoped for
    """The OperationOutcome that is answered instead: its issue code, its text, the HTTP status."""

    def __init__(self, status: int, code: str, text: str) -> None:
        self.status = status
        self.code = code
        super().__init__(text)


def host() -> str:
    """The scheme and authority by which the request came, without a slash at the end."""
    return request.host_url.rstrip("/")


def as_json(content: Mapping[str, Any], status: int = 200, kind: str = FHIR) -> Response:
    """The content, encoded."""
    return Response(json.dumps(content, ensure_ascii=False), status=status, content_type=kind)


def outcome(code: str, text: str, severity: str = "error") -> dict[str, Any]:
    """An OperationOutcome with one issue."""
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def guarded(answer: Callable[[], Response]) -> Response:
    """The answer, or the refusal in its place."""
    try:
        return answer()
    except Refusal as refusal:
        response = as_json(outcome(refusal.code, str(refusal)), refusal.status)
        if refusal.status in _CHALLENGES:
            reason = _CHALLENGES[refusal.status] if "Authorization" in request.headers else ""
            response.headers["WWW-Authenticate"] = f'Bearer realm="reference EHR"{reason}'
        return response
