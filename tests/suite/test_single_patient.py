"""(g)(10) for a single patient, from the command to the steps, on a small server of our own and its defects."""

import pytest
from tests.suite.fhirvendor import DESCRIPTION, PATIENTS, TOKEN, Smalltown

from onc_conformance import running
from onc_conformance.findings import Outcome
from onc_conformance.options import RunOptions


@pytest.fixture
def outcomes(tmp_path, monkeypatch):
    """What each step comes to on the small server with these defects: outcome and findings."""
    description, patients = tmp_path / "smalltown.toml", tmp_path / "patients.toml"
    description.write_text(DESCRIPTION, encoding="utf-8")
    patients.write_text(PATIENTS, encoding="utf-8")
    monkeypatch.setenv("SMALLTOWN_TOKEN", TOKEN)

    def run(*defects, change=None):
        with Smalltown(*defects, change=change) as town:
            monkeypatch.setenv("SMALLTOWN", town.url)
            options = RunOptions(
                targets=[str(description)], patients=[str(patients)], criteria=["g10"], reports=None, evidence="full"
            )
            finished = running.run(options)
        return {each.step.id: each for each in finished.settlement.steps}

    return run


def red(steps):
    return {name for name, each in steps.items() if each.outcome in {Outcome.FAILED, Outcome.ERROR}}


def scenarios(steps, outcome):
    return {scenario.name for each in steps.values() for scenario in each.scenarios if scenario.outcome is outcome}


def test_a_sound_server_has_nothing_against_it_but_that_it_shows_little(outcomes):
    steps = outcomes()
    assert scenarios(steps, Outcome.ERROR) == set()
    assert scenarios(steps, Outcome.FAILED) == {"Every endpoint is behind TLS"}  # which this one is not
    assert steps["SH-PAT-1"].outcome is Outcome.PASSED
    assert steps["DAT-PAT-18"].outcome is Outcome.PASSED
    assert steps["DAT-PAT-9"].outcome is Outcome.NOT_TESTED
    assert steps["DAT-PAT-9"].reason == "the description has no [smart]"
    assert steps["DAT-PAT-7"].outcome is Outcome.PASSED
    assert steps["DAT-PAT-1"].outcome is Outcome.NOT_APPLICABLE
    assert "no Observation" in steps["SH-PAT-2"].reason
    assert "Every must-support element is shown" in scenarios(steps, Outcome.NOT_TESTED)
    missing = {finding.path for finding in steps["DAT-PAT-2"].findings if finding.severity == "warning"}
    assert "Condition.abatement[x]" in missing
    assert "Condition.code" not in missing


DEFECTS = {
    "ignores-codes": {"Condition is found by every search US Core demands"},
    "ignores-comparators": {"Dates are compared as the app asks", "Procedure is found by every search US Core demands"},
    "ignores-bodies": {"A search by POST brings what it brings by GET"},
    "lies-about-total": {"Condition is found by every search US Core demands"},
    "drops-every-second": {"Everything that was entered comes back"},
    "everybody": {
        "Condition is found by every search US Core demands",
        "The id asked for decides whose data come back",
        "An id that nobody has brings no data",
    },
    "stops-paging": {"Short pages bring what long ones bring"},
    "no-provenance": {
        "Provenance comes along with Condition",
        "Provenance comes along with Patient",
        "Provenance comes along with Procedure",
        "The data of each type have Provenance",
    },
    "empty-for-bad-dates": {"A date that is none is refused"},
    "undeclared-Procedure": {"The capability statement declares what US Core demands"},
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_by_the_scenarios_meant_for_it(outcomes, defect):
    steps = outcomes(defect)
    assert scenarios(steps, Outcome.FAILED) >= DEFECTS[defect]
    assert scenarios(steps, Outcome.ERROR) == set()


def test_a_server_that_follows_another_version_is_not_judged_by_the_edition(outcomes):
    steps = outcomes("another-version")
    reason = "the server says that it follows US Core 3.1.1; the edition uscdi-v3 asks for 6.1.0"
    for name in ("SH-PAT-1", "SH-PAT-2", "SH-PAT-3", "DAT-PAT-18", "DAT-PAT-2", "DAT-PAT-7"):
        assert (steps[name].outcome, steps[name].reason) == (Outcome.NOT_TESTED, reason)
    assert scenarios(steps, Outcome.ERROR) == set()
    assert scenarios(steps, Outcome.FAILED) == {"Every endpoint is behind TLS"}


def without_onset_category(resources):
    del next(each for each in resources if each["id"] == "c2")["category"]


def dangling(resources):
    next(each for each in resources if each["id"] == "o1")["performer"][0]["actor"]["reference"] = "Practitioner/gone"


@pytest.mark.parametrize(
    ("change", "scenario", "path"),
    [
        (without_onset_category, "Condition has no error in form or vocabulary", "Condition/c2.category"),
        (dangling, "Everything that is referred to can be fetched", "Procedure/o1.performer[0].actor.reference"),
    ],
)
def test_a_defect_of_the_data_is_found_where_it_is(outcomes, change, scenario, path):
    steps = outcomes(change=change)
    assert scenario in scenarios(steps, Outcome.FAILED)
    errors = [finding for finding in steps["DAT-PAT-2"].findings if finding.severity == "error"]
    assert path in {finding.path for finding in errors}
    assert all(finding.exchange for finding in errors)
