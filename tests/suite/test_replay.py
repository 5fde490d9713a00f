"""A run judged again from its recording."""

import json
import shutil

import pytest
from tests.suite.vendor import DESCRIPTION, PASSWORD, PATIENTS, Vendor

from onc_conformance import cli, judging, running
from onc_conformance.findings import Finding, Layer, Outcome, Severity
from onc_conformance.options import RunOptions


def outcomes(finished):
    return {each.step.id: {one.target: one.outcome for one in each.targets} for each in finished.settlement.steps}


LIVE = ("AUT-PAT-", "PAR-", "TOK-INTRO-", "DAT-PAT-9")
"""How the ids of steps about authorization begin: a recording holds no codes and tokens to judge them by."""


def lasting(finished):
    """The outcomes that a replay can come to."""
    return {step: came_to for step, came_to in outcomes(finished).items() if not step.startswith(LIVE)}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The default run on the smallest patients."""
    return running.run(RunOptions(patients=["tiny"], reports=tmp_path_factory.mktemp("recorded")))


def test_a_replay_comes_to_the_same_without_servers_and_variables(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr("onc_conformance.candidates.ReferenceEHR", None)
    monkeypatch.setattr("requests.Session.send", None)
    again = running.run(RunOptions(replay=recorded.folder, reports=tmp_path))
    assert lasting(again) == lasting(recorded)
    assert 0 < len(again.run.exchanges) < len(recorded.run.exchanges)
    assert any("nothing was asked" in warning for warning in again.run.warnings)
    # and what it wrote is a recording as good as the first
    third = running.run(RunOptions(replay=again.folder, reports=None))
    assert lasting(third) == lasting(recorded)


def test_authorization_is_not_judged_from_a_recording(recorded):
    again = running.run(RunOptions(replay=recorded.folder, reports=None, criteria=["g10"]))
    live = [each for each in again.settlement.steps if each.step.id.startswith(LIVE)]
    assert {each.outcome for each in live} == {Outcome.NOT_TESTED, Outcome.ATTESTED, Outcome.NOT_APPLICABLE}
    untested = [each for each in live if each.outcome is Outcome.NOT_TESTED]
    assert all("a recording holds no codes and tokens" in each.reason for each in untested)


def test_a_replay_by_two_workers_comes_to_the_same(recorded):
    again = running.run(RunOptions(replay=recorded.folder, reports=None, jobs=2))
    assert lasting(again) == lasting(recorded)


def test_another_judge_shows(recorded, monkeypatch):
    objection = Finding(layer=Layer.CONTENT, severity=Severity.ERROR, rule="new-rule", message="a rule nobody knew")
    monkeypatch.setattr(judging, "document_type", lambda *_, **__: [objection])
    again = running.run(RunOptions(replay=recorded.folder, reports=None))
    came_to, before = lasting(again), lasting(recorded)
    changed = {step for step in came_to if came_to[step] != before[step]}
    assert changed
    turned = {
        outcome for step in changed for target, outcome in came_to[step].items() if outcome != before[step][target]
    }
    assert Outcome.FAILED in turned <= {Outcome.FAILED, Outcome.NOT_TESTED}


def test_a_part_of_a_recording_can_be_judged_alone(recorded):
    again = running.run(RunOptions(replay=recorded.folder, reports=None, criteria=["g9"], targets=["ehryourway"]))
    before = outcomes(recorded)
    for step, by_target in outcomes(again).items():
        assert by_target == {"ehryourway": before[step]["ehryourway"]}, step


def test_what_was_not_recorded_is_not_tested_and_never_a_failure(recorded, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(recorded.folder, folder)
    index = folder / "evidence" / "index.json"
    rows = json.loads(index.read_text())
    index.write_text(json.dumps([row for row in rows if "all_data" not in row["purpose"]]))
    again = running.run(RunOptions(replay=folder, reports=None))
    all_outcomes = [each for by_target in outcomes(again).values() for each in by_target.values()]
    assert Outcome.FAILED not in all_outcomes
    assert Outcome.ERROR not in all_outcomes
    tested = {each.step.id for each in recorded.settlement.steps if each.outcome is Outcome.PASSED}
    untested = [
        each
        for each in again.settlement.steps
        if each.outcome is Outcome.NOT_TESTED and each.step.id in tested and not each.step.id.startswith(LIVE)
    ]
    assert untested
    assert all("not in the recording" in (each.reason or "") for each in untested)
    assert again.code == 1


def test_the_inputs_hold_no_value_of_the_environment(tmp_path, monkeypatch):
    with Vendor() as vendor:
        description, patients = tmp_path / "acme.toml", tmp_path / "patients.toml"
        description.write_text(DESCRIPTION)
        patients.write_text(PATIENTS)
        monkeypatch.setenv("ACME_URL", vendor.url)
        monkeypatch.setenv("ACME_PASS", PASSWORD)
        options = RunOptions(
            targets=[str(description)], patients=[str(patients)], reports=tmp_path / "r", criteria=["g9"]
        )
        first = running.run(options)
    monkeypatch.delenv("ACME_URL")
    monkeypatch.delenv("ACME_PASS")
    written = "".join(path.read_text() for path in (first.folder / "inputs").iterdir())
    assert PASSWORD not in written
    assert "ACME_PASS" in written
    again = running.run(RunOptions(replay=first.folder, reports=None))
    assert outcomes(again) == outcomes(first)
    # a description of now, judged on what was recorded then
    description.write_text(DESCRIPTION.replace('title = ""', ""))
    again = running.run(RunOptions(replay=first.folder, targets=[str(description)], reports=None))
    assert outcomes(again) == outcomes(first)


def test_what_cannot_be_replayed_is_one_line_and_code_2(tmp_path, capsys):
    with Vendor() as vendor, pytest.MonkeyPatch.context() as patch:
        description, patients = tmp_path / "acme.toml", tmp_path / "patients.toml"
        description.write_text(DESCRIPTION)
        patients.write_text(PATIENTS)
        patch.setenv("ACME_URL", vendor.url)
        patch.setenv("ACME_PASS", PASSWORD)
        digest = running.run(
            RunOptions(
                targets=[str(description)], patients=[str(patients)], reports=tmp_path / "r", criteria=["g7"],
                evidence="digest",
            )
        )  # fmt: skip
    assert not (digest.folder / "inputs").exists()
    for arguments, said in (
        ([str(digest.folder)], "--evidence digest"),
        ([str(tmp_path / "nothing")], "no such folder"),
        ([str(tmp_path)], "index.json"),
    ):
        assert cli.main(["run", "--replay", *arguments]) == 2
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 1
        assert said in told[0]


def test_faults_and_unknown_targets_do_not_go_with_a_replay(recorded, capsys):
    assert cli.main(["run", "--replay", str(recorded.folder), "--fault", "document-window-ignored"]) == 2
    assert "--replay judges what was recorded" in capsys.readouterr().err
    assert cli.main(["run", "--replay", str(recorded.folder), "--target", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
