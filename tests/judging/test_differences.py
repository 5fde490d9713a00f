"""What differs in a fact, in a header, and between two answers: located, and no more than that."""

from __future__ import annotations

import re

import pytest
from tests.judging.people import FACTS, errors, without

from onc_conformance import judging, record, suite
from onc_conformance.findings import Severity
from onc_conformance.judging.agreement import disagreement
from onc_conformance.moments import Days, hl7, iso
from onc_conformance.record import KINDS
from onc_conformance.reference import ccd, charts
from onc_conformance.reference.changes import Change

DETAILS = suite.schemas() / "patients" / "details.toml"


@pytest.fixture(scope="module")
def vera():
    person, other = record.load(DETAILS)
    chart, _ = charts.load([DETAILS])
    return person, other, chart


def changed(chart, of, **what):
    return judging.read(ccd.document(Change("document", of, what).apply(chart), document_id="1"), "0007")


def test_what_a_document_denies_is_denied_and_not_just_absent(people):
    data = ccd.document(people.charts()[0], document_id="1")
    place = data.index(b'root="2.16.840.1.113883.10.20.22.4.4"')
    start = data.rindex(b"<observation", 0, place)
    doc = judging.read(data[:start] + b'<observation negationInd="true"' + data[start + len(b"<observation") :])
    [finding] = errors(judging.content([doc], people.ann))
    assert finding.message == "problems: the document denies it"
    assert finding.found.startswith("negated: Hypertension")
    assert finding.path.endswith("/observation")


def test_a_vaccine_that_was_refused_is_looked_for_among_refusals(vera):
    person, _, chart = vera
    doc = judging.read(ccd.document(chart, document_id="1"))
    assert [each.kind for each in doc.denials if each.kind == "immunizations"] == ["immunizations"]
    assert judging.content([doc], person) == []


def test_a_fact_told_twice_in_one_section_is_one_too_many_and_in_two_documents_is_not(vera):
    person, _, chart = vera
    [finding] = errors(judging.content([changed(chart, "medications", at=0, repeat=True)], person))
    assert finding.rule == "CONTENT-EXTRA"
    docs = [judging.read(ccd.document(chart, document_id=number)) for number in ("1", "2")]
    assert judging.content(docs, person) == []


def test_an_optional_fact_that_differs_is_a_warning(vera):
    person, _, chart = vera
    [finding] = judging.content([changed(chart, "procedures", at=1, set={"status": "aborted"})], person)
    assert (finding.severity, finding.expected, finding.found) == (Severity.WARNING, "completed", "aborted")
    assert judging.content([changed(chart, "procedures", at=1, drop=True)], person) == []


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [
        (b'value="20190312081500-0800"', b'value="20190312161500+0000"', None),
        (b'value="20190312081500-0800"', b'value="201903120815-0800"', None),
        (b'value="20190312081500-0800"', b'value="20190312"', Severity.WARNING),
        (b'value="20190312081500-0800"', b'value="20190312091500-0800"', Severity.ERROR),
        (b'value="20190312081500-0800"', b'value="201903"', Severity.ERROR),
    ],
)
def test_dates_are_compared_to_the_precision_declared(vera, old, new, severity):
    person, _, chart = vera
    data = ccd.document(chart, document_id="1")
    assert old in data
    found = [each for each in judging.content([judging.read(data.replace(old, new))], person) if "date" in each.message]
    assert {each.severity for each in found} == ({severity} if severity else set())


def test_a_clock_is_told_with_its_zone_and_takes_no_part_in_the_rule_of_days():
    early, late = hl7("20150622081500-0500"), iso("2015-06-22T13:15Z")
    assert early.clock.agrees(late.clock)
    assert not early.clock.agrees(hl7("20150622081530-0500").clock)
    assert str(early.clock) == "08:15:00-05:00"
    assert early == Days(early.first, early.last)
    assert hl7("2015062299").clock is None


@pytest.mark.parametrize(
    ("what", "message", "tag"),
    [
        ({"set": {"address.0.line": ["6 Orchard Court, Apartment 4"]}}, None, None),
        ({"set": {"address.0.country": "USA"}}, None, None),
        ({"set": {"address.0.postal_code": "97106-1234"}}, None, None),
        ({"set": {"telecom.0.value": "(555) 555-0211"}}, None, None),
        ({"set": {"address.0.country": "CA"}}, "address: the country differs", "addr"),
        ({"set": {"address.0.use": "work"}}, "address: the use differs", "addr"),
        ({"set": {"address.0.start": "2013"}}, "address: the start of its period differs", "addr"),
        ({"unset": ["address"]}, "address: is missing", "patientRole"),
        ({"unset": ["name.suffix"]}, "patient_name: the suffix differs", "patientRole"),
        ({"unset": ["marital_status"]}, "marital status: differs", "patientRole"),
        ({"set": {"telecom.2.value": "else@example.org"}}, "telecom: is missing", "patientRole"),
    ],
)
def test_a_header_is_compared_part_by_part(vera, what, message, tag):
    person, _, chart = vera
    found = errors(judging.content([changed(chart, "person", **what)], person))
    assert (found[0].message if found else None) == message
    assert not found or found[0].path.rpartition("/")[2].partition("[")[0] == tag


def test_an_address_too_many_is_remarked_on(people):
    path = people.folder / "more.toml"
    first, second = (
        f'{{ line = ["{line}"], city = "{city}", state = "OR" }}'
        for line, city in (("1 A Road", "B"), ("2 C Road", "D"))
    )
    homes = f"address = [{first}, {second}]"
    path.write_text(people.text().replace('language = "en"', f'language = "en"\n{homes}', 1), encoding="utf-8")
    doc = judging.read(ccd.document(charts.load([path])[0], document_id="1"))
    [ann, _] = people.load(
        people.text().replace('language = "en"', 'language = "en"\n' + homes.split(", {", maxsplit=1)[0] + "]", 1)
    )
    [finding] = errors(judging.content([doc], ann))
    assert (finding.message, finding.found) == ("address: more is said than the record has", "2 C Road, D, OR")


def test_foreign_and_unknown_facts_in_a_dated_answer_are_errors(people):
    other = FACTS + '[[patient.problems]]\ncode = { system = "snomed", code = "40930008" }\nstart = "2006-12-31"\n'
    doc, whole = people.document(facts=other), people.document()
    [finding] = judging.foreign([doc], people.ann, people.records, rule="X")
    assert finding.message == "problems: belongs to zoe, another patient"
    nobodys = other.replace("40930008", "161891005")
    [finding] = judging.foreign([people.document(facts=nobodys)], people.ann, people.records, known=[whole], rule="X")
    assert (finding.message, finding.rule) == ("problems: not in the expected record", "X")
    again = people.document(facts=nobodys)
    assert judging.foreign([again], people.ann, people.records, known=[again], rule="X") == []


def test_two_answers_must_tell_the_same(people, vera):
    person, _, chart = vera
    one = judging.read(ccd.document(chart, document_id="1"), "0003")
    assert disagreement([one], [one], person, KINDS, rule="R") == []
    other = changed(chart, "medications", at=1, set={"dose.value": 16})
    [finding] = disagreement([one], [other], person, KINDS, rule="R")
    assert "the dose of" in finding.message
    assert "exchange 0003 and exchange 0007" in finding.message
    assert (finding.expected, finding.found, finding.exchange) == ("8 [iU]", "16 [iU]", "0007")
    less = changed(chart, "problems", at=0, drop=True)
    [finding] = disagreement([one], [less], person, KINDS, rule="R")
    assert finding.message == "problems: told in exchange 0003 and not in exchange 0007"
    [finding] = disagreement([less], [one], person, KINDS, rule="R")
    assert finding.message == "problems: told in exchange 0003 and not in exchange 0007"


def test_two_windows_together_are_held_against_the_whole_only_for_their_days(people):
    whole = people.document()
    early = people.document(facts=without(FACTS, "2011-10-05"))
    year = Days(iso("2014-01-01").first, iso("2015-12-31").last)
    assert disagreement([whole], [early], people.ann, KINDS, within=year, rule="R") == []
    assert disagreement([whole], [early], people.ann, KINDS, rule="R")


@pytest.mark.parametrize(
    ("behind", "old", "new", "message"),
    [
        # a reaction that did not occur is none, and neither is a severity of which nothing is known
        (b">Allergies", rb'(<observation)([^>]*>\s*<templateId root="[0-9.]+22\.4\.9")', rb'\1 negationInd="true"\2',
         "medication allergies: the reaction of penicillin G|medication allergies: the severity of penicillin G"),
        (b">Allergies", rb'(<observation)([^>]*>\s*<templateId root="[0-9.]+22\.4\.8")', rb'\1 nullFlavor="NI"\2',
         "medication allergies: the severity of penicillin G"),
        # a vaccine that is still to be given
        (b">Immunizations", rb'moodCode="EVN" negationInd="false"', rb'moodCode="INT" negationInd="false"',
         "immunizations: the status of Influenza"),
        # where nobody says the status of a problem, that of its concern counts
        (b">Problems", rb'(<statusCode code=")active(".*?)(<templateId root="[0-9.]+22\.4\.6"[^>]*>\s*)+',
         rb"\1completed\2",
         "problems: the concern status of Hypertensive disorder"),
        (b">Problems", rb'(22\.4\.4"(?:(?!22\.4\.[34]").)*?<low )value="20100115"', rb'\1nullFlavor="UNK"',
         "problems: the start of Asthma"),
        (b">Results", rb'(<high value="99" unit=")mg/dL', rb"\1g/L",
         "laboratory values and results: the reference range"),
        (b">Medical equipment", rb'<code code="14106009"', rb'<code code="705991002"',
         "unique device identifiers of implantable devices: the type"),
        (b"<recordTarget", rb'(<preferenceInd value=")true', rb"\1false",
         "preferred_language: is not the one preferred"),
        (b"<recordTarget", rb'(<useablePeriod[^>]*>\s*<low value=")201205', rb"\g<1>2012",
         "address: the start of its period differs"),
        (b"76689-9", rb'code="F"', rb'code="M"', "birth sex: differs"),
        (b"46098-0", rb'code="248152002"', rb'code="248153007"', "sex: differs as it was observed"),
    ],
)  # fmt: skip
def test_what_is_said_around_an_element_counts(vera, behind, old, new, message):
    person, _, chart = vera
    data = ccd.document(chart, document_id="1")
    at = data.index(behind)
    made = re.sub(old, new, data[at:], count=1, flags=re.DOTALL)
    assert made != data[at:]
    found = judging.content([judging.read(data[:at] + made)], person)
    told = [each.message for each in found if each.severity is not Severity.INFO]
    assert told
    assert all(each.startswith(tuple(message.split("|"))) for each in told), told
