"""Tokens asked about and given back."""

import time

import pytest
from tests.reference.smart.apps import SmartApp, basic, error


def about(ehr, app, token, headers=None):
    own = basic(ehr.env["SMART_INTROSPECT_ID"], ehr.env["SMART_INTROSPECT_SECRET"])
    return app.post("/auth/introspect", own if headers is None else headers, token=token, client_id=None)


def test_a_good_token_is_told_of(ehr, app, browser):
    token = app.tokens(browser)
    answer = about(ehr, app, token["access_token"])
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    assert told["active"] is True
    assert told["scope"] == token["scope"]
    assert told["client_id"] == app.id
    assert told["patient"] == token["patient"]
    assert told["fhirUser"] == f"{app.base}/Patient/{token['patient']}"
    assert 0 < told["exp"] - time.time() <= 300
    refresh = about(ehr, app, token["refresh_token"]).json
    assert refresh["active"] is True
    assert refresh["exp"] - time.time() > 90 * 86400


def test_of_others_nothing_is_told_but_that(ehr, app, browser):
    token = app.tokens(browser)["access_token"]
    assert app.post("/auth/revoke", token=token).status_code == 200
    for other in ("invented", "", token, ehr.env["SMART_EXPIRED_TOKEN"]):
        assert about(ehr, app, other).json == {"active": False}


def test_who_asks_must_prove_it(ehr, app, browser):
    token = app.tokens(browser)["access_token"]
    for headers in ({}, basic(ehr.env["SMART_INTROSPECT_ID"], "wrong"), basic("nobody", "x")):
        assert error(about(ehr, app, token, headers)) == (401, "invalid_client")
    assert error(app.post("/auth/introspect", token=token)) == (401, "invalid_client")
    own = SmartApp(ehr, "symmetric")
    assert own.post("/auth/introspect", token=token).json == {"active": False}
    assert own.post("/auth/introspect", token=own.tokens(browser)["access_token"]).json["active"] is True
    assert error(own.post("/auth/introspect")) == (400, "invalid_request")


def test_a_token_of_nobodys_is_told_of(ehr, app):
    assert about(ehr, app, ehr.env["FHIR_TOKEN"]).json["scope"] == "user/*.rs"


@pytest.mark.parametrize("kind", ["public", "symmetric", "asymmetric"])
def test_a_refresh_token_given_back_ends_all_that_came_of_it(ehr, browser, kind):
    app = SmartApp(ehr, kind)
    told = app.tokens(browser)
    headers = None
    form = {"client_assertion": app.assertion(aud=f"{app.origin}/auth/revoke")} if kind == "asymmetric" else {}
    assert app.post("/auth/revoke", headers, token=told["refresh_token"], **form).status_code == 200
    assert app.get("Condition", told["access_token"]).status_code == 401
    assert error(app.refresh(told["refresh_token"])) == (400, "invalid_grant")


def test_an_access_token_given_back_ends_alone(app, browser):
    told = app.tokens(browser)
    assert app.post("/auth/revoke", token=told["access_token"]).status_code == 200
    assert app.get("Condition", told["access_token"]).status_code == 401
    assert app.refresh(told["refresh_token"]).status_code == 200


def test_nobody_gives_back_what_is_anothers(ehr, app, browser):
    told = app.tokens(browser)
    other = SmartApp(ehr, "symmetric")
    for token in (told["access_token"], told["refresh_token"], "invented"):
        assert other.post("/auth/revoke", token=token).status_code == 200
    assert app.get("Condition", told["access_token"]).status_code == 200
    assert error(other.post("/auth/revoke")) == (400, "invalid_request")
    assert error(app.post("/auth/revoke", client_id="nobody", token="x")) == (401, "invalid_client")
