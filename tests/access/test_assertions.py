import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from onc_conformance.access.assertions import LIFETIME_S, KeyFileError, client_assertion, read_key

RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa-1"})
EC = ECKey.generate_key("P-384")
SMALL = ECKey.generate_key("P-256")


def written(tmp_path, value):
    path = tmp_path / "key.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS384"), (EC, "ES384")])
def test_an_assertion_can_be_verified_with_the_public_key(tmp_path, key, algorithm):
    private = read_key(written(tmp_path, key.as_dict(private=True)), algorithm)
    made = client_assertion(private, algorithm, client_id="me", audience="https://x.example/t", now=1000, jti="j")
    public = type(key).import_key(key.as_dict(private=False))
    token = jwt.decode(made, public, algorithms=[algorithm])
    assert token.claims == {
        "iss": "me", "sub": "me", "aud": "https://x.example/t", "iat": 1000, "exp": 1000 + LIFETIME_S, "jti": "j",
    }  # fmt: skip
    assert token.header.get("kid") == key.kid
    assert token.header["alg"] == algorithm


def test_the_key_that_fits_is_taken_out_of_a_set(tmp_path):
    keys = [key.as_dict(private=True) for key in (SMALL, RSA, EC)]
    path = written(tmp_path, {"keys": keys})
    assert read_key(path, "RS384").kid == "rsa-1"
    assert read_key(path, "ES384").as_dict()["crv"] == "P-384"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no json", "not JSON; expected a JWK file"),
        ("[]", "holds no key for RS384; expected a private RSA key"),
        (RSA.as_dict(private=False), "holds no key for RS384; expected a private RSA key"),
        (SMALL.as_dict(private=True), "holds no key for RS384"),
        ({"kty": "RSA", "d": "x", "n": 1}, "not a usable JWK"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_in_one_line(tmp_path, value, said):
    with pytest.raises(KeyFileError, match=said) as caught:
        read_key(written(tmp_path, value), "RS384")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"nowhere\.json: No such file or directory; expected a JWK file"):
        read_key(str(tmp_path / "nowhere.json"), "ES384")
