"""Every real document taken for gold is complete and accurate by its own record, element by element."""

from __future__ import annotations

from pathlib import Path

import pytest

from onc_conformance import judging, record, suite
from onc_conformance.findings import Severity, UsageError
from onc_conformance.judging import gold

SHARED = Path(__file__).parents[3] / "shared"
DOCUMENTS = sorted((SHARED / "corpus" / "documents").iterdir())
NAMELESS = 8
"""Files that name no patient, or are none that can be read."""


def judged(path):
    [person] = gold.load(path)
    doc = judging.read(path.read_bytes())
    return [each for each in judging.content([doc], person) if each.severity is Severity.ERROR]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_does_not_differ_from_itself(path):
    try:
        found = judged(path)
    except UsageError as error:
        assert str(path) in str(error)
        return
    assert {each.rule for each in found} <= {"XML-NAMESPACE", "NARRATIVE-CONTRADICTS"}
    assert len([each for each in found if each.rule == "NARRATIVE-CONTRADICTS"]) <= 1


def test_anothers_document_is_not_taken_for_alice_newmans():
    [alice] = record.load(suite.schemas() / "patients" / "onc-uscdi-v3" / "alice-newman.toml")
    katherine = SHARED / "testdata" / "uscdi-v3" / "170.315_b1_toc_amb_ccd_r21_svap_uscdiv3_sample1_v1.xml"
    doc = judging.read(katherine.read_bytes())
    [finding] = judging.whose(doc, alice)
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith("not the patient asked for: family name, given name")
    [own] = gold.load(katherine)
    [finding] = judging.whose(doc, alice, [own])
    assert finding.message == f"another patient's: {own.id}"


def test_few_are_no_gold():
    def usable(path):
        try:
            gold.load(path)
        except UsageError:
            return False
        return True

    assert sum(not usable(path) for path in DOCUMENTS) == NAMELESS
