"""Each state of a data element, for each kind of value, in small documents that hold one thing."""

from __future__ import annotations

import pytest

from onc_conformance import judging
from onc_conformance.judging import State

CCD = "2.16.840.1.113883.10.20.22.1.2"
OID = "2.16.840.1.113883.10.20.22"
SNOMED, RXNORM = "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.88"


def document(*sections, patient="", role="", header="", template=CCD):
    body = "".join(f"<component>{section}</component>" for section in sections)
    return judging.read(
        f'<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><templateId root="{template}"/>'
        f"<recordTarget><patientRole>{role}<patient>{patient}</patient></patientRole></recordTarget>{header}"
        f"<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>".encode()
    )


def section(loinc, *entries, text="<text>Words</text>", attributes="", template=""):
    declared = f'<templateId root="{OID}.{template}"/>' if template else ""
    code = f'<code code="{loinc}"/>' if loinc else ""
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f"<section {attributes}>{declared}{code}{text}{inside}</section>"


def observation(template, inside, attributes=""):
    return f'<observation {attributes}><templateId root="{OID}.{template}"/>{inside}</observation>'


def problem(inside, attributes=""):
    return f"<act><entryRelationship>{observation('4.4', inside, attributes)}</entryRelationship></act>"


def vital(loinc, value):
    inside = observation("4.27", f'<code code="{loinc}"/>{value}')
    return f"<organizer><component>{inside}</component></organizer>"


def medication(inside):
    return (
        f'<substanceAdministration><templateId root="{OID}.4.16"/>{inside}<consumable><manufacturedProduct>'
        f'<manufacturedMaterial><code code="1" codeSystem="{RXNORM}"/></manufacturedMaterial></manufacturedProduct>'
        "</consumable></substanceAdministration>"
    )


def note(code, inside):
    return (
        f'<act><templateId root="{OID}.4.202"/><code code="34109-9"><translation code="{code}"/></code>{inside}</act>'
    )


def state(doc, element, edition="uscdi-v3"):
    [row] = [each for each in judging.coverage(doc, edition) if each.id == element]
    return row.state, row.why


def problems(inside, attributes=""):
    return document(section("11450-4", problem(inside, attributes)))


def heart(loinc, value):
    return document(section("8716-3", vital(loinc, value)))


def dose(attributes):
    return document(section("10160-0", medication(f"<doseQuantity {attributes}/>")))


def noted(code, inside):
    return document(section("34109-9", note(code, inside)))


def device(attributes):
    held = f'<participantRole><templateId root="{OID}.4.37"/><id {attributes}/></participantRole>'
    return document(section("47519-4", f"<procedure><participant>{held}</participant></procedure>"))


def named(inside, more=""):
    return document(patient=f"<name>{inside}</name>{more}")


def living(inside):
    return document(patient=inside)


def home(*addresses):
    return document(role="".join(f'<addr use="{use}"><city>X</city></addr>' for use in addresses))


def phone(attributes):
    return document(role=f"<telecom {attributes}/>")


def null(flavor):
    return State.REASONED, f"null flavor {flavor}"


PRESENT, ABSENT = (State.PRESENT, ""), (State.ABSENT, "")
NEGATED, NONE = (State.REASONED, "negated"), (State.REASONED, "said to be none")
ALIVE, ONGOING = (State.REASONED, "the patient is said to be alive"), (State.REASONED, "every problem goes on")
PROBLEM, DIAGNOSED, RESOLVED = "problems.problems", "problems.date_of_diagnosis", "problems.date_of_resolution"
HEART_RATE, DOSE, UNIT = "vital_signs.heart_rate", "medications.dose", "medications.dose_unit_of_measure"
PLAN = "assessment_and_plan_of_treatment.assessment_and_plan_of_treatment"
PROGRESS, GOAL = "clinical_notes.progress_note", "goals.patient_goals"
WHO = "patient_demographics"
FIRST, MIDDLE = f"{WHO}.first_name", f"{WHO}.middle_name_including_middle_initial"
PREVIOUS, LANGUAGE, DEATH = f"{WHO}.previous_name", f"{WHO}.preferred_language", f"{WHO}.date_of_death"
NOW, THEN, PHONE = f"{WHO}.current_address", f"{WHO}.previous_address", f"{WHO}.phone_number"
UDI, ORGANIZATION = "unique_device_identifier.unique_device_identifiers", "provenance.author_organization"
SPOKEN = '<languageCommunication><languageCode code="en"/></languageCommunication>'
WRITER = "<assignedAuthor><representedOrganization><name>X</name></representedOrganization></assignedAuthor>"


@pytest.mark.parametrize(
    ("element", "doc", "expected"),
    [
        # codes
        (PROBLEM, problems(f'<value code="1" codeSystem="{SNOMED}"/>'), PRESENT),
        (PROBLEM, problems('<value nullFlavor="OTH"><translation code="1"/></value>'), PRESENT),
        (PROBLEM, problems('<value nullFlavor="UNK"/>'), null("UNK")),
        (PROBLEM, problems('<value code="1"/>', 'negationInd="true"'), NEGATED),
        (PROBLEM, problems('<value code="160245001"/>'), NONE),
        (PROBLEM, problems("<value/>"), ABSENT),
        (PROBLEM, document(), ABSENT),
        # a section found by its template alone, and one that says by itself that it has nothing
        (PROBLEM, document(section("", problem('<value code="1"/>'), template="2.5.1")), PRESENT),
        (PROBLEM, document(section("11450-4", attributes='nullFlavor="NI"')), null("NI")),
        (PROBLEM, document(section("11450-4", text="<text>No known problems</text>")), NONE),
        (PROBLEM, document(section("11450-4", text="<text>Asthma</text>")), ABSENT),
        # what hangs on a denied entry is denied with it
        (DIAGNOSED, problems('<value code="1"/>', 'negationInd="true"'), NEGATED),
        (DIAGNOSED, problems('<value code="1"/>'), ABSENT),
        # quantities, units, times
        (HEART_RATE, heart("8867-4", '<value value="80"/>'), PRESENT),
        (HEART_RATE, heart("8480-6", '<value value="80"/>'), ABSENT),
        (HEART_RATE, heart("8867-4", '<value nullFlavor="NI"/>'), null("NI")),
        (HEART_RATE, heart("8867-4", "<value/>"), ABSENT),
        (DOSE, dose('value="2"'), PRESENT),
        (DOSE, dose('nullFlavor="UNK"'), null("UNK")),
        (UNIT, dose('value="2" unit="mg"'), PRESENT),
        (UNIT, dose('value="2"'), ABSENT),
        (RESOLVED, problems('<effectiveTime><low value="2011"/><high value="2012"/></effectiveTime>'), PRESENT),
        (RESOLVED, problems('<effectiveTime><low value="2011"/></effectiveTime>'), ONGOING),
        (RESOLVED, problems("<effectiveTime/>"), ABSENT),
        # words, notes, goals
        (PLAN, document(section("51847-2")), PRESENT),
        (PLAN, document(section("51847-2", text="<text>None recorded</text>")), NONE),
        (PLAN, document(section("51847-2", text="<text> </text>")), ABSENT),
        (PROGRESS, noted("11506-3", "<text>Better</text>"), PRESENT),
        (PROGRESS, noted("11506-3", '<text><reference value="#a"/></text>'), PRESENT),
        (PROGRESS, noted("11506-3", "<text/>"), ABSENT),
        (PROGRESS, noted("18842-5", "<text>Home</text>"), ABSENT),
        (GOAL, document(section("61146-7", observation("4.121", "<text>Walk</text>"))), PRESENT),
        (GOAL, document(section("61146-7", observation("4.121", ""))), ABSENT),
        # the header
        (FIRST, named("<given>Ann</given>"), PRESENT),
        (FIRST, named('<given nullFlavor="UNK"/>'), null("UNK")),
        (MIDDLE, named("<given>Ann</given>"), ABSENT),
        (MIDDLE, named("<given>Ann</given><given>B</given>"), PRESENT),
        (MIDDLE, named('<given>Ann</given><given qualifier="CL">B</given>'), ABSENT),
        (PREVIOUS, named("<family>A</family>", "<name><family>B</family></name>"), PRESENT),
        (PREVIOUS, named('<family qualifier="BR">A</family>'), PRESENT),
        (PREVIOUS, named("<family>A</family>"), ABSENT),
        (f"{WHO}.suffix", named('<suffix qualifier="AC">MD</suffix>'), ABSENT),
        (f"{WHO}.date_of_birth", living('<birthTime value="1970"/>'), PRESENT),
        (DEATH, living('<sdtc:deceasedInd value="false"/>'), ALIVE),
        (DEATH, living('<sdtc:deceasedTime value="2020"/>'), PRESENT),
        (LANGUAGE, living(SPOKEN), PRESENT),
        (LANGUAGE, living(SPOKEN * 2), ABSENT),
        (NOW, home("HP"), PRESENT),
        (NOW, home("OLD"), ABSENT),
        (THEN, home("H", "HP"), PRESENT),
        (THEN, home("H"), ABSENT),
        (PHONE, phone('value="mailto:a@b.c"'), ABSENT),
        (PHONE, phone('value="tel:1"'), PRESENT),
        (f"{PHONE}_type", phone('value="tel:1"'), ABSENT),
        (f"{PHONE}_type", phone('value="tel:1" use="HP"'), PRESENT),
        (f"{WHO}.email_address", phone('value="a@b.c"'), PRESENT),
        (UDI, device('root="2.16.840.1.113883.3.3719" extension="(01)1"'), PRESENT),
        (UDI, device('root="1.2.3" extension="1"'), ABSENT),
        (ORGANIZATION, document(header=f"<author>{WRITER}</author>"), PRESENT),
        (ORGANIZATION, document(), ABSENT),
    ],
)
def test_an_element_is_there_or_explained_or_neither(element, doc, expected):
    assert state(doc, element) == expected


def test_a_row_names_the_node_it_speaks_of():
    doc = document(section("11450-4", problem(f'<value code="1" codeSystem="{SNOMED}"/>')))
    [row] = [each for each in judging.coverage(doc, "uscdi-v3") if each.id == PROBLEM]
    assert (row.data_class, row.element, row.node.get("code")) == ("Problems", "Problems", "1")


@pytest.mark.parametrize(
    ("edition", "elements"),
    [("ccds-2015", 37), ("uscdi-v1", 52), ("uscdi-v3", 94), ("svap-uscdi-v4", 114), ("svap-uscdi-v5", 130)],
)
def test_every_edition_has_a_row_for_each_of_its_elements(edition, elements):
    assert len(judging.coverage(document(), edition)) == elements
    assert judging.coverage(judging.read(b"{}"), edition) == []


def test_an_elements_name_is_that_of_its_time():
    named = {each.id: each for each in judging.coverage(document(), "uscdi-v1")}
    assert named["patient_demographics.sex"].element == "Birth Sex"
    assert named["health_status.smoking_status"].data_class == "Smoking Status"


def test_a_section_by_itself_is_covered():
    doc = judging.read(
        section("11450-4", problem('<value code="1"/>'))
        .replace("<section", '<section xmlns="urn:hl7-org:v3"', 1)
        .encode()
    )
    assert state(doc, PROBLEM) == PRESENT
