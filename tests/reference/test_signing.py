import hashlib
import json
import time
from email.utils import formatdate

import pytest

from onc_conformance.reference import signing

PASSWORD = "Alicejones123*"
PATH = "/EHRWebAPIRequestHandler/api/web/GetClinicalData"
BODY = json.dumps(
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
NONCE = "a209bf19-defb-4e3f-addb-83f50b2ccdbe"
HEADERS = {
    "host": "webcpg.ehryourway.com",
    "date": "Thu, 12 Jul 2018 10:50:32 GMT",
    "digest": hashlib.sha256(BODY).hexdigest(),
    "content-length": str(len(BODY)),
    "x-authorization-timestamp": "1531392632",
}
SIGNATURE = "WY4rlAkXlroE5ef8ewI7tSj0dDfby7wjMSL915cwu8s="
PARAMETERS = {
    "keyId": "Alicejones",
    "accessToken": "81196298-0585-4438-9494-64ddd8015cd6",
    "algorithm": "hmac-sha256",
    "nonce": NONCE,
    "headers": "(request-target) host date digest content-length nonce x-authorization-timestamp",
    "signature": SIGNATURE,
}


def header(**changes):
    given = {name: value for name, value in (PARAMETERS | changes).items() if value is not None}
    return "Signature " + ",".join(f'{name}="{value}"' for name, value in given.items())


def test_the_worked_vector_holds():
    assert len(BODY) == 212
    assert signing.digest(BODY).startswith("2ef33e76")
    assert signing.digest(BODY).endswith("e2b5")
    assert signing.digest(PASSWORD.encode()) == "6acaeeb6144621b909da64c1fafbd038b1372913327cd3847cb8b9941c197c35"
    assert signing.signature(PASSWORD, signing.signing_string(PATH, HEADERS, BODY, NONCE)) == SIGNATURE
    signing.verify(signing.parameters(header()), PASSWORD, PATH, HEADERS, BODY)


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"date": "x"}, {"x-authorization-timestamp": "1531412432"}])
def test_every_signed_header_counts(change):
    with pytest.raises(signing.BadSignature, match="does not match"):
        signing.verify(PARAMETERS, PASSWORD, PATH, HEADERS | change, BODY)


def test_the_path_the_nonce_and_the_password_count():
    for arguments in (
        (PARAMETERS, PASSWORD, PATH + "ByCategory", HEADERS, BODY),
        (PARAMETERS | {"nonce": "another"}, PASSWORD, PATH, HEADERS, BODY),
        (PARAMETERS, "another", PATH, HEADERS, BODY),
    ):
        with pytest.raises(signing.BadSignature, match="does not match"):
            signing.verify(*arguments)


def test_the_digest_must_be_that_of_the_body():
    with pytest.raises(signing.BadSignature, match="digest"):
        signing.verify(PARAMETERS, PASSWORD, PATH, HEADERS, BODY + b" ")


def test_parameters_come_in_any_order_and_without_an_algorithm():
    shuffled = "Signature " + ", ".join(f'{name}="{value}"' for name, value in reversed(PARAMETERS.items()))
    assert signing.parameters(shuffled) == PARAMETERS
    assert "algorithm" not in signing.parameters(header(algorithm=None))


@pytest.mark.parametrize(
    ("authorization", "complaint"),
    [
        ("", "missing"),
        ("Bearer abc", "Signature"),
        ("Signature keyId=bare", "list"),
        (header() + ',nonce="again"', "list"),
        (header(signature=None), "lacks the parameter signature"),
        (header(nonce=None), "lacks the parameter nonce"),
        (header(algorithm="rsa-sha256"), "algorithm"),
        (header(headers="date"), "headers"),
        (header(headers="host (request-target) date digest content-length nonce x-authorization-timestamp"), "headers"),
    ],
)
def test_another_header_is_refused(authorization, complaint):
    with pytest.raises(signing.BadSignature, match=complaint):
        signing.parameters(authorization)


@pytest.mark.parametrize(
    ("stamp", "local", "accepted"),
    [
        (0, False, True),
        (290, False, True),
        (-290, False, True),
        (310, False, False),
        (-310, False, False),
        (19800, False, False),
        (19800, True, True),
        (20110, True, False),
        (0, True, True),
    ],
)
def test_timestamps_are_good_for_five_minutes_either_way(stamp, local, accepted):
    fresh = signing.Freshness(300, local=local)
    headers = {"x-authorization-timestamp": str(int(time.time()) + stamp), "date": formatdate(usegmt=True)}
    if accepted:
        fresh.check_time(headers)
    else:
        with pytest.raises(signing.BadSignature, match="from the server's clock"):
            fresh.check_time(headers)


@pytest.mark.parametrize("wrong", [{"x-authorization-timestamp": "now"}, {"date": ""}, {"date": "2018-07-12"}])
def test_a_time_out_of_form_is_refused(wrong):
    good = {"x-authorization-timestamp": str(int(time.time())), "date": formatdate(usegmt=True)}
    with pytest.raises(signing.BadSignature):
        signing.Freshness(300, local=False).check_time(good | wrong)


def test_a_nonce_is_good_once():
    fresh = signing.Freshness(300, local=False)
    fresh.check_nonce("one", {})
    fresh.check_nonce("two", {"nonce": "two"})
    for nonce, headers in (("one", {}), ("", {}), ("three", {"nonce": "four"})):
        with pytest.raises(signing.BadSignature):
            fresh.check_nonce(nonce, headers)
