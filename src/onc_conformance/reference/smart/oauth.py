"""What OAuth's endpoints are sent and say: forms whose parameters come once, JSON that nobody keeps, and errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


class OAuthError(Exception):
    """An error of RFC 6749 with what to say of it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        self.error = error
        self.status = status
        super().__init__(description)


def told(content: Mapping[str, Any], status: int = 200) -> Response:
    """JSON that must not be kept."""
    response = Response(json.dumps(content), status=status, content_type=JSON)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def guarded(answer: Callable[[], Response]) -> Response:
    """The answer, or the error in its place."""
    try:
        return answer()
    except OAuthError as error:
        response = told({"error": error.error, "error_description": str(error)}, error.status)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="reference EHR"'
        return response


def posted() -> dict[str, str]:
    """The form's parameters; OAuthError for any other body, and where one comes twice."""
    if request.mimetype != _FORM:
        raise OAuthError("invalid_request", f"The request is posted as {_FORM}.")
    return once()


def once() -> dict[str, str]:
    """The parameters of a GET's query or a POST's form; OAuthError where one comes twice (RFC 6749, 3.1)."""
    try:
        sent = request.form if request.method == "POST" else request.args
    except RequestEntityTooLarge:
        raise OAuthError("invalid_request", "The request is too large.", 413) from None
    for name in sent:
        if len(sent.getlist(name)) > 1:
            raise OAuthError("invalid_request", f"{name[:40]} comes more than once.")
    return sent.to_dict()
