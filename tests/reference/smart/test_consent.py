"""From an app's request by login, choice of a patient and consent back to the app."""

import pytest
from tests.reference.smart.apps import REDIRECT, STANDALONE, SmartApp


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_code_comes_back_with_the_state(app, browser, method):
    if method == "get":
        browser.get("/auth/authorize", **app.request())
    else:
        browser.post("/auth/authorize", app.request())
    assert browser.page.headers["X-Frame-Options"] == "DENY"
    assert browser.page.headers["Cache-Control"] == "no-store"
    browser.log_in().allow()
    assert browser.url.startswith(REDIRECT)
    assert browser.answer["state"] == app.state
    assert set(browser.answer) == {"code", "state"}


def test_who_is_logged_in_is_not_asked_again(app, browser):
    app.code(browser)
    browser.get("/auth/authorize", **app.request())
    assert "decision" in browser.page.text
    assert browser.fields("username") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "reference-bulk-client"},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1/elsewhere"},
        {"redirect_uri": "http://127.0.0.1/redirect/"},
        {"redirect_uri": "http://127.0.0.1/redirect?next=1"},
        {"redirect_uri": "http://127.0.0.1/redirect#here"},
        {"redirect_uri": "https://127.0.0.1/redirect"},
        {"redirect_uri": "http://localhost/redirect"},
        {"redirect_uri": "http://127.0.0.1:99999/redirect"},
        {"redirect_uri": "http://user@127.0.0.1/redirect"},
        {"redirect_uri": "http://127.0.0.1.example.org/redirect"},
        {"redirect_uri": "//[:/redirect"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_nobody_is_sent_where_no_app_is_registered(app, browser, changes):
    browser.get("/auth/authorize", **app.request(**changes))
    assert browser.page.status_code == 400
    assert "text/html" in browser.page.headers["Content-Type"]
    assert browser.url.startswith(browser.origin)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://ehr.example.org/fhir"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "system/*.rs nonsense"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "launch patient/*.rs"}, "invalid_request"),
        ({"launch": "invented"}, "invalid_request"),
    ],
)
def test_the_app_is_told_what_is_wrong(app, browser, changes, error):
    browser.get("/auth/authorize", **app.request(**changes))
    assert browser.answer["error"] == error
    assert browser.answer["state"] == app.state
    assert browser.answer["error_description"]


def test_a_request_without_a_state_is_refused(app, browser):
    browser.get("/auth/authorize", **app.request(state=None))
    assert browser.answer["error"] == "invalid_request"
    assert "state" not in browser.answer


def test_a_parameter_comes_once(app, browser):
    sent = [*app.request().items(), ("aud", "x")]
    answer = browser.http.get(f"{browser.origin}/auth/authorize", query_string=sent)
    assert answer.status_code == 400


def test_a_wrong_password_is_told_and_can_be_tried_again(app, browser):
    browser.get("/auth/authorize", **app.request())
    browser.submit(username="patient", password="wrong")
    assert browser.page.status_code == 403
    assert 'role="alert"' in browser.page.text
    browser.submit(username="nobody", password="")
    assert browser.page.status_code == 403
    browser.log_in().allow()
    assert browser.answer["code"]


def test_who_refuses_is_heard(app, browser):
    browser.get("/auth/authorize", **app.request())
    browser.log_in().submit(decision="deny")
    assert browser.answer == {
        "error": "access_denied",
        "error_description": browser.answer["error_description"],
        "state": app.state,
    }
    browser.get("/auth/authorize", **app.request())
    browser.submit(decision="allow", scope=None)
    assert browser.answer["error"] == "access_denied"
    browser.get("/auth/authorize", **app.request())
    browser.submit(scope="patient/*.rs")
    assert browser.answer["error"] == "access_denied"


def test_what_is_ticked_is_granted_and_nothing_else(app, browser):
    told = app.tokens(browser, "patient/Patient.rs", scope="patient/Patient.rs patient/Condition.rs offline_access")
    assert told["scope"] == "patient/Patient.rs"
    assert "refresh_token" not in told
    told = app.tokens(browser, "patient/Patient.rs", "user/*.rs", "openid", scope="patient/Patient.rs")
    assert told["scope"] == "patient/Patient.rs"
    assert "id_token" not in told


def test_a_scope_can_be_narrowed_to_categories(app, browser):
    browser.get("/auth/authorize", **app.request(scope="patient/Condition.rs"))
    browser.log_in()
    parts = [one for one in browser.fields("scope") if "?" in one]
    assert len(parts) == 3
    assert browser.form.fields["scope"] is not None
    browser.allow(parts[0])
    told = app.redeem(browser.answer["code"]).json
    assert told["scope"] == parts[0]
    assert told["patient"]


def test_a_clinician_chooses_a_patient(ehr, app, browser):
    browser.get("/auth/authorize", **app.request())
    browser.log_in("CLINICIAN")
    offered = browser.fields("patient")
    assert ehr.env["FHIR_PATIENT"] in offered
    browser.submit(patient="nobody")
    assert browser.fields("patient") == offered
    browser.submit(patient=offered[1]).allow()
    told = app.redeem(browser.answer["code"]).json
    assert told["patient"] == offered[1]
    assert app.get(f"Patient/{offered[1]}", told["access_token"]).status_code == 200
    assert app.get(f"Patient/{offered[0]}", told["access_token"]).status_code == 403


def test_a_patient_cannot_choose_another(app, browser, ehr):
    browser.get("/auth/authorize", **app.request())
    browser.log_in()
    other = next(one["id"] for one in ehr._fhir.records.of_type("Patient") if one["id"] != ehr.env["FHIR_PATIENT"])
    ticket = browser.form.fields["request"]
    browser.post("/auth/patient", {"request": ticket, "patient": other})
    browser.allow()
    assert app.redeem(browser.answer["code"]).json["patient"] == ehr.env["FHIR_PATIENT"]


@pytest.mark.parametrize("page", ["login", "patient", "consent"])
def test_a_form_that_nobody_was_shown_is_refused(browser, page):
    browser.post(f"/auth/{page}", {"request": "invented", "decision": "allow", "username": "x"})
    assert browser.page.status_code == 400
    assert browser.http.get(f"{browser.origin}/auth/continue").status_code == 400


def test_consent_is_given_once_and_by_who_was_asked(app, browser, ehr):
    browser.get("/auth/authorize", **app.request())
    browser.log_in()
    ticket = browser.form.fields["request"]
    stranger = type(browser)(ehr)
    stranger.post("/auth/consent", {"request": ticket, "decision": "allow", "scope": "patient/*.rs"})
    assert stranger.fields("request") == stranger.fields("request")
    assert "password" in stranger.page.text
    browser.allow()
    assert browser.answer["code"]
    browser.post("/auth/consent", {"request": ticket, "decision": "allow", "scope": "patient/*.rs"})
    assert browser.page.status_code == 400


def test_hostile_words_stay_words(app, browser):
    evil = '"><script>alert(1)</script>'
    browser.get("/auth/authorize", **app.request(state=evil, nonce=evil, scope=f"{STANDALONE} {evil}"))
    assert "<script>" not in browser.page.text
    browser.log_in().allow()
    assert browser.answer["state"] == evil
    browser.get("/auth/authorize", **app.request(client_id=evil))
    assert "<script>" not in browser.page.text


def test_a_request_for_an_app_of_another_kind_of_proof_is_the_same(ehr, browser):
    assert SmartApp(ehr, "symmetric").tokens(browser)["patient"] == ehr.env["FHIR_PATIENT"]
