"""Whole runs against a server that misbehaves: the exit code, the line that says what to do, and what is kept.

Every run is a process of its own, as in a night's job; two at a time.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from tests.suite.badweather import CASES, MEMORY, command, first, patiently, raw
from tests.suite.vendor import CCD, DESCRIPTION, PASSWORD, PATIENTS, TOKEN, Vendor


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Every case, begun at once, two at a time."""
    root = tmp_path_factory.mktemp("weather")
    with ThreadPoolExecutor(2) as workers:
        begun = {name: workers.submit(case, root / name.replace(" ", "-")) for name, case in CASES.items()}
        yield lambda name: begun[name].result(timeout=120)


def outcomes(ended, target="acme"):
    return {step["id"]: step["by_target"][target] for step in ended.results["steps"]}


@pytest.mark.parametrize("name", ["flood", "bomb"])
def test_an_answer_of_300_mb_costs_neither_the_run_nor_its_memory(runs, name):
    ended = runs(name)
    assert ended.code == 1
    assert "a request should bring less" in ended.line("the answer is larger than 64 MB")
    assert int(ended.line("peak").split()[1]) < MEMORY
    assert ended.is_readable()
    kept = [entry for entry in ended.evidence if entry["error"]]
    assert {entry["bytes"] for entry in kept} == {1 << 20}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trickle", "the answer was still coming after 2 s; if it is slow, raise timeout_s"),
        ("cut", f"the answer broke off after {len(CCD)} of 9999 bytes"),
        ("loop", "leads back to itself; correct the address, or the server"),
        ("elsewhere", "where no request with credentials is sent"),
        ("impatient", "HTTP 429"),
        ("busy", "HTTP 503, busy"),
    ],
)
def test_an_answer_that_cannot_be_used_fails_its_step_and_says_why(runs, name, said):
    ended = runs("unusable")
    assert ended.code == 1
    assert said in ended.line(f"failed: G9-IA-SUT-1 [{name}] ")
    assert ended.is_readable()
    assert set(outcomes(ended, name).values()) == {"failed"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("silent", "did not answer within 0.5 s; if it is slow, raise timeout_s"),
        ("away", "127.0.0.1:1 refuses connections; is the server running, and the port right?"),
        ("untrusted", "; name the file of its authority in tls_verify"),
        ("expired", "has expired; renew it"),
        ("elsewhere", "where no request with credentials is sent"),
        ("cut", "the answer broke off after 1 of 99 bytes"),
        ("busy", "HTTP 503, busy"),
    ],
)
def test_targets_out_of_reach_end_the_run_with_3_and_a_line_each(runs, name, said):
    ended = runs("unreachable")
    assert ended.code == 3
    assert said in ended.line(f"{name} was not reached: ")
    assert ended.is_readable()
    assert set(outcomes(ended, name).values()) == {"not_tested"}


def test_nothing_is_sent_to_a_server_with_a_bad_certificate(runs):
    assert runs("unreachable").asked["untrusted"] == runs("unreachable").asked["expired"] == []
    assert runs("trusted").asked == ["/login", "/patients?family=Example&dob=1980-02-03", "/ccd/p-77"]


def test_another_host_hears_nothing(runs):
    assert runs("unusable").asked["other"] == runs("unreachable").asked["other"] == []


def test_every_attempt_is_recorded_and_counted(runs):
    ended = runs("unusable")
    assert [entry["purpose"] for entry in ended.evidence if entry["status"] == 503] == [
        "all_data", "all_data, attempt 2", "all_data, attempt 3",
    ]  # fmt: skip
    attempts = {entry["id"] for entry in ended.evidence if entry["status"] == 503}
    assert attempts <= set(ended.results["steps"][0]["exchanges"])
    assert "busy: 2 requests were sent again (2 after HTTP 503), 1.5 s waited in all" in ended.results["warnings"]
    assert runs("calm").results["warnings"] == []


def test_a_wait_that_is_too_long_is_not_waited_for(runs):
    assert len([path for path in runs("unusable").asked["impatient"] if path.startswith("/ccd")]) == 1


def test_a_login_is_not_sent_twice(runs):
    assert runs("unreachable").asked["cut"] == runs("unreachable").asked["busy"] == ["/login"]


def test_a_server_that_asks_for_patience_and_gets_it_passes_as_a_calm_one(runs, tmp_path):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    with Vendor() as vendor:
        first(vendor, "login", patiently(503, "1"))
        first(vendor, "patients", patiently(429, "1"), raw(b"HTTP/1.1 502 Bad\r\nContent-Length: 0"))
        first(vendor, "ccd", patiently(503, soon))
        ended = command(tmp_path / "run", vendor.url, "--criterion", "g9")
        asked = list(vendor.asked)
    assert asked[:2] == ["/login", "/login"], "a refusal that says when to come back was not processed"
    assert outcomes(ended) == outcomes(runs("calm"))
    assert ended.code == runs("calm").code
    assert ended.is_readable()
    told = "4 requests were sent again (1 after HTTP 429, 1 after HTTP 502, 2 after HTTP 503)"
    assert any(told in each for each in ended.results["warnings"])


def test_a_server_that_is_gone_is_not_waited_for_at_every_request(runs):
    ended = runs("dying")
    assert ended.code == 1
    assert ended.is_readable()
    unanswered = [entry for entry in ended.evidence if entry["status"] is None]
    assert len(unanswered) > 4
    assert [entry["purpose"].endswith(("attempt 2", "attempt 3")) for entry in unanswered[:4]] == [
        False,
        True,
        True,
        False,
    ]
    assert "acme: 2 requests were sent again (2 after no connection), 1.5 s waited in all" in ended.results["warnings"]


def test_a_server_that_hangs_at_every_request_is_not_asked_for_ever(runs):
    ended = runs("hanging")
    assert ended.code == 1
    assert ended.is_readable()
    unanswered = [entry for entry in ended.evidence if entry["status"] is None]
    assert 5 <= len(unanswered) < 15
    reasons = [step["reason"] for step in ended.results["steps"] if step["outcome"] == "not_tested"]
    assert len([each for each in reasons if each and "acme stopped answering" in each]) > 5


def test_a_run_that_may_not_last_longer_ends_in_order(runs):
    ended = runs("out of time")
    assert ended.code == 1
    assert ended.is_readable()
    assert ended.results["seconds"] < 30
    reasons = [step["reason"] for step in ended.results["steps"]]
    assert reasons.count("the time allowed ran out") > 3
    assert outcomes(ended)["G7-I-TLV-1"] == "passed", "what was tested before counts"
    assert "scenarios were not run; allow more with --max-seconds" in ended.line("warning: the time allowed ran out")
    assert len(ended.evidence) > 2


def test_a_request_under_way_does_not_hold_a_run_that_is_over(runs):
    ended = runs("held up")
    assert ended.code == 1
    assert ended.results["seconds"] < 30, "the answer would take a minute"
    assert set(outcomes(ended).values()) == {"not_tested"}
    assert ended.results["steps"][0]["reason"] == "the time allowed ran out"
    assert ended.evidence[-1]["error"]
    assert ended.is_readable()


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
def test_a_time_that_cannot_pass_is_a_usage_error(seconds, capsys):
    from onc_conformance import cli

    assert cli.main(["run", "--max-seconds", seconds]) == 2
    assert f"{seconds}: expected a number of seconds above 0" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["full at once", "full later"])
def test_a_full_disk_ends_the_run_with_2_and_one_line_and_leaves_no_half_files(runs, name):
    ended = runs(name)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "cannot be written: File too large; free some space or choose another folder" in ended.err
    folders = [path for path in (ended.folder.parent).iterdir() if path.is_dir()]
    for path in (path for folder in folders for path in folder.rglob("*")):
        assert path.suffix not in {".tmp", ".part"}
        if path.suffix == ".json" and ".response" not in path.name:
            json.loads(path.read_text(encoding="utf-8"))
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes()
    if name == "full later":
        assert any(path.name.endswith("-result.json") for folder in folders for path in folder.rglob("*"))


@pytest.mark.parametrize(("key", "value"), [("tls_verify", '"gone.pem"'), ("client_cert", '["gone.pem", "key.pem"]')])
def test_a_certificate_file_that_is_not_there_is_a_usage_error(key, value, tmp_path, capsys, monkeypatch):
    from onc_conformance import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACME_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("ACME_PASS", PASSWORD)
    Path("acme.toml").write_text(DESCRIPTION.replace("[target]", f"[target]\n{key} = {value}"))
    Path("patients.toml").write_text(PATIENTS)
    assert cli.main(["run", "--target", "acme.toml", "--patients", "patients.toml"]) == 2
    assert f"acme.toml, line 3: target.{key}: gone.pem: no such file" in capsys.readouterr().err
