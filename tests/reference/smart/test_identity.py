"""OpenID Connect: what is published, and id_tokens that hold against it."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.reference.smart.apps import SmartApp


def published(app, path):
    answer = app.http.get(f"{app.origin}/auth/{path}")
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json


def claims(app, token):
    keys = KeySet.import_key_set(published(app, "jwks"))
    return jwt.decode(token, keys, algorithms=["RS256"]).claims


def test_what_is_published_belongs_together(app):
    told = published(app, ".well-known/openid-configuration")
    assert told["issuer"] == f"{app.origin}/auth"
    assert told["jwks_uri"] == f"{app.origin}/auth/jwks"
    assert told["token_endpoint"] == f"{app.origin}/auth/token"
    (key,) = published(app, "jwks")["keys"]
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    assert not {"d", "p", "q"} & key.keys()


def test_an_id_token_is_for_this_app_and_launch(app, browser):
    told = app.tokens(browser, nonce="n-42")
    found = claims(app, told["id_token"])
    assert found["iss"] == f"{app.origin}/auth"
    assert found["aud"] == app.id
    assert found["nonce"] == "n-42"
    assert found["exp"] > found["iat"]
    assert found["fhirUser"] == f"{app.base}/Patient/{told['patient']}"
    assert app.get(found["fhirUser"], told["access_token"]).json["resourceType"] == "Patient"


def test_a_clinician_is_a_practitioner_that_can_be_read_by_that_scope_alone(app, browser):
    browser.get("/auth/authorize", **app.request(scope="openid fhirUser user/Condition.rs"))
    browser.log_in("CLINICIAN").allow()
    told = app.redeem(browser.answer["code"]).json
    assert "patient" not in told
    found = claims(app, told["id_token"])
    who = app.get(found["fhirUser"], told["access_token"])
    assert who.json["resourceType"] == "Practitioner"
    assert app.get("Practitioner?name=a", told["access_token"]).status_code == 403


@pytest.mark.parametrize(("scope", "there"), [("patient/*.rs", False), ("openid patient/*.rs", True)])
def test_only_who_asks_is_told(app, browser, scope, there):
    told = app.tokens(browser, scope=scope, nonce=None)
    assert ("id_token" in told) is there
    if there:
        assert not {"fhirUser", "nonce"} & claims(app, told["id_token"]).keys()


def test_the_same_person_has_the_same_subject(ehr, app, browser):
    first = claims(app, app.tokens(browser)["id_token"])
    other = SmartApp(ehr, "symmetric")
    second = claims(app, other.tokens(browser)["id_token"])
    assert first["sub"] == second["sub"]
    assert ehr.env["FHIR_PATIENT"] not in first["sub"]


def test_an_id_token_is_a_signed_one(app, browser):
    header = app.tokens(browser)["id_token"].split(".")[0]
    told = json.loads(base64.urlsafe_b64decode(header + "=="))
    assert told["alg"] == "RS256"
    assert told["kid"] == published(app, "jwks")["keys"][0]["kid"]
