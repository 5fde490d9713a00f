import re
import threading
import xml.etree.ElementTree as ET
from functools import cache

import pytest
import xmlschema
from lxml import etree

from onc_conformance import suite
from onc_conformance.ccda import crowded, explaining, schema, violations
from onc_conformance.ccda.document import Document
from onc_conformance.findings import Layer, Severity
from onc_conformance.reference import ccd, charts

FOLDER = suite.schemas() / "cda"
XS = "{http://www.w3.org/2001/XMLSchema}"


@cache
def clean():
    chart = next(each for each in charts.load(charts.bundled()) if each.id == "newman")
    return ccd.document(chart, document_id="6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11").decode()


@cache
def fragments():
    chart = next(each for each in charts.load(charts.bundled()) if each.id == "newman")
    return {category: ccd.fragment(chart, category).decode() for category in ccd.CATEGORIES}


def check(text):
    doc = Document(text if isinstance(text, bytes) else text.encode())
    assert doc.root is not None, doc.findings
    return schema.check(doc)


def planted(old, new, text=None):
    """The document with the first `old` replaced, its findings, and the line on which that was."""
    text = text or clean()
    assert old in text
    return check(text.replace(old, new, 1)), text[: text.index(old)].count("\n") + 1


def one(old, new, text=None):
    findings, line = planted(old, new, text)
    assert len(findings) == 1, findings
    assert findings[0].layer is Layer.SCHEMA
    assert findings[0].severity is Severity.ERROR
    return findings[0], line


def test_a_clean_document_has_no_finding():
    assert check(clean()) == []


@pytest.mark.parametrize("category", ccd.CATEGORIES)
def test_a_clean_fragment_has_no_finding_and_is_judged(category):
    text = fragments()[category]
    assert check(text) == []
    broken = re.sub(r"(<\w+)", r'\1 bogus="x"', text, count=1)
    assert [each.rule for each in check(broken)] == ["SCHEMA-ATTRIBUTE"]


def test_an_element_out_of_place():
    finding, line = one("<title>", '<versionNumber value="1"/><title>')
    assert finding.rule == "SCHEMA-ELEMENT"
    assert (finding.path, finding.line) == ("/ClinicalDocument/versionNumber", line)
    assert finding.message == "versionNumber may not stand here in ClinicalDocument"
    assert finding.expected == "one of title, sdtc:statusCode, effectiveTime"
    assert finding.found == "versionNumber"
    assert "Unexpected child with tag 'versionNumber'" in finding.hint


def test_an_element_of_another_namespace():
    finding, line = one("<title>", '<x:y xmlns:x="urn:other"/><title>')
    assert (finding.rule, finding.line) == ("SCHEMA-ELEMENT", line)
    assert finding.found == "y (in the namespace urn:other)"


def test_an_element_missing_at_the_end():
    text = re.sub(r"<component>.*</component>", "<component/>", clean(), count=1, flags=re.DOTALL)
    [finding] = check(text)
    assert (finding.rule, finding.path) == ("SCHEMA-MISSING", "/ClinicalDocument/component")
    assert finding.line == text[: text.index("<component/>")].count("\n") + 1
    assert finding.expected == "one of realmCode, typeId, templateId, nonXMLBody, structuredBody"
    assert finding.found == "nothing"
    assert "not complete" in finding.hint


def test_an_attribute_that_is_none():
    finding, line = one("<title>", '<title code="x">')
    assert (finding.rule, finding.path, finding.line) == ("SCHEMA-ATTRIBUTE", "/ClinicalDocument/title", line)
    assert (finding.expected, finding.found) == ("no code", "'x'")
    assert "code" in finding.hint


def test_an_attribute_that_is_missing():
    finding, line = one(' classCode="OBS"', "")
    assert (finding.rule, finding.expected, finding.line) == ("SCHEMA-ATTRIBUTE-MISSING", "classCode", line)
    assert finding.path.endswith("/observation")
    assert "classCode" in finding.hint


@pytest.mark.parametrize(
    ("old", "new", "expected", "found"),
    [
        (r'<low value="[^"]*"', '<low value="2020-01-01"', "digits YYYYMMDD", "'2020-01-01'"),
        (r'classCode="OBS"', 'classCode="TREE"', "one of ", "'TREE'"),
        (r'codeSystem="[^"]*"', 'codeSystem="2.16."', "an OID, a UUID or a name reserved by HL7", "'2.16.'"),
        (r'moodCode="EVN"', 'moodCode="EVN EVN"', "one of ", "'EVN EVN'"),
        (r'<telecom use="[^"]*"', '<telecom use="HP XX"', "one of AS, BAD, DIR, EC, H, HP", "'HP XX'"),
        (r'<typeId root="[^"]*"', '<typeId root="1.2.3"', "2.16.840.1.113883.1.3", "'1.2.3'"),
        (r'<templateId root="[^"]*"', '<templateId root=""', "an OID, a UUID or a name reserved by HL7", "''"),
        (r'displayName="[^"]*"', 'displayName=""', "at least one character", "''"),
        (r' code="[^"]*"', ' code="a b"', "a code without spaces", "'a b'"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed(old, new, expected, found):
    text, place = clean(), re.search(old, clean())
    changed = text[: place.start()] + new + text[place.end() :]
    [finding] = check(changed)
    assert finding.rule == "SCHEMA-VALUE"
    assert finding.expected.startswith(expected)
    assert finding.found == found
    assert finding.line == changed[: changed.index(new) + len(new)].count("\n") + 1
    assert finding.hint.startswith("xmlschema says: ")


def test_an_id_that_is_used_twice():
    text = clean().replace("<td>", '<td ID="twice">')
    findings = check(text)
    assert {(each.rule, each.found) for each in findings} == {("SCHEMA-VALUE", "'twice'")}
    assert findings[0].expected == "a name (no digit first) that is no other element's ID"
    assert len(findings) == text.count('ID="twice"') - 1 > 1


@pytest.mark.parametrize(
    ("said", "message", "found"),
    [
        ("", "value does not say of which data type it is", "none"),
        ('xsi:type="PQX"', "value is of a data type that CDA does not know", "'PQX'"),
        ('xsi:type="nowhere:PQ"', "value is of a data type that CDA does not know", "'nowhere:PQ'"),
        ('xsi:type="QTY"', "value is of a data type that is none by itself", "'QTY'"),
        ('xsi:type="POCD_MT000040.Act"', "value is of a data type that may not stand here", "'POCD_MT000040.Act'"),
    ],
)
def test_a_data_type_that_may_not_be(said, message, found):
    place = re.search(r'<value xsi:type="\w+"[^>]*?/>', clean())
    changed = f"{clean()[: place.start()]}<value {said}/>{clean()[place.end() :]}"
    [finding] = check(changed)
    assert (finding.rule, finding.message, finding.found) == ("SCHEMA-TYPE", message, found)
    assert finding.path.endswith("/value")
    assert finding.line == clean()[: place.start()].count("\n") + 1


@pytest.mark.parametrize("said", ["PQ", "v3:PQ", "IVL_PQ", "CD", "ST", "SXCM_TS", "v3:PIVL_TS"])
def test_a_data_type_of_any_prefix(said):
    place = re.search(r'<value xsi:type="\w+"[^>]*?/>', clean())
    text = f'{clean()[: place.start()]}<value xmlns:v3="urn:hl7-org:v3" xsi:type="{said}"/>{clean()[place.end() :]}'
    assert check(text) == []


def test_text_and_elements_where_none_may_be():
    finding, _ = one(
        "<recordTarget>", "<recordTarget>John Smith lives here and is sixty-one years of age, says his neighbour"
    )
    assert (finding.rule, finding.path, finding.expected) == (
        "SCHEMA-TEXT",
        "/ClinicalDocument/recordTarget",
        "no text",
    )
    assert len(finding.found) < 70
    assert finding.found.endswith("…'")
    assert "character data" in finding.hint
    finding, _ = one("<title>", "<languageCode/><title>".replace("<languageCode/>", '<realmCode code="US"/>'))
    assert finding.rule == "SCHEMA-ELEMENT"
    findings, line = planted('<languageCode code="en-US"/>', '<languageCode code="en-US"><x/></languageCode>')
    assert [(each.rule, each.found, each.line) for each in findings] == [("SCHEMA-ELEMENT", "x", line)]


def test_all_violations_are_told_and_the_first_are_explained():
    text = clean().replace("<entry>", '<entry bogus="1">').replace("<title>", '<title bogus="1">')
    findings = check(text)
    assert len(findings) == text.count("bogus") > schema.EXPLAINED
    assert all(each.hint for each in findings[: schema.EXPLAINED])
    assert not any(each.hint for each in findings[schema.EXPLAINED :])
    assert len({each.path for each in findings}) == len(findings)


def test_a_prefix_for_the_namespace_changes_nothing():
    text = re.sub(r"<(/?)(?!\w+:)(\w)", r"<\1h:\2", clean()).replace(
        'xmlns="urn:hl7-org:v3"', 'xmlns:h="urn:hl7-org:v3"'
    )
    text = re.sub(r'xsi:type="(\w+)"', r'xsi:type="h:\1"', text)
    assert check(text) == []
    finding, line = one("<h:title>", '<h:versionNumber value="1"/><h:title>', text)
    assert (finding.path, finding.line) == ("/ClinicalDocument/versionNumber", line)
    at = [match.start() for match in re.finditer("<h:id ", text)][-1]
    broken = f"{text[:at]}<h:id bogus='1' {text[at + 6 :]}"
    [finding] = check(broken)
    assert finding.line == text[:at].count("\n") + 1


def test_a_violation_inside_an_extension_is_placed():
    assert "<sdtc:raceCode " in clean()
    finding, line = one("<sdtc:raceCode ", '<sdtc:raceCode bogus="1" ')
    assert finding.line == line
    assert finding.path.endswith("/raceCode[2]")


def test_nothing_is_said_of_a_root_that_is_no_part_of_a_cda():
    assert check('<Answer><section xmlns=""><x/></section></Answer>') == []
    assert check('<x:Answer xmlns:x="urn:vendor"><x:section/></x:Answer>') == []


def test_sections_in_a_wrapper_are_judged():
    first, second = fragments()["problems"], fragments()["medication_allergies"]
    assert check(f"<Answer>{first}{second}</Answer>") == []
    second = second.replace("<title>", '<title bogus="x">')
    [finding] = check(f"<Answer>{first}{second}</Answer>")
    assert (finding.rule, finding.path) == ("SCHEMA-ATTRIBUTE", "/Answer/section[2]/title")


def test_a_broken_namespace_declaration_is_told_and_the_rest_judged():
    text = clean().replace("<ClinicalDocument ", '<ClinicalDocument xmlns:schemaLocation="urn:hl7-org:v3 CDA.xsd" ', 1)
    doc = Document(text.replace("<title>", '<title bogus="x">', 1).encode())
    assert [each.rule for each in doc.findings] == ["XML-NAMESPACE"]
    assert [each.rule for each in schema.check(doc)] == ["SCHEMA-ATTRIBUTE"]


def test_a_prefix_that_nobody_declared_is_told_and_its_attributes_judged():
    doc = Document(clean().replace("<title>", '<title oops:bogus="x">', 1).encode())
    assert [each.rule for each in doc.findings] == ["XML-NAMESPACE"]
    assert [each.rule for each in schema.check(doc)] == ["SCHEMA-ATTRIBUTE"]


@pytest.mark.parametrize("data", [b"", b"<", b"{}", b"<a/>", b"<ClinicalDocument/>", b"<a>" * 60_000, b"\xff\xfe<"])
def test_what_cannot_be_read_has_no_schema_finding(data):
    assert schema.check(Document(data)) == []


def test_nothing_but_a_root():
    [finding] = check('<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
    assert (finding.rule, finding.path, finding.line) == ("SCHEMA-MISSING", "/ClinicalDocument", 1)
    assert finding.expected == "one of realmCode, typeId"


def test_lines_past_65535_are_right():
    rows = "<tr>\n<td>\n\n</td>\n</tr>\n" * 20_000
    text = re.sub(
        r"<text>.*?</text>", f"<text><table><tbody>{rows}</tbody></table></text>", clean(), count=1, flags=re.DOTALL
    )
    at = [match.start() for match in re.finditer('classCode="OBS"', text)][-1]
    broken = f'{text[:at]}classCode="TREE"{text[at + 15 :]}'
    [finding] = check(broken)
    assert finding.line == text[:at].count("\n") + 1 > 80_000
    wide = text.replace("<td>", '<td bogus="1">')
    findings = check(wide)
    places = [wide[: match.start()].count("\n") + 1 for match in re.finditer("bogus", wide[:30_000])]
    assert len(places) > 500
    assert [each.line for each in findings[: len(places)]] == places


def test_a_large_document_is_told_its_first_violations_and_that_there_are_more():
    text = re.sub(
        r"<text>.*?</text>",
        f"<text><table><tbody>{'<tr/>' * 50_000}</tbody></table></text>",
        clean(),
        count=1,
        flags=re.DOTALL,
    )
    findings = check(text)
    assert schema.LISTED / 2 < len(findings) <= schema.LISTED + 1
    *told, last = findings
    assert {each.rule for each in told} == {"SCHEMA-MISSING"}
    assert told[41].path.endswith("/tbody/tr[42]")
    assert len({each.path for each in told}) == len(told)
    assert last.rule == "SCHEMA-MORE"


def test_a_large_document_with_few_violations_is_told_all():
    rows = f"<tr><td>{'x' * 300}</td></tr>" * 8000
    text = re.sub(
        r"<text>.*?</text>", f"<text><table><tbody>{rows}</tbody></table></text>", clean(), count=1, flags=re.DOTALL
    )
    assert len(text) > crowded.FULL
    assert check(text) == []
    finding, line = one('classCode="OBS"', 'classCode="TREE"', text)
    assert (finding.rule, finding.line) == ("SCHEMA-VALUE", line)


def test_repeated_ids_count_towards_too_many():
    rows = '<tr><td ID="a"/></tr>' * 20_000
    text = re.sub(
        r"<text>.*?</text>", f"<text><table><tbody>{rows}</tbody></table></text>", clean(), count=1, flags=re.DOTALL
    )
    findings = check(text)
    assert schema.LISTED / 2 < len(findings) <= schema.LISTED + 1
    assert findings[-1].rule == "SCHEMA-MORE"


def test_ids_of_what_is_not_judged_do_not_count():
    foreign = '<x:x xmlns:x="urn:other">' + '<x:y ID="a"/>' * 5000 + "</x:x>"
    text = clean()
    place = re.search(r'<value xsi:type="\w+"[^>]*?/>', text)
    assert check(f'{text[: place.start()]}<value xsi:type="ED">{foreign}</value>{text[place.end() :]}') == []


def test_documents_judged_at_once_keep_their_findings_apart():
    texts = [clean().replace("<title>", f'<title bogus{number}="x">', 1) for number in range(8)]
    said = {}

    def judge(number):
        for _ in range(3):
            said.setdefault(number, []).extend(each.expected for each in check(texts[number]))

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {number: [f"no bogus{number}"] * 3 for number in range(8)}


def test_an_explanation_needs_an_element_that_can_be_declared():
    doc = Document(clean().replace("<title>", '<nowhere><title bogus="x"/></nowhere><title>', 1).encode())
    lost = next(doc.root.iter("{*}nowhere"))[0]
    assert explaining.explain(violations.Violation(lost, "SCHEMA-ATTRIBUTE", "", None, None, "bogus"), doc.root) is None


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.xsd")), ids=lambda path: path.name)
def test_the_schema_is_local_and_without_documentation(path):
    root = etree.parse(path).getroot()
    assert not list(root.iter(f"{XS}annotation"))
    for each in root.iter(f"{XS}include", f"{XS}import"):
        assert (FOLDER / each.get("schemaLocation")).is_file()


def test_the_schema_is_sound_to_a_strict_reader():
    assert xmlschema.XMLSchema(str(FOLDER / "fragments.xsd"), validation="strict").maps.types


def test_every_pattern_of_the_schema_has_words():
    patterns = {each.get("value") for path in FOLDER.glob("*.xsd") for each in ET.parse(path).iter(f"{XS}pattern")}
    assert patterns == set(violations.PATTERNS)
