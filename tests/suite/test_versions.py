"""A description names a version of SMART App Launch or of Bulk Data Access other than its edition's."""

import json

import pytest

from onc_conformance import cli, suite
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.settings import BULK, Settings

BUNDLED = suite.root() / "src" / "onc_conformance" / "targets" / "fhir.toml"


@pytest.fixture
def outcomes(tmp_path, monkeypatch, capfd):
    """What comes of each step of a run over the bundled description with lines of its own, on an EHR set so."""

    def run(settings, lines, tags):
        text = BUNDLED.read_text(encoding="utf-8")
        for table, line in lines.items():
            assert f"\n[{table}]\n" in text
            text = text.replace(f"\n[{table}]\n", f"\n[{table}]\n{line}\n")
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        with ReferenceEHR(patients=[suite.schemas() / "patients" / "tiny.toml"], settings=settings) as ehr:
            for name, value in ehr.env.items():
                monkeypatch.setenv(name, value)
            monkeypatch.chdir(tmp_path)
            cli.main([
                "run", "--target", "mine.toml", "--patients", "tiny", "--criterion", "g10", "--tags", tags,
            ])  # fmt: skip
        capfd.readouterr()
        found = json.loads((tmp_path / "reports" / "latest" / "results.json").read_text(encoding="utf-8"))
        return {step["id"]: step["outcome"] for step in found["steps"]}

    return run


@pytest.mark.parametrize("asked", BULK)
@pytest.mark.parametrize("spoken", BULK)
def test_a_manifest_of_either_version_is_good_by_both(outcomes, asked, spoken):
    found = outcomes(Settings(bulk_version=spoken), {"bulk": f'version = "{asked}"'}, "DAT-PAT-10 or DAT-PAT-13")
    assert found["DAT-PAT-10"] == found["DAT-PAT-13"] == "passed"


@pytest.mark.parametrize("version", BULK)
def test_exports_of_each_version_pass(outcomes, version):
    found = outcomes(Settings(bulk_version=version), {"bulk": f'version = "{version}"'}, "bulk")
    red = {step for step, outcome in found.items() if outcome in {"failed", "error"}}
    assert red == set()
    passed = {step for step, outcome in found.items() if outcome == "passed"}
    assert {"SH-PAT-4", "SH-PAT-5", "AUT-SYS-1"} | {f"DAT-PAT-{number}" for number in range(10, 16)} <= passed


@pytest.mark.parametrize("version", ["2.0.0", "2.2.0"])
def test_launches_of_each_version_pass(outcomes, version):
    found = outcomes(Settings(), {"smart": f'version = "{version}"'}, "authorization and not (matrix or waiting)")
    red = {step for step, outcome in found.items() if outcome in {"failed", "error"}}
    assert red == set()
    passed = {step for step, outcome in found.items() if outcome == "passed"}
    assert {f"AUT-PAT-{number}" for number in (1, 2, 3, 4, 14, 17, 20, 24, 25, 26, 27, 30, 31, 35)} <= passed
