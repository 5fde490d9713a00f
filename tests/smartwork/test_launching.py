"""Apps launched through the pages of a small server: rightly, wrongly, and where the server is spoilt."""

import json
from types import SimpleNamespace

import pytest
from tests.smartwork.double import CONSENT

from onc_conformance import authorization, targets
from onc_conformance.access.parameters import Change
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.smartwork import answered, contexts

WITHOUT = 'without = [] # what the product has not, as ["auth'


def messages(findings):
    return [str(finding.message) for finding in findings]


@pytest.mark.parametrize("kind", ["public", "symmetric", "asymmetric"])
@pytest.mark.parametrize("post", [False, True])
def test_an_app_is_launched_by_itself(smart, double, kind, post):
    launch = smart.launched(kind, post=post)
    assert launch.given().access_token in double.valid
    assert [
        *authorization.token_came(launch, "R"),
        *answered.told_well(launch, "", "R"),
        *answered.granted(launch, "R"),
    ] == []
    assert list(answered.well_formed(launch.title, launch.given(), "R")) == []
    assert list(contexts.patient(smart, launch, "R")) == []
    asked = next(each for each in double.heard if each.path == "/auth/authorize")
    assert (asked.method, asked.values["aud"]) == ("POST" if post else "GET", f"{double.url}/fhir")


def test_a_launch_is_made_once_and_its_exchanges_are_told_each_time(connect, double):
    noted = []
    smart = connect(noted=noted)
    smart.launched()
    first, heard = list(noted), len(double.heard)
    noted.clear()
    launch = smart.launched()
    assert len(double.heard) == heard
    assert set(noted) == set(launch.exchanges) <= set(first)


def test_each_way_to_prove_oneself_reaches_the_token_endpoint(connect, double):
    body = ('secret = "{env.SMART_SYMMETRIC_SECRET}"\n\n', 'secret = "{env.SMART_SYMMETRIC_SECRET}"\nauth = "body"\n\n')
    for kind, changes in (("public", ()), ("symmetric", ()), ("symmetric", (body,)), ("asymmetric", ())):
        connect(*changes).launched(kind)
    public, basic, posted, signed = [each for each in double.heard if each.path == "/auth/token"]
    assert public.values["client_id"] == "public-app"
    assert "authorization" not in public.headers
    assert basic.headers["authorization"].startswith("Basic ")
    assert "client_id" not in basic.values
    assert posted.values["client_secret"] == "secret of the app"
    assert signed.values["client_assertion"].count(".") == 2
    assert "client_id" not in signed.values


def test_everything_minted_is_masked(smart, double):
    launch = smart.launched("asymmetric")
    mask = smart.client.journal.secrets.mask_text
    asked = next(each.values for each in double.heard if each.path == "/auth/token")
    answer = launch.given()
    minted = [
        asked["code"], asked["code_verifier"], asked["client_assertion"], answer.access_token, answer.refresh_token,
        answer.text("id_token"), "a-session-of-somebody", *double.pending,
    ]  # fmt: skip
    for secret in minted:
        assert secret not in mask(f"<p>{secret}</p>"), secret


def test_every_parameter_can_be_replaced_removed_and_added(smart, double):
    change = Change({"state": None, "aud": "http://elsewhere.example/fhir"}, more=(("scope", "openid"),))
    plan = smart.plan(change=change)
    assert "state" not in dict(plan.request.parameters)
    assert dict(plan.request.parameters)["aud"] == "http://elsewhere.example/fhir"
    assert [value for name, value in plan.request.parameters if name == "scope"][1:] == ["openid"]
    right = smart.plan()
    code = smart.authorize(right).code
    wrong = smart.redeem(right, code, change=Change({"code_verifier": "a" * 43}))
    assert (wrong.given, wrong.text("error")) == (False, "invalid_grant")
    missing = Change({"client_id": None}, headers={"Authorization": None, "X-More": "1"})
    smart.redeem(right, code, change=missing)
    last = double.heard[-1]
    assert "authorization" not in last.headers
    assert last.headers["x-more"] == "1"


def test_a_user_grants_some_and_denies_all(smart):
    few = smart.launched(grant=["launch/patient", "patient/Patient.rs"])
    assert few.given().scopes == ("launch/patient", "patient/Patient.rs")
    [said] = messages(answered.granted(few, "R"))
    assert "4 scopes that the user agreed to were not granted" in said
    denied = smart.authorize(smart.plan(), deny=True)
    assert denied.refused
    assert denied.back.value("error") == "access_denied"


def test_a_refresh_token_gives_another_token(smart, double):
    launch = smart.launched()
    renewed = smart.refresh(launch.plan.app, launch.given().refresh_token)
    assert list(answered.renewed(launch, renewed, "R")) == []
    double.changes["/auth/token"] = {"scope": "patient/Patient.rs", "patient": "p2"}
    wrong = smart.refresh(launch.plan.app, launch.given().refresh_token)
    said = " ".join(messages(answered.renewed(launch, wrong, "R")))
    assert "less was granted than before" in said
    assert "another patient is in context" in said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {"Content-Type": "text/html"}, b"<html><body><h1>Oops</h1></body></html>"), "HTTP 500, Oops"),
        ((302, {"Location": "/auth/authorize"}, b""), "leads back to itself"),
        ((302, {"Location": "http://127.0.0.1/elsewhere?code=1"}, b""), "the browser was not sent back"),
        ((302, {"Location": "javascript:alert(1)"}, b""), "which no browser opens"),
        ((200, {"Content-Type": "text/html"}, b""), "no page of the description has its fields: no form"),
        ((200, {"Content-Type": "text/html"}, b"<form><input name=pin></form>"), "a form with pin"),
        ((200, {"Content-Type": "application/json"}, b'{"a": 1}'), "no form"),
    ],
)
def test_pages_that_are_none(smart, double, answer, said):
    double.instead["/auth/authorize"] = answer
    launch = smart.launched()
    told = " ".join(messages(authorization.code_came(launch, "R")))
    assert said in told
    assert launch.title in told
    with pytest.raises(NotTested, match="the app was given no code"):
        launch.given()


def test_redirects_without_end_are_given_up(smart, double):
    number = iter(range(100))
    double.authorize = lambda asked: (302, {"Location": f"/auth/authorize?{next(number)}"}, b"")
    [said] = messages(authorization.code_came(smart.launched(), "R"))
    assert "more than 12 redirects" in said
    assert sum(each.path == "/auth/authorize" for each in double.heard) == 13


def test_a_wrong_password_is_told_as_such(connect):
    [said] = messages(authorization.code_came(connect(SMART_PATIENT_PASSWORD="wrong horse").launched(), "R"))
    assert "the page with username, password came again: Name or password is wrong" in said


def test_a_consent_page_without_the_described_button(smart, double, monkeypatch):
    monkeypatch.setattr("tests.smartwork.double.CONSENT", CONSENT.replace("allow", "yes"))
    [said] = messages(authorization.code_came(smart.launched(), "R"))
    assert "there is no button decision=allow; found decision=deny, decision=yes" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"access_token": None}, "no access token was given"),
        ({"token_type": "mac"}, "the token is of another type"),
        ({"token_type": None}, "the token is of another type"),
        ({"scope": None}, "does not say what was granted"),
        ({"expires_in": "soon"}, "how long the token lives"),
        ({"expires_in": None}, "how long the token lives"),
        ({"expires_in": 86400}, "lives longer than an hour"),
        ({"access_token": "white space"}, "no bearer token"),
        ({"refresh_token": None}, "offline access was granted without a refresh token"),
        ({"patient": "p2"}, "not for the patient in context"),
        ({"patient": None}, "not for the patient in context"),
        ({"scope": "patient/*.rs"}, "were not granted"),
        ({"scope": "launch/patient openid fhirUser offline_access patient/*.cruds"}, "more was granted than was asked"),
    ],
)
def test_a_token_answer_that_is_wrong(smart, double, change, said):
    double.changes["/auth/token"] = change
    launch = smart.launched()
    findings = list(authorization.token_came(launch, "R"))
    if launch.answer.given:
        answer = launch.given()
        findings += [*answered.well_formed(launch.title, answer, "R"), *answered.refreshable(launch, "R")]
        findings += [*contexts.patient(smart, launch, "R"), *(answered.granted(launch, "R") if answer.scopes else ())]
    assert said in " ".join(messages(findings))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {"Content-Type": "text/html"}, b"<p>Welcome</p>"), "the answer is not JSON but text/html"),
        ((200, {"Content-Type": "application/json"}, b"[]"), "list instead of an object"),
        ((200, {"Content-Type": "application/json"}, b'{"access_token":'), "the answer is not JSON"),
        ((200, {"Content-Type": "application/json"}, b""), "the answer is empty"),
        ((200, {"Content-Type": "application/json"}, b" " * 2_000_000), "2,000,000 bytes, more than anybody expects"),
        ((200, {"Content-Type": "application/json"}, b"[" * 50_000), "the answer is not JSON"),
        ((401, {"Content-Type": "application/json"}, b'{"error": "invalid_client"}'), "HTTP 401, invalid_client"),
    ],
)
def test_a_token_endpoint_that_answers_something_else(smart, double, answer, said):
    double.instead["/auth/token"] = answer
    assert said in " ".join(messages(authorization.token_came(smart.launched(), "R")))


def test_an_answer_that_may_be_stored_or_is_called_otherwise(smart, double):
    launch = smart.launched()
    body = json.dumps(launch.given().fields).encode()
    double.instead["/auth/token"] = (200, {"Content-Type": "text/plain"}, body)
    answer = smart.refresh(launch.plan.app, "any")
    said = " ".join(messages(answered.well_formed("refresh", answer, "R")))
    assert "another media type" in said
    assert "may be stored by anybody" in said
    assert "caches of HTTP/1.0" in said


def test_a_state_that_does_not_come_back(smart, double):
    right = double.consent

    def altered(asked):
        status, headers, body = right(asked)
        return status, {"Location": headers["Location"].replace("state=", "state=x")}, body

    double.consent = altered
    [said] = messages(answered.told_well(smart.launched(), "", "R"))
    assert "the state of the request does not come back" in said


def test_what_is_not_described_is_named(connect):
    with pytest.raises(NotTested, match="SMART_PUBLIC_ID is not set"):
        connect(SMART_PUBLIC_ID="").launched("public")
    with pytest.raises(NotTested, match="SMART_PATIENT_USER is not set"):
        connect(SMART_PATIENT_USER="").launched()
    with pytest.raises(NotTested, match="the product has no launch-ehr"):
        connect((WITHOUT, 'without = ["launch-ehr"] # what the product has not, as ["auth')).launched(how="ehr")
    with pytest.raises(NotTested, match="the product has no client-public"):
        connect((WITHOUT, 'without = ["client-public"] # what the product has not, as ["auth')).launched("public")
    with pytest.raises(NotTested, match="SMART_LAUNCH_PAGE is not set"):
        connect().launched(how="ehr")
    with pytest.raises(NotApplicable, match=r"SMART App Launch 1\.0 knows no app that signs"):
        connect(version="1.0.0").launched("asymmetric")
    text = targets.show("fhir")
    pages = text[text.index("[smart.login.patient]") : text.index("[smart.login.clinician]")]
    given = '[smart.login.patient]\nkind = "token"\ntoken = "{env.MY_TOKEN}"\npatient = "p1"\n\n'
    with pytest.raises(NotTested, match="so that no launch is made"):
        connect((pages, given), MY_TOKEN="a token got by hand").launched()


def test_a_credential_is_made_new_when_it_runs_out_and_the_evidence_says_so(smart, double):
    double.life = 1
    launch = smart.launched()
    credential = smart.credential(launch)
    assert smart.get(credential, "Patient/p1").ok
    assert credential.refreshed == 1
    double.life = 300
    credential.renew()
    double.valid.clear()
    got = smart.get(credential, "Patient/p1")
    assert got.ok
    assert got.exchange.purpose.endswith("with the token of the symmetric app, launched by itself, refreshed 3 times")
    assert credential is smart.credential(launch)


def test_an_answer_without_scopes_is_told_once(smart, double):
    double.changes["/auth/token"] = {"scope": None}
    with pytest.raises(NotTested, match="does not say what was granted") as told:
        list(answered.granted(smart.launched(), "R"))
    assert told.value.step == "AUT-PAT-35"


def test_a_token_got_by_hand_opens_its_patient_alone(connect, double):
    text = targets.show("fhir")
    pages = text[text.index("[smart.login.patient]") : text.index("[smart.login.clinician]")]
    given = '[smart.login.patient]\nkind = "token"\ntoken = "{env.MY_TOKEN}"\npatient = "p1"\n\n'
    smart = connect((pages, given), MY_TOKEN="a token got by hand")
    exam = SimpleNamespace(smart=smart, target=smart.client.target)
    double.valid.add("a token got by hand")
    assert list(authorization.opens(exam, *authorization.by_hand(exam), "R")) == []
    double.valid.clear()
    [said] = messages(authorization.opens(SimpleNamespace(smart=connect()), "a token got by hand", "p1", "R"))
    assert "the token got by hand does not open it" in said
    with pytest.raises(NotApplicable):
        authorization.by_hand(SimpleNamespace(smart=connect()))
