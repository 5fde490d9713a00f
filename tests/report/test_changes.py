"""What a comparison of two runs says."""

import copy
import json

import jsonschema
import pytest

from onc_conformance import cli, suite
from onc_conformance.findings import UsageError
from onc_conformance.report import changes, results, resultsfile

SCHEMA = json.loads((suite.schemas() / "results.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def old(written):
    return json.loads((written / "results.json").read_text(encoding="utf-8"))


@pytest.fixture
def new(old):
    return copy.deepcopy(old)


def step(content, step_id):
    return next(each for each in content["steps"] if each["id"] == step_id)


def compared(old, new):
    return changes.compare(resultsfile.Results.model_validate(old), resultsfile.Results.model_validate(new))


def states(found):
    return {(each.step, each.target): each.state for each in found.steps}


def test_a_run_compared_with_itself_has_only_what_is_still_there(old, new):
    found = compared(old, new)
    assert {each.state for each in (*found.steps, *found.findings)} == {"still"}
    assert states(found)["G9-IA-TLV-1", "acme"] == "still"
    assert not found.regressed
    assert found.notes == ()


def test_a_step_that_fails_now_is_new_and_one_that_holds_again_is_fixed(old, new):
    step(new, "G7-I-TLV-1")["by_target"]["brand"] = "failed"
    step(new, "G9-IA-TLV-1")["by_target"]["acme"] = "passed"
    found = compared(old, new)
    assert states(found)["G7-I-TLV-1", "brand"] == "new"
    assert states(found)["G9-IA-TLV-1", "acme"] == "fixed"
    assert found.regressed


def test_untested_counts_as_failing_unless_excused(old, new):
    step(new, "G7-I-TLV-1")["by_target"] |= {"acme": "not_tested", "brand": "not_tested"}
    new["suppressions"].append({"kind": "excuse", "step": "G7-I-TLV-1", "target": "acme", "reason": "", "expires": ""})
    found = compared(old, new)
    assert states(found)["G7-I-TLV-1", "acme"] == "changed"
    assert states(found)["G7-I-TLV-1", "brand"] == "new"


def test_a_failure_that_is_not_tested_any_more_is_not_called_fixed(old, new):
    step(new, "G9-IA-TLV-1")["by_target"]["acme"] = "not_tested"
    step(new, "G9-IA-TLV-1")["findings"] = []
    found = compared(old, new)
    assert states(found)["G9-IA-TLV-1", "acme"] == "changed"
    assert [each.state for each in found.findings if each.rule == "G9-IA-TLV-1" and each.severity == "error"] == [
        "went"
    ]
    assert not found.regressed


def test_steps_come_and_go(old, new):
    new["steps"].remove(step(new, "G9-IA-TLV-1"))
    old["steps"].remove(step(old, "G7-IIA2-TLV-1"))
    found = compared(old, new)
    assert states(found)["G9-IA-TLV-1", "acme"] == "went"
    assert states(found)["G7-IIA2-TLV-1", "acme"] == "came"


def test_a_step_that_comes_failing_is_new(old, new):
    old["steps"].remove(step(old, "G9-IA-TLV-1"))
    assert states(compared(old, new))["G9-IA-TLV-1", "acme"] == "new"


def test_a_finding_is_the_same_on_another_day_host_and_line(old, new):
    wrong = next(each for each in step(new, "G9-IA-TLV-1")["findings"] if each["severity"] == "error")
    before = next(each for each in step(old, "G9-IA-TLV-1")["findings"] if each["severity"] == "error")
    before["message"] += " in exchange 0002 of http://127.0.0.1:4711/x after 1.2 s, line 12"
    wrong["message"] += " in exchange 2-0044 of http://127.0.0.1:5812/x after 31 s, line 14"
    before["xpath"], wrong["xpath"] = "/a/b[2]", "/a/b[3]"
    wrong["line"], wrong["exchange"] = 99, "0044"
    assert {each.state for each in compared(old, new).findings} == {"still"}


def test_what_a_finding_found_may_change(old, new):
    wrong = next(each for each in step(new, "G9-IA-TLV-1")["findings"] if each["severity"] == "error")
    wrong["found"] = "Marsh"
    changed = [each for each in compared(old, new).findings if each.state == "changed"]
    assert [(each.rule, each.new) for each in changed] == [("G9-IA-TLV-1", ("error, expected Newman, found Marsh",))]


def test_codes_and_days_are_not_volatile():
    said = "59621000 of 2011-10-05 is missing, expected 5.4 mg"
    assert changes.stable(said) == said


def test_another_edition_rules_or_patients_are_told(old, new):
    new["edition"] = "uscdi-v1"
    new["tool"]["rules"]["procedures/g7.yaml"] = "ef" * 32
    new["patients"] = []
    assert compared(old, new).notes == (
        "judged in uscdi-v3 before, in uscdi-v1 now",
        "rules differ: procedures/g7.yaml",
        "patients before: newman; now: none",
    )


def test_the_command_says_it_in_lines_and_as_json(old, new, tmp_path, capsys):
    step(new, "G7-I-TLV-1")["by_target"]["brand"] = "failed"
    run = tmp_path / "run"
    run.mkdir()
    (run / "results.json").write_text(json.dumps(new))
    before = tmp_path / "old.json"
    before.write_text(json.dumps(old))
    assert cli.main(["compare", str(before), str(run)]) == 1
    assert "  new: G7-I-TLV-1 [brand] passed -> failed" in capsys.readouterr().out.splitlines()
    assert cli.main(["compare", str(run), str(before), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, {**SCHEMA["$defs"]["comparison"], "$defs": SCHEMA["$defs"]})
    assert told["summary"]["steps"]["fixed"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file or folder"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "valid dictionary"),
        ('{"name": "package", "version": "1"}', "key tool: missing"),
    ],
)
def test_a_broken_or_foreign_file_is_one_line_and_code_2(content, said, written, tmp_path, capsys):
    path = tmp_path / "foreign.json"
    if content is not None:
        path.write_text(content)
    assert cli.main(["compare", str(written), str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert str(path) in told.err
    assert said in told.err


def test_a_file_with_a_broken_key_names_it(old, tmp_path):
    old["steps"][2]["by_target"]["acme"] = "splendid"
    path = tmp_path / "results.json"
    path.write_text(json.dumps(old))
    with pytest.raises(UsageError, match=r"results\.json, key steps\.2\.by_target\.acme: input should be "):
        resultsfile.load(tmp_path)


def test_a_run_with_a_baseline_tells_it_everywhere(build, old, tmp_path):
    from onc_conformance.report import dossier, write

    step(old, "G9-IA-TLV-1")["by_target"]["acme"] = "passed"
    run = build(baseline=resultsfile.Results.model_validate({**old, "source": "yesterday"}))
    write(run, tmp_path / "run")
    content = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, SCHEMA)
    assert content["comparison"]["regressed"]
    assert content["exit_code"] == build().exit_code
    page = dossier.render(run.masked(), [])
    assert "Since the baseline" in page
    assert "something fails now that did not fail before" in page
    assert results.comparison(build()) is None
