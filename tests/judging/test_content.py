"""Whether the facts of a record came back, and nothing else."""

from __future__ import annotations

from datetime import date

from tests.judging.people import FACTS, OTHER, WINDOW, errors, without

from onc_conformance import judging
from onc_conformance.findings import Layer
from onc_conformance.reference import ccd


def test_each_fact_left_out_is_one_error(people):
    for number, fact in enumerate(people.ann.facts):
        chart = people.charts()[0]
        kept = [
            each for each in chart.facts if not (each.kind == fact.kind and each.number == _number(people.ann, number))
        ]
        doc = judging.read(ccd.document(chart.only(kept), document_id="1"))
        [finding] = errors(judging.content([doc], people.ann, people.records))
        assert (finding.layer, finding.rule, finding.expected) == (Layer.CONTENT, "CONTENT-MISSING", str(fact))


def _number(person, position):
    kind = person.facts[position].kind
    return 1 + sum(fact.kind == kind for fact in person.facts[:position])


def test_several_documents_together_may_hold_the_record(people):
    chart = people.charts()[0]
    early = judging.read(ccd.document(chart.within(None, date(2014, 12, 31)), document_id="1"))
    late = judging.read(ccd.document(chart.within(date(2015, 1, 1), None), document_id="2"))
    assert errors(judging.content([early, late], people.ann)) == []
    assert errors(judging.content([early], people.ann))


def test_another_day_is_one_finding_and_not_two(people):
    doc = people.document(facts=FACTS.replace('start = "2011-10-05"', 'start = "2011-10-06"'))
    [finding] = judging.content([doc], people.ann, people.records)
    assert (finding.rule, finding.expected, finding.found) == ("CONTENT-DIFFERS", "from 2011-10-05", "from 2011-10-06")
    assert finding.line


def test_another_value_differs_and_equal_results_are_counted(people):
    [finding] = judging.content([people.document(facts=FACTS.replace("value = 177", "value = 171"))], people.ann)
    assert (finding.expected, finding.found) == ("177 cm", "171 cm")
    twice = FACTS + FACTS[FACTS.index("[[patient.laboratory") : FACTS.index("[[patient.goals")]
    [ann, _] = people.load(people.text(facts=twice))
    [finding] = judging.content([people.document()], ann)
    assert finding.rule == "CONTENT-MISSING"


def test_another_patients_facts_are_foreign(people):
    doc = people.document(facts=FACTS + OTHER)
    found = judging.content([doc], people.ann, people.records)
    assert {finding.message for finding in errors(found)} == {
        "problems: belongs to zoe, another patient",
        "vital signs: belongs to zoe, another patient",
        "goals: the narrative belongs to zoe, another patient",
    }
    assert {finding.rule for finding in judging.content([doc], people.ann)} == {"CONTENT-EXTRA"}


def test_what_both_patients_have_is_not_foreign(people):
    [ann, zoe] = people.load(people.text(other=FACTS))
    assert judging.content([people.document()], ann, [ann, zoe]) == []


def test_a_lost_date_is_an_error_where_dates_matter(people):
    data = ccd.document(people.charts()[0], document_id="1")
    doc = judging.read(data.replace(b'<low value="20111005"/>', b'<low nullFlavor="UNK"/>'))
    assert [finding.message for finding in errors(judging.content([doc], people.ann))] == [
        "problems: the date of Hypertension (snomed 59621000) from 2011-10-05 differs"
    ]


def test_optional_and_visual_facts_are_never_asked_for(people):
    spared = FACTS.replace('status = "active"', "optional = true").replace('status = "completed"', "visual = true")
    [ann, _] = people.load(people.text(facts=spared))
    doc = people.document(facts=without(without(FACTS, "Hypertension"), "Ceftriaxone"))
    assert errors(judging.content([doc], ann)) == []


def test_no_document_at_all_lacks_every_fact(people):
    found = judging.content([], people.ann)
    assert len(found) == len(people.ann.facts)
    assert {finding.found for finding in found} == {"no document"}


def test_an_unreadable_answer_never_passes_silently(people):
    page = judging.read(b"<html/>", "0009")
    for found in (
        judging.document_type(page),
        judging.whose(page, people.ann),
        judging.required_sections(page),
        judging.declarations(page),
        judging.assessment_plan_sections(page),
        judging.goals_section(page),
        judging.health_concerns_section(page),
        judging.device_placement(page, people.ann),
        judging.content([page], people.ann),
        judging.category([page], "problems", people.ann),
        judging.category([page], "race", people.ann),
        judging.dates([page], people.ann, WINDOW, {}),
    ):
        assert [(finding.rule, finding.exchange) for finding in found] == [("XML-HTML", "0009")]
