"""Gold documents and bundles as expected records, and what is said of files that are none."""

from __future__ import annotations

import json

import pytest

from onc_conformance import judging, record, suite
from onc_conformance.findings import Severity, UsageError
from onc_conformance.judging import gold
from onc_conformance.reference import ccd, charts

PATIENTS = suite.schemas() / "patients"
FILES = [PATIENTS / "tiny.toml", PATIENTS / "edges.toml", *sorted((PATIENTS / "onc-uscdi-v3").glob("*.toml"))]
CHARTS = charts.load([*charts.bundled(), *FILES])

CODED = ("problems", "medications", "laboratory_results", "vital_signs", "immunizations", "procedures", "udi")


def written(chart, **what):
    return ccd.document(chart, document_id="6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11", **what)


def _said(fact):
    """What a fact is about, and when; a day for a moment."""
    return [str(code) for code in fact.codes[:1]], [str(days) for days in fact.stated]


@pytest.fixture
def file(tmp_path):
    def make(data, name="gold.xml"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_a_document_is_as_the_record_taken_from_it(chart, file):
    data = written(chart)
    [taken] = gold.load(file(data))
    assert taken.birth_date[:10] == chart.birth_date[:10]
    assert [each for each in judging.content([judging.read(data)], taken) if each.severity is not Severity.INFO] == []
    assert judging.whose(judging.read(data), taken) == []


def test_how_somebody_is_reached_and_what_was_dispensed_is_taken_too(file):
    alice = next(each for each in CHARTS if each.id == "alice-newman")
    [taken] = gold.load(file(written(alice)))
    nurse = next(fact for fact in taken.of("care_team") if fact.attributes["member"]["given"] == ["Tracy"])
    assert nurse.attributes["telecom"] == [{"system": "phone", "use": "work", "value": "555-555-1002"}]
    assert nurse.attributes["address"]["line"] == ["2472, Rocky place"]
    first, second = taken.of("medications")
    assert first.attributes["fill"] == {"status": "completed", "repeat": 2, "quantity": 6.0}
    assert second.attributes["instructions"] == "For ten days"
    assert [fact.attributes.get("reason") for fact in taken.of("immunizations")] == [None, "Refused by the patient"]
    [payer] = taken.of("coverage")
    assert (payer.attributes["payer_id"], payer.attributes["subscriber_id"]) == ("2.16.840.1.113883.6.300", "888009335")
    assert payer.attributes["telecom"][0]["value"] == "(555)555-1515"
    vera = next(each for each in charts.load([PATIENTS / "details.toml"]) if each.id == "detail-a")
    [taken] = gold.load(file(written(vera)))
    reason = {"system": "actreason", "code": "PATOBJ", "display": "patient objection"}
    assert [fact.attributes.get("reason") for fact in taken.of("immunizations")] == [None, reason]


@pytest.mark.parametrize("path", [*FILES, PATIENTS / "reference.toml"], ids=lambda path: path.stem)
def test_a_record_taken_from_a_document_has_the_facts_of_the_chart(path, file):
    for chart, original in zip(charts.load([path]), record.load(path), strict=True):
        [taken] = gold.load(file(written(chart)))
        for kind in CODED:
            mine = sorted(_said(fact) for fact in original.of(kind) if not fact.no_information)
            assert sorted(map(_said, taken.of(kind))) == mine, (original.id, kind)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('value="145"', 'value="154"', "value"),
        ('value="20111005"', 'value="20111006"', "date"),
        ("Amber Dr", "Ember Dr", "address"),
        ('code="59621000"', 'code="38341003"', "absent"),
    ],
)
def test_another_document_is_held_against_a_gold_one(old, new, what, file):
    data = written(next(each for each in CHARTS if each.id == "alice-newman"))
    [taken] = gold.load(file(data))
    assert old.encode() in data
    found = judging.content([judging.read(data.replace(old.encode(), new.encode()))], taken)
    assert any(what in each.message for each in found if each.severity is Severity.ERROR)


def test_what_the_header_says_beside_the_patient_is_optional(file):
    [taken] = gold.load(file(written(next(each for each in CHARTS if each.id == "alice-newman"))))
    assert taken.of("participants")
    assert all(fact.optional for fact in taken.of("participants"))


def test_words_without_an_entry_are_for_a_person(file):
    [taken] = gold.load(file(written(next(each for each in CHARTS if each.id == "john-wright"))))
    assert [fact.visual for fact in taken.of("discharge_instructions")] == [True]


def test_errors_of_schema_and_templates_do_not_stop_its_use(file):
    data = written(CHARTS[0]).replace(b"<realmCode", b"<nonsense/><realmCode").replace(b"2015-08-01", b"1999-01-01")
    [taken] = gold.load(file(data))
    assert taken.facts


def test_a_file_is_what_its_content_is(file):
    assert gold.load(file(written(CHARTS[0]), "patients.toml"))[0].name.family == "Newman"
    assert [each.id for each in gold.load(file(FILES[0].read_bytes(), "patients.xml"))] == ["tiny-a", "tiny-b"]
    content = {"patient": [{"id": "a", "name": {"family": "A", "given": ["B"]}, "birth_date": "1970", "sex": "male"}]}
    assert gold.load(file(json.dumps(content).encode(), "a.yaml"))[0].id == "a"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<ClinicalDocument xmlns='urn:hl7-org:v3'>\n<id>\n</ClinicalDocument>", "gold.xml, line 3: no C-CDA"),
        (b"<?xml version='1.0'?>\n<Patient xmlns='http://hl7.org/fhir'/>", r"gold.xml, line 2: no C-CDA .*Patient"),
        (b"<section xmlns='urn:hl7-org:v3'/>", "fragment"),
        (b"<ClinicalDocument xmlns='urn:hl7-org:v3'/>", "line 1: recordTarget: names no patient"),
        (b'{\n "resourceType": ', "gold.xml, line 2: this is no JSON"),
        (b'{"resourceType": "Bundle"}', "Bundle: holds no Patient resource"),
        (b"{}", "resourceType: is missing"),
    ],
)
def test_a_gold_file_that_is_none_is_named(data, said, file):
    with pytest.raises(UsageError, match=said) as caught:
        gold.load(file(data))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        gold.load(tmp_path / "none.xml")


def test_one_patient_is_expected_once(file):
    data = written(CHARTS[0])
    with pytest.raises(UsageError, match="is used twice"):
        gold.expected([file(data, "one.xml"), file(data, "two.xml")])


def test_gold_files_become_patients_files(file, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    document, own = file(written(CHARTS[0])), FILES[0]
    converted, kept = gold.as_patients_files([document, own], room)
    assert kept == own
    assert record.load(converted)[0].facts == gold.load(document)[0].facts
