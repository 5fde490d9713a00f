"""Hostile and broken input at every boundary of a run: the exit code, one line, and what was gathered."""

import os
import signal
import subprocess
import sys
import time

import pytest
from tests.suite.vendor import CCD, DESCRIPTION, PATIENTS

from onc_conformance import suite


def only_line(err):
    assert err.count("\n") == 1, err
    assert err.startswith("onc-conformance: ")
    return err


def test_an_unknown_key_is_named_with_file_and_line(command):
    bad = DESCRIPTION.replace('method = "POST"', 'methd = "POST"')
    (command.folder / "acme.toml").write_text(bad, "utf-8")
    code, out, err = command.run()
    assert code == 2
    assert out == ""
    line = bad.splitlines().index('methd = "POST"') + 1
    assert f"acme.toml, line {line}: auth.step.0.methd: unknown key" in only_line(err)


def test_a_missing_variable_is_named(command, monkeypatch):
    monkeypatch.delenv("ACME_PASS")
    code, _, err = command.run()
    assert code == 2
    assert "ACME_PASS" in only_line(err)


def test_a_patients_file_with_an_impossible_date_is_named(command):
    (command.folder / "patients.toml").write_text(PATIENTS.replace("1980-02-03", "1980-02-31"), "utf-8")
    code, _, err = command.run()
    assert code == 2
    assert "patients.toml, line 6" in only_line(err)
    assert "birth_date" in err


def test_a_host_that_does_not_resolve_is_out_of_reach(command, monkeypatch):
    monkeypatch.setenv("ACME_URL", "http://no-such-host.invalid")
    code, out, _ = command.run()
    assert code == 3
    assert "acme was not reached: unreachable: cannot resolve the host name of no-such-host.invalid" in out
    assert command.outcomes()["G7-I-TLV-1"] == "not_tested"


def test_a_refused_login_is_out_of_reach(command, vendor):
    vendor.answers["login"] = (401, "application/json", b'{"error": "who are you"}')
    code, out, _ = command.run()
    assert code == 3
    assert "acme was not reached: auth" in out
    assert all(step["outcome"] in {"not_tested", "not_applicable"} for step in command.results()["steps"])


def test_html_where_json_is_due_fails_selection(command, vendor):
    vendor.answers["patients"] = (200, "text/html", b"<html><body><form>Please log in</form></body></html>")
    code, _, _ = command.run()
    assert code == 1
    assert command.outcomes()["G7-I-SUT-1"] == "failed"
    assert command.outcomes()["G9-IA-SUT-1"] == "not_tested"


HOSTILE = {
    "html": (b"<html><body>Please log in</body></html>", "login page"),
    "truncated": (CCD[:-40], ""),
    "empty": (b"", ""),
    "not-utf8": (CCD.replace(b"<family>Example", b"<family>Ex\xe4mple"), ""),
    "external-entity": (
        CCD.replace(b"?>\n", b'?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n', 1).replace(
            b"Ada", b"&e;"
        ),
        "",
    ),
    "entity-bomb": (
        CCD.replace(
            b"?>\n",
            b'?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
            + b"]>\n",
            1,
        ).replace(b"Ada", b"&j;"),
        "",
    ),
    "deep": (CCD.replace(b"</ClinicalDocument>", b"<a>" * 60_000 + b"</a>" * 60_000 + b"</ClinicalDocument>"), ""),
    "json": (b'{"resourceType": "Bundle"}', ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_a_located_finding(command, vendor, name):
    body, said = HOSTILE[name]
    vendor.answers["ccd"] = (200, "text/xml", body)
    code, _, _ = command.run("--criterion", "g9")
    assert code == 1
    assert command.outcomes()["G9-IA-SUT-1"] == "failed"
    assert command.outcomes()["G9-IA-SUT-2"] == "not_tested"
    (finding,) = [each for each in command.findings("G9-IA-SUT-1") if each["severity"] == "error"]
    assert finding["exchange"]
    assert said in finding["message"]
    text = (command.folder / "reports/latest/results.json").read_text("utf-8")
    assert "root:" not in text, "an external entity was read"


@pytest.mark.parametrize("moment", ["/ccd", ""])
def test_an_interrupted_run_writes_what_it_gathered(command, vendor, moment):
    """In the middle, and in the first scenario of all."""
    for name in ("acme.toml", "patients.toml"):
        assert (command.folder / name).is_file()
    arguments = ["run", "--target", "acme.toml", "--patients", "patients.toml"]
    running = subprocess.Popen(
        [sys.executable, "-m", "onc_conformance", *arguments],
        cwd=command.folder,
        env={**os.environ, "PYTHONPATH": str(suite.PACKAGE.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def interrupt(path):
        if path.startswith(moment):
            vendor.before = None
            running.send_signal(signal.SIGINT)
            time.sleep(0.5)

    vendor.before = interrupt
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    found = command.results()
    assert found["interrupted"] is True
    assert found["exit_code"] == 130
    assert any(step["outcome"] == "not_tested" for step in found["steps"])
    assert (command.folder / "reports/latest/dossier.html").is_file()
    assert list((command.folder / "reports/latest/evidence").glob("0*.json")) or not moment
