"""A patient of another project's reference server, served and judged from end to end; each verdict with its reason."""

import dataclasses
from pathlib import Path

import pytest

from onc_conformance import cli, running, serving
from onc_conformance.findings import Outcome, Severity

BUNDLE = Path(__file__).parents[2].parent / "shared" / "fhir" / "us-core-patient-85.bundle.json"
SINGLE = (*(f"SH-PAT-{number}" for number in (1, 2, 3)), *(f"DAT-PAT-{number}" for number in (2, 3, 4, 5, 6, 7, 9, 18)))

# The Bundle has no resource of these, and the server says so by not declaring them.
TYPES = {"AllergyIntolerance", "Device", "Goal", "ServiceRequest"}
# Conditions bear the profile of version 4.0.0; what is no panel has no DiagnosticReport of the laboratory; of the vital
# signs there are a head's circumference and oxygen alone.
WITHOUT = {
    "us-core-allergyintolerance", "us-core-condition-problems-health-concerns", "us-core-implantable-device",
    "us-core-diagnosticreport-lab", "us-core-goal", "us-core-respiratory-rate", "us-core-heart-rate",
    "us-core-body-temperature", "pediatric-weight-for-height", "us-core-body-height", "us-core-bmi",
    "us-core-blood-pressure", "pediatric-bmi-for-age", "head-occipital-frontal-circumference-percentile",
    "us-core-body-weight", "us-core-servicerequest",
}  # fmt: skip
# Procedures have a Period where the profile marks dateTime.
GAPS = {
    "Immunization.statusReason", "MedicationRequest.reported[x]", "Patient.extension:tribalAffiliation",
    "Patient.extension:sex", "Procedure.basedOn", "Procedure.performed[x]",
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The run of what (g)(10) says of one patient's data, against a server that has the Bundle and nothing else."""
    room = tmp_path_factory.mktemp("given")
    with serving.serving("127.0.0.1", 0, None, (), (), [BUNDLE]) as ehr:
        serving.write_env(ehr, room / "given.env")
        arguments = ["run", "--target", "fhir", "--criterion", "g10", "--patients", str(BUNDLE)]
        arguments += ["--env-file", str(room / "given.env"), "--tags", " or ".join(SINGLE)]
        parsed = cli.parser().parse_args(arguments)
        return running.run(dataclasses.replace(cli.run_options(parsed), reports=None))


@pytest.fixture(scope="module")
def steps(finished):
    return {each.step.id: each for each in finished.settlement.steps}


def errors(step):
    return [each for each in step.findings if each.severity is Severity.ERROR]


def test_what_the_server_does_right_is_passed(steps):
    passed = {name for name, each in steps.items() if each.outcome is Outcome.PASSED}
    assert passed >= {"DAT-PAT-3", "DAT-PAT-4", "DAT-PAT-5", "DAT-PAT-6", "DAT-PAT-7", "DAT-PAT-9", "DAT-PAT-18"}


def test_nothing_fails_but_what_the_statement_leaves_out(steps):
    data = {name for name, each in steps.items() if each.outcome is Outcome.FAILED and name.startswith(("DAT", "SH"))}
    assert data == {"SH-PAT-1"}
    undeclared = {each.message.removeprefix("GET metadata: ") for each in errors(steps["SH-PAT-1"])}
    assert {f"{kind} is not declared" for kind in TYPES} <= undeclared
    profiles = {each.expected.rpartition("/")[2] for each in errors(steps["SH-PAT-1"]) if each.expected.startswith("h")}
    assert profiles < WITHOUT | {"us-core-condition-encounter-diagnosis"}


def test_the_ledger_names_what_the_bundle_lacks(steps):
    step = steps["DAT-PAT-2"]
    assert step.outcome is Outcome.NOT_TESTED
    told = step.reason.partition("no test patient has a resource of ")[2].partition("; enter one of each")[0]
    assert set(told.split(", ")) == WITHOUT
    gaps = [each for each in step.findings if "nothing shows" in each.message]
    assert {each.path for each in gaps} == GAPS
    assert all(each.severity is Severity.WARNING and each.hint for each in gaps)


def test_searches_that_nothing_can_be_found_by_are_not_passed(steps):
    for name in ("SH-PAT-2", "SH-PAT-3"):
        assert steps[name].outcome is Outcome.NOT_TESTED
        assert {each.rpartition(" ")[2] for each in steps[name].reason.split("; ")} <= TYPES


def test_codes_of_later_versions_are_told_as_such(steps):
    later = [each for each in steps["DAT-PAT-2"].findings if each.rule == "FHIR-CODE"]
    assert later
    assert {each.severity for each in later} == {Severity.WARNING}


def test_it_took_few_requests(finished):
    asked = [each for each in finished.run.exchanges if each.purpose.startswith(("search ", "read "))]
    assert 500 < len(asked) < 2000, "doors of scopes included"
