"""What a refusal must look like, each form of it right and wrong."""

import json

import pytest
from tests.report.conftest import exchange

from onc_conformance.access import tokens
from onc_conformance.access.apps import App
from onc_conformance.access.authorization import request_for
from onc_conformance.smartwork import denials

APP = App(kind="public", id="app", redirect="http://127.0.0.1/redirect", launch="http://127.0.0.1/launch")
REQUEST = request_for(APP, "https://ehr.example/authorize", audience="https://ehr.example/fhir", scope="launch")


def answer(status, body=b"", kind="application/json", **facts):
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    return exchange(1, status=status, body=body, response_headers=(("Content-Type", kind),), **facts)


def told(findings):
    return [(str(each.severity), each.message.partition(": ")[2]) for each in findings]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, []),
        (400, {"error": "invalid_request"}, [("warning", "refused with an error that says something else")]),
        (400, {"error": "no way"}, [("warning", "refused with an error that nobody defined")]),
        (400, {}, [("error", "the refusal is no JSON object with an error")]),
        (400, b"<h1>Bad request</h1>", [("error", "the refusal is no JSON object with an error")]),
        (400, b"[" * 90_000, [("error", "the refusal is no JSON object with an error")]),
        (401, {"error": "invalid_grant"}, [("error", "refused, but not with HTTP 400")]),
        (403, {"error": "invalid_grant"}, [("error", "refused, but not with HTTP 400")]),
        (200, {"error": "invalid_grant"}, [("error", "refused, but not with HTTP 400")]),
        (500, b"", [("error", "the server fails instead of refusing")]),
        (None, b"", [("error", "no answer instead of a refusal")]),
        (200, {"access_token": "t"}, [("error", "answered with access_token")]),
        (400, {"error": "invalid_grant", "refresh_token": "t"}, [("error", "answered with refresh_token")]),
    ],
)
def test_a_refusal_of_the_token_endpoint(status, body, expected):
    page = answer(status, body, error=None if status else "refuses connections")
    assert told(denials.no_token(tokens.read(page), "a code", "R", ("invalid_grant",))) == expected


def test_an_app_that_does_not_prove_itself_may_be_told_by_401():
    page = answer(401, {"error": "invalid_client"})
    assert told(denials.no_token(tokens.read(page), "no secret", "R", ("invalid_client",))) == []


@pytest.mark.parametrize(
    ("query", "back", "expected"),
    [
        ("error=access_denied&state={state}", True, []),
        ("error=server_error&state={state}", True, [("warning", "refused with an error that says something else")]),
        ("error=nope&state={state}", True, [("warning", "refused with an error that nobody defined")]),
        ("error=access_denied&state=other", True, [("error", "the error comes back with another state")]),
        ("error=access_denied", True, [("error", "the error comes back without the state")]),
        ("state={state}", True, [("error", "sent back to the app without an error")]),
        ("code=c&state={state}", True, [("error", "answered with code")]),
        ("state={state}#access_token=t", True, [("error", "answered with access_token")]),
        ("error=x&state={state}", False, [("error", "the browser is sent to an address that nobody vouches for")]),
        ("code=c", False, [("error", "answered with code")]),
    ],
)
def test_a_refusal_by_way_of_the_app(query, back, expected):
    sent = f"{APP.redirect}?{query.format(state=REQUEST.state)}"
    found = denials.no_code(REQUEST, answer(302), sent, "it", "R", errors=("access_denied",), back=back)
    assert told(found) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, []),
        (200, []),
        (503, [("error", "the server fails instead of refusing")]),
        (None, [("error", "no answer instead of a refusal")]),
    ],
)
def test_a_refusal_on_a_page(status, expected):
    page = answer(status, b"<h1>No</h1>", "text/html", error=None if status else "timed out")
    assert told(denials.no_code(REQUEST, page, None, "it", "R")) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, []),
        (403, []),
        (404, [("warning", "refused, but not as the field has it")]),
        (200, [("error", "answered")]),
        (204, [("error", "answered")]),
        (500, [("error", "the server fails instead of refusing")]),
        (None, [("error", "no answer instead of a refusal")]),
    ],
)
def test_a_refusal_of_the_fhir_server(status, expected):
    page = answer(status, error=None if status else "refuses connections")
    assert told(denials.no_data(page, "it", "R", (401, 403))) == expected


def test_what_is_only_advised_is_a_warning():
    found = denials.as_warnings(denials.no_data(answer(200), "it", "R", (401,)))
    assert told(found) == [("warning", "answered")]
