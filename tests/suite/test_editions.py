"""(g)(10) in the editions other than the default: the reference EHR follows each edition's guides, and passes."""

import json

import pytest

from onc_conformance import cli

DATA = "SH-PAT-1 or SH-PAT-2 or SH-PAT-3 or DAT-PAT-2 or DAT-PAT-3 or DAT-PAT-4 or DAT-PAT-6 or DAT-PAT-7"
ACCESS = "AUT-PAT-1 or AUT-PAT-5 or AUT-PAT-7 or AUT-PAT-9 or AUT-PAT-10 or AUT-PAT-12 or AUT-PAT-16 or AUT-SYS-1"


@pytest.fixture
def outcomes(tmp_path, monkeypatch, capfd):
    """The exit code of a run, what each step comes to, and the results."""

    def run(edition, tags, *more):
        monkeypatch.chdir(tmp_path)
        code = cli.main([
            "run", "--edition", edition, "--criterion", "g10", "--target", "reference:fhir", "--tags", tags, *more,
        ])  # fmt: skip
        capfd.readouterr()
        found = json.loads((tmp_path / "reports" / "latest" / "results.json").read_text(encoding="utf-8"))
        return code, {step["id"]: step["outcome"] for step in found["steps"]}, found

    return run


@pytest.mark.parametrize("edition", ["uscdi-v1", "svap-uscdi-v4", "svap-uscdi-v5"])
def test_the_data_of_each_edition_pass(outcomes, edition):
    code, steps, results = outcomes(edition, DATA)
    assert code == 0
    assert results["summary"]["failed"] == results["summary"]["not_tested"] == results["summary"]["error"] == 0
    assert {steps[each] for each in DATA.split(" or ")} == {"passed"}


def test_apps_are_launched_as_smart_1_has_it(outcomes):
    code, steps, results = outcomes("uscdi-v1", ACCESS, "--patients", "tiny")
    assert {steps[each] for each in ACCESS.split(" or ")} == {"passed"}
    assert steps["AUT-PAT-26"] == "not_applicable"
    assert code == 0, results["summary"]
