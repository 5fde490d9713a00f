"""What servers may do as they like is no matter; what looks like it and is wrong is objected to."""

from types import SimpleNamespace

import pytest
from joserfc.jwk import RSAKey
from tests.smartwork.double import KEY

from onc_conformance import introspected
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.smartwork import answered, contexts, discovered, identity


def told(findings):
    return [f"{each.severity}: {each.message}" for each in findings]


def test_a_life_that_is_not_told_is_advice_at_first_and_an_error_at_refresh(smart, double):
    double.changes["/auth/token"] = {"expires_in": None, "token_type": "bearer"}
    launch = smart.launched()
    [said] = told(answered.well_formed("it", launch.given(), "R"))
    assert said.startswith("warning: it: the answer does not say how long the token lives")
    [said] = told(answered.well_formed("it", launch.given(), "R", first=False))
    assert said.startswith("error")


@pytest.mark.parametrize(
    ("kept", "severities"),
    [
        ("Patient Condition Location", []),
        ("Patient Condition", ["warning"]),
        ("Patient Location", ["error"]),
    ],
)
def test_scopes_for_types_of_no_one_patient_need_not_be_granted(connect, double, kept, severities):
    smart = connect()
    smart.types = ["Patient", "Condition", "Location"]
    context = ["launch/patient", "openid", "fhirUser", "offline_access"]
    scopes = [*context, *(f"patient/{kind}.rs" for kind in kept.split())]
    double.changes["/auth/token"] = {"scope": " ".join(scopes)}
    assert [str(each.severity) for each in answered.granted(smart.launched(), "R")] == severities


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("&session_state=x", []),
        ("&iss=https%3A%2F%2Fehr.example%2Fauth", []),
        ("&iss=https%3A%2F%2Felsewhere.example", ["the answer says that another server sends it"]),
        ("&code=another", ["code comes more than once"]),
    ],
)
def test_what_comes_with_a_code(smart, double, more, said):
    right = double.consent

    def answer(asked):
        status, headers, body = right(asked)
        return status, {"Location": headers["Location"] + more}, body

    double.consent = answer
    launch = smart.launched()
    found = list(answered.told_well(launch, "https://ehr.example/auth", "R"))
    assert [each.message.partition(": ")[2] for each in found] == said


def test_a_code_in_the_fragment_is_told(smart, double):
    right = double.consent

    def answer(asked):
        status, headers, body = right(asked)
        return status, {"Location": headers["Location"].replace("?", "#")}, body

    double.consent = answer
    [said] = told(answered.came_back(smart.launched().plan, smart.launched().arrived(), "R"))
    assert "stands in the fragment" in said
    [code] = [each for each in double.codes if each in str(smart.launched().arrived().url)]
    assert smart.client.journal.secrets.mask_text(f"code={code}&") == "code=***&"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"azp": "symmetric-app"}, ""),
        ({"azp": "another"}, "made for another party"),
        ({"nbf": 1}, ""),
        ({"nbf": 99_999_999_999}, "is not good for another"),
    ],
)
def test_claims_beyond_those_that_must_be_there(smart, double, claims, said):
    double.claims.update(claims)
    assert said in " ".join(told(identity.claimed(smart, smart.launched(), "R")))
    assert bool(said) is bool(told(identity.claimed(smart, smart.launched(), "R")))


def test_keys_that_were_exchanged_since_are_fetched_again(smart, double):
    launch = smart.launched()
    assert told(identity.signed(smart, launch, "R")) == []
    later = RSAKey.generate_key(2048, {"kid": "two"})
    double.keys[:] = [KEY.as_dict(private=False), later.as_dict(private=False)]
    double.signed_with = later
    assert told(identity.signed(smart, smart.launched("public"), "R")) == []
    assert sum(each.path == "/auth/jwks" for each in double.heard) == 2


def test_the_refresh_token_that_came_in_the_place_of_another_is_used(smart, double):
    launch = smart.launched()
    first = launch.given().refresh_token
    second = smart.refresh(launch.plan.app, first).refresh_token
    third = smart.refresh(launch.plan.app, second).refresh_token
    assert len({first, second, third}) == 3
    assert smart.latest(first) == smart.latest(second) == smart.latest(third) == third
    double.valid.clear()
    credential = smart.credential(launch)
    assert credential.renew()
    assert double.heard[-1].values["refresh_token"] == third


def test_where_tokens_are_asked_about_may_stand_in_the_description(connect):
    told_where = ("[smart.introspection]", '[smart.introspection]\nurl = "{env.FHIR_BASE}/asked"')
    assert connect(told_where).introspection().endswith("/fhir/asked")
    with pytest.raises(NotTested, match="introspection_endpoint") as missing:
        connect().introspection()
    assert missing.value.step is None
    with pytest.raises(NotTested, match="SMART_INTROSPECT"):
        introspected.introspected(SimpleNamespace(smart=connect(told_where)), "a token", "it")


@pytest.mark.parametrize(
    ("version", "headers", "many"), [("2.2.0", {}, 2), ("2.2.0", {"Access-Control-Allow-Origin": "*"}, 0)]
)
def test_apps_in_a_browser_alone_may_read_what_is_published(connect, double, version, headers, many):
    right = double.told
    double.told = lambda path, content: right(path, content, **headers)
    found = told(discovered.shared(connect(version=version), "R"))
    assert len(found) == many
    assert all(each.startswith("warning: a script in a browser may not read it") for each in found)


def test_earlier_versions_say_nothing_of_apps_in_a_browser(connect):
    with pytest.raises(NotApplicable, match=r"2\.0\.0"):
        list(discovered.shared(connect(version="2.0.0"), "R"))


def test_a_page_that_leads_on_by_itself_is_left_like_a_redirect(smart, double):
    right = double.authorize
    later = '<meta http-equiv="refresh" content="900; url=/auth/over">'

    def first(asked):
        if "again" not in asked.values:
            query = "&".join(f"{name}={value}" for name, value in asked.values.items() if name != "nothing")
            onward = f"/auth/authorize?again=1&{query.replace(' ', '%20').replace('&amp;', '&')}"
            return double.page(f"<META HTTP-EQUIV='Refresh' CONTENT=\"0;URL='{onward}'\"><p>One moment")
        status, headers, body = right(asked)
        return status, headers, later.encode() + body

    double.authorize = first
    launch = smart.launched()
    assert launch.given().access_token
    assert told(contexts.patient(smart, launch, "R")) == []


@pytest.mark.parametrize(
    ("told_of", "many"),
    [
        ([{"reference": "Location/1"}], 0),
        ([{"reference": "Location/1", "role": "launch"}, {"canonical": "http://a.example/q"}], 0),
        ([{"reference": "Location/1", "role": ""}], 1),
        (["Location/1"], 1),
        ([{"type": "Location"}], 1),
    ],
)
def test_further_resources_in_context(smart, double, told_of, many):
    double.changes["/auth/token"] = {"fhirContext": told_of}
    assert len(told(contexts.fhir_context(smart.launched(), "R"))) == many
