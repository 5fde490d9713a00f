"""The reference EHR as a service of its own, as scripts use it: one line, an env file, an orderly end."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.reference.clients import WebChartClient, ehryourway
from tests.suite.service import Service

from onc_conformance import cli, suite

SEEDED = ("Newman", "Larson", "Bates", "Wright")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("serve"))
    yield running
    if running.process.poll() is None:
        running.end()


def test_it_says_one_line_when_it_is_ready(service):
    assert service.line.startswith("reference EHR ready at http://127.0.0.1:")


def test_the_env_file_has_what_the_descriptions_need_and_is_private(service):
    env = service.env
    assert env.keys() >= {"WC_URL", "WC_USER", "WC_PASS", "EYW_BASE", "EYW_ID", "EYW_PASS", "EYW_ID_2", "ONC_PATIENTS"}
    assert service.env_file.stat().st_mode & 0o077 == 0
    assert Path(env["ONC_PATIENTS"]).is_file()


@pytest.mark.parametrize("name", SEEDED)
def test_the_printed_program_for_stored_documents_completes(service, name):
    env = service.env
    client = WebChartClient(env["WC_URL"])
    client.login(env["WC_USER"], env["WC_PASS"])
    pat_id = client.rows(f"GET/db/patients/LIKE_last_name={name}")[0]["pat_id"]
    rows = client.rows(f"GET/db/documents/storage_type=19&LIKE_service_date=2017-05-02%25&pat_id={pat_id}")
    document = client.stream(rows[0]["doc_id"]).content
    assert b"<ClinicalDocument" in document
    assert name.encode() in document


def test_the_signed_calls_complete_and_forgeries_and_replays_are_refused(service):
    client = ehryourway(SimpleNamespace(env=service.env))
    client.select()
    assert client.all_data().json()["ValidationStatus"] == "Success"
    assert client.category("Vital Signs").json()["ValidationStatus"] == "Success"
    call, body = "GetClinicalData", client.body(["all"])
    forged = client.signed(call, body, key=b"not the password")
    assert (forged.status_code, forged.json()["ValidationStatus"]) == (401, "Failed")
    nonce = "a209bf19-defb-4e3f-addb-83f50b2ccdb0"
    assert client.signed(call, body, parameters={"nonce": nonce}).status_code == 200
    replayed = client.signed(call, body, parameters={"nonce": nonce})
    assert (replayed.status_code, replayed.json()["ValidationStatus"]) == (401, "Failed")


@pytest.mark.parametrize("target", ["webchart", "ehryourway"])
def test_a_run_over_the_socket_is_the_default_run(service, target, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    attestations = str(suite.schemas() / "attestations" / "reference.toml")
    arguments = ["--target", target, "--env-file", str(service.env_file), "--attestations", attestations]
    assert cli.main(["run", *arguments, "--criterion", "g7,g9"]) == 0, capfd.readouterr().out


def test_it_ends_with_0_within_5_seconds_of_sigterm(tmp_path):
    running = Service(tmp_path)
    key = Path(running.env["DOCREF_JWK_FILE"])
    assert (key.parent, key.stat().st_mode & 0o777) == (tmp_path, 0o600)
    code, out, err, seconds = running.end()
    assert (code, out, err) == (0, "", "")
    assert seconds < 5
    assert not key.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--charts", "nowhere"], "--charts nowhere"),
        (["--charts", "."], "no C-CDA document"),
        (["--patients", "nobody"], "nobody"),
        (["--fault", "no-such-fault"], "no-such-fault"),
        (["--write-env", "nowhere/env"], "nowhere"),
    ],
)
def test_wrong_usage_is_named_in_one_line(arguments, said, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["serve", *arguments]) == 2
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1
