"""What anybody learns without a token."""

import pytest

from onc_conformance.reference.settings import Settings
from onc_conformance.reference.smart.discovery import CAPABILITIES, SINCE_2, configuration


def test_the_configuration_names_endpoints_that_answer(app):
    answer = app.http.get(f"{app.base}/.well-known/smart-configuration")
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json
    assert told["capabilities"] == [*CAPABILITIES, *SINCE_2]
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "management_endpoint", "jwks_uri"):
        assert app.http.get(told[name]).status_code in {200, 400}
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert app.http.post(told[name]).status_code == 400


def test_version_1_knows_one_form_of_scopes_and_no_challenge():
    told = configuration("https://ehr.example/auth", Settings(us_core="3.1.1", smart="1.0.0"), frozenset())
    assert told["capabilities"] == list(CAPABILITIES)
    assert "code_challenge_methods_supported" not in told
    assert "patient/Condition.read" in told["scopes_supported"]
    assert not any(scope.endswith(".rs") or "/Coverage." in scope for scope in told["scopes_supported"])


def test_the_statement_names_the_same(app):
    told = app.http.get(f"{app.base}/.well-known/smart-configuration").json
    security = app.http.get(f"{app.base}/metadata").json["rest"][0]["security"]
    uris = {one["url"]: one["valueUri"] for one in security["extension"][0]["extension"]}
    assert uris["authorize"] == told["authorization_endpoint"]
    assert uris["token"] == told["token_endpoint"]
    assert uris["introspect"] == told["introspection_endpoint"]


@pytest.mark.parametrize("path", ["fhir/.well-known/smart-configuration", "auth/token", "fhir/metadata", "auth/jwks"])
def test_scripts_of_other_origins_may_use_it(app, path):
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    answer = app.http.options(f"{app.origin}/{path}", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    page = app.http.get(f"{app.origin}/auth/manage", headers=headers)
    assert "Access-Control-Allow-Origin" not in page.headers
