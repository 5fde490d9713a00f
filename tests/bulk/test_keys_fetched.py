"""Keys that a server fetches from a service's own address: whether it did, and how."""

from types import SimpleNamespace

import pytest

from onc_conformance import backendservice
from onc_conformance.bulk.service import Fetched, Token
from onc_conformance.fhirwork.asking import Got


def token(value="a-token"):
    body = b'{"access_token": "%s"}' % value.encode() if value else b'{"error": "invalid_client"}'
    exchange = SimpleNamespace(
        id="1", url="https://ehr.example/token", status=200 if value else 401, response_body=body, error=None
    )
    return Token(Got("a token", exchange, None, None), "")


@pytest.mark.parametrize(
    ("value", "times", "secure", "said"),
    [
        ("a-token", 1, True, []),
        ("a-token", None, True, []),
        ("a-token", 1, False, ["warning"]),
        ("a-token", 0, True, ["error"]),
        ("", 1, True, ["error"]),
    ],
)
def test_a_key_is_fetched_and_used_by_tls(value, times, secure, said):
    keys = Fetched([token(value)] * 3, times=times, secure=secure)
    assert [str(each.severity) for each in backendservice.used(keys, "AUT-SYS-4")] == said
