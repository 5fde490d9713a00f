"""Faults planted in a document that is right: each turns exactly its rules red, at its place."""

from __future__ import annotations

import copy

import pytest
from lxml import etree

from onc_conformance import suite, vocabulary
from onc_conformance.ccda import Document, templates
from onc_conformance.ccda.rulebook import Rulebook, patterns, rulebook
from onc_conformance.findings import Layer, Severity
from onc_conformance.reference import ccd, charts
from onc_conformance.vocabulary import packs

NAMESPACES = {"h": "urn:hl7-org:v3", "sdtc": "urn:hl7-org:sdtc"}
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
PROBLEMS = "//h:section[h:code/@code='11450-4']"
ALLERGIES = "//h:section[h:code/@code='48765-2']"
MEDICATIONS = "//h:section[h:code/@code='10160-0']"
PROCEDURES = "//h:section[h:code/@code='47519-4']"
PATIENT = "//h:patientRole/h:patient"
CCDA = "2.16.840.1.113883.10.20."


@pytest.fixture(scope="module")
def right():
    chart = next(chart for chart in charts.load(charts.bundled()) if chart.id == "newman")
    return ccd.document(chart, document_id="6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11", edition="uscdi-v3")


@pytest.fixture(scope="module")
def said(right):
    """What a change adds to what is said of the right document."""
    before = {(each.rule, each.path) for each in templates.check(Document(right))}

    def judge(change, *, severity=Severity.ERROR):
        root = etree.fromstring(right)
        change(root)
        found = templates.check(Document(etree.tostring(root)))
        return [each for each in found if each.severity is severity and (each.rule, each.path) not in before]

    return judge


def first(root, path):
    return root.xpath(path, namespaces=NAMESPACES)[0]


def drop(path):
    def change(root):
        gone = first(root, path)
        gone.getparent().remove(gone)

    return change


def repeat(path):
    def change(root):
        twice = first(root, path)
        twice.addnext(copy.deepcopy(twice))

    return change


def put(path, name, value):
    return lambda root: first(root, path).set(name, value)


def empty(path):
    def change(root):
        for each in list(first(root, path)):
            if etree.QName(each).localname == "entry":
                first(root, path).remove(each)

    return change


def add(path, xml):
    return lambda root: first(root, path).append(etree.fromstring(xml.replace(">", ' xmlns="urn:hl7-org:v3">', 1)))


def test_the_right_document_is_right(right):
    found = templates.check(Document(right))
    assert not [each for each in found if each.severity is Severity.ERROR]
    assert {each.layer for each in found} == {Layer.TEMPLATE}
    assert all(each.path and each.line and each.message and each.hint for each in found)


@pytest.mark.parametrize(
    ("change", "rules", "place", "found"),
    [
        (drop(PROBLEMS + "/h:title"), {"1198-7879", "1198-9181"}, "/section", "no title"),
        (repeat(PROBLEMS + "/h:title"), {"1198-7879", "1198-9181"}, "/section", "2 title"),
        (
            put(PROBLEMS + "/h:code", "code", "11450-5"),
            {"1198-15408", "1198-15410"},
            "/section",
            'code with @code="11450-5"',
        ),
        (put(PROBLEMS + "/h:code", "codeSystem", "1.2"), {"1198-31141"}, "/section", 'code with @codeSystem="1.2"'),
        (empty(PROBLEMS), {"1198-9183"}, "/section", "no @nullFlavor, no entry"),
        (put(PROBLEMS, "nullFlavor", "NI"), {"1198-9183"}, "/section", '@nullFlavor="NI", 4 entry'),
        (
            put(PROBLEMS + "//h:observation/h:statusCode", "code", "active"),
            {"1198-19112"},
            "/observation",
            'statusCode with @code="active"',
        ),
        (
            put(PROBLEMS + "//h:observation/h:value", XSI_TYPE, "ST"),
            {"1198-9058"},
            "/observation",
            'value with @xsi:type="ST"',
        ),
        (put(PROCEDURES + "//h:procedure", "moodCode", "RQO"), {"1098-7653"}, "/procedure", '@moodCode="RQO"'),
        (
            put(MEDICATIONS + "//h:substanceAdministration", "moodCode", "PRMS"),
            {"1098-7497"},
            "/substanceAdministration",
            '@moodCode="PRMS"',
        ),
        (
            drop(MEDICATIONS + "//h:consumable"),
            {"1098-7520", "1098-16085"},
            "/substanceAdministration",
            "no consumable",
        ),
        (
            drop(ALLERGIES + "//h:observation/h:effectiveTime/h:low"),
            {"1098-31536", "1098-31538"},
            "/observation",
            "none of 1 effectiveTime",
        ),
        (
            put("/h:ClinicalDocument/h:effectiveTime", "value", "2017"),
            {"81-10127"},
            "/ClinicalDocument/effectiveTime",
            'no @nullFlavor, @value="2017"',
        ),
        (drop(PATIENT + "/h:name/h:family"), {"81-7159"}, "/patient/name[1]", "no family, no @nullFlavor"),
        (add(PATIENT + "/h:name", "<delimiter>x</delimiter>"), set(), "", ""),
        (
            put("/h:ClinicalDocument/h:typeId", "extension", "X"),
            {"1198-5251"},
            "/ClinicalDocument",
            'typeId with @extension="X"',
        ),
        (
            drop("/h:ClinicalDocument/h:typeId"),
            {"1198-5361", "1198-5250", "1198-5251"},
            "/ClinicalDocument",
            "no typeId",
        ),
        (
            put(PATIENT + "/h:administrativeGenderCode", "code", "X"),
            {"1198-6394"},
            "/administrativeGenderCode",
            'no @nullFlavor, @code="X", @codeSystem="2.16.840.1.113883.5.1"',
        ),
        (
            put(PATIENT + "/h:raceCode", "codeSystem", "1.2"),
            {"1198-5322"},
            "/raceCode[1]",
            'no @nullFlavor, @codeSystem="1.2"',
        ),
        (
            put(PATIENT + "/h:ethnicGroupCode", "codeSystem", "1.2"),
            {"1198-5323"},
            "/ethnicGroupCode",
            'no @nullFlavor, @codeSystem="1.2"',
        ),
        (
            put("/h:ClinicalDocument/h:code", "codeSystem", "1.2"),
            {"1198-32138", "1198-32948"},
            "/ClinicalDocument",
            'code with @codeSystem="1.2"',
        ),
        (
            drop(PROBLEMS + "//h:author//h:representedOrganization/h:name"),
            {"ProvenanceAuthorParticipation.assignedAuthor.representedOrganization.@nullFlavor"},
            "/representedOrganization",
            "no @nullFlavor, 3 id, no name",
        ),
    ],
)
def test_a_fault_turns_its_rules_red_at_its_place(said, change, rules, place, found):
    objections = said(change)
    assert {each.rule for each in objections} == rules
    assert all(each.path.partition("]/section")[1] or each.path.endswith(place) for each in objections)
    assert all(each.path.endswith(place) and each.found == found for each in objections)


def test_of_a_long_value_the_beginning_is_shown(said):
    (error,) = said(put(PROBLEMS + "//h:observation/h:statusCode", "code", "x" * 1000))
    assert error.found == f'statusCode with @code="{"x" * 80}…"'


def test_of_many_elements_the_first_are_shown(said):
    def change(root):
        for number in range(5):
            add(PROBLEMS + "//h:observation", f'<statusCode code="{number}"></statusCode>')(root)
        drop(PROBLEMS + "//h:observation/h:statusCode")(root)

    assert {each.found for each in said(change)} == {
        "5 statusCode",
        'statusCode with @code="0", @code="1", @code="2", …',
    }


def test_what_should_be_is_a_warning(said):
    (warning,) = said(put("/h:ClinicalDocument/h:effectiveTime", "value", "20170101"), severity=Severity.WARNING)
    assert warning.rule == "81-10128"
    assert warning.message == "US Realm Date and Time (DTM.US.FIELDED) should have @value of at least 12 characters"


def test_a_finding_says_what_where_and_where_to_read_on(said):
    title = said(drop(PROBLEMS + "/h:title"))[-1]
    assert title.message == "Problem Section (entries required) shall have exactly one title"
    assert (title.expected, title.found) == ("exactly one", "no title")
    assert title.hint == f"template {CCDA}22.2.5.1:2015-08-01, CONF:1198-9181"
    assert title.layer is Layer.TEMPLATE


def test_an_extension_nobody_published_is_told(said):
    change = put(PROBLEMS + "/h:templateId[@extension]", "extension", "2015-08-02")
    (warning,) = said(change, severity=Severity.WARNING)
    assert warning.rule == "TEMPLATE-EXTENSION"
    assert (warning.expected, warning.found) == ('"2015-08-01"', '"2015-08-02"')
    assert warning.path.endswith("/section/templateId[2]")
    assert {each.rule for each in said(change)} == {"1198-30665"}


def test_the_extension_of_another_release_is_told_as_such(said):
    change = put(PROBLEMS + "/h:templateId[@extension]", "extension", "2014-06-09")
    (info,) = said(change, severity=Severity.INFO)
    assert "has the extension of C-CDA R2.0" in info.message


def test_another_release_beside_one_that_is_judged_is_nothing_to_tell(said):
    root = f"{CCDA}22.2.5.1"
    assert not said(
        add(PROBLEMS, f'<templateId root="{root}" extension="2014-06-09"></templateId>'), severity=Severity.INFO
    )


def test_a_section_that_does_not_declare_its_template_is_found_at_its_place(said):
    def change(root):
        for each in root.xpath(PROBLEMS + "/h:templateId", namespaces=NAMESPACES):
            each.getparent().remove(each)

    (warning,) = said(change, severity=Severity.WARNING)
    assert (warning.rule, warning.found) == ("TEMPLATE-MISSING", "no templateId")
    assert warning.path.endswith("/section")
    assert f"{CCDA}22.2.5.1" in warning.expected


@pytest.mark.parametrize("extension", ["", ' extension="2099-01-01"'])
def test_a_sections_code_is_judged_whatever_the_release(extension):
    document = Document(
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section>'
        + f'<templateId root="{CCDA}22.2.5.1"{extension}/><code code="x"/>'.encode()
        + b"</section></component></structuredBody></component></ClinicalDocument>"
    )
    rules = {each.rule for each in templates.check(document) if each.path.endswith("/section")}
    assert rules == {"1198-15410"}


def test_a_document_without_a_release_owes_what_every_release_asks():
    document = Document(
        f'<ClinicalDocument xmlns="urn:hl7-org:v3"><templateId root="{CCDA}22.1.2"/></ClinicalDocument>'.encode()
    )
    assert {each.rule for each in templates.check(document)} == {"1198-5361", "1198-5250", "1198-5251"}


def test_a_fragment_is_judged_by_what_it_declares():
    fragment = f'<section xmlns="urn:hl7-org:v3"><templateId root="{CCDA}22.2.17" extension="2015-08-01"/></section>'
    rules = {each.rule for each in templates.check(Document(fragment.encode())) if each.severity is Severity.ERROR}
    assert rules == {"1198-14819", "1198-14820", "1198-30814", "1198-7938", "1198-7939"}


def test_what_cannot_be_read_is_not_judged():
    assert templates.check(Document(b"<")) == []


def test_every_rule_compiles_and_has_words():
    rules, origins = patterns()
    assert templates._judge().rules.problems() == []
    names = rulebook().names
    assert len(origins) > 3000
    assert len(rules) > 300
    for assertion, origin in origins.items():
        assert origin.message(names).count("\n") == 0
        assert assertion.id == origin.fact["rule"]
        assert "  " not in origin.message(names)


def test_a_template_takes_over_rules_once():
    """Where a template and one that inherits from it are both declared, a broken rule is told once."""
    known = Rulebook(
        (
            {
                "element": "section",
                "root": "1.1",
                "blocks": [{"level": "SHALL", "rules": [{"rule": "9-1", "path": ["title"], "min": 1}]}],
            },
            {"element": "section", "root": "1.2", "inherits": ["1.1"], "blocks": []},
            {"element": "section", "root": "1.3", "inherits": ["1.2"], "blocks": []},
        ),
        (),
        {},
    )
    (pattern,), _ = patterns(known)
    assert [each for each in ("1.1", "1.2", "1.3") if f"@root='{each}'" in pattern.rules[0].context] == [
        "1.1",
        "1.2",
        "1.3",
    ]


def test_the_tables_are_facts_of_ours():
    """No expression of an official file and no sentence of one got in."""
    for path in (suite.schemas() / "ccda" / "templates").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in ("cda:", "SHALL contain", "count(", "[@", "document(") if word in text]


def test_a_value_set_is_asked_anew_once_a_user_has_another(said, monkeypatch):
    change = put(MEDICATIONS + "//h:substanceAdministration", "moodCode", "PRMS")
    assert {each.rule for each in said(change)} == {"1098-7497"}
    monkeypatch.setattr(packs, "state", lambda: "a pack came")
    monkeypatch.setattr(vocabulary, "contains", lambda *_: vocabulary.Answer.UNKNOWN_HERE)
    assert not said(change)
    monkeypatch.undo()
    assert {each.rule for each in said(change)} == {"1098-7497"}
