"""Many runs against one server: no leak, no drift. ONC_SOAK=500 makes it 500 runs; a few are enough to see a leak."""

import dataclasses
import os
from pathlib import Path

import pytest
from tests.suite.service import Service

from onc_conformance import cli, running, suite

RUNS = int(os.environ.get("ONC_SOAK", "4"))
WARM = 2
"""Runs after which everything that is kept is there."""


def memory(pid):
    """Resident kilobytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def handles(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.fixture
def service(tmp_path):
    running_service = Service(tmp_path, "--patients", "tiny")
    yield running_service
    running_service.end()


def test_many_runs_neither_leak_nor_drift(service, capsys):
    attestations = suite.schemas() / "attestations" / "reference.toml"
    typed = ["run", "--target", "webchart", "ehryourway", "--env-file", str(service.env_file)]
    options = cli.run_options(cli.parser().parse_args([*typed, "--attestations", str(attestations)]))
    options = dataclasses.replace(options, reports=None)
    pids = (os.getpid(), service.process.pid)
    first, start, rows = None, None, []
    for number in range(1, RUNS + 1):
        finished = running.run(options)
        verdicts = {each.step.id: [str(one.outcome) for one in each.targets] for each in finished.settlement.steps}
        first = first or verdicts
        assert verdicts == first, f"run {number} came to other verdicts than run 1"
        found = [(memory(pid), handles(pid)) for pid in pids]
        if number == WARM:
            start = found
        if number in {WARM, RUNS} or number % 100 == 0:
            rows.append(f"run {number}: " + ", ".join(f"{kb} kB, {fds} handles" for kb, fds in found))
    with capsys.disabled():
        os.write(1, ("\n" + "\n".join(rows) + "\n").encode())
    for (kb, fds), (kb_before, fds_before) in zip(found, start, strict=True):
        assert fds <= fds_before + 8
        assert kb <= kb_before * 1.25 + 20_000
