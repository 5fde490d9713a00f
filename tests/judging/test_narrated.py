"""Narrative against its entries."""

import re

import pytest
from tests.judging.people import FACTS

from onc_conformance import judging
from onc_conformance.findings import Severity
from onc_conformance.judging.narrated import contradictions
from onc_conformance.judging.spoken import dates_in, numbers_in
from onc_conformance.reference import ccd


def told(people, *changes):
    data = ccd.document(people.charts(facts=FACTS)[0], document_id="1")
    for old, new in changes:
        assert old in data
        data = data.replace(old, new, 1)
    return contradictions(judging.read(data), rule="N")


def test_a_faithful_narrative_contradicts_nothing(people):
    assert told(people) == []


@pytest.mark.parametrize(
    ("old", "new", "message", "expected", "found"),
    [
        (b"<td>177 cm</td>", b"<td>171 cm</td>", "vital signs: its narrative tells another value", "177 cm", "171 cm"),
        (b"<td>177 cm</td>", b"<td>171</td>", "vital signs: its narrative tells another value", "177 cm", "171"),
        (
            b"<td>since 2011-10-05</td>",
            b"<td>since 10/25/2011</td>",
            "problems: its narrative tells another date",
            "2011-10-05",
            "2011-10-25",
        ),
        (
            b"<td>Hypertension</td>",
            b"<td>Hypertension [SNOMED CT: 195967001]</td>",
            "problems: its narrative prints another code",
            "Hypertension (snomed 59621000)",
            "snomed 195967001",
        ),
    ],
)
def test_what_a_person_reads_must_be_what_a_machine_reads(people, old, new, message, expected, found):
    [finding] = told(people, (old, new))
    assert (finding.message, finding.expected, finding.found, finding.rule) == (message, expected, found, "N")
    assert finding.path.rpartition("/")[2].startswith("tr")
    assert finding.line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<td>177 cm</td>", b"<td>69.7 [in_i]</td>"),
        (b"<td>177 cm</td>", b"<td>5 ft 10 in</td>"),
        (b"<td>177 cm</td>", b"<td>177.0 cm (150-190 cm)</td>"),
        (b"<td>177 cm</td>", b"<td>tall</td>"),
        (b"<td>since 2011-10-05</td>", b"<td>since 05.10.2011</td>"),
        (b"<td>since 2011-10-05</td>", b"<td>since October 4th, 2011</td>"),
        (b"<td>since 2011-10-05</td>", b"<td>for years</td>"),
        (b"<td>Hypertension</td>", b"<td>High blood pressure [SNOMED CT: 59621000]</td>"),
    ],
)
def test_other_words_for_the_same_are_no_contradiction(people, old, new):
    assert told(people, (old, new)) == []


def test_words_that_deny_an_entry_contradict_it(people):
    [finding] = told(
        people, (b"<td>Hypertension</td>", b"<td>No known problems</td>"), (b"<td>since 2011-10-05</td>", b"<td/>")
    )
    assert finding.message == "problems: the narrative denies what an entry says"
    assert finding.path.endswith("td[1]")


TAKEN = """
[[patient.medications]]
code = { system = "rxnorm", code = "311040", display = "insulin aspart, human 100 UNT/ML Injectable Solution" }
start = "2019-03-12"
dose = { value = 8, unit = "mg" }
every = { value = 8, unit = "h" }
"""


def taken(people, told):
    data = ccd.document(people.charts(facts=TAKEN)[0], document_id="1")
    assert data.count(b"<td>8 mg, every 8 h</td>") == 1
    return contradictions(judging.read(data.replace(b"<td>8 mg, every 8 h</td>", f"<td>{told}</td>".encode())))


@pytest.mark.parametrize(
    ("told", "message", "expected", "found"),
    [
        ("13 mg, every 8 h", "medications: its narrative tells another dose", "8 mg", "13 mg"),
        ("0.013 g, every 8 h", None, None, None),
        ("8 mg, every 12 h", "medications: its narrative tells another frequency", "every 8 h", "every 12 h"),
        ("8 mg, every 2 days", "medications: its narrative tells another frequency", "every 8 h", "every 2 days"),
        ("8000 ug, every 8 hours", None, None, None),
        ("2 tablets of 4 mg, every 8 h, at most 24 mg", None, None, None),
        ("three times daily for 10 days", None, None, None),
        ("of 100 UNT/ML as directed", None, None, None),
    ],
)
def test_what_is_read_of_taking_a_medication_is_its_dose(people, told, message, expected, found):
    objections = taken(people, told)
    if message is None:
        assert objections == []
    else:
        [finding] = objections
        assert (finding.message, finding.expected, finding.found) == (message, expected, found)


def test_an_entry_refers_to_narrative_that_is_there(people):
    data = ccd.document(people.charts(facts=FACTS)[0], document_id="1")
    title = re.escape(b"<title>Vital signs</title>")
    rows = re.sub(rb"(%s\s*<text>).*?(</text>)" % title, rb"\1Nothing to tell.\2", data, count=1, flags=re.DOTALL)
    assert rows != data
    [finding] = contradictions(judging.read(rows))
    assert (finding.severity, finding.rule) == (Severity.WARNING, "NARRATIVE-DANGLING")
    assert finding.path.endswith("/reference")
    assert "and 3 more" in finding.found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,250 mg and .5 mL", [1250.0, 0.5]),
        ("on 2015-06-22 at 10:30: 7.1 %", [7.1]),
        ("T12, B6x 3", [3.0]),
        ("20150622", []),
    ],
)
def test_numbers_are_found_without_dates_and_codes(text, values):
    assert [each.value for each in numbers_in(text)] == values


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2015-06-22", ["2015-06-22"]),
        ("06/07/2015", ["2015-06-07", "2015-07-06"]),
        ("22 June 2015, Jun. 23rd 2015", ["2015-06-22", "2015-06-23"]),
        ("20150622101500", ["2015-06-22"]),
        ("13/13/2015 and 2015", []),
    ],
)
def test_dates_are_found_however_they_are_written(text, days):
    assert [day.isoformat() for readings in dates_in(text) for day in readings] == days


def test_the_end_of_a_range_is_no_value():
    low, high, value = numbers_in("65 - 99 mg/dL, 88 mg/dL")
    assert (low.bound, high.bound, value.bound) == (True, True, False)
    assert value.means(88.4)
    assert not value.means(89)
