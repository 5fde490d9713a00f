"""Editions other than the default: the reference EHR follows the guides of each, and passes."""

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
        code = cli.main(["run", "--edition", edition, "--target", "reference:fhir", "--tags", tags, *more])
        capfd.readouterr()
        found = json.loads((tmp_path / "reports" / "latest" / "results.json").read_text(encoding="utf-8"))
        return code, {step["id"]: step["outcome"] for step in found["steps"]}, found

    return run


@pytest.mark.parametrize("edition", ["uscdi-v1", "svap-uscdi-v4", "svap-uscdi-v5"])
def test_the_data_of_each_edition_pass(outcomes, edition):
    code, steps, results = outcomes(edition, DATA, "--criterion", "g10")
    assert code == 0
    assert results["summary"]["failed"] == results["summary"]["not_tested"] == results["summary"]["error"] == 0
    assert {steps[each] for each in DATA.split(" or ")} == {"passed"}


def test_apps_are_launched_as_smart_1_has_it(outcomes):
    code, steps, _ = outcomes("uscdi-v1", ACCESS, "--criterion", "g10", "--patients", "tiny")
    assert {steps[each] for each in ACCESS.split(" or ")} == {"passed"}
    assert code == 0


def test_documents_and_resources_tell_the_mean_pressure_of_later_editions_alike(outcomes):
    code, steps, _ = outcomes("svap-uscdi-v5", "G9-IA-TLV-2", "--criterion", "g9", "--patients", "reference")
    assert steps == {"G9-IA-TLV-2": "passed"}
    assert code == 0
