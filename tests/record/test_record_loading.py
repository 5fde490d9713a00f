"""Patients files: what is read, and how the first thing wrong is named."""

from __future__ import annotations

from datetime import date
from textwrap import dedent

import pytest

from onc_conformance import record, suite
from onc_conformance.findings import UsageError
from onc_conformance.moments import Days
from onc_conformance.record import Code, Name

GOOD = """
[[patient]]
id = "newman"
vars = { EYW_ID = "{env.EYW_ID_2}" }
name = { family = "Newman", given = ["Alice", "Jones", "May"], prefix = "Ms.", previous = [ONCE] }
birth_date = 1970-05-01
sex = "female"
race = [{ code = "2106-3", display = "White" }]
language = "en"

[[patient.encounters]]
id = "visit"
code = { system = "cpt", code = "99213" }
start = "2015-06-22T10:00:00-05:00"
end = "2015-06-22"

[[patient.problems]]
code = { system = "snomed", code = "59621000", display = "Essential hypertension" }
also = [{ system = "icd10cm", code = "I10" }]
start = "2011-10"
encounter = "visit"

[[patient.vital_signs]]
code = { system = "loinc", code = "8302-2" }
value = 177
unit = "cm"
date = 2015-06-22

[[patient.care_team]]
member = { family = "Davis", given = "Albert" }
optional = true
""".replace("ONCE", '{ family = "Jones", given = ["Alice"] }')


def load(tmp_path, text, name="patients.toml"):
    path = tmp_path / name
    path.write_text(dedent(text), encoding="utf-8")
    return record.load(path)


def test_a_record_has_its_person_and_facts(tmp_path):
    [newman] = load(tmp_path, GOOD)
    assert newman.title == "Alice Jones May Newman"
    assert newman.name == Name("Newman", ("Alice", "Jones", "May"), "Ms.")
    assert newman.previous_names == (Name("Jones", ("Alice",)),)
    assert newman.race == (Code("cdcrec", "2106-3"),)
    assert [fact.kind for fact in newman.facts] == ["problems", "vital_signs", "care_team", "encounters"]
    assert newman.patient_variables() == {
        "id": "newman",
        "family": "Newman",
        "given": "Alice",
        "middle": "Jones May",
        "prefix": "Ms.",
        "suffix": "",
        "dob": "1970-05-01",
        "sex": "female",
    }


def test_a_partial_date_is_the_days_it_names_and_no_end_is_ongoing(tmp_path):
    [problem] = load(tmp_path, GOOD)[0].of("problems")
    assert problem.codes == (Code("snomed", "59621000"), Code("icd10cm", "I10"))
    assert problem.start == Days(date(2011, 10, 1), date(2011, 10, 31))
    assert problem.days == Days(date(2011, 10, 1), None)
    assert problem.stated == (problem.start,)
    assert problem.encounter == "visit"


def test_a_point_event_is_its_day_and_an_undated_fact_has_none(tmp_path):
    [newman] = load(tmp_path, GOOD)
    [height] = newman.of("vital_signs")
    assert height.days == Days(date(2015, 6, 22), date(2015, 6, 22))
    assert height.attributes == {"value": 177.0, "unit": "cm"}
    [member] = newman.of("care_team")
    assert member.days is None
    assert member.member == Name("Davis", ("Albert",))
    assert not member.required


def test_yaml_says_the_same(tmp_path):
    text = """
    patient:
      - id: newman
        name: {family: Newman, given: [Alice]}
        birth_date: 1970-05-01
        sex: female
        problems:
          - {code: {system: snomed, code: "59621000"}, start: 2011-10-05}
    """
    [newman] = load(tmp_path, text, "patients.yaml")
    assert newman.birth_date == "1970-05-01"
    assert newman.facts[0].start == Days(date(2011, 10, 5), date(2011, 10, 5))


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('system = "snomed"', 'system = "snow"', 18, "patient[0].problems[0].code.system"),
        ('start = "2011-10"', 'start = "2011-13"', 20, "patient[0].problems[0].start"),
        ('start = "2011-10"', 'begin = "2011-10"', 20, "patient[0].problems[0].begin"),
        ('sex = "female"', 'sex = "F"', 7, "patient[0].sex"),
        ('sex = "female"\n', "", 2, "patient[0].sex"),
        ('encounter = "visit"', 'encounter = "vist"', 21, "patient[0].problems[0].encounter"),
        ('id = "newman"', 'id = "new man"', 3, "patient[0].id"),
        ("[[patient.problems]]", "[[patient.troubles]]", 17, "patient[0].troubles"),
        ('end = "2015-06-22"', 'end = "2015-06-21"', 11, "patient[0].encounters[0]"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_key(tmp_path, old, new, line, key):
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'patients.toml'}, line {line}: {key}: ")
    assert "\n" not in message


def test_a_yaml_mistake_has_its_line_too(tmp_path):
    text = "patient:\n  - id: a\n    name: {family: A, given: [B]}\n    birth_date: 1970-05-01\n    sex: girl\n"
    with pytest.raises(UsageError, match=r"line 5: patient\[0\].sex: .*female.*found 'girl'"):
        load(tmp_path, text, "patients.yml")


def test_an_id_is_used_once(tmp_path):
    with pytest.raises(UsageError, match="'newman' is used twice"):
        load(tmp_path, GOOD + GOOD)


@pytest.mark.parametrize(
    ("text", "said"),
    [("patient = [", "expected TOML or YAML"), ("", "patient: is missing"), ("patient = []", "at least 1 item")],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, said):
    with pytest.raises(UsageError, match=said):
        load(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        record.load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'[[patient]]\nid = "\xe9"\n')
    with pytest.raises(UsageError, match="is not UTF-8"):
        record.load(tmp_path / "latin.toml")


def test_a_fact_is_about_something(tmp_path):
    with pytest.raises(UsageError, match="expected a code or a text"):
        load(tmp_path, GOOD + '\n[[patient.goals]]\ndate = "2015-06-22"\n')
    with pytest.raises(UsageError, match="either date, for a point event, or start and end"):
        load(tmp_path, GOOD + '\n[[patient.goals]]\ntext = "Walk"\ndate = "2015"\nstart = "2015"\n')


def test_the_bundled_patients_are_records():
    files = sorted((suite.schemas() / "patients").glob("*.toml"))
    assert files
    for file in files:
        assert record.load(file)
