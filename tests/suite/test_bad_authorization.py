"""Authorization servers gone wrong: a clear verdict in the target's terms each, and the rest of the run unharmed."""

import json
import time

import pytest
from joserfc.jwk import ECKey
from tests.smartwork.double import Double, served

from onc_conformance import running, targets
from onc_conformance.findings import Outcome
from onc_conformance.options import RunOptions

HTML = {"Content-Type": "text/html"}
PATIENTS = """
[[patient]]
id = "ann"
title = "Ann Lee"
name = { family = "Lee", given = ["Ann"] }
birth_date = "1980-02-03"
sex = "female"
"""
PERSON = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Lee", "given": ["Ann"]}],
    "birthDate": "1980-02-03",
}


class Town(Double):
    """The small authorization server with a patient to be found."""

    hanging = False

    def answer(self, asked):
        if asked.path == "/fhir/Patient" and asked.path not in self.instead:
            found = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": PERSON}]}
            return 200, {"Content-Type": "application/fhir+json"}, json.dumps(found).encode()
        return super().answer(asked)


def nothing_published(town):
    town.changes["/fhir/.well-known/smart-configuration"] = {"authorization_endpoint": None, "token_endpoint": None}


def html_for_configuration(town):
    town.instead["/fhir/.well-known/smart-configuration"] = 500, HTML, b"<h1>Something went wrong</h1>"


def round_and_round(town):
    town.instead["/auth/authorize"] = 302, {"Location": f"{town.url}/auth/authorize"}, b""


def html_for_authorize(town):
    town.instead["/auth/authorize"] = 500, HTML, b"<h1>Something went wrong</h1>"


def html_for_token(town):
    town.instead["/auth/token"] = 502, HTML, b"<h1>Bad gateway</h1>"


def huge_token(town):
    town.instead["/auth/token"] = 200, {"Content-Type": "application/json"}, b'{"a": "' + b"x" * 3_000_000 + b'"}'


def keys_of_another_kind(town):
    town.keys = [ECKey.generate_key("P-256").as_dict(private=False)]


def clock_behind(town):
    town.claims = {"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}


def clock_ahead(town):
    town.claims = {"iat": int(time.time()) + 7200, "exp": int(time.time()) + 9000}


BAD = {
    nothing_published: {"AUT-PAT-25": "authorization_endpoint"},
    html_for_configuration: {"AUT-PAT-24": "not JSON but text/html"},
    round_and_round: {"AUT-PAT-3": "leads back to itself"},
    html_for_authorize: {"AUT-PAT-3": "HTTP 500"},
    html_for_token: {"AUT-PAT-30": "502", "AUT-PAT-18": "the server fails instead of refusing"},
    huge_token: {"AUT-PAT-30": "bytes"},
    keys_of_another_kind: {"AUT-PAT-17": "key"},
    clock_behind: {"AUT-PAT-17": "exp"},
    clock_ahead: {"AUT-PAT-17": "iat"},
}


@pytest.fixture
def town():
    made = Town()
    server = served(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(town, tmp_path, monkeypatch):
    key = tmp_path / "app.jwk"
    key.write_text(json.dumps(ECKey.generate_key("P-384").as_dict(private=True)))
    (tmp_path / "patients.toml").write_text(PATIENTS)
    text = targets.show("fhir").replace("code_life_s = 5", "").replace("timeout_s", "#")
    text = text[: text.index("[bulk]")] + text[text.index("# Some servers demand a time of day") :]
    (tmp_path / "town.toml").write_text(text)
    for name, value in {
        "FHIR_BASE": f"{town.url}/fhir",
        "FHIR_TOKEN": "a token for everything",
        "SMART_PUBLIC_ID": "public-app",
        "SMART_SYMMETRIC_ID": "symmetric-app",
        "SMART_SYMMETRIC_SECRET": "secret of the app",
        "SMART_ASYMMETRIC_ID": "asymmetric-app",
        "SMART_ASYMMETRIC_JWK_FILE": str(key),
        "SMART_PATIENT_USER": "ann",
        "SMART_PATIENT_PASSWORD": "correct horse",
    }.items():
        monkeypatch.setenv(name, value)

    def made(tags):
        finished = running.run(
            RunOptions(
                targets=[str(tmp_path / "town.toml")],
                patients=[str(tmp_path / "patients.toml")],
                criteria=["g10"],
                tags=tags,
                reports=None,
            )
        )
        return {each.step.id: each for each in finished.settlement.steps}

    return made


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_each_is_told_in_the_target_s_terms_and_harms_nothing_else(town, run, spoil):
    spoil(town)
    steps = run(" or ".join([*BAD[spoil], "AUT-PAT-37", "SEC-CNN-1"]))
    scenarios = {scenario.name: scenario for each in steps.values() for scenario in each.scenarios}
    assert [name for name, each in scenarios.items() if each.outcome is Outcome.ERROR] == []
    for step, words in BAD[spoil].items():
        assert steps[step].outcome is Outcome.FAILED
        told = " ".join(f"{finding} {finding.found}" for finding in steps[step].findings)
        assert words in told
    # what does not rest on the spoilt part is judged as ever
    assert scenarios["Every endpoint is behind TLS"].outcome is Outcome.FAILED
    assert all(each.reason for each in scenarios.values() if each.outcome is Outcome.NOT_TESTED)
