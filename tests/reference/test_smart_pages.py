"""The pages for people, in a real browser: what they show, that they can be used by keyboard, and what a click does."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from onc_conformance.access import browser
from onc_conformance.access.apps import App
from onc_conformance.access.authorization import request_for
from onc_conformance.access.listener import Listener
from onc_conformance.reference import ReferenceEHR, charts

pytestmark = pytest.mark.skipif(not browser.available(), reason="no browser, or nothing that drives one")

PICTURES = os.environ.get("ONC_CONFORMANCE_PICTURES")
"""A folder to keep screenshots in: docs/ has some."""
SCOPES = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs patient/Observation.rs"


@pytest.fixture(scope="module")
def ehr():
    with ReferenceEHR(charts.bundled()) as running:
        yield running


@pytest.fixture(scope="module")
def asking(ehr):
    """Makes authorization requests of an app whose redirect URI answers: nothing stays pending after a click."""
    with Listener() as listener:
        app = App(
            kind="public",
            id=ehr.env["SMART_PUBLIC_ID"],
            redirect=listener.at("http://127.0.0.1/redirect"),
            launch="http://x/",
        )
        origin = ehr.env["FHIR_BASE"].removesuffix("/fhir")

        def ask(**changed):
            request = request_for(app, f"{origin}/auth/authorize", audience=ehr.env["FHIR_BASE"], scope=SCOPES)
            parameters = {**dict(request.parameters), **changed}
            return f"{origin}/auth/authorize?{urlencode(parameters)}", request

        yield ask


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    browser.shut()  # one at a time in a thread
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=browser.program(), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1000, "height": 760})
    opened = context.new_page()
    yield opened
    context.close()


def pictured(page, name):
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def logged_in(page, ehr, who="PATIENT"):
    page.fill("[name=username]", ehr.env[f"SMART_{who}_USER"])
    page.fill("[name=password]", ehr.env[f"SMART_{who}_PASSWORD"])
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def sent_back(page, press):
    """What the app is told at the address that a click leads to, once its page is there."""
    press()
    page.wait_for_url("**/redirect?*")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def labelled(page):
    """Whether everything that can be filled or chosen has a name for whoever cannot see it."""
    return page.evaluate(
        """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
        .filter(each => !each.labels.length && !each.ariaLabel).map(each => each.name)"""
    )


def test_a_patient_logs_in_and_agrees(page, ehr, asking):
    address, request = asking()
    page.goto(address)
    assert page.title()
    assert page.locator("h1").count() == 1
    assert labelled(page) == []
    pictured(page, "smart-login")
    logged_in(page, ehr)
    assert page.locator("[name=scope]").count() >= len(SCOPES.split()) - 1
    assert "offline" in page.inner_text("main").lower()
    assert labelled(page) == []
    pictured(page, "smart-consent")
    told = sent_back(page, lambda: page.click("[name=decision][value=allow]"))
    assert told["state"] == request.state
    assert told["code"]


def test_a_patient_refuses(page, ehr, asking):
    address, request = asking()
    page.goto(address)
    logged_in(page, ehr)
    told = sent_back(page, lambda: page.click("[name=decision][value=deny]"))
    assert told["error"] == "access_denied"
    assert told["state"] == request.state
    assert "code" not in told


def test_consent_can_be_given_by_keyboard_alone(page, ehr, asking):
    address, _ = asking()
    page.goto(address)
    logged_in(page, ehr)
    page.locator("[name=scope]").last.focus()
    page.keyboard.press("Space")
    page.locator("[name=decision][value=allow]").focus()
    assert sent_back(page, lambda: page.keyboard.press("Enter"))["code"]


def test_a_wrong_password_is_told_and_asked_for_again(page, ehr, asking):
    page.goto(asking()[0])
    page.fill("[name=username]", ehr.env["SMART_PATIENT_USER"])
    page.fill("[name=password]", "guess")
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()
    assert "wrong" in page.inner_text("main").lower()
    assert page.input_value("[name=password]") == ""


def test_a_request_that_is_refused_is_a_page_and_leads_nowhere(page, ehr, asking):
    answer = page.goto(asking(client_id="nobody")[0])
    assert answer.status in {400, 401, 403}
    assert urlsplit(page.url).path == "/auth/authorize"
    assert page.locator("h1").count() == 1
    pictured(page, "smart-refused")


def test_a_clinician_chooses_a_patient(page, ehr, asking):
    page.goto(asking()[0])
    logged_in(page, ehr, "CLINICIAN")
    assert page.locator("[name=patient]").count() > 1
    assert labelled(page) == []
    pictured(page, "smart-patient")
    page.locator("[name=patient]").nth(1).check()
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    assert sent_back(page, lambda: page.click("[name=decision][value=allow]"))["code"]


def test_a_patient_sees_the_app_and_takes_it_back(page, ehr, asking):
    page.goto(asking()[0])
    logged_in(page, ehr)
    sent_back(page, lambda: page.click("[name=decision][value=allow]"))
    page.goto(ehr.env["SMART_MANAGE_PAGE"])
    button = page.locator(f"[name=revoke][value={ehr.env['SMART_PUBLIC_ID']}]")
    assert button.count() == 1
    pictured(page, "smart-manage")
    button.click()
    page.wait_for_load_state()
    assert button.count() == 0


def test_the_launch_page_knows_apps_and_patients(page, ehr):
    page.goto(ehr.env["SMART_LAUNCH_PAGE"])
    logged_in(page, ehr, "CLINICIAN")
    assert page.locator("[name=client]").count() >= 1
    assert labelled(page) == []
    pictured(page, "smart-launch")


def test_no_page_is_wider_than_a_telephone(chromium, ehr, asking):
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(asking()[0])
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if page.locator("[name=password]").count():
            logged_in(page, ehr)
    context.close()
