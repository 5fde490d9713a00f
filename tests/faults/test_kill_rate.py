"""Every fault of the reference EHR turns exactly its steps red, and nothing else.

Each fault is one run in a worker process, without Allure and without evidence, on the smallest patients that show it.
"""

import dataclasses
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from onc_conformance import cli, procedure, running
from onc_conformance.findings import Outcome
from onc_conformance.reference.faults import CATALOGUE

PARSER = cli.parser()
DOCUMENTS = ("reference:webchart", "reference:ehryourway", "reference:docref")
"""The targets that tiny patients are enough for: for (g)(10) they have not everything there has to be."""


def outcomes(arguments):
    """Outcome and reason of every step, for `run` with these arguments."""
    parsed = PARSER.parse_args(["run", *arguments])
    finished = running.run(dataclasses.replace(cli.run_options(parsed), reports=None))
    steps = {each.step.id: (each.outcome, each.reason) for each in finished.settlement.steps}
    return int(finished.code), steps


def with_fault(fault):
    return outcomes(["--fault", fault.id, "--criterion", fault.criterion, *fault.options])


@pytest.fixture(scope="module")
def runs(request):
    """The runs of the faults that are asked about, two at a time."""
    mine = [item for item in request.session.items if item.path == request.path and "runs" in item.fixturenames]
    all_of_them = any(item.name == test_the_kill_rate_as_a_table.__name__ for item in mine)
    asked = {item.callspec.params["fault"].id for item in mine if "fault" in item.fixturenames}
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=get_context("fork")) as workers:
        yield {fault.id: workers.submit(with_fault, fault) for fault in CATALOGUE if all_of_them or fault.id in asked}


def test_the_catalogue_is_sound():
    known = procedure.load().steps
    assert len({fault.id for fault in CATALOGUE}) == len(CATALOGUE) >= 20
    for fault in CATALOGUE:
        assert fault.steps, fault.id
        assert set(fault.steps) <= set(known), fault.id
        assert {known[step].criterion for step in fault.steps} <= set(fault.criterion.split(",")), fault.id
        assert fault.breaks.endswith("."), fault.id
        assert "--patients" in fault.options, f"{fault.id}: on which patients does it show?"


@pytest.mark.parametrize("patients", ["tiny", "edges"])
def test_without_a_fault_nothing_is_red(patients):
    code, steps = outcomes(["--patients", patients, "--target", *DOCUMENTS])
    red = {step: reason for step, reason in steps.items() if reason[0] in (Outcome.FAILED, Outcome.ERROR)}
    assert red == {}
    assert code == 0


def test_without_a_fault_nothing_is_red_on_the_fhir_server():
    _, steps = outcomes(["--patients", "tiny", "--target", "reference:fhir", "--criterion", "g10"])
    assert {step: why for step, (outcome, why) in steps.items() if outcome in {Outcome.FAILED, Outcome.ERROR}} == {}
    assert steps["SH-PAT-1"][0] is steps["DAT-PAT-7"][0] is steps["DAT-PAT-9"][0] is Outcome.PASSED


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.id)
def test_a_fault_turns_exactly_its_steps_red(fault, runs):
    code, steps = runs[fault.id].result(timeout=300)
    ours = {step: why for step, (outcome, why) in steps.items() if outcome is Outcome.ERROR}
    assert ours == {}, "an outcome of the suite's own making"
    assert {step for step, (outcome, _) in steps.items() if outcome is Outcome.FAILED} == set(fault.steps)
    assert code == (3 if fault.id.startswith("smart-certificate-") else 1), "nobody is reached whom nobody can trust"


def test_the_kill_rate_as_a_table(runs, record_property):
    killed = 0
    lines = [f"{'fault':<28} {'criterion':<10} {'expected':>8} {'red':>4} {'collateral':>10}"]
    for fault in CATALOGUE:
        _, steps = runs[fault.id].result(timeout=300)
        red = {step for step, (outcome, _) in steps.items() if outcome is Outcome.FAILED}
        killed += red == set(fault.steps)
        lines.append(
            f"{fault.id:<28} {fault.criterion:<10} {len(fault.steps):>8} {len(red & set(fault.steps)):>4} "
            f"{len(red - set(fault.steps)):>10}"
        )
    lines.append(f"kill rate {killed} of {len(CATALOGUE)}")
    record_property("told at the end", "\n".join(lines))
    assert killed == len(CATALOGUE)
