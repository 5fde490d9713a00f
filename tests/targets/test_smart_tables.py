"""[smart] and [bulk] of a description: read, complained of, and left out where a variable is not set."""

import json

import pytest
from joserfc.jwk import ECKey

from onc_conformance import targets
from onc_conformance.findings import UsageError
from onc_conformance.targets.loading import load_text
from onc_conformance.transport import Transport

FHIR = targets.show("fhir")
ENV = {"FHIR_BASE": "http://127.0.0.1:9/fhir", "FHIR_TOKEN": "a token for all"}


def load(text, **env):
    return load_text(text, "mine.toml", ENV | env)


def changed(old, new):
    assert old in FHIR
    return FHIR.replace(old, new)


def test_the_bundled_description_has_apps_and_logins():
    smart = load(FHIR).description.smart
    assert smart.client.public and smart.client.symmetric and smart.client.asymmetric
    assert {name: login.kind for name, login in smart.login.items()} == {"patient": "form", "clinician": "form"}
    assert smart.redirect == "http://127.0.0.1/redirect"


def test_what_is_not_set_is_named_where_it_is_needed():
    target = load(FHIR, SMART_PUBLIC_ID="public-app")
    assert target.unset("smart", "client", "public") == ()
    assert target.unset("smart", "client", "symmetric") == ("SMART_SYMMETRIC_ID", "SMART_SYMMETRIC_SECRET")
    assert target.missing_optional["smart.client.asymmetric"] == ("SMART_ASYMMETRIC_ID", "SMART_ASYMMETRIC_JWK_FILE")
    assert target.missing_optional["smart.login.patient"] == ("SMART_PATIENT_USER", "SMART_PATIENT_PASSWORD")
    assert target.missing_optional["bulk.group"] == ("BULK_GROUP",)


def test_secrets_of_apps_and_people_are_secrets():
    target = load(FHIR, SMART_SYMMETRIC_SECRET="s3cret-of-app", SMART_PATIENT_PASSWORD="pass-of-patient")
    assert {"s3cret-of-app", "pass-of-patient"} <= set(target.secrets)


def test_authorities_come_from_the_environment_or_are_those_of_the_system(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("")
    assert load(FHIR, FHIR_CA_FILE=str(file)).transport.tls_verify == str(file)
    assert load(FHIR).transport == Transport(tls_verify=True)
    with pytest.raises(UsageError, match=r"mine.toml, line \d+: target.tls_verify: /nowhere/ca.pem: no such file"):
        load(FHIR, FHIR_CA_FILE="/nowhere/ca.pem")


@pytest.mark.parametrize("client", ["SMART_ASYMMETRIC_JWK_FILE"])
def test_a_key_that_cannot_be_used_is_told_before_anything_is_asked(client, tmp_path):
    right, wrong = tmp_path / "right.jwk", tmp_path / "wrong.jwk"
    right.write_text(json.dumps(ECKey.generate_key("P-384").as_dict(private=True)))
    wrong.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    assert load(FHIR, **{client: str(right)})
    with pytest.raises(UsageError, match=r"mine.toml, line \d+: .*key: .*holds no key for ES384"):
        load(FHIR, **{client: str(wrong)})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('secret = "{env.SMART_SYMMETRIC_SECRET}"\n\n', "\n", "smart.client: client.symmetric needs secret"),
        ('id = "{env.SMART_PUBLIC_ID}"\n', 'id = "a"\nsecret = "b"\n', "client.public takes no secret"),
        ('[smart.login.patient]\nkind = "form"', '[smart.login.patient]\nkind = "magic"', "expected 'form', 'browser'"),
        ('[smart.login.patient]\nkind = "form"', '[smart.login.nurse]\nkind = "form"', "unknown key"),
        ('[smart.login.patient]\nkind = "form"', '[smart.login.patient]\nkind = "token"', "takes no page"),
        ('[smart.login.patient]\nkind = "form"', '[smart.login.patient]\nkind = "form"\ntoken = "t"', "takes no token"),
        ('{ decision = "deny" }', '{ decision = "deny", b = "c" }', "deny names one button"),
        ("code_life_s = 5", "code_life_s = 0", "greater than 0"),
        ("without = [] # what the product has not", 'without = ["launch-moon"] # what the product has not', "expected"),
        ('# version = "2.2.0"', 'version = "3.0.0"', "expected '1.0.0', '2.0.0' or '2.2.0', found '3.0.0'"),
        ('app = "{launch_url}"', 'app = "{lunch_url}"', "did you mean {launch_url}?"),
        ('group = "{env.BULK_GROUP}"', 'group = "{pat_id}"', "{pat_id} cannot be used here; expected {env.NAME}"),
        ('tls_verify = "{env.FHIR_CA_FILE}"', 'tls_verify = "{uuid}"', "cannot be used here"),
        ('[smart.introspection]\nid = "{env.SMART_INTROSPECT_ID}"', "[smart.introspection]", "expected id and secret"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_key(old, new, said):
    with pytest.raises(UsageError) as told:
        load(changed(old, new))
    assert said in str(told.value)
    assert "mine.toml, line " in str(told.value)


def test_apps_need_a_server_they_are_authorized_for():
    text = FHIR[: FHIR.index("\n[fhir]")] + FHIR[FHIR.index("\n[smart]") :]
    with pytest.raises(UsageError, match=r"there is no .fhir. that apps could be authorized for"):
        load(text)
