"""The vocabulary layer: each kind of wrong value found at its place, and right ones let be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance import vocabulary
from onc_conformance.ccda import Document, coded
from onc_conformance.ccda.coded import listing
from onc_conformance.ccda.coded.binding import Binding, DeadBinding, Index, bindings
from onc_conformance.cli import main
from onc_conformance.findings import SUPPRESSED
from onc_conformance.vocabulary import Answer, ValueSet

HEADER = """<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <templateId root="2.16.840.1.113883.10.20.22.1.1"{extension}/>
 <languageCode code="en-US"/>
 <recordTarget><patientRole>
  <id root="2.16.840.1.113883.19.5" extension="1"/>
  <addr use="HP"><city>Beaverton</city><state>OR</state><postalCode>97867</postalCode><country>US</country></addr>
  <telecom value="tel:+1(555)555-2003" use="HP"/>
  <patient>
   <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1" displayName="Female"/>
   <birthTime value="19750501"/>
   <maritalStatusCode code="M" codeSystem="2.16.840.1.113883.5.2"/>
   <raceCode code="2106-3" codeSystem="2.16.840.1.113883.6.238" displayName="White"/>
   <sdtc:raceCode code="2108-9" codeSystem="2.16.840.1.113883.6.238"/>
   <ethnicGroupCode code="2186-5" codeSystem="2.16.840.1.113883.6.238"/>
   <languageCommunication><languageCode code="en"/></languageCommunication>
  </patient>
 </patientRole></recordTarget>
 <component><structuredBody><component><section>{entries}</section></component></structuredBody></component>
</ClinicalDocument>"""
VITAL = """<entry><observation classCode="OBS" moodCode="EVN">
 <templateId root="2.16.840.1.113883.10.20.22.4.27"/>
 <templateId root="2.16.840.1.113883.10.20.22.4.27" extension="2014-06-09"/>
 <code code="8302-2" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC" displayName="Body height"/>
 <effectiveTime value="20240101"/>
 <value xsi:type="PQ" value="170" unit="cm"/>
 <interpretationCode code="N" codeSystem="2.16.840.1.113883.5.83"/>
</observation></entry>"""
PROBLEM = """<entry><observation classCode="OBS" moodCode="EVN">
 <templateId root="2.16.840.1.113883.10.20.22.4.9" extension="2014-06-09"/>
 <code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>
 <effectiveTime><low value="20240101"/><high nullFlavor="UNK"/></effectiveTime>
 <value xsi:type="CD" code="247472004" codeSystem="2.16.840.1.113883.6.96" displayName="Wheal"/>
</observation></entry>"""


TRANSLATED = """codeSystem="2.16.840.1.113883.6.90">
 <translation code="247472004" codeSystem="2.16.840.1.113883.6.96"/></value>"""


def judged(*edits, entries=VITAL, extension=' extension="2015-08-01"'):
    text = HEADER.format(extension=extension, entries=entries)
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    doc = Document(text.encode())
    assert doc.root is not None
    return [finding for finding in coded.check(doc) if finding.rule != coded.NOT_JUDGED]


@pytest.mark.parametrize("extension", ["", ' extension="2015-08-01"'])
def test_what_is_right_is_let_be(extension):
    assert judged(entries=VITAL + PROBLEM, extension=extension) == []


@pytest.mark.parametrize(
    ("old", "new", "severity", "rule", "place"),
    [
        ('code="F"', 'code="Q"', "error", "1198-6394", "administrativeGenderCode"),
        (
            'raceCode code="2106-3" codeSystem="2.16.840.1.113883.6.238"',
            'raceCode code="2106-3" codeSystem="1.22.333"',
            "error",
            "1198-5322",
            "patient/raceCode[1]",
        ),
        (
            '"2108-9" codeSystem="2.16.840.1.113883.6.238"',
            '"2108-9" codeSystem="1.22"',
            "error",
            "VOC-RACE-DETAIL",
            "patient/raceCode[2]",
        ),
        ('code="2186-5"', 'code="2106-3"', "error", "1198-5323", "ethnicGroupCode"),
        ('maritalStatusCode code="M"', 'maritalStatusCode code="X"', "error", "1198-5303", "maritalStatusCode"),
        (
            'languageCode code="en"',
            'languageCode code="en_US"',
            "error",
            "1198-5407",
            "languageCommunication/languageCode",
        ),
        (
            'languageCode code="en-US"',
            'languageCode code="xx-US"',
            "error",
            "1198-5372",
            "ClinicalDocument/languageCode",
        ),
        (
            'value="tel:+1(555)555-2003" use="HP"',
            'value="tel:+1(555)555-2003" use="H"',
            "error",
            "1198-5375",
            "telecom",
        ),
        ('addr use="HP"', 'addr use="HOME"', "error", "81-7290", "addr"),
        ("<state>OR", "<state>Oregon", "warning", "81-7293", "addr/state"),
        ("<postalCode>97867", "<postalCode>9786", "warning", "81-7294", "addr/postalCode"),
        ("<country>US", "<country>United States", "warning", "81-7295", "addr/country"),
        ("tel:+1(555)555-2003", "(555)555-2003", "warning", "VOC-TELECOM", "telecom"),
        ('birthTime value="19750501"', 'birthTime value="19750532"', "error", "VOC-TIMESTAMP", "birthTime"),
        (
            'effectiveTime value="20240101"',
            'effectiveTime value="20240101*0500"',
            "error",
            "VOC-TIMESTAMP",
            "effectiveTime",
        ),
        ('root="2.16.840.1.113883.19.5"', 'root="2.16.84O"', "error", "VOC-IDENTIFIER", "patientRole/id"),
        (
            'root="2.16.840.1.113883.19.5" extension="1"',
            'root="2.16.840.1.113883.4.6" extension="1"',
            "warning",
            "VOC-NPI",
            "patientRole/id",
        ),
        ('unit="cm"', 'unit="inch"', "error", "1098-31579", "observation/value"),
        ('code="8302-2"', 'code="8302-3"', "warning", "1098-32934", "observation/code"),
        ('displayName="Body height"', 'displayName="Grocery basket"', "warning", "VOC-DISPLAY", "observation/code"),
        (
            'displayName="Body height"',
            'displayName="Respiratory rate"',
            "error",
            "VOC-NAME-OF-ANOTHER",
            "observation/code",
        ),
        ('codeSystemName="LOINC"', 'codeSystemName="SNOMED-CT"', "warning", "VOC-SYSTEM-NAME", "observation/code"),
        ('codeSystem="2.16.840.1.113883.6.1"', 'codeSystem="LOINC"', "warning", "VOC-SYSTEM-OID", "observation/code"),
        (
            'interpretationCode code="N" codeSystem="2.16.840.1.113883.5.83"',
            'interpretationCode code="N" codeSystem="2.16.840.1.113883.5.84"',
            "error",
            "1098-32886",
            "interpretationCode",
        ),
    ],
)
def test_each_kind_of_wrong_value_is_found_at_its_place(old, new, severity, rule, place):
    found = [finding for finding in judged((old, new)) if finding.rule == rule]
    assert [(finding.severity.value, finding.layer.value) for finding in found] == [(severity, "vocabulary")]
    assert found[0].path.endswith(place)
    assert found[0].line
    assert found[0].hint


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('code="F"', 'code="Q"', "VOC-GENDER"),
        (
            'raceCode code="2106-3" codeSystem="2.16.840.1.113883.6.238"',
            'raceCode code="2106-3" codeSystem="1.22"',
            "VOC-RACE",
        ),
    ],
)
def test_gender_and_race_are_judged_in_documents_of_any_release(old, new, rule):
    found = judged((old, new), extension="")
    assert [(each.rule, each.severity.value) for each in found if each.severity.value == "error"] == [(rule, "error")]


def test_a_code_of_another_system_is_refused_where_the_set_is_not_even_listed():
    [found] = judged(
        ('code="247472004" codeSystem="2.16.840.1.113883.6.96"', 'code="L50.9" codeSystem="2.16.840.1.113883.6.90"'),
        entries=PROBLEM,
    )
    assert (found.rule, found.severity.value, found.found) == ("1098-7335", "error", "L50.9 (ICD-10-CM)")
    assert "Problem" in found.expected


def test_a_wrong_check_digit_is_an_error_where_a_rule_binds_and_told_once():
    [found] = judged(("247472004", "247472005"), entries=PROBLEM)
    assert (found.rule, found.severity.value) == ("1098-7335", "error")
    assert "check digit" in found.message


def test_a_translation_that_is_in_the_set_makes_it_a_warning():
    [found] = judged(
        ('code="247472004" codeSystem="2.16.840.1.113883.6.96" displayName="Wheal"/>', 'code="L50.9" ' + TRANSLATED),
        entries=PROBLEM,
    )
    assert (found.rule, found.severity.value) == ("1098-7335", "warning")
    assert "translation" in found.hint


def test_a_null_flavor_is_exempt():
    gender = '<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1" displayName="Female"/>'
    assert judged((gender, '<administrativeGenderCode nullFlavor="UNK"/>')) == []
    other = (
        '<value xsi:type="CD" nullFlavor="OTH"><translation code="L50.9" codeSystem="2.16.840.1.113883.6.90"/></value>'
    )
    old = '<value xsi:type="CD" code="247472004" codeSystem="2.16.840.1.113883.6.96" displayName="Wheal"/>'
    assert judged((old, other), entries=PROBLEM) == []


def test_what_cannot_be_judged_is_counted_once_per_document():
    doc = Document(HEADER.format(extension="", entries=PROBLEM * 3).encode())
    [told] = [finding for finding in coded.check(doc) if finding.rule == coded.NOT_JUDGED]
    assert (told.severity.value, told.found, told.path) == ("info", "3", "/ClinicalDocument")
    assert "Problem 3" in told.message
    assert vocabulary.not_judged([told, replace(told, found="4"), replace(told, rule="other")]) == 7


def test_warnings_alike_are_one_finding_and_errors_are_not():
    entries = VITAL.replace('displayName="Body height"', 'displayName="Grocery basket"').replace("20240101", "20241301")
    found = judged(entries=entries * 4)
    assert [each.rule for each in found] == ["VOC-DISPLAY", *["VOC-TIMESTAMP"] * 4]
    assert "at 3 more places" in found[0].message
    assert len({each.line for each in found[1:]}) == 4


def test_a_misprint_of_oncs_own_test_data_is_set_aside_and_counted():
    code = '<code code="{}" codeSystem="2.16.840.1.113883.6.1"/>'
    wrong = f'<entry><observation classCode="OBS" moodCode="EVN">{code}</observation></entry>'
    doc = Document(HEADER.format(extension="", entries=wrong.format("881233-5") * 2).encode())
    [told] = [each for each in coded.check(doc) if "881233-5" in each.message]
    assert (told.rule, told.severity.value, told.found) == (SUPPRESSED, "info", "2")
    assert "88123-5" in told.message
    doc = Document(HEADER.format(extension="", entries=wrong.format("881234-5") * 2).encode())
    assert [each.rule for each in coded.check(doc) if each.severity.value == "error"] == ["VOC-CODE-IMPOSSIBLE"] * 2


def test_a_place_is_judged_once_however_often_its_template_is_declared():
    declared = '<templateId root="2.16.840.1.113883.10.20.22.4.9" extension="2014-06-09"/>'
    twice = PROBLEM.replace(declared, declared * 2)
    [found] = judged(("247472004", "247472005"), entries=twice)
    assert found.rule == "1098-7335"
    both = twice.replace(declared, declared.replace("4.9", "4.4").replace("2014-06-09", "2015-08-01") + declared)
    doc = Document(HEADER.format(extension="", entries=both).encode())
    assert vocabulary.not_judged(coded.check(doc)) == 1


def test_a_message_is_one_line_whatever_stands_there():
    [found] = judged(('code="F"', f'code="a&#10;b{"c" * 2_000}"'))
    assert "\n" not in found.message + found.found
    assert len(found.message) < 600


def test_times_are_told_from_quantities():
    low = '<low value="99" unit="cm"/>'
    assert judged(('<value xsi:type="PQ" value="170" unit="cm"/>', f'<value xsi:type="IVL_PQ">{low}</value>')) == []
    number = '<value xsi:type="IVL_INT"><low value="99"/></value>'
    assert judged(('<value xsi:type="PQ" value="170" unit="cm"/>', number)) == []
    moment = '<value xsi:type="IVL_TS"><low value="99"/></value>'
    assert [each.rule for each in judged(('<value xsi:type="PQ" value="170" unit="cm"/>', moment))] == ["VOC-TIMESTAMP"]


def test_fragments_with_other_namespaces_are_judged_too():
    text = (
        HEADER.format(extension="", entries=VITAL)
        .replace('code="F"', 'code="Q"')
        .replace(' xmlns="urn:hl7-org:v3"', "")
    )
    part = text[text.index("<recordTarget>") : text.index("</recordTarget>")] + "</recordTarget>"
    doc = Document(part.replace("sdtc:", "").encode())
    assert "VOC-GENDER" in [each.rule for each in coded.check(doc)]


# A check that cannot fail


def test_every_binding_finds_its_place_and_refuses_what_no_system_has():
    index = list(bindings())
    mute = [binding for binding in index if binding.proven.canary is Answer.UNKNOWN_HERE]
    assert len(index) > 300
    assert {binding.severity.value for binding in index} == {"error", "warning"}
    assert len(mute) < 10
    assert all(binding.set and vocabulary.value_set(binding.set) is None for binding in mute)


@pytest.fixture
def dead(monkeypatch):
    """The value set of genders takes in everything, as if its codes were never compared."""
    fresh = Index(
        {root: tuple(_anew(each) for each in many) for root, many in bindings().by_template.items()},
        {tag: tuple(_anew(each) for each in many) for tag, many in bindings().by_element.items()},
    )
    monkeypatch.setattr(coded, "bindings", lambda: fresh)
    monkeypatch.setattr(listing, "bindings", lambda: fresh)
    honest = ValueSet.contains
    monkeypatch.setattr(
        ValueSet,
        "contains",
        lambda self, code, system: Answer.IN if self.oid.endswith(".1.11.1") else honest(self, code, system),
    )


def _anew(binding):
    names = ("rule", "path", "strength", "template", "extension", "element", "set", "system", "name", "where")
    return Binding(**{name: getattr(binding, name) for name in names})


def test_a_binding_that_accepts_it_is_a_fault_of_ours(dead, capsys):
    with pytest.raises(DeadBinding, match=r"1198-6394 .*administrativeGenderCode.* accepts the code NOT_A_CODE"):
        judged()
    assert main(["vocabulary", "list"]) == 4
    assert "accepts the code NOT_A_CODE" in capsys.readouterr().err


def test_a_binding_that_does_not_find_its_place_is_a_fault_of_ours():
    lost = Binding("X", "a/@b", "SHALL", element="c", set="2.16.840.1.113883.1.11.1", where={"d": []})
    with pytest.raises((DeadBinding, IndexError)):
        lost.proven  # noqa: B018 - asked for what it raises


# Hostile values


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='<&"\ufffe\uffff'), max_size=80
    )
)
def test_no_value_breaks_the_layer(text):
    edits = [
        ('code="F"', f'code="{text}"'),
        ('code="8302-2"', f'code="{text}"'),
        ('unit="cm"', f'unit="{text}"'),
        ('birthTime value="19750501"', f'birthTime value="{text}"'),
        ("tel:+1(555)555-2003", text),
        ('displayName="Body height"', f'displayName="{text}"'),
        ('codeSystemName="LOINC"', f'codeSystemName="{text}"'),
        ('root="2.16.840.1.113883.19.5"', f'root="{text}"'),
        ("<state>OR", f"<state>{text}"),
        ('use="HP"/>', f'use="{text}"/>'),
        ('languageCode code="en"', f'languageCode code="{text}"'),
        ('codeSystem="2.16.840.1.113883.5.2"', f'codeSystem="{text}"'),
    ]
    assert all(each.rule and each.path for each in judged(*edits))
