"""The judges, asked about the reference EHR's documents and about small ones."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from onc_conformance import judging, record, uscdi
from onc_conformance.findings import Layer, Severity
from onc_conformance.moments import Days
from onc_conformance.reference import ccd, charts

FILTER = dict.fromkeys(record.KINDS, "filter")
WINDOW = Days(date(2015, 1, 1), date(2015, 12, 31))

PATIENT = """
[[patient]]
id = "{id}"
name = {{ family = "{family}", given = ["Ann", "Bea"] }}
birth_date = "{born}"
sex = "female"
race = [{{ code = "2106-3", display = "White" }}]
ethnicity = {{ code = "2186-5", display = "Not Hispanic or Latino" }}
language = "en"
{facts}
"""
FACTS = """
[[patient.encounters]]
id = "visit"
code = { system = "cpt", code = "99213", display = "Office visit" }
start = "2015-06-22"
end = "2015-06-22"
[[patient.problems]]
code = { system = "snomed", code = "59621000", display = "Hypertension" }
start = "2011-10-05"
status = "active"
[[patient.medications]]
code = { system = "rxnorm", code = "309090", display = "Ceftriaxone" }
start = "2015-06-22"
end = "2015-06-30"
status = "completed"
[[patient.vital_signs]]
code = { system = "loinc", code = "8302-2", display = "Height" }
value = 177
unit = "cm"
date = "2015-06-22"
encounter = "visit"
[[patient.vital_signs]]
code = { system = "loinc", code = "8302-2", display = "Height" }
value = 176
unit = "cm"
date = "2014-06-22"
[[patient.laboratory_results]]
code = { system = "loinc", code = "5792-7", display = "Glucose" }
value = 50
unit = "mg/dL"
date = "2015-06"
[[patient.goals]]
text = "Get rid of intermittent fever"
date = "2015-06-22"
[[patient.smoking_status]]
code = { system = "snomed", code = "449868002", display = "Current every day smoker" }
date = "2015-06-22"
"""
OTHER = """
[[patient.problems]]
code = { system = "snomed", code = "40930008", display = "Hypothyroidism" }
start = "2006-12-31"
[[patient.vital_signs]]
code = { system = "loinc", code = "29463-7", display = "Weight" }
value = 88
unit = "kg"
date = "2015-06-22"
[[patient.goals]]
text = "Run a marathon before the winter"
date = "2015-06-22"
"""


@pytest.fixture
def people(tmp_path):
    """Records by id, and a writer of the document of any patients file text."""
    return People(tmp_path)


class People:
    def __init__(self, folder):
        self.folder = folder
        self.records = self.load(self.text())
        self.ann, self.zoe = self.records

    @staticmethod
    def text(facts=FACTS, other=OTHER, family="Lee", born="1970-05-01"):
        ann = PATIENT.format(id="ann", family=family, born=born, facts=facts)
        return ann + PATIENT.format(id="zoe", family="Ray", born="1980-01-01", facts=other)

    def load(self, text):
        path = self.folder / "patients.toml"
        path.write_text(text, encoding="utf-8")
        return record.load(path)

    def charts(self, **what):
        path = self.folder / "charted.toml"
        path.write_text(self.text(**what), encoding="utf-8")
        return charts.load([path])

    def document(self, number=0, exchange=None, **what):
        return judging.read(ccd.document(self.charts(**what)[number], document_id="1"), exchange)

    def fragment(self, category, **what):
        return judging.read(ccd.fragment(self.charts(**what)[0], category))


def errors(findings):
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def only(*marks):
    """Of the facts those tables that have one of these words."""
    tables = FACTS.split("[[")[1:]
    return "[[".join(["", *(table for table in tables if any(mark in table for mark in marks))])


def without(text, start):
    """The patients file without the one table that has this line."""
    tables = text.split("[[")
    return "[[".join(table for table in tables if start not in table)


# What a document is


def test_a_complete_document_is_beyond_reproach(people):
    doc = people.document()
    assert judging.document_type(doc) == []
    assert judging.whose(doc, people.ann, people.records) == []
    assert judging.required_sections(doc) == []
    assert judging.declarations(doc) == []
    assert judging.content([doc], people.ann, people.records) == []


def changed(doc_bytes, old, new):
    assert old in doc_bytes
    return judging.read(doc_bytes.replace(old, new, 1))


def test_another_template_or_code_is_no_ccd(people):
    data = ccd.document(people.charts()[0], document_id="1")
    other_code = changed(data, b'code="34133-9"', b'code="57133-1"')
    assert [finding.expected for finding in judging.document_type(other_code)] == ["code 34133-9"]
    no_template = judging.read(data.replace(b'root="2.16.840.1.113883.10.20.22.1.2"', b'root="1.2.3"'))
    [finding] = judging.document_type(no_template, rule="G9-IA-TLV-1")
    assert (finding.rule, finding.path) == ("G9-IA-TLV-1", "/ClinicalDocument")
    assert judging.document_type(people.fragment("problems"))[0].found.startswith("fragment")


def test_a_section_is_missing_where_its_code_is(people):
    data = ccd.document(people.charts()[0], document_id="1")
    doc = changed(data, b'<code code="11450-4"', b'<code code="11450-5"')
    [finding] = errors(judging.required_sections(doc))
    assert (finding.rule, finding.expected) == ("1198-30665", "a section with code 11450-4")
    assert finding.found == "its template with code 11450-5"
    assert finding.path.endswith("/section")
    [finding] = judging.declarations(doc)
    assert finding.rule == "SECTION-CODE"


@pytest.mark.parametrize(
    ("judge", "code"),
    [
        (judging.goals_section, b"61146-7"),
        (judging.health_concerns_section, b"75310-3"),
    ],
)
def test_goals_and_health_concerns_have_sections_of_their_own(people, judge, code):
    data = ccd.document(people.charts()[0], document_id="1")
    assert judge(judging.read(data)) == []
    assert errors(judge(changed(data, b'code="' + code, b'code="nothing')))


def test_a_missing_section_is_a_warning_where_the_record_has_nothing_for_it(people):
    data = ccd.document(people.charts()[0], document_id="1")
    doc = changed(data, b'code="75310-3"', b'code="nothing"')
    [finding] = judging.health_concerns_section(doc, people.ann)
    assert finding.severity is Severity.WARNING


def test_assessment_and_plan_come_together_or_both(people):
    frame = '<ClinicalDocument xmlns="urn:hl7-org:v3">{}</ClinicalDocument>'
    has = lambda *codes: judging.read(  # noqa: E731
        frame.format("".join(f'<section><code code="{code}"/></section>' for code in codes)).encode()
    )
    assert judging.assessment_plan_sections(has("51847-2")) == []
    assert judging.assessment_plan_sections(has("51848-0", "18776-5")) == []
    assert [each.expected for each in judging.assessment_plan_sections(has("51848-0"))] == [
        "a section with code 18776-5"
    ]
    assert len(errors(judging.assessment_plan_sections(has()))) == 2


def test_a_device_stands_in_a_procedure(people):
    device = """[[patient.udi]]
    udi = "(01)00643169007222"
    date = "2011-10-05"
    code = { system = "snomed", code = "704708004" }
    """
    [ann, _] = people.load(people.text(facts=FACTS + device))
    data = ccd.document(people.charts(facts=FACTS + device)[0], document_id="1")
    assert judging.device_placement(judging.read(data), ann) == []
    astray = judging.read(
        data.replace(b'root="2.16.840.1.113883.10.20.22.4.14"', b'root="2.16.840.1.113883.10.20.22.4.12"')
    )
    [finding] = judging.device_placement(astray, ann, rule="G9-IA3IV-TLV-1")
    assert "participantRole" in finding.path
    [finding] = judging.device_placement(people.document(), ann)
    assert (finding.expected, finding.found) == ("(01)00643169007222", "none")


# Whose it is


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


# Content


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


# Categories


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


# Dates


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


# All layers


def test_a_judgement_has_all_its_keys(people):
    data = ccd.document(people.charts()[0], document_id="1")
    judgement = judging.judge(data, "uscdi-v3", people.ann, path="a.xml")
    told = judgement.as_json()
    assert list(told) == ["path", "sha256", "bytes", "document_type", "edition", "verdict", "findings", "seconds"]
    assert list(told["seconds"]) == ["parse", "schema", "templates", "vocabulary", "uscdi", "content", "total"]
    assert (told["verdict"], told["document_type"]) == ("pass", "Continuity of Care Document (CCD)")
    assert {(each["layer"], each["severity"]) for each in told["findings"]} == {
        ("uscdi", "warning"),
        ("uscdi", "info"),
    }
    assert judgement.layers_not_run == ("schema", "templates", "vocabulary")
    assert judging.judge(data, "uscdi-v3").layers_not_run == ("schema", "templates", "vocabulary", "content")
    assert judging.judge(b"", "uscdi-v3").layers_not_run == judging.SECONDS[1:]


def test_a_judgement_fails_by_errors_alone(people):
    data = ccd.document(people.charts()[0], document_id="1")
    assert judging.judge(data, "uscdi-v3", people.zoe, others=people.records).verdict == "fail"
    assert judging.judge(data, "uscdi-v3", people.ann, WINDOW).verdict == "fail"
    assert judging.judge(b"{}", "uscdi-v3").verdict == "fail"
    note = data.replace(b"10.20.22.1.2", b"10.20.22.1.14").replace(b"34133-9", b"57133-1")
    assert judging.judge(note, "uscdi-v3").document_type == "Referral Note"
    assert judging.judge(note, "uscdi-v3").verdict == "pass"


def test_a_record_without_facts_is_only_a_person(people):
    [ann, _] = people.load(people.text(facts=""))
    data = ccd.document(people.charts()[0], document_id="1")
    assert errors(judging.judge(data, "uscdi-v3", ann).findings) == []


def test_judging_costs_no_square():
    [chart] = charts.load([charts.bundled()[1]])
    [person] = record.load(charts.bundled()[1])
    judgement = judging.judge(ccd.document(chart, document_id="1"), "uscdi-v3", person)
    assert {each.layer for each in judgement.findings} == {Layer.USCDI}
    assert errors(judgement.findings) == []
    assert judgement.seconds["total"] < 2


def test_the_categories_are_the_twenty_and_those_beyond():
    names = list(uscdi.categories())
    assert sum(each.ccds for each in uscdi.categories().values()) == 20
    assert {"encounters", "notes", "coverage", "reason_for_visit", "referrals"} <= set(names)
    known = set(uscdi.sections())
    assert all(set(each.sections) <= known for each in uscdi.categories().values())
    assert set(record.KINDS) == {kind for each in uscdi.categories().values() for kind in each.kinds}
