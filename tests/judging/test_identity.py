"""Whose an answer is."""

from __future__ import annotations

from onc_conformance import judging
from onc_conformance.findings import Severity


def test_another_patients_document_is_named(people):
    [finding] = judging.whose(people.document(1, exchange="0003"), people.ann, people.records)
    assert finding.message == "another patient's: zoe"
    assert finding.exchange == "0003"


def test_a_strangers_document_says_what_differs_and_no_more(people):
    [finding] = judging.whose(people.document(family="Kay", born="1971-05-01"), people.ann, people.records)
    assert finding.message == "not the patient asked for: family name, birth date differ"
    assert "Kay" not in str(finding)


def test_names_are_compared_by_their_letters(people):
    [ann, _] = people.load(people.text(family="O'Brien-Muñoz"))
    assert judging.whose(people.document(family="O\u2019BRIEN MUNOZ"), ann) == []
    [finding] = judging.item([people.document(family="OBrien-Munoz")], "patient_name", ann)
    assert (finding.severity, finding.message) == (Severity.WARNING, "patient_name: the name is spelt differently")


def test_a_fragment_is_judged_by_what_it_states(people):
    assert judging.whose(people.fragment("race"), people.ann) == []
    assert judging.whose(people.fragment("problems"), people.ann) == []
    assert (
        judging.whose(people.fragment("birth_date"), people.zoe)[0].message
        == "not the patient asked for: birth date differs"
    )
    assert (
        judging.whose(people.fragment("birth_date"), people.zoe, people.records)[0].message == "another patient's: ann"
    )
    whole = judging.read(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
    assert judging.whose(whole, people.ann)[0].message == "the document names no patient"
