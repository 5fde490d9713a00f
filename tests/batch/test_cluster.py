"""The same work sent to a Dask scheduler: a real one on this machine, with two workers."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.batch.labour import Labour

from onc_conformance import batch, cli, suite
from onc_conformance.batch.archives import Source
from onc_conformance.batch.cluster import Cluster
from onc_conformance.batch.writers import JsonLines
from onc_conformance.findings import UsageError
from onc_conformance.reference import ccd, charts

distributed = pytest.importorskip("distributed")


def start(*what):
    environment = {**os.environ, "PYTHONPATH": f"{suite.PACKAGE.parent}{os.pathsep}{suite.root()}"}
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("dask")), *what],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def worker(file):
    return start(
        "worker",
        "--nthreads",
        "1",
        "--no-dashboard",
        "--scheduler-file",
        str(file),
        "--local-directory",
        str(file.parent),
    )


def end(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def scheduling(folder):
    """A scheduler, its address, and the file that leads workers to it."""
    file = folder / "scheduler.json"
    running = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    try:
        while not file.is_file() or not file.read_text():
            assert running.poll() is None
            time.sleep(0.1)
        yield running, json.loads(file.read_text())["address"], file
    finally:
        end(running)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of one that has no workers, and the file that leads workers to it."""
    with scheduling(tmp_path_factory.mktemp("dask")) as (_, address, file):
        yield address, file


@pytest.fixture(scope="module")
def cluster(scheduler):
    """The address of one with two workers."""
    address, file = scheduler
    options = (
        "--nthreads",
        "1",
        "--no-dashboard",
        "--scheduler-file",
        str(file),
        "--local-directory",
        str(file.parent),
    )
    workers = [start("worker", "--name", name, *options) for name in ("one", "two")]
    try:
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for each in workers:
            end(each)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    chart = charts.load([suite.schemas() / "patients" / "tiny.toml"])[0]
    for n in range(12):
        data = ccd.document(chart, document_id=str(n))
        (folder / f"{n:02}.xml").write_bytes(data if n % 4 else data[:-9])
    (folder / "x.xml").write_bytes(b"")
    return folder


def run(folder, **how):
    out = io.StringIO()
    code = batch.validate([folder], edition="uscdi-v3", form="json", out=out, **how)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    for each in told:
        each.pop("seconds")
    return code, told


def test_a_scheduler_nobody_works_for_is_out_of_reach(scheduler, documents, monkeypatch, capsys):
    monkeypatch.setattr("onc_conformance.batch.cluster.PATIENCE_TO_CONNECT", 1.0)
    assert cli.main(["validate", "--cluster", scheduler[0], str(documents)]) == 3
    assert "has no workers; start some" in capsys.readouterr().err


def test_a_cluster_tells_what_one_process_tells(cluster, documents):
    assert run(documents, cluster=cluster) == run(documents)


def test_a_document_whose_worker_dies_is_a_fault_and_the_others_are_judged(cluster):
    with Cluster(Labour(), cluster) as crew:
        told = list(crew.tell([Source("a", b""), Source("b", b"leave"), Source("c", b"")]))
    assert [each.verdict for each in told] == ["pass", "error", "pass"]
    assert "the cluster: " in told[1].text


HANGING = (b"", b"hang", b"hang", b"hang", b"", b"")


def test_a_document_that_hangs_is_a_fault_and_the_others_are_judged(cluster, monkeypatch):
    monkeypatch.setattr("onc_conformance.batch.cluster.PATIENCE", 2.0)
    with Cluster(Labour(), cluster) as crew:
        told = list(crew.tell(Source(path, word) for path, word in zip("abcdef", HANGING, strict=True)))
    assert [each.verdict for each in told] == ["pass", "error", "error", "error", "pass", "pass"]
    assert told[1].text == "b judging took longer than 2 s"


def test_a_scheduler_that_is_lost_ends_the_work_with_what_was_gathered(tmp_path, documents, monkeypatch, capsys):
    with scheduling(tmp_path) as (running, address, file):
        helper = worker(file)
        real = JsonLines.tell

        def killing(self, told):
            real(self, told)
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()

        monkeypatch.setattr(JsonLines, "tell", killing)
        many = [str(documents)] * 20  # more than are sent ahead
        try:
            assert cli.main(["validate", "--format", "json", "--cluster", address, *many]) == 3
        finally:
            end(helper)
    out, err = capsys.readouterr()
    assert "was lost" in err
    assert err.count("\n") == 1
    assert 0 < out.count("\n") < 20 * 13


def test_a_scheduler_that_does_not_answer_is_out_of_reach(documents, monkeypatch, capsys):
    monkeypatch.setattr("onc_conformance.batch.cluster.PATIENCE_TO_CONNECT", 1.0)
    assert cli.main(["validate", "--cluster", "tcp://127.0.0.1:1", str(documents)]) == 3
    err = capsys.readouterr().err
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in err
    assert err.count("\n") == 1


def test_an_address_that_is_none_is_wrong_usage(documents):
    with pytest.raises(UsageError, match="expected an address like tcp://host:8786"):
        run(documents, cluster="nonsense://x")


def test_without_the_extra_it_says_what_to_install(documents, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'onc-conformance\[cluster\]'"):
        run(documents, cluster="tcp://127.0.0.1:8786")
