"""A server that takes everything is objected to for each wrong request; one that refuses is not."""

from types import SimpleNamespace

import pytest

from onc_conformance import denied, lifecycle, strangers, unproved
from onc_conformance.access.listener import Listener
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.smartwork.errands import Errand
from onc_conformance.smartwork.personlogin import PersonLogin
from onc_conformance.smartwork.trials import Trials

REFUSED = 400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant"}'
ERROR_PAGE = 400, {"Content-Type": "text/html"}, b"<h1>No</h1>"
PARK = ("code_life_s = 5", "# no life of codes")


def exam_of(smart):
    return SimpleNamespace(smart=smart, trials=Trials(smart), identified=lambda: ["ann"], id_of=lambda subject: "p1")


@pytest.fixture
def exam(connect):
    return exam_of(connect(PARK))


def errors(findings):
    return [each.message for each in findings if each.severity == "error"]


@pytest.mark.parametrize("what", denied.REQUESTS)
def test_a_wrong_request_for_authorization_that_is_taken_is_objected_to(exam, what):
    assert errors(denied.refused(denied.asked(exam, what), "R"))


@pytest.mark.parametrize("what", denied.REQUESTS)
def test_one_that_is_refused_on_a_page_is_not(exam, double, what):
    double.instead["/auth/authorize"] = ERROR_PAGE
    assert errors(denied.refused(denied.asked(exam, what), "R")) == []


def test_a_user_who_refuses_is_heard(exam):
    assert errors(denied.refused(denied.denied(exam), "R")) == []


def test_a_launch_that_nobody_gave_out_and_is_taken_is_objected_to(exam):
    assert errors(denied.refused(denied.foreign_launch(exam), "R"))


@pytest.mark.parametrize("what", ["the PKCE challenge as its verifier", "another PKCE verifier"])
def test_a_wrong_verifier_is_refused_by_a_server_that_looks(exam, what):
    assert errors(denied.no_token(denied.unverified(exam, what), "R")) == []


def test_a_code_that_is_taken_twice_is_objected_to(exam):
    tried, first = denied.replayed(exam)
    given = "access_token and refresh_token and id_token"
    assert errors(denied.no_token(tried, "R")) == [f"a code that was used before: answered with {given}"]
    outlived = list(denied.outlived(exam, first, "R"))
    assert [str(each.severity) for each in outlived] == ["warning"]


@pytest.mark.parametrize("which", [name for name in denied.CODES if name != "one that was never given out"])
def test_a_code_that_is_taken_wrongly_is_objected_to(exam, double, which):
    tried = denied.CODES[which](exam) if "kind of grant" not in which else None
    if tried is not None:
        assert errors(denied.no_token(tried, "R"))


@pytest.mark.parametrize("what", unproved.PROOFS)
def test_an_app_that_does_not_prove_itself_and_is_believed_is_objected_to(exam, what):
    assert errors(denied.no_token(unproved.unproven(exam, what), "R"))


def test_a_refresh_token_of_another_app_that_is_taken_is_objected_to(exam):
    assert errors(denied.no_token(denied.foreign_refresh(exam), "R"))


def test_one_app_alone_cannot_show_what_is_another_s(connect):
    smart = connect(PARK, SMART_PUBLIC_ID="", SMART_ASYMMETRIC_ID="")
    with pytest.raises(NotApplicable, match="two apps"):
        denied.of_another(exam_of(smart))


def test_no_app_at_all_is_told_with_what_is_not_set(connect):
    smart = connect(PARK, SMART_PUBLIC_ID="", SMART_ASYMMETRIC_ID="", SMART_SYMMETRIC_ID="")
    with pytest.raises(NotTested, match="SMART_SYMMETRIC_ID"):
        denied.wrong_code(exam_of(smart))


def test_a_code_runs_out_only_where_a_run_can_wait(exam):
    with pytest.raises(NotTested, match="code_life_s"):
        denied.expired(exam)


def test_one_login_serves_many_requests(exam, double):
    for _ in range(3):
        exam.trials.code()
    assert exam.trials.plan().driver is exam.trials.plan().driver


def test_a_refresh_for_more_that_is_answered_with_more_is_objected_to(exam, double):
    double.changes["/auth/token"] = {"scope": "patient/Patient.rs patient/Condition.rs"}
    found = lifecycle.widened(exam)
    narrow = type(found)(found.launch, ("patient/Patient.rs",), found.answer)
    assert errors(lifecycle.no_more(exam, narrow, "R")) == ["a refresh for more than was granted is answered with more"]


def test_a_refresh_for_less_that_brings_all_is_objected_to(exam):
    assert "a refresh for fewer scopes brings others too" in errors(lifecycle.less(exam, lifecycle.narrowed(exam), "R"))


def test_a_token_that_was_never_given_out_is_turned_away_or_objected_to(exam, double):
    got = strangers.stranger(exam, "a token that was never given out")
    found = list(strangers.turned_away(got, "it", "R"))
    assert [str(each.severity) for each in found] == ["warning"]
    double.valid.add(strangers.NEVER_ISSUED)
    assert errors(strangers.turned_away(strangers.stranger(exam, "a token that was never given out"), "it", "R"))


# somebody at a browser of their own


def person(smart, ask, absent=None):
    return PersonLogin(Trials(smart).plan().driver.walk, 1.0, set() if absent is None else absent, "patient", ask)


def errand(double, until, path="/auth/authorize", **facts):
    return Errand(purpose="authorize", url=f"{double.url}{path}", until=until, **facts)


def test_a_person_is_asked_where_a_login_page_comes(exam, double):
    asked = []

    def ask(listener, until, url, what, seconds):
        asked.append((url, what, seconds))
        return f"{until}?code=c&state=s"

    driver = person(exam.smart, ask)
    arrival = driver.do(
        errand(double, driver.address("http://127.0.0.1/redirect"), grant=["a"], names={"pat_id": "p1"})
    )
    assert arrival.code == "c"
    url, what, seconds = asked[0]
    assert url == f"{double.url}/auth/authorize"
    assert "log in as the patient" in what
    assert "grant all that the app asks for" in what
    assert seconds == 1.0


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "grant all that the app asks for"),
        ({"grant": ["a", "b", "c"]}, "grant all that the app asks for"),
        ({"grant": ["a", "c"]}, "grant all but these: b"),
        ({"grant": ["c"]}, "grant these alone: c"),
        ({"deny": True}, "refuse what the app asks for"),
        (
            {"names": {"pat_id": "p1", "encounter_id": "e1"}},
            "choose the patient p1 where one is to be chosen, and the encounter e1",
        ),
        (
            {"names": {"launch_url": "http://127.0.0.1/redirect", "client_id": "one"}},
            "launch the app one at http://127",
        ),
    ],
)
def test_a_person_is_told_what_to_do(exam, double, facts, said):
    told = []
    driver = person(exam.smart, lambda *asked: told.append(asked[3]))
    driver.address("http://127.0.0.1/redirect")
    until = driver.address("http://127.0.0.1/redirect")
    names = {name: until if name == "launch_url" else value for name, value in facts.get("names", {}).items()}
    with pytest.raises(NotTested, match="nobody came back"):
        driver.do(errand(double, until, "/auth/authorize?scope=a+b+c", **{**facts, "names": names}))
    assert said in told[0]


def test_nobody_is_asked_where_the_server_refuses_at_once(exam, double):
    double.instead["/auth/authorize"] = ERROR_PAGE
    driver = person(exam.smart, lambda *_: pytest.fail("somebody was asked"))
    arrival = driver.do(errand(double, driver.address("http://127.0.0.1/redirect")))
    assert arrival.refused


def test_who_does_not_come_is_not_waited_for_again(exam, double):
    absent = set()
    asked = []

    def ask(*_):
        asked.append(1)

    driver = person(exam.smart, ask, absent)
    until = driver.address("http://127.0.0.1/redirect")
    for pattern in ("nobody came back as the patient within 1 s", "nobody is waited for again"):
        with pytest.raises(NotTested, match=pattern):
            driver.do(errand(double, until))
    assert len(asked) == 1


def test_an_address_nobody_here_can_listen_at_is_told(exam, double):
    driver = person(exam.smart, lambda *_: pytest.fail("somebody was asked"))
    driver.address("https://app.example/redirect")
    with pytest.raises(NotTested, match="nothing can listen at https://app"):
        driver.do(errand(double, "https://app.example/redirect"))


def test_a_person_cannot_post(exam, double):
    driver = person(exam.smart, lambda *_: None)
    with pytest.raises(NotTested, match="by POST"):
        driver.do(errand(double, "http://127.0.0.1/redirect", form=(("a", "b"),)))


def test_a_registered_port_is_listened_at():
    with Listener() as listener:
        free = listener.port
    with Listener(free) as listener:
        assert listener.hears(f"http://127.0.0.1:{free}/redirect")
        with Listener(free) as another:  # taken: a free one, and the registered address is not heard
            assert not another.hears(f"http://127.0.0.1:{free}/redirect")


def test_a_listener_adds_its_port_to_a_loopback_address_alone():
    with Listener() as listener:
        assert listener.at("http://127.0.0.1/redirect") == f"http://127.0.0.1:{listener.port}/redirect"
        assert listener.at("https://app.example/redirect") == "https://app.example/redirect"


@pytest.mark.parametrize("what", unproved.ASSERTIONS)
def test_an_assertion_that_is_believed_wrongly_is_objected_to(exam, what):
    assert errors(denied.no_token(unproved.disbelieved(exam, what), "R"))


def test_an_assertion_that_is_taken_twice_is_objected_to(exam):
    assert errors(denied.no_token(unproved.asserted_twice(exam), "R"))


def test_without_an_app_that_signs_there_is_no_assertion(connect):
    smart = connect(PARK, SMART_ASYMMETRIC_ID="")
    with pytest.raises((NotTested, NotApplicable)):
        unproved.disbelieved(exam_of(smart), "that is not signed")
