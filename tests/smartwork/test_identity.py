"""Who logged in: id_tokens and key sets that are wrong in every way."""

import time

import pytest
from joserfc.jwk import ECKey, RSAKey
from tests.smartwork.double import KEY

from onc_conformance.findings import NotTested, Severity
from onc_conformance.smartwork import identity

OPENID = "/auth/.well-known/openid-configuration"
OTHER = RSAKey.generate_key(2048, parameters={"kid": "one"})


def errors(findings):
    return [str(each.message) for each in findings if each.severity is Severity.ERROR]


def judged(smart, *judges):
    launch = smart.launched()
    return " ".join(said for judge in judges for said in errors(judge(smart, launch, "R")))


def all_of(smart):
    return judged(smart, identity.configured, identity.keyed, identity.signed, identity.claimed, identity.user)


def test_a_right_id_token(smart):
    assert errors(identity.issued(smart.launched(), "R")) == []
    assert all_of(smart) == ""


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "http://elsewhere.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "another-app"}, "for somebody else"),
        ({"aud": ["symmetric-app", "another-app"]}, "does not say for whom it was made"),
        ({"exp": int(time.time()) - 3600}, "ran out"),
        ({"exp": "tomorrow"}, "until when it is good"),
        ({"exp": True}, "until when it is good"),
        ({"exp": None}, "until when it is good"),
        ({"iat": int(time.time()) + 7200, "exp": int(time.time()) + 9000}, "from now; compare the clocks"),
        ({"iat": None}, "when it was made"),
        ({"sub": None}, "names no subject"),
        ({"sub": "x" * 256}, "names no subject"),
        ({"nonce": "another"}, "not made for this launch"),
        ({"nonce": None}, "not made for this launch"),
        ({"fhirUser": None}, "does not say who logged in"),
        ({"fhirUser": "http://elsewhere.example/Device/1"}, "nobody who could log in"),
        ({"fhirUser": "somebody"}, "nobody who could log in"),
        ({"fhirUser": "Patient/p99"}, "fhirUser cannot be read"),
    ],
)
def test_claims_that_are_wrong(smart, double, claims, said):
    double.claims = claims
    assert said in all_of(smart)


def test_clocks_may_differ_by_a_little(smart, double):
    double.claims = {"iat": int(time.time()) + 30}
    assert all_of(smart) == ""


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "no key for RS256"),
        ([ECKey.generate_key("P-256", parameters={"kid": "one"}).as_dict(private=False)], "no key for RS256"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}], "with its private part"),
        ([KEY.as_dict(private=True)], "with its private part"),
        ([{"kty": "RSA", "kid": "one", "e": "AQAB"}], "cannot be used"),
        ([{"kty": "RSA", "kid": "one", "n": "!!", "e": "AQAB"}], "cannot be used"),
        (["a"], "is no JSON object"),
        ("none", "the key set has no list of keys"),
    ],
)
def test_key_sets_that_are_wrong(smart, double, keys, said):
    double.keys = keys
    assert said in judged(smart, identity.keyed)
    with pytest.raises(NotTested, match="no key that an id_token could be verified with"):
        judged(smart, identity.signed)


def test_signatures_that_are_wrong(connect, double):
    double.signed_with = OTHER
    assert "does not fit the published key" in judged(connect(), identity.signed)
    double.signed_with, double.keys = KEY, [{**KEY.as_dict(private=False), "kid": "two"}]
    assert "the key that signed the id_token is not published" in judged(connect(), identity.signed)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("a.b", "2 parts"),
        ("!.!.!", "no JSON in base64url"),
        ("W10.W10.x", "no JSON objects"),
        (7, "there is no id_token"),
        (None, "there is no id_token"),
    ],
)
def test_an_id_token_that_is_none(smart, double, token, said):
    double.changes["/auth/token"] = {"id_token": token}
    assert said in " ".join(errors(identity.issued(smart.launched(), "R")))
    with pytest.raises(NotTested, match="no id_token that can be read"):
        judged(smart, identity.claimed)


def test_unsigned_and_otherwise_signed_tokens(smart, double):
    double.changes["/auth/token"] = {"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."}
    assert "not signed as it must be" in judged(smart, identity.signed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"jwks_uri": None}, "has no jwks_uri"),
        ({"issuer": "http://elsewhere.example"}, "another issuer's"),
        ({"subject_types_supported": []}, "has no subject_types_supported"),
        ({"id_token_signing_alg_values_supported": ["ES256"]}, "not signed as every app can verify"),
    ],
)
def test_a_provider_that_is_wrong(smart, double, change, said):
    double.changes[OPENID] = change
    assert said in judged(smart, identity.configured)


def test_a_provider_that_is_not_there(smart, double):
    double.instead[OPENID] = (200, {"Content-Type": "text/html"}, b"<p>Hello</p>")
    assert "the OpenID configuration is not there" in judged(smart, identity.configured)
    double.instead["/auth/jwks"] = (503, {"Content-Type": "text/html"}, b"<p>Later</p>")
    assert "the key set is not there" in judged(smart, identity.keyed)
