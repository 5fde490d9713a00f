"""Token requests of backend services, right and wrong in one thing."""

import json
import ssl
from urllib.request import urlopen

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from onc_conformance.access import backend
from onc_conformance.access.keyring import PATH, KeyRing
from onc_conformance.reference.certificates import authority

KEYS = {
    "ES384": ECKey.generate_key("P-384", {"kid": "one"}, private=True),
    "RS384": RSAKey.generate_key(2048, {"kid": "one"}, private=True),
}
NOW = 1_800_000_000


def request(algorithm):
    who = backend.Credential(client_id="service", key=KEYS[algorithm], algorithm=algorithm)
    return backend.asked(who, audience="https://ehr.example/token", scope="system/*.rs", now=NOW, jti="only-once")


def read(form, algorithm):
    return jwt.decode(form["client_assertion"], KEYS[algorithm], algorithms=[algorithm])


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_right_request_is_what_backend_services_demand(algorithm):
    form = request(algorithm).written()
    assert {name: value for name, value in form.items() if name != "client_assertion"} == {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": "system/*.rs",
    }
    token = read(form, algorithm)
    assert token.header == {"alg": algorithm, "typ": "JWT", "kid": "one"}
    assert token.claims["iss"] == token.claims["sub"] == "service"
    assert token.claims["aud"] == "https://ehr.example/token"
    assert token.claims["jti"] == "only-once"
    assert NOW < token.claims["exp"] <= NOW + 300


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("wrong", backend.EVERY.values(), ids=lambda wrong: wrong.name)
def test_a_wrong_request_is_wrong(wrong, algorithm):
    right, form = request(algorithm).written(), wrong.change(request(algorithm)).written()
    try:
        claims = read(form, algorithm).claims
    except (JoseError, ValueError, KeyError):
        claims = None
    told = {**form, "client_assertion": claims}
    assert told != {**right, "client_assertion": read(right, algorithm).claims}


@pytest.mark.parametrize("name", [each.name for each in backend.SIGNATURES[:4]])
def test_what_is_wrongly_signed_is_not_verified(name):
    form = backend.EVERY[name].change(request("RS384")).written()
    with pytest.raises((JoseError, ValueError)):
        read(form, "RS384")


def test_missing_claims_are_missing_and_nothing_else():
    for wrong in backend.CLAIMS:
        claims = read(wrong.change(request("ES384")).written(), "ES384").claims
        assert len(claims) == 5
        assert wrong.name.removeprefix("has no ") not in claims


def test_a_key_ring_speaks_tls(tmp_path):
    file = tmp_path / "server.pem"
    file.write_bytes(authority().issue(["127.0.0.1"]))
    trusting = ssl.create_default_context(cadata=authority().pem.decode())
    with KeyRing("127.0.0.1", 0, keys=[KEYS["ES384"]], certificate=str(file)) as ring:
        assert ring.url.startswith("https://")
        with urlopen(f"{ring.url}{PATH}", context=trusting) as answer:
            assert json.load(answer)["keys"]


def test_a_key_ring_shows_public_halves_and_counts():
    with KeyRing("127.0.0.1", 0, keys=[KEYS["ES384"]]) as ring:
        with urlopen(f"{ring.url}{PATH}") as answer:
            told = json.load(answer)
            assert answer.headers["Cache-Control"] == "no-store"
        ring.max_age = 60
        with urlopen(f"{ring.url}{PATH}") as answer:
            assert answer.headers["Cache-Control"] == "max-age=60"
        assert ring.fetched == [PATH, PATH]
    assert [key["kid"] for key in told["keys"]] == ["one"]
    assert "d" not in told["keys"][0]
