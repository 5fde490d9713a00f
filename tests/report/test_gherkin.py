"""The bridge from Gherkin to Allure, seen through real pytest runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from onc_conformance.exchange import Exchange
from onc_conformance.redaction import Secrets
from onc_conformance.report import allure as around
from onc_conformance.report import evidence

SECRET = "correct-horse-battery"
SOURCE = Path(__file__).parents[2] / "src"
FEATURE = """
@g9
Feature: All data request
  The paragraph in the procedure's words.

  @G9-IA-TLV-1
  Scenario: Everything comes back
    Given a patient
    When all data are asked for
    Then "7" documents come back

  @G9-IA-TLV-1
  Scenario: The wrong person comes back
    Given a patient
    When the answer is of a stranger
    Then "7" documents come back

  Scenario: Our own code breaks
    When the tool breaks
    Then "7" documents come back

  @G9-IA-TLV-2
  Scenario: Nothing to compare with
    Given a patient
    When there is no expected record
    Then "7" documents come back

  Scenario: A sentence nobody knows
    Given a patient
    When a sentence is not defined

  @out
  Scenario: Left out before it starts
    Given a patient

  Rule: Dates are days
    What the rule is about.

    @G9-IB-TLV-1
    Scenario Outline: A window of <days> days
      Given the classes
        | class    | code    |
        | problems | 11450-4 |
      Then "<days>" documents come back

      Examples:
        | days |
        | 1    |
        | 7    |
"""
STEPS = """
import pytest
from pytest_bdd import given, parsers, scenarios, then, when
from onc_conformance.exchange import Exchange
from onc_conformance.findings import Finding, Layer, Nonconformity, NotTested, Severity
from onc_conformance.redaction import Secrets
from onc_conformance.report import gherkin

SECRET = "correct-horse-battery"
SECRETS = Secrets({"P": SECRET})
scenarios("all.feature")

def exchange(number, body):
    return Exchange(
        id=number, target="acme", purpose=f"all data with {SECRET}", method="GET", url=f"http://h/?t={SECRET}",
        request_headers=(), request_body=b"", status=200, response_headers=(("Content-Type", "text/xml"),),
        response_body=body, started="", seconds=0.012, sha256="ab", error=None,
    )

@given("a patient")
def _(): pass

@given("the classes")
def _(datatable): pass

DOCUMENT = exchange("0007", b"<doc t='correct-horse-battery'/>")

@when("all data are asked for")
def _(request): gherkin.attach_exchanges(request.node, [DOCUMENT], SECRETS)

@when("the answer is of a stranger")
def _(request):
    many = [DOCUMENT, *(exchange(f"1{number:03}", b"") for number in range(6))]
    gherkin.attach_exchanges(request.node, many, SECRETS)
    gherkin.attach_exchanges(request.node, many, SECRETS)
    gherkin.attach_exchanges(request.node, many, SECRETS, cited=["0007"])
    finding = Finding(layer=Layer.SECURITY, severity=Severity.ERROR, rule="G9-IA-TLV-1", message=f"a stranger {SECRET}")
    gherkin.attach_findings([finding], SECRETS)
    gherkin.attach_findings([], SECRETS)
    raise Nonconformity([finding])

@when("the tool breaks")
def _(): raise KeyError("ours")

@when("there is no expected record")
def _(): raise NotTested("no expected record")

@then(parsers.parse('"{number:d}" documents come back'))
def _(number): pass
"""
CONFTEST = """
import pytest
from onc_conformance.findings import NotTested

pytest_plugins = ["onc_conformance.report.gherkin"]

def pytest_configure(config):
    for mark in ("g9", "out", "G9-IA-TLV-1", "G9-IA-TLV-2", "G9-IB-TLV-1"):
        config.addinivalue_line("markers", mark)

def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("target_id")
    metafunc.parametrize("target_id", ["acme"])

def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("out"):
            item.add_marker(pytest.mark.skip(reason="not claimed"))

@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call():
    try:
        return (yield)
    except NotTested as skipped:
        pytest.skip(skipped.reason)
"""


def run_pytest(folder, *arguments):
    (folder / "all.feature").write_text(FEATURE)
    (folder / "test_all.py").write_text(STEPS)
    (folder / "conftest.py").write_text(CONFTEST)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [
        sys.executable, "-m", "pytest", "-q", f"--rootdir={folder}", "-c", os.devnull, "-p", "pytest_bdd.plugin",
        "-p", "no:cacheprovider", *arguments, str(folder),
    ]  # fmt: skip
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def allure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told")
    results = folder / "results"
    done = run_pytest(folder, "-p", "allure_pytest.plugin", f"--alluredir={results}")
    assert "3 failed, 3 passed, 2 skipped" in done.stdout, done.stdout + done.stderr
    assert holding_the_secret(results)  # in the message of the failure
    secrets = Secrets({"P": SECRET})
    (folder / "evidence").mkdir()
    for number in ("0007", "1000", "1001"):
        evidence.record(exchanged(number), folder / "evidence", secrets)
    assert around.finish(results, folder / "evidence", secrets) > 0
    return results


def exchanged(number):
    return Exchange(
        id=number, target="acme", purpose=f"all data with {SECRET}", method="GET", url=f"http://h/?t={SECRET}",
        request_headers=(), request_body=b"", status=200, response_headers=(("Content-Type", "text/xml"),),
        response_body=f"<doc t='{SECRET}'/>".encode() if number == "0007" else b"", started="", seconds=0.012,
        sha256="ab", error=None,
    )  # fmt: skip


def holding_the_secret(folder):
    return [path.name for path in folder.iterdir() if SECRET in path.read_text()]


@pytest.fixture(scope="module")
def tests(allure):
    told = (json.loads(path.read_text()) for path in allure.glob("*-result.json"))
    return {test["name"]: test for test in told}


def lines(test):
    return [(step["name"], step["status"]) for step in test["steps"]]


def attachments(allure, step):
    return {each["name"]: (allure / each["source"]).read_text() for each in step.get("attachments", ())}


def labels(test, name):
    return [label["value"] for label in test["labels"] if label["name"] == name]


def test_every_scenario_is_in_the_report_even_those_skipped_before_they_start(tests):
    assert {name: test["status"] for name, test in tests.items()} == {
        "Everything comes back [acme]": "passed",
        "The wrong person comes back [acme]": "failed",
        "Our own code breaks [acme]": "broken",
        "Nothing to compare with [acme]": "skipped",
        "A sentence nobody knows [acme]": "broken",
        "Left out before it starts [acme]": "skipped",
        "A window of 1 days [acme]": "passed",
        "A window of 7 days [acme]": "passed",
    }


def test_every_line_is_a_step(tests):
    assert lines(tests["Everything comes back [acme]"]) == [
        ("Given a patient", "passed"),
        ("When all data are asked for", "passed"),
        ('Then "7" documents come back', "passed"),
    ]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("The wrong person comes back [acme]", ["passed", "failed", "skipped"]),
        ("Our own code breaks [acme]", ["broken", "skipped"]),
        ("Nothing to compare with [acme]", ["passed", "skipped", "skipped"]),
        ("A sentence nobody knows [acme]", ["passed", "broken"]),
    ],
)
def test_lines_never_reached_are_told_as_skipped(tests, name, statuses):
    assert [status for _, status in lines(tests[name])] == statuses


def test_a_line_not_tested_says_why(tests):
    step = tests["Nothing to compare with [acme]"]["steps"][1]
    assert "no expected record" in step["statusDetails"]["message"]


def test_a_scenario_has_its_place_in_the_tree(tests):
    test = tests["Everything comes back [acme]"]
    assert labels(test, "epic") == ["ONC (g)(9)"]
    assert labels(test, "feature") == ["All data request"]
    assert labels(test, "story") == ["(g)(9)(i)(A)(1) Every USCDI data class at one time, as a CCD"]
    assert {"g9", "G9-IA-TLV-1"} <= set(labels(test, "tag"))
    assert test["links"] == [{"type": "tms", "url": "dossier.html#G9-IA-TLV-1", "name": "G9-IA-TLV-1"}]
    assert test["description"] == "The paragraph in the procedure's words."


def test_a_rule_is_the_story_and_an_outline_shows_its_values(tests):
    test = tests["A window of 7 days [acme]"]
    assert labels(test, "story") == ["Dates are days"]
    assert test["description"].endswith("What the rule is about.")
    shown = {each["name"]: each["value"] for each in test["parameters"]}
    assert (shown["days"], shown["target_id"]) == ("'7'", "'acme'")


def test_a_data_table_is_attached_to_its_line(allure, tests):
    step = tests["A window of 1 days [acme]"]["steps"][0]
    assert attachments(allure, step) == {"data table": "class,code\nproblems,11450-4"}


def test_evidence_stands_under_the_line_that_made_it(allure, tests):
    first, second, _ = tests["Everything comes back [acme]"]["steps"]
    assert attachments(allure, first) == {}
    shown = attachments(allure, second)
    assert shown["answer 0007"] == "<doc t='***'/>"
    told = shown["exchange 0007: all data with ***, status 200"]
    assert told.startswith("curl ")
    assert "sha256 ab" in told


def test_findings_stand_under_the_line_that_made_them(allure, tests):
    shown = attachments(allure, tests["The wrong person comes back [acme]"]["steps"][1])
    assert shown["findings"] == "error G9-IA-TLV-1: a stranger ***"


def test_of_many_exchanges_the_least_shown_stand_in_full_and_those_a_finding_cites(allure, tests):
    step = tests["The wrong person comes back [acme]"]["steps"][1]
    names = [each["name"] for each in step["attachments"]]
    full = "exchange {}: all data with ***, status 200"
    # 0007 was shown by the scenario before; 1002 is not in the evidence, so that nothing can be shown of it
    assert names == [
        *(full.format(number) for number in ("1000", "1001")),
        "4 more exchanges, in evidence/",
        full.format("0007"),
        "answer 0007",
        "findings",
    ]
    assert attachments(allure, step)["4 more exchanges, in evidence/"].splitlines() == [
        f"{number} all data with ***, status 200, sha256 ab" for number in ("0007", "1003", "1004", "1005")
    ]


def test_an_exchange_is_one_file_however_often_it_is_shown(allure):
    assert sorted(path.name for path in allure.glob("*0007-attachment.*")) == [
        "answer-0007-attachment.xml", "request-0007-attachment.txt",
    ]  # fmt: skip


def test_fixtures_in_which_nothing_went_wrong_leave_no_file(allure):
    assert list(allure.glob("*-container.json")) == []


def test_the_last_masking_leaves_no_secret_behind(allure):
    assert holding_the_secret(allure) == []


@pytest.mark.parametrize("arguments", [(), ("-p", "allure_pytest.plugin")])
def test_without_allure_results_the_bridge_is_harmless(tmp_path, arguments):
    done = run_pytest(tmp_path, *arguments)
    assert "3 failed, 3 passed, 2 skipped" in done.stdout, done.stdout + done.stderr
