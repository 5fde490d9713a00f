"""Answers to requests with dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.judging.people import FACTS, FILTER, OTHER, WINDOW, errors, only, without

from onc_conformance import judging, record
from onc_conformance.findings import Layer, Severity
from onc_conformance.moments import Days
from onc_conformance.reference import ccd


def within(people, first, last):
    return judging.read(ccd.document(people.charts()[0].within(first, last), document_id="1"))


def test_a_window_with_its_facts_is_beyond_reproach(people):
    for first, last in ((WINDOW.first, WINDOW.last), (None, date(2014, 12, 31)), (date(2015, 6, 22), None)):
        doc = within(people, first, last)
        for policy in (FILTER, {}):
            assert judging.dates([doc], people.ann, Days(first, last), policy) == []


def test_the_bounds_are_inclusive(people):
    day = date(2015, 6, 22)
    exclusive = within(people, day + timedelta(1), None)
    found = errors(judging.dates([exclusive], people.ann, Days(day, None), FILTER, rule="G9-IB-TLV-2"))
    assert "encounters: a fact of the window is absent" in {finding.message for finding in found}
    assert {(finding.layer, finding.rule) for finding in found} == {(Layer.DATES, "G9-IB-TLV-2")}


def test_the_whole_record_is_no_answer_to_a_window(people):
    for policy in (FILTER, {}, dict.fromkeys(record.KINDS, "ignore")):
        [finding] = judging.dates([people.document()], people.ann, WINDOW, policy)
        assert (finding.severity, finding.rule) == (Severity.ERROR, "DATES-WHOLE")


def test_a_class_documented_as_not_filtered_may_come_back_whole(people):
    facts = without(FACTS, "value = 176")
    [ann, _] = people.load(people.text(facts=facts))
    doc = people.document(facts=facts)
    later = Days(date(2015, 1, 1), date(2015, 12, 31))
    assert judging.dates([doc], ann, later, {**FILTER, "problems": "ignore"}) == []
    assert errors(judging.dates([doc], ann, later, FILTER))


def test_extra_data_are_an_error_only_where_the_policy_excludes_them(people):
    facts = without(FACTS, "Glucose")
    doc = people.document(facts=facts)
    whole_year = Days(date(2015, 7, 1), date(2015, 12, 31))
    excluded = judging.dates([doc], people.ann, whole_year, FILTER)
    assert all(finding.severity is Severity.ERROR for finding in excluded)
    assert len(excluded) == 7
    unknown = judging.dates([doc], people.ann, whole_year, {})
    assert {finding.severity for finding in unknown} == {Severity.WARNING}
    assert sorted(finding.message for finding in unknown) == [
        "encounters: extra data need documentation",
        "goals: extra data need documentation",
        "medications: extra data need documentation",
        "smoking status: extra data need documentation",
        "vital signs: extra data need documentation",
    ]


@pytest.mark.parametrize(
    ("policy", "window", "absent", "outside"),
    [
        ("filter", ("2015-06-22", "2015-06-22"), True, False),
        ("filter", ("2015-06-25", "2015-06-25"), False, True),
        ("overlap", ("2015-06-25", "2015-06-25"), True, False),
        ("overlap", ("2015-07-01", "2015-07-01"), False, True),
        ("ignore", ("2015-06-22", "2015-06-22"), True, False),
        (None, ("2015-06-25", "2015-06-25"), False, False),
        (None, ("2015-06-30", "2015-06-30"), True, False),
    ],
)
def test_each_policy_says_what_belongs_to_a_window(people, policy, window, absent, outside):
    first, last = (date.fromisoformat(day) for day in window)
    asked = Days(first, last)
    nothing = people.document(facts="")
    kinds = ["medications"]
    assert bool(errors(judging.dates([nothing], people.ann, asked, {"medications": policy}, kinds))) is absent
    alone = people.document(facts=only("Ceftriaxone"))
    assert bool(errors(judging.dates([alone], people.ann, asked, {"medications": policy}, kinds))) is outside


def test_an_encounters_facts_follow_its_days(people):
    asked, policy = Days(date(2015, 6, 1), date(2015, 6, 30)), dict.fromkeys(record.KINDS, "encounter")
    [finding] = errors(judging.dates([people.document(facts="")], people.ann, asked, policy, ["vital_signs"]))
    assert "177" not in finding.message
    assert "2015-06-22" in finding.expected
    later = Days(date(2016, 1, 1), None)
    height = people.document(facts=only("Office visit", "value = 177"))
    [finding] = judging.dates([height], people.ann, later, policy, ["vital_signs"])
    assert finding.rule == "DATES-OUTSIDE"


def test_a_vague_date_proves_nothing(people):
    day = Days(date(2015, 6, 10), date(2015, 6, 10))
    kinds = ["laboratory_results"]
    assert judging.dates([people.document()], people.ann, day, FILTER, kinds) == []
    assert judging.dates([people.document(facts="")], people.ann, day, FILTER, kinds) == []
    assert errors(judging.dates([people.document(facts="")], people.ann, WINDOW, FILTER, kinds))


def test_a_fact_that_came_back_on_another_day_is_absent_from_its_own(people):
    doc = people.document(facts=FACTS.replace('"2015-06-22"\nend = "2015-06-30"', '"2015-08-22"\nend = "2015-08-30"'))
    [finding] = judging.dates([doc], people.ann, WINDOW, FILTER, ["medications"])
    assert finding.message == "medications: came back on other days"
    assert finding.found == "2015-08-22, 2015-08-30"


def test_a_category_of_one_fact_is_no_whole_record(people):
    later = Days(date(2016, 1, 1), None)
    doc = people.fragment("smoking_status")
    [finding] = judging.category([doc], "smoking_status", people.ann, window=later)
    assert finding.severity is Severity.WARNING
    [finding] = judging.category([people.fragment("vital_signs")], "vital_signs", people.ann, window=later)
    assert (finding.severity, finding.rule) == (Severity.ERROR, "DATES-WHOLE")


def test_a_window_of_a_category_may_hold_nobody_elses_facts(people):
    doc = people.fragment("problems", facts=FACTS + OTHER)
    found = judging.category(
        [doc], "problems", people.ann, people.records, window=Days(date(2006, 1, 1), date(2011, 12, 31))
    )
    assert [finding.message for finding in found] == ["problems: belongs to zoe, another patient"]
