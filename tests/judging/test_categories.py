"""Single categories, each by its own facts."""

from __future__ import annotations

import pytest
from tests.judging.people import errors

from onc_conformance import judging, uscdi
from onc_conformance.findings import Severity
from onc_conformance.reference import ccd, charts


@pytest.mark.parametrize("name", [name for name, each in uscdi.categories().items() if each.header or each.kinds])
def test_a_category_is_judged_by_its_own_facts(people, name):
    assert judging.category([people.fragment(name)], name, people.ann, people.records) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("patient_name", '"Ann", "Bea"', '"Ann"'),
        ("sex", '"female"', '"male"'),
        ("birth_date", "1970-05-01", "1970-05-02"),
        ("race", "2106-3", "2054-5"),
        ("ethnicity", "2186-5", "2135-2"),
        ("preferred_language", '"en"', '"es"'),
        ("problems", "59621000", "40930008"),
        ("goals", "intermittent fever", "hiccups"),
    ],
)
def test_a_category_with_other_data_differs(people, name, old, new):
    path = people.folder / "changed.toml"
    path.write_text(people.text().replace(old, new, 1), encoding="utf-8")
    doc = judging.read(ccd.fragment(charts.load([path])[0], name))
    found = judging.category([doc], name, people.ann, people.records, rule="G8-IA-TLV-2")
    assert {finding.rule for finding in errors(found)} == {"G8-IA-TLV-2"}


def test_the_whole_record_for_one_category_is_a_warning(people):
    doc = people.document()
    [finding] = judging.category([doc], "problems", people.ann, people.records)
    assert (finding.severity, finding.rule) == (Severity.WARNING, "CONTENT-ISOLATION")
    assert "vital signs" in finding.found
    assert "problems" not in finding.found


def test_an_empty_category_is_no_fault(people):
    assert judging.category([people.fragment("procedures")], "procedures", people.ann) == []
    assert judging.category([], "procedures", people.ann) == []
    assert errors(judging.category([], "problems", people.ann))


def test_an_item_needs_a_patient(people):
    [finding] = judging.category([people.fragment("problems")], "sex", people.ann)[:1]
    assert finding.message == "sex: no patient is in the answer"
