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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '{ system = "snomed", code = "59621000", display = "Essential hypertension" }',
            '{ code = "59621000" }',
            r"line 18: patient\[0\].problems\[0\].code.system: is missing; it is required",
        ),
        ("birth_date = 1970-05-01", "birth_date = 1970-02-30", "line 6: birth_date: Invalid date"),
        (
            "birth_date = 1970-05-01",
            'birth_date = "1970-02-30"',
            r"line 6: patient\[0\].birth_date: expected an ISO date",
        ),
        ("value = 177", 'value = { code = "x" }', r"line 25: patient\[0\].vital_signs\[0\].value.system: is missing"),
        (
            "optional = true",
            'optional = true\nmay_lack = ["dose"]',
            "may_lack: 'dose' is no key of such a fact",
        ),
        ("optional = true", 'optional = true\nkind = "nurse"', r"care_team\[0\].kind: unknown key"),
        ("[[patient.vital_signs]]", "[[patient.vital_signs]", "line 23"),
    ],
)
def test_what_else_is_wrong_is_named_by_line_and_key(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(UsageError, match=said) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(caught.value)


def test_an_impossible_date_in_yaml_is_named_by_line_and_key(tmp_path):
    text = "patient:\n  - id: a\n    name: {family: A, given: [B]}\n    birth_date: 1970-02-30\n    sex: male\n"
    with pytest.raises(UsageError, match=r"line 4: patient\[0\].birth_date: expected an ISO date.*found '1970-02-30'"):
        load(tmp_path, text, "patients.yaml")


def test_yaml_that_is_none_is_named_by_line(tmp_path):
    with pytest.raises(UsageError, match=r"line 3: .*expected YAML"):
        load(tmp_path, "patient:\n  - id: a\n  name: [", "patients.yaml")


def test_one_identity_is_one_patient(tmp_path):
    twin = GOOD.replace('id = "newman"', 'id = "twin"').replace('"Alice", "Jones"', '"ALICE"')
    with pytest.raises(UsageError, match=r"line \d+: patient\[1\].name: 'twin' has the family name"):
        load(tmp_path, GOOD + twin)
    older = twin.replace("1970-05-01", "1969-05-01")
    assert len(load(tmp_path, GOOD + older)) == 2


def test_one_identity_is_one_patient_over_several_files(tmp_path):
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text(GOOD, "utf-8")
    other.write_text(GOOD.replace('id = "newman"', 'id = "twin"'), "utf-8")
    found = [(path, record.load(path)) for path in (one, other)]
    with pytest.raises(UsageError, match=r"other.toml: twin: name: .* of 'newman'.*\(.*one.toml\)"):
        record.together(found)
    with pytest.raises(UsageError, match="'newman' is used twice"):
        record.together([found[0], found[0]])
    assert [each.id for each in record.together(found[:1])] == ["newman"]


def test_an_answer_belongs_to_an_assessment_of_its_class(tmp_path):
    text = (
        GOOD
        + """
[[patient.social_history]]
id = "hunger"
kind = "assessment"
code = { system = "loinc", code = "88121-9" }
[[patient.social_history]]
kind = "answer"
part_of = "hunger"
code = { system = "loinc", code = "88122-7" }
value = { system = "loinc", code = "LA28397-0" }
"""
    )
    assert load(tmp_path, text)[0].of("social_history")[1].attributes["part_of"] == "hunger"
    with pytest.raises(
        UsageError, match=r"social_history\[1\].part_of: no other fact among the social_history .*'thirst'"
    ):
        load(tmp_path, text.replace('part_of = "hunger"', 'part_of = "thirst"'))


def test_a_system_may_be_an_oid(tmp_path):
    text = GOOD.replace('system = "icd10cm"', 'system = "2.16.840.1.113883.6.90"')
    assert load(tmp_path, text)[0].of("problems")[0].codes[1].system == "2.16.840.1.113883.6.90"


def test_what_an_answer_may_lack_and_what_a_person_must_see(tmp_path):
    text = GOOD.replace('unit = "cm"', 'unit = "cm"\nmay_lack = ["date"]\nlook_for = "Tall"')
    [height] = load(tmp_path, text)[0].of("vital_signs")
    assert height.may_lack("date")
    assert not height.may_lack("unit")
    assert height.look_for == "Tall"
    assert height.required
    [goal] = load(tmp_path, GOOD + '\n[[patient.goals]]\ntext = "Walk"\nvisual = true\n')[0].of("goals")
    assert goal.look_for == "Walk"
    assert not goal.required


def test_bundled_folders_of_patients_are_records_too():
    records = record.together(
        (path, record.load(path)) for path in (suite.schemas() / "patients" / "onc-uscdi-v3").glob("*.toml")
    )
    assert {each.id for each in records} == {"alice-newman", "jeremy-bates", "rebecca-larson", "john-wright"}
    assert {each.setting for each in records} == {"ambulatory", "inpatient"}
