"""The catalogue of authorization's faults and the code that commits them name each other."""

import copy
import re
from pathlib import Path

import pytest
from tests.reference.smart.apps import Browser, SmartApp, error

from onc_conformance.reference import ReferenceEHR, ehr
from onc_conformance.reference.faults import CATALOGUE
from onc_conformance.reference.settings import Settings
from onc_conformance.reference.smart import discovery
from onc_conformance.reference.smart import faults as misdone
from onc_conformance.reference.smart.identity import Identity

SOURCES = Path(ehr.__file__).parent.rglob("*.py")


def test_every_fault_is_committed_and_listed():
    committed = {name for path in SOURCES for name in re.findall(r'"(smart-[\w.-]+)"', path.read_text("utf-8"))}
    committed |= {f"smart-{name}" for name in ("missing-token-accepted", "expired-token-accepted", "token-not-checked")}
    pages = {path.stem for path in Path(ehr.__file__).parent.glob("html/smart-*.html")}
    listed = {fault.id for fault in CATALOGUE if fault.id.startswith("smart-")}
    assert listed == committed - pages
    assert len(listed) >= 55


NOBODY = frozenset()
TOLD = {
    "access_token": "t",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "openid patient/*.rs",
    "id_token": "i",
    "refresh_token": "r",
    "patient": "1",
    "encounter": "2",
    "need_patient_banner": True,
    "smart_style_url": "https://ehr.example/style.json",
    "fhirContext": [{"reference": "Location/3"}],
}
CLAIMS = {
    "iss": "https://ehr.example/auth",
    "sub": "4",
    "aud": "app",
    "exp": 9,
    "iat": 1,
    "nonce": "n",
    "fhirUser": "u",
}
SAMPLES = (
    (misdone.CLAIMS, CLAIMS),
    (misdone.KEYS, Identity(NOBODY).key_set()),
    (misdone.OPENID, Identity(NOBODY).configuration("https://ehr.example/auth")),
    (misdone.CONFIGURED, discovery.configuration("https://ehr.example/auth", Settings(), NOBODY)),
    (misdone.ANSWERED, TOLD),
    (misdone.REFRESHED, TOLD),
    (misdone.INTROSPECTED, {"active": True, "client_id": "app", "exp": 9, "sub": "4", **TOLD}),
)


@pytest.mark.parametrize(
    ("table", "sample", "fault"), [(table, sample, fault) for table, sample in SAMPLES for fault in table]
)
def test_a_fault_changes_one_thing_of_what_is_said(table, sample, fault):
    before = copy.deepcopy(sample)
    said = misdone.through(table, sample, {fault})
    assert sample == before == misdone.through(table, sample, NOBODY)
    changed = {name for name in sample if said.get(name) != sample[name]} | (said.keys() - sample.keys())
    assert len(changed) == 1 or changed == {"exp", "iat"}


def launched(fault, kind="public", **changes):
    """The answer with a token, and who got it."""
    with ReferenceEHR(faults=[fault]) as running:
        app = SmartApp(running, kind)
        yield app, app.code(Browser(running)), running


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("smart-pkce-unchecked", {"code_verifier": "x" * 43}),
        ("smart-pkce-verifier-blank-accepted", {"code_verifier": ""}),
        ("smart-pkce-verifier-missing-accepted", {"code_verifier": None}),
        ("smart-redirect-unchecked-at-token", {"redirect_uri": "http://127.0.0.1/elsewhere"}),
        ("smart-code-invented-accepted", {"code": "invented"}),
        ("smart-grant-type-unchecked", {"grant_type": "magic"}),
        ("smart-code-without-address-accepted", {"redirect_uri": None}),
    ],
)
def test_a_fault_of_codes_lets_one_wrong_thing_pass_and_no_other(fault, changes):
    wrong = {"code": "invented", "redirect_uri": "http://127.0.0.1/other", "code_verifier": "y" * 43}
    for app, code, _ in launched(fault):
        for name, value in wrong.items():
            if name not in changes:
                assert error(app.redeem(code, **{name: value})) == (400, "invalid_grant")
        assert app.redeem(code, **changes).status_code == 200


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("smart-token-type-missing", "token_type"),
        ("smart-patient-missing", "patient"),
        ("smart-id-token-missing", "id_token"),
        ("smart-refresh-token-missing", "refresh_token"),
        ("smart-scope-missing", "scope"),
    ],
)
def test_a_fault_of_the_answer_leaves_one_thing_out(fault, name):
    for app, code, _ in launched(fault):
        told = app.redeem(code).json
        whole = {"access_token", "token_type", "expires_in", "scope", "patient", "need_patient_banner"}
        whole |= {"smart_style_url", "refresh_token", "id_token"}
        assert whole - told.keys() == {name}


def test_a_secret_that_is_not_looked_at_is_still_somebodys():
    for app, code, running in launched("smart-secret-unchecked", "symmetric"):
        stranger = app.post("/auth/token", {}, grant_type="authorization_code", code=code, client_id="nobody")
        assert error(stranger) == (401, "invalid_client")
        app.env = running.env | {"SMART_SYMMETRIC_SECRET": "wrong"}
        assert app.redeem(code).status_code == 200


def test_a_patient_that_is_not_enforced_leaves_types_enforced():
    with ReferenceEHR(faults=["smart-patient-not-enforced"]) as running:
        app = SmartApp(running)
        token = app.tokens(Browser(running), scope="patient/Patient.rs")["access_token"]
        others = [one["id"] for one in running._fhir.records.of_type("Patient")]
        assert {app.get(f"Patient/{one}", token).status_code for one in others} == {200}
        assert app.get("Condition", token).status_code == 403
