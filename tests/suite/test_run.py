"""A run from the command line to its reports."""

import json
import xml.etree.ElementTree as ET

import pytest

from onc_conformance import procedure
from onc_conformance.reference.faults import CATALOGUE

OUTPUTS = {"results.json", "allure-results", "junit.xml", "dossier.html", "evidence", "inputs"}


@pytest.fixture
def reference(tmp_path, monkeypatch, capfd):
    """The default run on the smallest patients, in an empty folder."""
    from onc_conformance import cli

    monkeypatch.chdir(tmp_path)

    def typed(*arguments):
        code = cli.main(["run", "--patients", "tiny", *arguments])
        said = capfd.readouterr()
        return code, said.out, said.err, tmp_path / "reports" / "latest"

    return typed


def results(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_the_default_run_ends_well(command):
    code, out, err = command("run")
    assert code == 0
    assert "(g)(10) fhir: " in out
    assert "not tested" not in out
    assert err == ""


def test_a_run_leaves_its_outputs(reference):
    code, out, err, latest = reference()
    assert code == 1
    assert {path.name for path in latest.iterdir()} == OUTPUTS
    assert "dossier.html" in out
    assert err == ""
    found = results(latest)
    assert found["targets"] == ["webchart", "ehryourway", "docref", "fhir"]
    assert {step["id"] for step in found["steps"]} == set(procedure.load().steps)
    assert found["summary"]["failed"] == found["summary"]["error"] == 0
    untested = {step["criterion"] for step in found["steps"] if step["outcome"] == "not_tested"}
    assert untested == {"g10"}, "tiny patients have not every profile"
    assert found["edition"] == "uscdi-v3"
    suites = ET.parse(latest / "junit.xml").getroot()
    assert int(suites.get("tests")) > 100
    assert int(suites.get("failures")) == 0


def test_every_line_of_a_scenario_is_a_step_in_allure(reference):
    _, _, _, latest = reference("--criterion", "g9", "--target", "reference:webchart")
    told = [json.loads(path.read_text("utf-8")) for path in (latest / "allure-results").glob("*-result.json")]
    (one,) = [each for each in told if each["name"].startswith("The document is complete and accurate")]
    assert [step["name"] for step in one["steps"]] == [
        "When the app asks for all data of each test patient",
        "Then each document holds what the patient's record has and nothing else",
    ]
    assert one["status"] == "passed"
    assert "45 CFR 170.315(g)(9)(i)(A)(1)" in one["description"]
    shown = [name for each in told for step in each["steps"] for name in step.get("attachments", [])]
    assert any(name["name"].startswith("exchange ") for name in shown)


def test_steps_of_criteria_not_selected_are_left_out(reference):
    code, _, _, latest = reference("--criterion", "g7,g8", "--target", "reference:ehryourway")
    assert code == 0
    assert {step["criterion"] for step in results(latest)["steps"]} == {"g7", "g8"}


def test_tags_narrow_the_run(reference):
    code, _, _, latest = reference("--tags", "G9-IA3II-SUT-1 and not beyond", "--target", "reference:webchart")
    assert code == 0
    assert [step["id"] for step in results(latest)["steps"]] == ["G9-IA3II-SUT-1", "G9-IA3II-TLV-1"]


@pytest.mark.parametrize("tags", ["nosuch", "g9 and", "g9 and g7"])
def test_a_selection_of_nothing_is_wrong_usage(reference, tags):
    code, _, err, _ = reference("--tags", tags)
    assert code == 2
    assert err.startswith("onc-conformance: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--edition", "uscdi-v2"], "uscdi-v2"),
        (["--criterion", "g11"], "g11"),
        (["--fault", "no-such-fault"], "no-such-fault"),
        (["--target", "reference:epic"], "reference:epic"),
        (["--target", "nowhere.toml"], "nowhere.toml"),
        (["--patients", "nobody.toml"], "nobody.toml"),
        (["--env-file", "nowhere.env"], "nowhere.env"),
        (["--attestations", "nowhere.toml"], "nowhere.toml"),
        (["--excuses", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_wrong_usage_is_named_in_one_line(reference, arguments, said):
    code, out, err, _ = reference(*arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert out == ""


def test_a_fault_needs_the_reference_ehr(command):
    code, _, err = command.run("--fault", "select-no-id")
    assert code == 2
    assert "--fault" in err


def test_a_planted_fault_fails_the_run_and_is_found_in_the_reports(reference):
    code, out, _, latest = reference("--fault", "goals-missing", "--criterion", "g9")
    assert code == 1
    assert "G9-IA3II-SUT-1" in out
    failed = [step for step in results(latest)["steps"] if step["outcome"] == "failed"]
    assert [step["id"] for step in failed] == ["G9-IA3II-SUT-1", "G9-IA3II-TLV-1"]
    finding = failed[0]["findings"][0]
    assert finding["severity"] == "error"
    assert (latest / "evidence" / f"{finding['exchange']}.json").is_file()
    assert finding["exchange"] in (latest / "dossier.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("fault", "criterion"),
    [
        ("select-same-id", "g7"),
        ("category-wrong-patient", "g8"),
        ("goals-missing", "g9"),
        ("smart-code-twice-accepted", "g10"),
    ],
)
def test_a_whole_run_over_a_criterion_finds_a_fault_of_it_and_nothing_else(reference, fault, criterion):
    told = next(each for each in CATALOGUE if each.id == fault)
    code, _, err, latest = reference("--fault", fault, "--criterion", criterion)
    assert (code, err) == (1, "")
    outcomes = {step["id"]: step["outcome"] for step in results(latest)["steps"]}
    assert {step for step, outcome in outcomes.items() if outcome == "failed"} == set(told.steps)
    assert "error" not in outcomes.values()
    assert {path.name for path in latest.iterdir()} == OUTPUTS


def test_digest_evidence_keeps_no_bodies(reference):
    code, _, _, latest = reference("--evidence", "digest", "--criterion", "g9", "--target", "reference:webchart")
    assert code == 0
    assert not list((latest / "evidence").glob("*.response.*"))
    text = "".join(path.read_text("utf-8") for path in (latest / "evidence").iterdir())
    assert "ClinicalDocument" not in text
    assert "sha256" in text


def test_a_criterion_that_is_not_claimed_does_not_apply(command):
    code, _, _ = command.run()
    assert code == 1
    steps = {step["id"]: step for step in command.results()["steps"]}
    assert steps["G8-IA-SUT-1"]["outcome"] == "not_applicable"
    assert steps["G8-IA-SUT-1"]["reason"] == "not claimed"
    assert steps["G9-IIA3-SUT-1"]["reason"] == "not in this edition"
    assert steps["G9-IB-TLV-1"]["reason"] == "no expected record"
    assert steps["G9-IA-SUT-1"]["outcome"] == "passed"
    assert steps["G7-IIA1-SUT-1"]["outcome"] == "not_tested"


def test_excuses_let_steps_stay_untested(command):
    command.run("--criterion", "g7")
    untested = [step["id"] for step in command.results()["steps"] if step["outcome"] == "not_tested"]
    assert untested
    text = "".join(
        f'[[excuse]]\nstep = "{step}"\nreason = "documentation is due in spring"\nexpires = 2099-01-01\n'
        for step in untested
    )
    (command.folder / "excuses.toml").write_text(text, encoding="utf-8")
    code, _, _ = command.run("--criterion", "g7", "--excuses", "excuses.toml")
    assert code == 0
    assert command.results()["summary"]["suppressed"] == len(untested)


def test_a_named_target_needs_patients(command):
    code, _, err = command("run", "--target", "acme.toml")
    assert code == 2
    assert "--patients" in err


def test_an_env_file_serves_where_the_environment_is_silent(command, vendor, monkeypatch):
    monkeypatch.delenv("ACME_URL")
    env = command.folder / "acme.env"
    env.write_text(f"# where it is\nACME_URL={vendor.url}\nACME_PASS=overridden\nONC_PATIENTS=patients.toml\n", "utf-8")
    code, _, _ = command("run", "--target", "acme.toml", "--env-file", str(env), "--criterion", "g7")
    assert code == 1
    assert command.outcomes()["G7-I-TLV-1"] == "passed"
    env.write_text("ACME_URL\n", "utf-8")
    code, _, err = command("run", "--target", "acme.toml", "--env-file", str(env))
    assert code == 2
    assert "line 1" in err
