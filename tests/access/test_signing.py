import hashlib
import hmac
import json

import pytest

from onc_conformance.access.signing import hmac_signature, signing_string

PARTS = (
    "(request-target)", "host", "date", "digest", "content-length", "nonce", "x-authorization-timestamp",
)  # fmt: skip


def test_parts_are_lines_in_order_and_nothing_follows_the_last():
    assert signing_string([("a", "1"), ("b", "2")], "\n") == "a: 1\nb: 2"


def test_the_recipe_of_the_documented_example_gives_the_known_signature():
    body = json.dumps(
        {
            "ClientId": "Alicejones",
            "ExternalPatientId": "448Alan050119703406",
            "AccessToken": "81196298-0585-4438-9494-64ddd8015cd6",
            "Sections": ["all"],
            "FromDate": "06/22/2014",
            "ToDate": "06/22/2015",
            "ClinicalDataAccessType": 2,
        },
        separators=(",", ":"),
    ).encode()
    assert len(body) == 212
    key = hashlib.sha256(b"Alicejones123*").hexdigest()
    assert key == "6acaeeb6144621b909da64c1fafbd038b1372913327cd3847cb8b9941c197c35"
    values = (
        "post /EHRWebAPIRequestHandler/api/web/GetClinicalData", "webcpg.ehryourway.com",
        "Thu, 12 Jul 2018 10:50:32 GMT", hashlib.sha256(body).hexdigest(), "212",
        "a209bf19-defb-4e3f-addb-83f50b2ccdbe", "1531392632",
    )  # fmt: skip
    text = signing_string(zip(PARTS, values, strict=True), "\n")
    signature = hmac_signature(key, text, hash_name="sha256", out="base64")
    assert signature == "WY4rlAkXlroE5ef8ewI7tSj0dDfby7wjMSL915cwu8s="


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_every_hash_can_be_written_as_hex(name):
    expected = hmac.new(b"k", b"t", name).hexdigest()
    assert hmac_signature("k", "t", hash_name=name, out="hex") == expected


def test_base64url_has_no_characters_that_a_url_would_escape():
    texts = [hmac_signature("k", str(n), hash_name="sha256", out="base64url") for n in range(20)]
    assert not any(set(text) & set("+/") for text in texts)
    assert any(set(text) & set("-_") for text in texts)
