"""junit.xml: what a CI server reads."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest


@pytest.fixture(scope="module")
def root(written):
    return ET.parse(written / "junit.xml").getroot()


@pytest.fixture(scope="module")
def cases(root):
    return {case.get("name"): case for case in root.iter("testcase")}


def test_a_test_is_named_by_step_scenario_and_target(cases):
    assert "G9-IA-TLV-1: G9-IA-TLV-1 holds [acme]" in cases
    assert "G7-I-TLV-1: A near name singles out nobody [acme]" in cases
    assert cases["G9-IA-TLV-1: G9-IA-TLV-1 holds [acme]"].get("classname") == "acme.g9.G9-IA-TLV-1"


def test_a_suite_a_target_with_its_product(root):
    assert [suite.get("name") for suite in root] == ["acme", "brand"]
    facts = {each.get("name"): each.get("value") for each in root[0].iter("property")}
    assert (facts["product"], facts["developer"], facts["edition"]) == ("Acme EHR", "Acme & Sons", "uscdi-v3")
    assert root[0].get("timestamp") == "2026-11-22T22:18:05"


def test_a_failure_carries_its_findings(cases):
    (failure,) = cases["G9-IA-TLV-1: G9-IA-TLV-1 holds [acme]"]
    assert (failure.tag, failure.get("type")) == ("failure", "nonconformity")
    assert failure.get("message") == "G9-IA-TLV-1: The document is of <another> patient"
    assert "found Larson of ***; at /ClinicalDocument/recordTarget line 32 exchange 0002" in failure.text
    assert "LOINC 1-8 is unknown here" in failure.text


def test_a_fault_of_ours_is_an_error(cases):
    (error,) = cases["G7-I-TLV-2: G7-I-TLV-2 holds [acme]"]
    assert (error.tag, error.get("message")) == ("error", "KeyError: ***")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("G7-I-TLV-2: G7-I-TLV-2 holds [brand]", "not tested: no token (G7-I-TLV-1 failed first)"),
        ("G9-IB-TLV-1: G9-IB-TLV-1 holds [acme]", "not tested: no expected record"),
        ("G9-IA-TLV-1: no scenario [brand]", "not applicable: not claimed"),
        ("G9-IB-TLV-2: no scenario [acme]", "not applicable: not in this edition"),
        ("G7-IIA1-TLV-1: attestation [acme]", "not tested: attestation missing"),
        ("G7-IIA1-TLV-1: no scenario [brand]", "not tested: no scenario ran"),
        ("G7-IIA2-TLV-1: attestation [brand]", "not tested: attestation missing"),
    ],
)
def test_what_was_not_tested_is_skipped_with_its_reason(cases, name, message):
    (skipped,) = cases[name]
    assert (skipped.tag, skipped.get("message")) == ("skipped", message)


def test_an_attested_step_is_a_test_that_passed(cases):
    assert list(cases["G7-IIA2-TLV-1: attestation [acme]"]) == []


def test_warnings_of_a_passed_scenario_are_told(cases):
    (told,) = cases["G7-I-TLV-1: A near name singles out nobody [acme]"]
    assert (told.tag, "The exception is not the documented one" in told.text) == ("system-out", True)


def test_the_counts_add_up(root):
    cases = list(root.iter("testcase"))
    assert root.get("tests") == str(len(cases)) == str(sum(int(suite.get("tests")) for suite in root))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert root.get(attribute) == str(sum(case.find(tag) is not None for case in cases))
    assert (root.get("failures"), root.get("errors")) == ("1", "1")


def test_names_are_unique(root):
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names))


def test_a_scenario_of_two_steps_takes_its_time_once(root):
    assert float(root[0].get("time")) == pytest.approx(0.25 * 6)
