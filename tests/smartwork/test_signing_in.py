"""A login that is a launch: made once for everybody, renewed when it must be, and named in the evidence."""

import pytest

from onc_conformance import targets
from onc_conformance.findings import NotTested, UsageError
from onc_conformance.targets.conversation import Question

STATIC = 'kind = "static"\ntoken = "{env.FHIR_TOKEN}"'
BY_CLINICIAN = (STATIC, 'kind = "smart"\nclient = "symmetric"\nlogin = "clinician"')
BY_PATIENT = (STATIC, 'kind = "smart"\nclient = "public"\nlogin = "patient"')
ASK = Question(purpose="read the patient", path="Patient/p1")


def session(smart):
    smart.client.launcher = smart.sign_in
    return smart.client.session({"id": "ann", "family": "Lee", "given": "Ann", "dob": "1970-01-01"})


def launches(double):
    return sum(each.path == "/auth/consent" for each in double.heard)


def test_one_launch_serves_every_session(connect, double):
    smart = connect(BY_CLINICIAN)
    for asking in (session(smart), session(smart)):
        exchange, _ = asking.ask(ASK)
        assert exchange.status == 200
        assert exchange.purpose == "read the patient, with the token of the symmetric app"
    assert launches(double) == 1
    [asked] = [each for each in double.heard if each.path == "/auth/authorize"]
    assert asked.values["scope"] == "openid fhirUser offline_access user/Patient.rs user/Condition.rs user/Binary.rs"


def test_a_token_that_is_refused_is_renewed(connect, double):
    smart = connect(BY_CLINICIAN)
    asking = session(smart)
    asking.ask(ASK)
    double.valid.clear()
    exchange, trail = asking.ask(ASK)
    assert (exchange.status, len(trail)) == (200, 2)
    assert exchange.purpose == "read the patient, with the token of the symmetric app, refreshed once"
    assert launches(double) == 1


def test_a_token_that_ran_out_is_renewed_unasked(connect, double):
    smart = connect(BY_CLINICIAN)
    double.life = 1
    asking = session(smart)
    asking.ask(ASK)
    double.life = 300
    exchange, trail = asking.ask(ASK)
    assert (exchange.status, len(trail)) == (200, 1)
    assert "refreshed" in exchange.purpose


def test_an_app_is_launched_again_where_its_token_cannot_be_renewed(connect, double):
    smart = connect(BY_CLINICIAN)
    double.changes["/auth/token"] = {"refresh_token": None}
    asking = session(smart)
    asking.ask(ASK)
    double.valid.clear()
    assert asking.ask(ASK)[0].status == 200
    assert launches(double) == 2


def test_the_token_of_a_patient_says_whose_it_is(connect):
    bound = ('[selection]\nkind = "search"', '[selection]\nkind = "launch_context"')
    smart = connect(BY_PATIENT, bound)
    asking = session(smart)
    assert asking.login().ok
    assert asking.value("pat_id") == "p1"
    assert asking.ask(ASK)[0].purpose.endswith("with the token of the public app")


def test_a_login_that_fails_says_why(connect):
    smart = connect(BY_CLINICIAN, SMART_CLINICIAN_PASSWORD="wrong horse")
    with pytest.raises(NotTested, match="the app was given no code, the page with username, password came again"):
        session(smart).login()


def test_apps_are_launched_in_a_run_alone(connect):
    smart = connect(BY_CLINICIAN)
    answer = smart.client.session({}).login()
    assert (answer.kind, answer.message) == ("auth", "apps are launched in a run alone")


def test_a_description_is_checked_with_the_app_launched(connect, double):
    smart = connect(BY_CLINICIAN)
    smart.client.launcher = smart.sign_in
    rows = {each.what: each for each in targets.check(smart.client)}
    assert (rows["log in"].outcome, launches(double)) == ("ok", 1)
    assert rows["log in"].detail.startswith("token of the symmetric app; an app was launched, ")


def test_a_check_says_why_no_app_could_be_launched(connect):
    smart = connect(BY_CLINICIAN, SMART_CLINICIAN_PASSWORD="wrong horse")
    smart.client.launcher = smart.sign_in
    last = list(targets.check(smart.client))[-1]
    assert (last.what, last.outcome) == ("log in", "failed")
    assert "the page with username, password came again" in last.detail


def test_an_app_or_login_that_is_not_described_is_told(connect):
    for old, new, said in (
        ("[smart.client.symmetric]", "[smart.client.elsewhere]", "unknown key"),
        (BY_CLINICIAN[1], BY_CLINICIAN[1].replace("clinician", "nurse"), "expected 'patient' or 'clinician'"),
    ):
        with pytest.raises(UsageError, match=said):
            connect(BY_CLINICIAN, (old, new))
