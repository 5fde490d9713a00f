"""Targets examined at once come to what they come to one after the other."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onc_conformance import running
from onc_conformance.findings import Outcome
from onc_conformance.options import RunOptions

ROOT = Path(__file__).parents[2]


def told(finished):
    return {
        (each.step.id, one.target): (
            one.outcome,
            one.reason,
            [(scenario.name, scenario.outcome, [str(finding.message) for finding in scenario.findings])
             for scenario in one.scenarios],
        )
        for each in finished.settlement.steps
        for one in each.targets
    }  # fmt: skip


@pytest.mark.parametrize("faults", [(), ("document-window-ignored",)], ids=["sound", "faulty"])
def test_two_workers_come_to_the_same_as_none(faults, tmp_path):
    options = {"patients": ["tiny"], "faults": faults, "criteria": ["g9"]}
    alone = running.run(RunOptions(**options, reports=None))
    together = running.run(RunOptions(**options, reports=tmp_path, jobs=2))
    assert told(together) == told(alone)
    assert together.code == alone.code == (1 if faults else 0)
    ids = [each.id for each in together.run.exchanges]
    assert len(ids) == len(set(ids)) == len(alone.run.exchanges)
    workers = {}
    for each in together.run.exchanges:
        workers.setdefault(each.target, set()).add(each.id.partition("-")[0])
    assert set(workers) == {"webchart", "ehryourway", "docref", "fhir"}
    assert all(len(one) == 1 for one in workers.values()), "a target is asked by one worker alone"
    assert len(set.union(*workers.values())) == 2
    cited = {name for each in together.settlement.steps for name in each.exchanges}
    assert cited <= set(ids)
    assert (together.folder / "evidence" / f"{ids[0]}.json").is_file()
    assert any((together.folder / "allure-results").glob("*-result.json"))


def test_progress_is_told_and_one_target_needs_no_worker():
    told_of = []
    done = running.run(
        RunOptions(targets=["reference:webchart"], patients=["tiny"], criteria=["g7"], reports=None, jobs=4),
        lambda name, number, total: told_of.append((name, number, total)),
    )
    assert done.code == 0
    assert [number for _, number, _ in told_of] == list(range(1, told_of[0][2] + 1))


def test_tags_select_on_workers_too():
    done = running.run(RunOptions(patients=["tiny"], reports=None, jobs=2, tags="g7 and not beyond"))
    assert {each.step.criterion for each in done.settlement.steps} == {"g7"}
    assert done.code == 0


def test_an_interrupted_run_writes_what_was_gathered(tmp_path):
    command = [sys.executable, "-m", "onc_conformance", "run", "--jobs", "2", "--reports", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("*/allure-results/*-result.json"))) < 6 and time.monotonic() < deadline:
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    (folder,) = (path.parent for path in tmp_path.glob("2*/results.json"))
    content = json.loads((folder / "results.json").read_text())
    assert content["interrupted"]
    assert content["exchanges"]
    assert any(Outcome.PASSED in each["by_target"].values() for each in content["steps"])
