"""Facts, people and sections of a document, written small."""

from __future__ import annotations

from datetime import date

import pytest

from onc_conformance.ccda import Document
from onc_conformance.moments import Days
from onc_conformance.record import Code, Name

ROOT = "2.16.840.1.113883.10.20.22.4."
SNOMED, LOINC, RXNORM, CVX = (
    "2.16.840.1.113883.6.96",
    "2.16.840.1.113883.6.1",
    "2.16.840.1.113883.6.88",
    "2.16.840.1.113883.12.292",
)
DAY = Days(date(2015, 6, 22), date(2015, 6, 22))


def template(number):
    return f'<templateId root="{ROOT}{number}" extension="2015-08-01"/>'


def section(loinc, *entries, text="", attributes=""):
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f'<section xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f'{attributes}><code code="{loinc}" codeSystem="{LOINC}"/><text>{text}</text>{inside}</section>'
    )


def facts(loinc, *entries, **what):
    doc = Document(section(loinc, *entries, **what).encode())
    assert doc.findings == ()
    return doc.facts


def problem(code='<value xsi:type="CD" code="59621000" codeSystem="2.16.840.1.113883.6.96"/>', attributes="", act=""):
    return (
        f'<act classCode="ACT"{act}>{template(3)}<entryRelationship><observation{attributes}>{template(4)}'
        f'<effectiveTime><low value="20150622"/></effectiveTime>{code}</observation></entryRelationship></act>'
    )


def test_a_problem_is_the_value_of_its_observation():
    [fact] = facts("11450-4", problem())
    assert (fact.kind, fact.section, fact.codes) == ("problems", "11450-4", (Code("snomed", "59621000"),))
    assert (fact.start, fact.end, fact.date) == (DAY, None, None)


def test_translations_count_and_a_null_flavor_does_not():
    value = (
        f'<value xsi:type="CD" nullFlavor="OTH"><translation code="I10" codeSystem="2.16.840.1.113883.6.90"/>'
        f'<translation code="59621000" codeSystem="{SNOMED}"/></value>'
    )
    [fact] = facts("11450-4", problem(value))
    assert fact.codes == (Code("icd10cm", "I10"), Code("snomed", "59621000"))


@pytest.mark.parametrize(
    "entry",
    [
        problem(attributes=' negationInd="true"'),
        problem(attributes=' nullFlavor="NI"'),
        problem(act=' nullFlavor="NI"'),
        problem(act=' negationInd="true"'),
        problem('<value xsi:type="CD" nullFlavor="UNK"/>'),
    ],
)
def test_what_is_denied_or_unknown_is_no_fact(entry):
    assert facts("11450-4", entry) == ()


def test_a_problem_without_a_code_is_its_words():
    value = '<value xsi:type="CD" nullFlavor="UNK"><originalText><reference value="#p1"/></originalText></value>'
    [fact] = facts("11450-4", problem(value), text='<content ID="p1">Sore  thumb</content>')
    assert (fact.codes, fact.text) == ((), "Sore thumb")


def test_a_problem_elsewhere_is_not_on_the_problem_list():
    assert facts("46240-8", problem()) == ()


def test_a_medication_is_dated_by_its_interval_and_not_by_its_frequency():
    medication = (
        f'<substanceAdministration>{template(16)}<effectiveTime xsi:type="PIVL_TS"><period value="12"/>'
        "</effectiveTime>"
        f'<effectiveTime xsi:type="IVL_TS"><low value="20150622"/><high nullFlavor="UNK"/></effectiveTime>'
        f'<consumable><manufacturedProduct><manufacturedMaterial><code code="309090" codeSystem="{RXNORM}"/>'
        f"</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
    )
    [fact] = facts("10160-0", medication)
    assert (fact.codes, fact.stated) == ((Code("rxnorm", "309090"),), (DAY,))


def test_an_allergy_is_its_substance():
    allergy = (
        f"<act>{template(30)}<entryRelationship><observation>{template(7)}"
        f'<value xsi:type="CD" code="419511003" codeSystem="{SNOMED}"/>'
        f'<participant typeCode="CSM"><participantRole><playingEntity><code code="7980" codeSystem="{RXNORM}"/>'
        f"</playingEntity></participantRole></participant></observation></entryRelationship></act>"
    )
    [fact] = facts("48765-2", allergy)
    assert fact.codes == (Code("rxnorm", "7980"),)


def test_a_result_takes_the_time_of_its_organizer_where_it_has_none():
    result = (
        f'<organizer>{template(1)}<code code="24357-6" codeSystem="{LOINC}"/><effectiveTime value="20150622"/>'
        f'<component><observation>{template(2)}<code code="5792-7" codeSystem="{LOINC}"/>'
        f'<value xsi:type="PQ" value="50" unit="mg/dL"/></observation></component>'
        f'<component><observation>{template(2)}<code code="5778-6" codeSystem="{LOINC}"/>'
        f'<effectiveTime value="20140101"/><value xsi:type="ST">YELLOW</value></observation></component></organizer>'
    )
    glucose, color = facts("30954-2", result)
    assert (glucose.date, glucose.value, glucose.unit) == (DAY, "50", "mg/dL")
    assert (str(color.date), color.value, color.unit) == ("2014-01-01", "YELLOW", None)


def test_a_vaccine_not_given_is_no_fact():
    vaccine = (
        '<substanceAdministration negationInd="{}">' + template(52) + '<effectiveTime value="20150622"/>'
        f'<consumable><manufacturedProduct><manufacturedMaterial><code code="88" codeSystem="{CVX}"/>'
        "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
    )
    [fact] = facts("11369-6", vaccine.format("false"), vaccine.format("true"))
    assert fact.codes == (Code("cvx", "88"),)


def test_smoking_status_is_known_by_template_or_by_code():
    by_template = (
        f'<observation>{template(78)}<value xsi:type="CD" code="449868002" codeSystem="{SNOMED}"/></observation>'
    )
    by_code = (
        f'<observation><code code="72166-2" codeSystem="{LOINC}"/><effectiveTime value="20150622"/>'
        f'<value xsi:type="CD" code="8517006" codeSystem="{SNOMED}"/></observation>'
    )
    found = facts("29762-2", by_template, by_code)
    assert [(fact.kind, fact.codes[0].code) for fact in found] == [
        ("smoking_status", "449868002"),
        ("smoking_status", "8517006"),
    ]


def test_a_device_has_its_identifier_and_the_day_of_its_procedure():
    procedure = (
        f'<procedure>{template(14)}<code code="175135009" codeSystem="{SNOMED}"/><effectiveTime value="20150622"/>'
        f'<participant typeCode="DEV"><participantRole>{template(37)}'
        '<id root="2.16.840.1.113883.3.3719" extension="(01)9"/>'
        f'<playingDevice><code code="704708004" codeSystem="{SNOMED}"/></playingDevice></participantRole></participant>'
        "</procedure>"
    )
    surgery, device = facts("47519-4", procedure)
    assert (surgery.kind, surgery.date) == ("procedures", DAY)
    assert (device.kind, device.udi, device.date) == ("udi", ("(01)9",), DAY)


def test_care_team_members_are_in_the_organizer_and_in_the_header():
    member = (
        f'<organizer><component><act>{template("500.1")}<effectiveTime><low value="20150622"/></effectiveTime>'
        '<performer><sdtc:functionCode code="PCP" codeSystem="2.16.840.1.113883.5.88"/><assignedEntity><assignedPerson>'
        "<name><given>Albert</given><family>Davis</family></name></assignedPerson></assignedEntity></performer></act>"
        "</component></organizer>"
    )
    [fact] = facts("85847-2", member)
    assert (fact.member, fact.start, fact.codes) == (
        Name("Davis", ("Albert",)),
        DAY,
        (Code("participationfunction", "PCP"),),
    )
    header = (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><documentationOf><serviceEvent><performer>'
        '<time><low value="20150622"/></time>'
        "<assignedEntity><assignedPerson><name>Dr Tracy Davis</name></assignedPerson></assignedEntity></performer>"
        "</serviceEvent>"
        "</documentationOf></ClinicalDocument>"
    )
    [fact] = Document(header.encode()).facts
    assert (fact.member.family, fact.start, fact.section) == ("Davis", DAY, None)


def test_a_note_is_dated_by_its_author_where_it_has_no_time_of_its_own():
    note = (
        f'<act>{template(202)}<code code="34109-9" codeSystem="{LOINC}">'
        f'<translation code="11488-4" codeSystem="{LOINC}"/></code>'
        '<text><reference value="#n1"/></text><author><time value="20150622101500-0500"/></author></act>'
    )
    [fact] = facts("11488-4", note, text='<list><item ID="n1">Seen <b>today</b>.</item></list>')
    assert (fact.kind, fact.text, fact.date) == ("notes", "Seen today .", DAY)
    assert Code("loinc", "11488-4") in fact.codes


def test_goals_speak_in_words():
    goal = (
        f'<observation>{template(121)}<code code="58144-7" codeSystem="{LOINC}"/><effectiveTime value="20150622"/>'
        '<value xsi:type="ST">Get rid of fever</value></observation>'
    )
    [fact] = facts("61146-7", goal)
    assert fact.text == "Get rid of fever"
    doc = Document(section("61146-7", goal, text="<table><tr><td>Get rid</td><td>of FEVER!</td></tr></table>").encode())
    assert doc.narrates(["61146-7"], "get rid of fever")
    assert doc.narrates([], "rid of")
    assert not doc.narrates(["61146-7"], "rid of fev")
    assert not doc.narrates(["75310-3"], "get rid of fever")


def test_a_fragment_needs_no_namespace_and_any_root_will_do():
    bare = section("11450-4", problem()).replace(' xmlns="urn:hl7-org:v3"', "")
    doc = Document(f"<answer><list>{bare}</list></answer>".encode())
    assert doc.type == "fragment (answer)"
    assert len(doc.facts) == 1


def test_a_section_is_known_by_its_template_where_its_code_is_none():
    bad = section("nonsense", problem()).replace(
        "<text>", '<templateId root="2.16.840.1.113883.10.20.22.2.5.1"/><text>'
    )
    doc = Document(bad.encode())
    assert (doc.sections[0].code, doc.sections[0].loinc) == ("nonsense", "11450-4")
    assert len(doc.facts) == 1


def test_an_xpath_is_one_a_person_can_use():
    doc = Document(section("11450-4", problem(), problem()).encode())
    finding = doc.finding(doc.facts[1].element, layer="content", severity="error", rule="x", message="x")
    assert finding.path == "/section/entry[2]/act/entryRelationship/observation"
    assert finding.line == 1


PATIENT = """<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">
<templateId root="2.16.840.1.113883.10.20.22.1.1"/><templateId root="{template}"/>
<code code="{loinc}" codeSystem="2.16.840.1.113883.6.1"/><title>Anything</title>
<recordTarget><patientRole><patient><name use="L"><given>Alice</given><given>Jones</given><family>Newman</family></name>
<administrativeGenderCode code="F"/><birthTime value="19700501"/>
<raceCode code="2106-3" codeSystem="2.16.840.1.113883.6.238"/>
<sdtc:raceCode code="2108-9" codeSystem="2.16.840.1.113883.6.238"/><ethnicGroupCode nullFlavor="UNK"/>
<languageCommunication><languageCode code="es"/></languageCommunication>
<languageCommunication><languageCode code="en-US"/><preferenceInd value="true"/></languageCommunication>
</patient></patientRole></recordTarget></ClinicalDocument>"""


@pytest.mark.parametrize(
    ("root", "loinc", "kind"),
    [
        ("2.16.840.1.113883.10.20.22.1.2", "34133-9", "Continuity of Care Document (CCD)"),
        ("2.16.840.1.113883.10.20.22.1.14", "57133-1", "Referral Note"),
        ("1.2.3", "34133-9", "C-CDA document of unknown type"),
    ],
)
def test_a_document_is_what_it_declares_and_not_its_title(root, loinc, kind):
    assert Document(PATIENT.format(template=root, loinc=loinc).encode()).type == kind


def test_the_header_tells_whose_it_is():
    [person] = Document(PATIENT.format(template="1.2.3", loinc="x").encode()).people
    assert person.names == (Name("Newman", ("Alice", "Jones")),)
    assert (str(person.birth), person.sex) == ("1970-05-01", "female")
    assert [code.code for code in person.race] == ["2106-3", "2108-9"]
    assert person.ethnicity == (Code("nullflavor", "UNK"),)
    assert person.languages == ("en-US", "es")
