"""The token endpoint: three kinds of clients, what they are told, and what is refused."""

import base64
import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import ECKey
from tests.reference.smart.apps import REDIRECT, TYPE, Browser, SmartApp, basic, error

from onc_conformance.reference import ReferenceEHR, Settings

KINDS = ["public", "symmetric", "asymmetric"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_standalone_launch_ends_with_a_token_that_reads(ehr, browser, kind):
    app = SmartApp(ehr, kind)
    told = app.tokens(browser)
    assert told["token_type"] == "Bearer"
    assert told["expires_in"] == 300
    assert told["patient"] == ehr.env["FHIR_PATIENT"]
    assert told["scope"] == "launch/patient openid fhirUser offline_access patient/*.rs"
    patient = app.get(f"Patient/{told['patient']}", told["access_token"])
    assert patient.json["id"] == told["patient"]
    renewed = app.refresh(told["refresh_token"]).json
    assert renewed["patient"] == told["patient"]
    assert renewed["access_token"] != told["access_token"]
    assert app.get(f"Condition?patient={told['patient']}", renewed["access_token"]).status_code == 200


# --- codes


def test_a_code_is_good_once(app, browser):
    code = app.code(browser)
    token = app.redeem(code).json["access_token"]
    assert app.get("Condition", token).status_code == 200
    assert error(app.redeem(code)) == (400, "invalid_grant")
    assert app.get("Condition", token).status_code == 401


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"code": "invented"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"redirect_uri": REDIRECT.replace("4711", "4712")}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code_verifier": "x" * 64}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "\u00e4" * 50}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
    ],
)
def test_a_code_is_good_for_its_request_alone(app, browser, changes, told):
    code = app.code(browser)
    assert error(app.redeem(code, **changes)) == (400, told)
    assert app.redeem(code).status_code == 200


def test_the_challenge_is_no_verifier(app, browser):
    code = app.code(browser)
    assert error(app.redeem(code, code_verifier=app.challenge)) == (400, "invalid_grant")


def test_a_code_is_no_other_apps(ehr, app, browser):
    code = app.code(browser)
    other = SmartApp(ehr, "symmetric")
    assert error(other.redeem(code, code_verifier=app.verifier)) == (400, "invalid_grant")


def test_a_code_runs_out():
    with ReferenceEHR(settings=Settings(code_life=0)) as ehr:
        app = SmartApp(ehr)
        assert error(app.redeem(app.code(Browser(ehr)))) == (400, "invalid_grant")


def test_of_many_at_once_one_is_given_a_token(ehr, app, browser):
    code = app.code(browser)
    many = [SmartApp(ehr) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: each.redeem(code, code_verifier=app.verifier), many))
    assert [answer.status_code for answer in answers].count(200) <= 1
    token = next((answer.json["access_token"] for answer in answers if answer.status_code == 200), "none")
    assert app.get("Condition", token).status_code == 401


# --- who asks


def test_a_secret_is_needed_and_must_be_right(ehr, browser):
    app = SmartApp(ehr, "symmetric")
    code = app.code(browser)
    for headers, form in (
        (basic(app.id, "wrong"), {}),
        (basic(app.id, ""), {}),
        (basic("nobody", "x"), {}),
        ({"Authorization": "Basic !!!"}, {}),
        ({"Authorization": "Basic /w=="}, {}),
        ({"Authorization": "Bearer x"}, {}),
        ({}, {"client_id": app.id}),
        ({}, {}),
        (basic(app.id, ehr.env["SMART_SYMMETRIC_SECRET"]), {"client_id": ehr.env["SMART_PUBLIC_ID"]}),
    ):
        answer = app.post(
            "/auth/token",
            headers,
            grant_type="authorization_code",
            code=code,
            redirect_uri=REDIRECT,
            code_verifier=app.verifier,
            **form,
        )
        assert error(answer) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert app.redeem(code).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"aud": "https://ehr.example.org/auth/token"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": 9_999_999_999},
        {"exp": "soon"},
        {"jti": None},
        {"jti": ""},
    ],
)
def test_an_assertion_claims_the_truth(ehr, browser, changes):
    app = SmartApp(ehr, "asymmetric")
    code = app.code(browser)
    answer = app.redeem(code, client_assertion=app.assertion(**changes))
    assert error(answer) == (401, "invalid_client")


@pytest.mark.parametrize(
    "assertion",
    ["", "x", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "W10.W10.x", "." * 10_000, "\u00e4.\u00e4.\u00e4"],
)
def test_what_is_no_assertion_is_refused(ehr, browser, assertion):
    app = SmartApp(ehr, "asymmetric")
    answer = app.redeem("x", client_assertion=assertion)
    assert error(answer) == (401, "invalid_client")
    assert error(app.redeem("x", client_assertion_type="password")) == (400, "invalid_request")


def test_an_assertion_is_signed_with_the_apps_key_and_used_once(ehr, browser):
    app = SmartApp(ehr, "asymmetric")
    code = app.code(browser)
    forged = app.assertion(ECKey.generate_key("P-384"))
    assert error(app.redeem(code, client_assertion=forged)) == (401, "invalid_client")
    unsigned = f"{packed({'alg': 'HS256'})}.{app.assertion().split('.')[1]}"
    mac = hmac.new(app.key.as_pem(private=False), unsigned.encode(), "sha256").digest()
    for signature in (mac, b""):
        confused = f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        assert error(app.redeem(code, client_assertion=confused)) == (401, "invalid_client")
    assertion = app.assertion()
    told = app.redeem(code, client_assertion=assertion).json
    answer = app.refresh(told["refresh_token"], client_assertion=assertion)
    assert error(answer) == (401, "invalid_client")
    both = app.post("/auth/token", basic("a", "b"), client_assertion=assertion, grant_type="refresh_token")
    assert error(both) == (400, "invalid_request")


def packed(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


# --- refresh


def test_a_refresh_token_gives_what_was_granted_or_less(app, browser):
    told = app.tokens(browser)
    refresh = told["refresh_token"]
    less = app.refresh(refresh, scope="patient/Patient.r launch/patient").json
    assert less["scope"] == "patient/Patient.r launch/patient"
    assert app.get(f"Patient/{told['patient']}", less["access_token"]).status_code == 200
    assert app.get("Condition", less["access_token"]).status_code == 403
    for scope in ("user/*.rs", "patient/*.rs system/*.rs", "patient/*.cruds", "nonsense"):
        assert error(app.refresh(refresh, scope=scope)) == (400, "invalid_scope")
    assert app.refresh(refresh).json["scope"] == told["scope"]


def test_a_refresh_token_is_its_apps_alone(ehr, app, browser):
    refresh = app.tokens(browser)["refresh_token"]
    assert error(SmartApp(ehr, "symmetric").refresh(refresh)) == (400, "invalid_grant")
    assert error(app.refresh("invented")) == (400, "invalid_grant")
    assert error(app.refresh(None)) == (400, "invalid_grant")


def test_without_a_lasting_scope_there_is_no_refresh_token(app, browser):
    assert "refresh_token" not in app.tokens(browser, scope="launch/patient patient/*.rs")
    online = app.tokens(browser, scope="launch/patient patient/*.rs online_access")
    assert app.refresh(online["refresh_token"]).status_code == 200


# --- backend services


def test_a_backend_service_has_what_it_was_registered_for(ehr):
    from tests.reference.smart.services import Service

    service = Service(ehr)
    for alg in ("RS384", "ES384"):
        told = service.ask("system/Patient.rs", alg).json
        assert told["scope"] == "system/Patient.rs"
        assert "refresh_token" not in told
        assert service.get("Patient?name=a", told["access_token"]) == 200
        assert service.get(f"Condition?patient={ehr.env['FHIR_PATIENT']}", told["access_token"]) == 403
    assert service.ask("system/*.read").status_code == 200
    for scope in ("", "patient/*.rs", "system/*.cruds", "system/Slot.rs", "system/Patient.rs openid"):
        assert error(service.ask(scope)) == (400, "invalid_scope")
    assert error(service.ask("system/*.rs", grant_type="authorization_code")) == (400, "unauthorized_client")


def test_an_app_of_people_is_no_backend_service(ehr):
    app = SmartApp(ehr, "asymmetric")
    answer = app.post("/auth/token", grant_type="client_credentials", scope="system/*.rs")
    assert error(answer) == (400, "unauthorized_client")


# --- what is no form


def test_only_forms_are_read(app):
    answer = app.http.post(f"{app.origin}/auth/token", json={"grant_type": "refresh_token"})
    assert error(answer) == (400, "invalid_request")
    twice = app.http.post(f"{app.origin}/auth/token", data={"grant_type": ["a", "b"]})
    assert twice.status_code == 400
    assert app.http.get(f"{app.origin}/auth/token").status_code == 405
    huge = app.http.post(f"{app.origin}/auth/token", data={"grant_type": "x" * 5_000_000})
    assert huge.status_code in {400, 413}
    many = app.http.post(
        f"{app.origin}/auth/token", data="&".join(f"a{n}=1" for n in range(200_000)),
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert many.status_code in {400, 401, 413}
    form = "application/x-www-form-urlencoded"
    odd = app.http.post(f"{app.origin}/auth/token", data=b"\xff\xfe%%%=\x00&&=", content_type=form)
    assert odd.status_code == 400
    assert app.redeem("x", client_assertion_type=TYPE).status_code == 401
