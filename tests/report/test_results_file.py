"""results.json: its form and what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import jsonschema
import pytest

from onc_conformance import suite
from onc_conformance.report import results


@pytest.fixture(scope="module")
def schema():
    return json.loads((suite.schemas() / "results.schema.json").read_text())


@pytest.fixture(scope="module")
def content(written):
    return json.loads((written / "results.json").read_text())


def steps(content):
    return {step["id"]: step for step in content["steps"]}


def test_the_schema_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_file_has_the_form_of_its_schema(content, schema):
    jsonschema.Draft202012Validator(schema).validate(content)


def test_every_object_of_the_schema_is_closed(schema):
    def objects(part):
        if isinstance(part, dict):
            if "properties" in part:
                yield part
            for value in part.values():
                yield from objects(value)

    closed = list(objects(schema))
    assert len(closed) > 10
    assert all(part["additionalProperties"] is False for part in closed)
    assert all(set(part["required"]) == set(part["properties"]) for part in closed)


def test_the_head_says_what_ran(content):
    assert content["tool"] == {"version": "0.1.0", "rules": {"procedures/g7.yaml": "cd" * 32}}
    assert content["targets"] == ["acme", "brand"]
    assert (content["edition"], content["started"], content["seconds"]) == ("uscdi-v3", "2026-11-22T22:18:05Z", 9.422)
    assert (content["exit_code"], content["interrupted"], content["exchanges"]) == (4, False, 3)


def test_the_summary_counts_steps_then_findings(content):
    assert content["summary"] == {
        "passed": 1, "failed": 1, "not_tested": 3, "attested": 0, "not_applicable": 1, "error": 1,
        "warnings": 1, "codes_not_judged": 1, "suppressed": 1,
    }  # fmt: skip


def test_a_step_says_what_came_of_it_on_each_target(content):
    step = steps(content)["G9-IA-TLV-1"]
    assert (step["outcome"], step["reason"], step["edition"]) == ("failed", None, "uscdi-v3")
    assert step["by_target"] == {"acme": "failed", "brand": "not_applicable"}
    assert step["reason_by_target"] == {"acme": None, "brand": "not claimed"}
    assert (step["scenarios"], step["exchanges"]) == (["G9-IA-TLV-1 holds"], ["0002", "0003"])


def test_a_finding_has_all_its_keys(content):
    wrong, unjudged = steps(content)["G9-IA-TLV-1"]["findings"]
    assert wrong == {
        "layer": "security", "severity": "error", "rule": "G9-IA-TLV-1", "xpath": "/ClinicalDocument/recordTarget",
        "message": "The document is of <another> patient", "line": 32, "expected": "Newman",
        "found": "Larson of ***", "hint": "compare the id asked for", "exchange": "0002", "target": "acme",
    }  # fmt: skip
    assert unjudged.keys() == wrong.keys()
    assert (unjudged["severity"], unjudged["xpath"], unjudged["line"]) == ("info", None, None)


def test_what_is_beyond_and_what_was_not_run_is_listed(content):
    assert content["beyond"] == [
        {
            "scenario": "A near name singles out nobody", "target": "acme", "steps": ["G7-I-TLV-1"],
            "outcome": "passed", "reason": None, "findings": 1,
        }
    ]  # fmt: skip
    assert content["layers_not_run"] == [{"layer": "template", "reason": "no template rules in this version"}]


def test_entries_people_wrote_are_listed_with_what_they_did(content):
    (attestation,) = content["attestations"]
    assert (attestation["who"], attestation["when"], attestation["demonstration"]) == ("R. Proctor", "2026-11-01", True)
    assert attestation["invalid"] is None
    assert content["suppressions"] == [
        {
            "kind": "excuse", "step": "G9-IB-TLV-1", "target": "acme", "reason": "Dated data come later",
            "expires": "2026-12-31",
        }
    ]  # fmt: skip
    assert content["excuses"][1]["target"] is None
    assert content["warnings"] == [
        "ACME_PASS is short",
        "excuse for G7-I-TLV-1 is stale, the step is passed now; remove it",
    ]


def test_a_target_not_reached_says_why(content):
    assert content["products"]["brand"]["unreachable"] == "refused the connection"
    assert content["products"]["acme"]["developer"] == "Acme & Sons"


def test_the_command_is_masked(content):
    assert content["command"] == "onc-conformance run --target acme.toml --header ***"


def test_an_interrupted_run_is_written_as_far_as_it_came(build, schema):
    partial = build(interrupted=True, exit_code=130, results=(), exchanges=())
    content = results.as_json(partial.masked(), 0)
    jsonschema.Draft202012Validator(schema).validate(content)
    assert (content["interrupted"], content["exit_code"]) == (True, 130)
    assert steps(content)["G7-IIA1-TLV-1"]["reason_by_target"]["brand"] == "the run was interrupted before it"


def test_characters_no_report_can_hold_are_replaced(build):
    (patient,) = build(patients=(("x", "Ze\x00l\ud800da\t√"),)).masked().patients
    assert patient == ("x", "Ze\ufffdl?da\t√")


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-5))])
def test_a_timestamp_is_in_utc_whatever_the_clock_says(zone):
    moment = datetime(2026, 11, 22, 22, 18, 5, tzinfo=UTC).astimezone(zone)
    assert results.timestamp(moment) == "2026-11-22T22:18:05Z"
