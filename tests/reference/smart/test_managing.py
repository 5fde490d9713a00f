"""Apps that people allowed something, and took it back."""

import pytest
from tests.reference.smart.apps import Browser, SmartApp, error


def test_taking_back_ends_an_app_and_no_other(ehr, app, browser):
    told = app.tokens(browser)
    other = SmartApp(ehr, "symmetric")
    kept = other.tokens(browser)
    browser.get("/auth/manage")
    assert "Health Diary" in browser.page.text
    browser.post("/auth/manage", {"revoke": app.id})
    assert "Health Diary" not in browser.page.text
    assert "Care Compass" in browser.page.text
    assert app.get("Condition", told["access_token"]).status_code == 401
    assert error(app.refresh(told["refresh_token"])) == (400, "invalid_grant")
    assert other.get("Condition", kept["access_token"]).status_code == 200
    again = app.tokens(browser)
    assert app.get("Condition", again["access_token"]).status_code == 200


def test_people_see_their_own_apps_alone(ehr, app, browser):
    token = app.tokens(browser)["access_token"]
    stranger = Browser(ehr)
    stranger.get("/auth/manage")
    assert "Health Diary" not in stranger.page.text
    assert stranger.submit(username="clinician", password="wrong").page.status_code == 403
    stranger.log_in("CLINICIAN")
    stranger.post("/auth/manage", {"revoke": app.id})
    assert app.get("Condition", token).status_code == 200


@pytest.mark.parametrize("app_id", ["", "nobody", "<script>"])
def test_what_nobody_allowed_is_not_taken_back(browser, app, app_id):
    token = app.tokens(browser)["access_token"]
    browser.post("/auth/manage", {"revoke": app_id})
    assert browser.page.status_code == 200
    assert app.get("Condition", token).status_code == 200


def test_who_leaves_is_asked_again(browser):
    browser.get("/auth/manage").log_in()
    browser.post("/auth/manage", {"leave": "yes"})
    assert "password" in browser.page.text
    browser.post("/auth/manage", {"revoke": "reference-public-app"})
    assert "password" in browser.page.text
