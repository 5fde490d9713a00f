"""Sheets for what only eyes can judge."""

from __future__ import annotations

from tests.judging.people import FACTS

from onc_conformance import judging
from onc_conformance.judging.inspection import LINES, sheet


def by_title(made):
    return {each.title: each for each in made.sections}


def test_each_section_stands_beside_its_facts(people):
    made = sheet(people.document(exchange="0004"), people.ann)
    assert (made.patient, made.exchange) == ("ann", "0004")
    sections = by_title(made)
    problems = sections["Problems (11450-4)"]
    assert problems.narrative == ("Problem | Status | When", "Hypertension | active | since 2011-10-05")
    assert problems.expected == ("Hypertension (snomed 59621000) from 2011-10-05",)
    assert sections["Procedures (47519-4)"].expected == ()
    assert sections["Procedures (47519-4)"].narrative == ("No information.",)
    height = next(each for each in sections["Vital signs (8716-3)"].expected if "2015" in each)
    assert height == "Height (loinc 8302-2) of 2015-06-22 177 cm"


def test_facts_without_a_section_are_not_forgotten(people):
    data = people.document().root
    assert data is not None
    doc = judging.read(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
    made = sheet(doc, people.ann)
    assert by_title(made)["problems: no section"].expected == ("Hypertension (snomed 59621000) from 2011-10-05",)


def test_assessments_and_plans_go_to_their_own_sections(people):
    facts = '[[patient.assessment_plan]]\nkind = "{0}"\ntext = "Some {0}"\n'
    facts = facts.format("assessment") + facts.format("plan")
    [ann, _] = people.load(people.text(facts=facts))
    sections = by_title(sheet(people.document(facts=facts), ann))
    assert sections["Assessment (51848-0)"].expected == ("“Some assessment”",)
    assert sections["Plan of treatment (18776-5)"].expected == ("“Some plan”",)


def test_long_narratives_are_cut_and_say_so(people):
    row = '[[patient.vital_signs]]\ncode = {{ system = "loinc", code = "8302-2" }}\nvalue = {}\ndate = "2015-06-22"\n'
    facts = FACTS + "".join(row.format(100 + number) for number in range(60))
    [ann, _] = people.load(people.text(facts=facts))
    vitals = by_title(sheet(people.document(facts=facts), ann))["Vital signs (8716-3)"]
    assert len(vitals.narrative) == LINES
    assert vitals.more == 63 - LINES
    assert len(vitals.expected) == 62
