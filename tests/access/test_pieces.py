"""Parameters, forms, cookies, redirects, scopes and credentials, each by itself."""

import base64
import hashlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance.access import scopes
from onc_conformance.access.apps import App, basic
from onc_conformance.access.authorization import leads_to, request_for
from onc_conformance.access.cookies import Jar
from onc_conformance.access.credentials import Credential
from onc_conformance.access.discovery import is_address
from onc_conformance.access.forms import Unfillable, forms_of, words_of
from onc_conformance.access.openid import take_apart
from onc_conformance.access.parameters import Change, in_query, of_query, value_of
from onc_conformance.access.pkce import Pkce
from onc_conformance.access.walking import Walk

APP = App(kind="public", id="app", redirect="http://127.0.0.1/redirect", launch="http://127.0.0.1/launch")


def page(body, url="https://ehr.example/auth/authorize", headers=(("Content-Type", "text/html"),), status=200):
    return SimpleNamespace(
        url=url,
        status=status,
        response_body=body.encode() if isinstance(body, str) else body,
        response_headers=headers,
        media_type="text/html",
        error=None,
        header=lambda name: next((value for key, value in headers if key.lower() == name.lower()), None),
    )


def test_a_change_replaces_removes_and_adds():
    change = Change({"b": "2", "c": None, "d": "4"}, more=(("a", "5"),), headers={"accept": None, "X": "1"})
    assert change.made((("a", "1"), ("b", "1"), ("c", "1"))) == (("a", "1"), ("b", "2"), ("d", "4"), ("a", "5"))
    assert change.headed((("Accept", "*/*"), ("Host", "h"))) == (("Host", "h"), ("X", "1"))


@given(st.lists(st.tuples(st.text(min_size=1), st.text())).map(tuple))
def test_a_query_is_read_as_it_was_written(parameters):
    url = in_query("https://ehr.example/auth?tenant=1#there", parameters)
    assert of_query(url) == (("tenant", "1"), *parameters)


def test_a_challenge_is_made_of_its_verifier():
    pkce = Pkce.fresh()
    assert 43 <= len(pkce.verifier) <= 128
    digest = hashlib.sha256(pkce.verifier.encode()).digest()
    assert base64.urlsafe_b64decode(pkce.challenge + "=") == digest
    assert Pkce.fresh() != pkce


def test_a_request_is_new_each_time():
    one, other = (request_for(APP, "https://e.example/a", audience="https://f.example", scope="openid") for _ in "12")
    assert one.state != other.state
    assert one.nonce != other.nonce
    assert value_of(one.parameters, "code_challenge_method") == "S256"
    plain = request_for(APP, "https://e.example/a", audience="https://f.example", scope="patient/*.rs", launch="xyz")
    assert (plain.nonce, value_of(plain.parameters, "launch")) == ("", "xyz")


def test_basic_credentials_are_form_encoded_first():
    [(_, value)] = basic("app:1", "p@ss word")
    assert base64.b64decode(value.partition(" ")[2]) == b"app%3A1:p%40ss+word"


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("http://127.0.0.1/redirect?code=1", True),
        ("http://127.0.0.1/redirect#code=1", True),
        ("http://127.0.0.1:80/redirect", False),
        ("http://127.0.0.1/redirect/more", False),
        ("https://127.0.0.1/redirect", False),
        ("http://127.0.0.1.evil.example/redirect", False),
    ],
)
def test_the_registered_address_is_recognised(url, there):
    assert leads_to(url, "http://127.0.0.1/redirect") is there


@pytest.mark.parametrize("text", ["", "/auth", "ftp://x.example", "http://", "https://x.example/#a", "http://[", "x:y"])
def test_what_is_no_address(text):
    assert not is_address(text)


# forms

FORM = """<html><body><form action="login?x=1" method="POST">
<input name="user" value="old"><input type="hidden" name="ticket" value="t1"><input name="gone" disabled>
<input type="radio" name="patient" value="p1"><input type="radio" name="patient" value="p2" checked>
<input type="checkbox" name="scope" value="a" checked><input type="checkbox" name="scope" value="b" checked>
<select name="visit"><option value="e1">One<option selected>Two</select><textarea name="note">hello</textarea>
<button name="decision" value="allow">Yes</button><input type="submit" name="decision" value="deny">
<button type="button" name="help">Help</button></form></body></html>"""


def test_a_form_is_read_and_filled():
    [form] = forms_of(page(FORM))
    assert (form.action, form.post) == ("https://ehr.example/auth/login?x=1", True)
    assert "gone" not in form.names
    assert form.filled({}) == (
        ("user", "old"), ("ticket", "t1"), ("patient", "p2"), ("scope", "a"), ("scope", "b"), ("visit", "Two"),
        ("note", "hello"), ("decision", "allow"),
    )  # fmt: skip
    sent = form.filled(
        {"user": "ann", "patient": "p1", "visit": "e1", "unknown": "x"},
        press=("decision", "deny"),
        ticked=("scope", ["b"]),
    )
    assert sent == (
        ("user", "ann"), ("ticket", "t1"), ("patient", "p1"), ("scope", "b"), ("visit", "e1"), ("note", "hello"),
        ("decision", "deny"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fill", "press", "said"),
    [
        ({"patient": "p9"}, None, "patient has no 'p9' to choose; it offers p1, p2"),
        ({"visit": "e9"}, None, "visit has no 'e9' to choose; it offers e1, Two"),
        ({}, ("decision", "maybe"), "no button decision=maybe; found decision=allow, decision=deny"),
    ],
)
def test_what_a_form_does_not_offer_is_told(fill, press, said):
    [form] = forms_of(page(FORM))
    with pytest.raises(Unfillable, match=said):
        form.filled(fill, press=press)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_page(body):
    forms_of(page(body))
    assert len(words_of(page(body), 40)) <= 40


def test_forms_go_where_the_page_says():
    [bare] = forms_of(page("<form></form>"))
    assert (bare.action, bare.post) == ("https://ehr.example/auth/authorize", False)
    [based] = forms_of(page('<base href="https://idp.example/x/"><form action="go"></form>'))
    assert based.action == "https://idp.example/x/go"
    assert words_of(page("<head><title>T</title></head><script>x()</script><p>Not  <b>so</b></p>")) == "Not so"


# cookies and redirects


def kept(*lines, url="https://ehr.example/auth/login"):
    jar = Jar()
    jar.take(page("", url, tuple(("Set-Cookie", line) for line in lines)))
    return jar


@pytest.mark.parametrize(
    ("line", "url", "sent"),
    [
        ("a=1; Path=/", "https://ehr.example/x", "a=1"),
        ("a=1", "https://ehr.example/auth/consent", "a=1"),
        ("a=1", "https://ehr.example/other", ""),
        ("a=1; Path=/au", "https://ehr.example/auth", ""),
        ("a=1; Path=/", "https://sub.ehr.example/", ""),
        ("a=1; Path=/; Domain=ehr.example", "https://sub.ehr.example/", "a=1"),
        ("a=1; Path=/; Domain=other.example", "https://ehr.example/", ""),
        ("a=1; Path=/; Secure", "http://ehr.example/", ""),
        ("a=1; Path=/; Max-Age=0", "https://ehr.example/", ""),
        ("a=1; Path=/; Max-Age=-5", "https://ehr.example/", ""),
        ("a=1; Path=/; Max-Age=60", "https://ehr.example/", "a=1"),
        ("nonsense", "https://ehr.example/", ""),
        ("=1", "https://ehr.example/", ""),
    ],
)
def test_a_cookie_goes_where_it_belongs(line, url, sent):
    assert kept(line).header(url) == sent


def test_a_cookie_is_replaced_and_deleted():
    jar = kept("a=1; Path=/", "b=2; Path=/auth", "a=3; Path=/")
    assert jar.header("https://ehr.example/auth/x") == "b=2; a=3"
    jar.take(page("", "https://ehr.example/", (("Set-Cookie", "a=; Path=/; Max-Age=0"),)))
    assert jar.header("https://ehr.example/") == ""


def test_a_walk_changes_the_method_where_a_redirect_says_so():
    for status, then in ((302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")):
        made = []

        def send(purpose, method, url, headers, body, status=status, made=made):
            made.append((method, url, body))
            first = (("Location", "/next"), ("Set-Cookie", "s=secret-of-mine"))
            return page("", url, first, status) if len(made) == 1 else page("done", url)

        secrets = []
        stop = Walk(send, secrets.append).go("walk", "https://ehr.example/auth/login", (("a", "1"),))
        assert stop.page.response_body == b"done"
        assert made[1] == (then, "https://ehr.example/next", b"a=1" if then == "POST" else b"")
        assert secrets == ["secret-of-mine"]


def test_what_stands_for_a_login_under_way_is_a_secret():
    ticket, state = "T" * 24, "S" * 24
    secrets = []

    def send(purpose, method, url, headers, body):
        onward = f"/next?request={ticket}&state={state}&page=2"
        return page("", url, (("Location", onward),), 302) if url.endswith("/login") else page("done", url)

    Walk(send, secrets.append).go("walk", "https://ehr.example/login")
    assert secrets == [ticket]


# scopes


@pytest.mark.parametrize(
    ("wanted", "granted", "there"),
    [
        ("openid", ["openid"], True),
        ("openid", ["fhirUser"], False),
        ("patient/Patient.rs", ["patient/*.rs"], True),
        ("patient/Patient.read", ["patient/Patient.rs"], True),
        ("patient/Patient.rs", ["patient/Patient.read"], True),
        ("patient/Patient.rs", ["patient/Patient.r"], False),
        ("patient/Patient.rs", ["user/Patient.rs"], False),
        ("patient/Condition.rs", ["patient/Condition.rs?category=a|b"], False),
        ("patient/Condition.rs?category=a|b", ["patient/Condition.rs"], True),
        ("patient/Condition.rs?category=a|b", ["patient/Condition.rs?category=a|c"], False),
        ("patient/*.read", ["patient/Patient.read"], False),
        ("launch/patient", ["patient/*.*"], False),
    ],
)
def test_a_scope_is_covered(wanted, granted, there):
    assert scopes.covered(wanted, granted) is there


@pytest.mark.parametrize(
    "text", ["patient/Patient", "patient/Patient.", "patient/patient.rs", "patient/Patient.sr", ""]
)
def test_what_is_no_scope_for_resources(text):
    assert scopes.parse(text) is None


@given(st.text())
def test_any_text_is_read_as_a_scope_or_a_token(text):
    scopes.parse(text)
    take_apart(text)


# a credential that lives


def answer(token, life=60, refresh="r1", given=True):
    return SimpleNamespace(access_token=token, refresh_token=refresh, fields={"expires_in": life}, given=given)


def test_a_credential_is_made_new():
    now, used = [0.0], []

    def refresh(token):
        used.append(token)
        return answer("t2", refresh="")

    credential = Credential("token of the app", answer("t1"), refresh, clock=lambda: now[0])
    assert not credential.expired
    now[0] = 56
    assert credential.expired
    assert credential.renew()
    assert (credential.token, credential.expired) == ("t2", False)
    assert credential.shown == "token of the app, refreshed once"
    credential.renew()
    assert used == ["r1", "r1"]


def test_a_credential_that_cannot_be_made_new_stays():
    assert not Credential("t", answer("t1", refresh=""), lambda token: answer("t2")).renew()
    refused = Credential("t", answer("t1", life=None), lambda token: answer("", given=False))
    assert not refused.renew()
    assert (refused.token, refused.expired) == ("t1", False)
