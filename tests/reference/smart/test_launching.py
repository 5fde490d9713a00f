"""Apps opened from within the EHR."""

from urllib.parse import parse_qs, urlsplit

import pytest
from tests.reference.smart.apps import Browser, SmartApp

LAUNCH = "http://127.0.0.1:4712/launch"
SCOPE = "launch openid fhirUser user/*.rs"


def opened(browser, app, /, **changes):
    """What the app was opened with."""
    browser.get("/auth/launch")
    if "username" in browser.page.text:
        browser.log_in("CLINICIAN")
    visits = [one for group in browser.form.xpath(".//optgroup") for one in group.xpath("./option/@value")]
    patient = browser.form.xpath(".//select[@name='patient']/option/@value")[0]
    browser.submit(**({"client": app.id, "app": LAUNCH, "patient": patient, "encounter": visits[0]} | changes))
    query = parse_qs(urlsplit(browser.url).query)
    return {name: values[0] for name, values in query.items()}, patient, visits[0]


def test_an_app_learns_of_patient_visit_and_style(app, browser):
    told, patient, visit = opened(browser, app)
    assert browser.url.startswith(LAUNCH)
    assert told["iss"] == app.base
    browser.get("/auth/authorize", **app.request(scope=SCOPE, launch=told["launch"]))
    token = app.redeem(browser.allow().answer["code"]).json
    assert (token["patient"], token["encounter"]) == (patient, visit)
    assert token["need_patient_banner"] is False
    assert app.http.get(token["smart_style_url"]).json["color_text"]
    (context,) = token["fhirContext"]
    assert app.get(context["reference"], token["access_token"]).json["resourceType"] == context["type"]
    encounter = app.get(f"Encounter/{visit}", token["access_token"]).json
    assert encounter["subject"]["reference"] == f"Patient/{patient}"


def test_scopes_of_the_patient_are_of_the_one_whose_chart_is_open(app, browser, ehr):
    told, patient, _ = opened(browser, app, encounter="")
    browser.get("/auth/authorize", **app.request(scope="launch patient/*.rs", launch=told["launch"]))
    token = app.redeem(browser.allow().answer["code"]).json
    assert token["patient"] == patient
    assert "encounter" not in token
    other = next(one["id"] for one in ehr._fhir.records.of_type("Patient") if one["id"] != patient)
    assert app.get(f"Patient/{other}", token["access_token"]).status_code == 403
    assert app.get(f"Condition?patient={other}", token["access_token"]).status_code == 403
    assert app.get("Condition", token["access_token"]).json["resourceType"] == "Bundle"


def test_a_launch_is_its_apps_and_its_users(ehr, app, browser):
    told, _, _ = opened(browser, app)
    other = SmartApp(ehr, "symmetric")
    browser.get("/auth/authorize", **other.request(scope=SCOPE, launch=told["launch"]))
    assert browser.answer["error"] == "invalid_request"
    stranger = Browser(ehr)
    stranger.get("/auth/authorize", **app.request(scope=SCOPE, launch=told["launch"]))
    stranger.log_in()
    assert stranger.answer["error"] == "access_denied"


@pytest.mark.parametrize(
    "changes",
    [
        {"client": "nobody"},
        {"client": "reference-bulk-client"},
        {"app": "http://127.0.0.1:4712/elsewhere"},
        {"app": "https://evil.example.org/launch"},
        {"patient": "nobody"},
        {"encounter": "nobody"},
    ],
)
def test_only_what_is_registered_is_opened(app, browser, changes):
    opened(browser, app, **changes)
    assert browser.page.status_code == 400
    assert 'role="alert"' in browser.page.text


def test_patients_open_no_apps_there(browser):
    browser.get("/auth/launch").log_in()
    assert browser.page.status_code == 403
    assert "password" in browser.page.text


def test_an_app_is_opened_where_it_is_registered_unless_told(app, browser):
    opened(browser, app, app="")
    assert browser.url.startswith("http://127.0.0.1/launch?")
