"""The token endpoint: three kinds of clients, what they are told, and what is refused."""

import pytest
from tests.reference.smart.apps import SmartApp, error


@pytest.mark.parametrize("kind", ["public", "symmetric", "asymmetric"])
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


def test_a_code_is_good_once(app, browser):
    code = app.code(browser)
    token = app.redeem(code).json["access_token"]
    assert app.get("Condition", token).status_code == 200
    assert error(app.redeem(code)) == (400, "invalid_grant")
    assert app.get("Condition", token).status_code == 401
