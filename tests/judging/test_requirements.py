"""What a document must be, whoever's it is."""

from __future__ import annotations

import pytest
from tests.judging.people import FACTS, errors

from onc_conformance import judging
from onc_conformance.findings import Severity
from onc_conformance.reference import ccd


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
    assert errors(judging.assessment_plan_sections(has("51847-2"))) == []
    assert errors(judging.assessment_plan_sections(has("51848-0", "18776-5"))) == []
    assert [each.expected for each in judging.assessment_plan_sections(has("51848-0"))] == [
        "a section with code 18776-5"
    ]
    assert len(errors(judging.assessment_plan_sections(has()))) == 2


@pytest.mark.parametrize(
    ("loincs", "number"), [(("51847-2",), "9"), (("51848-0", "18776-5"), "10")], ids=["together", "apart"]
)
def test_the_plan_declares_the_version_that_the_regulation_names(loincs, number):
    def plan(declared):
        body = "".join(f'<section>{declared}<code code="{loinc}"/></section>' for loinc in loincs)
        return judging.read(f'<ClinicalDocument xmlns="urn:hl7-org:v3">{body}</ClinicalDocument>'.encode())

    template = f'<templateId root="2.16.840.1.113883.10.20.22.2.{number}"/>'
    assert judging.assessment_plan_sections(plan(template.replace("/>", ' extension="2014-06-09"/>'))) == []
    for declared, found in ((template, "extension none"), ("", "no such templateId")):
        [finding] = judging.assessment_plan_sections(plan(declared))
        assert (finding.severity, finding.found) == (Severity.WARNING, found)
        assert finding.expected.endswith(f"{number} extension 2014-06-09")


def test_a_section_without_a_code_is_found_by_its_template():
    declared = '<templateId root="2.16.840.1.113883.10.20.22.2.60"/>'
    frame = '<ClinicalDocument xmlns="urn:hl7-org:v3"><section>{}</section></ClinicalDocument>'
    assert judging.goals_section(judging.read(frame.format(declared).encode())) == []
    [finding] = judging.goals_section(judging.read(frame.format(declared + '<code code="42348-3"/>').encode()))
    assert finding.found == "its template with code 42348-3"


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
