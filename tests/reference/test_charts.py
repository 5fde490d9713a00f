"""Patients files as charts: what is read, what is refused, and how a chart is narrowed to days."""

from datetime import date

import pytest

from onc_conformance import suite
from onc_conformance.reference import charts

MINIMAL = """
[[patient]]
id = "one"
name = { family = "Only", given = ["One"] }
birth_date = 1990-02-03
sex = "male"
"""
CODE = 'code = { system = "loinc", code = "718-7" }'


@pytest.fixture(scope="module")
def bundled():
    return {chart.id: chart for chart in charts.load(charts.bundled())}


@pytest.fixture
def read(tmp_path):
    def read(text, name="patients.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return charts.load([path])

    return read


def test_the_bundled_patients_are_at_least_ten_and_the_first_is_newman(bundled):
    assert len(bundled) >= 10
    assert next(iter(bundled)) == "newman"


@pytest.mark.parametrize("family", ["Newman", "Larson", "Bates", "Wright"])
def test_the_newest_day_of_the_families_a_vendor_asks_for_is_the_second_of_may_2017(bundled, family):
    chart = next(chart for chart in bundled.values() if chart.family == family)
    day = date(2017, 5, 2)
    assert chart.days()[-1] == day
    assert chart.as_of(day) == chart
    assert len(chart.within(day, day).facts) >= 5


def test_newman_has_facts_of_every_class(bundled):
    assert {fact.kind for fact in bundled["newman"].facts} == set(charts.CLASSES)
    assert len({fact.code() for fact in bundled["newman"].of("notes")}) >= 2


def test_two_patients_share_a_name_and_differ_in_birth_date(bundled):
    names = [(chart.family, chart.given) for chart in bundled.values()]
    (twin,) = {name for name in names if names.count(name) > 1}
    births = {chart.birth_date for chart in bundled.values() if (chart.family, chart.given) == twin}
    assert len(births) == 2


def test_names_hold_an_apostrophe_a_hyphen_and_diacritics(bundled):
    families = " ".join(chart.family for chart in bundled.values())
    assert "'" in families
    assert "-" in families
    assert not families.isascii()


def test_the_long_chart_has_three_hundred_facts(bundled):
    assert len(bundled["long"].facts) == 300


def test_several_classes_of_the_sparse_chart_are_empty(bundled):
    assert len(set(charts.CLASSES) - {fact.kind for fact in bundled["sparse"].facts}) >= 5


def test_no_fact_of_one_tiny_patient_is_like_a_fact_of_the_other():
    one, other = charts.load([suite.schemas() / "patients" / "tiny.toml"])

    def told(chart):
        return {(fact.kind, fact.code(), fact.text("text"), str(fact.values.get("member"))) for fact in chart.facts}

    assert not told(one) & told(other)
    assert {fact.kind for fact in one.facts} == {fact.kind for fact in other.facts}
    for chart in (one, other):
        assert len({fact.kind for fact in chart.facts}) >= 15


def test_a_time_zone_never_moves_a_fact_to_another_day():
    assert charts.days_of("2017-06-30T23:30:00-05:00") == (date(2017, 6, 30), date(2017, 6, 30))
    assert charts.days_of("2017-01-01T00:10:00+10:00") == (date(2017, 1, 1), date(2017, 1, 1))


def test_a_partial_date_is_its_span_of_days():
    assert charts.days_of("2014") == (date(2014, 1, 1), date(2014, 12, 31))
    assert charts.days_of("2016-02") == (date(2016, 2, 1), date(2016, 2, 29))


def test_a_window_keeps_facts_that_state_a_date_inside_and_the_person(bundled):
    chart = bundled["boundary"]
    eve = chart.within(date(2016, 12, 31), date(2016, 12, 31))
    assert eve.person == chart.person
    assert all(any(text.startswith("2016-12-31") for text in fact.dates) for fact in eve.facts)
    assert any(fact.values.get("end") == "2016-12-31" for fact in eve.facts)
    assert not any(fact.dates == ("2017-01-01T00:01:00-08:00",) for fact in eve.facts)


def test_a_window_overlapping_a_partial_date_keeps_its_fact(bundled):
    within = bundled["boundary"].within(date(2014, 6, 30), date(2014, 6, 30))
    assert {fact.dates for fact in within.facts} >= {("2014",), ("2014-06",)}


def test_open_bounds_are_open(bundled):
    chart = bundled["boundary"]
    assert chart.within(None, None) == chart
    late = chart.within(date(2017, 7, 1), None)
    assert {fact.kind for fact in late.facts} == {"encounters", "laboratory_results", "vital_signs"}
    assert all(
        charts.days_of(fact.dates[0])[0] <= date(2014, 12, 31) for fact in chart.within(None, date(2014, 12, 31)).facts
    )


def test_a_chart_as_of_a_day_has_what_had_begun(bundled):
    chart = bundled["boundary"].as_of(date(2016, 12, 31))
    assert all(fact.dates[0] < "2017" for fact in chart.facts)
    assert any(fact.dates[0].startswith("2016-12-31") for fact in chart.facts)


def test_charted_days_are_days_stated_and_nothing_else(bundled):
    days = bundled["boundary"].days()
    assert days == sorted(set(days))
    assert date(2016, 2, 29) in days
    assert date(2014, 1, 1) not in days


def test_yaml_reads_like_toml(read):
    (chart,) = read(
        "patient:\n- id: one\n  name: {family: Only, given: [One]}\n  birth_date: 1990-02-03\n  sex: male\n"
        "  problems:\n  - {start: 2001-01-01T10:00:00Z, code: {system: snomed, code: '59621000'}}\n",
        "patients.yaml",
    )
    assert chart.birth_date == "1990-02-03"
    assert chart.facts[0].dates == ("2001-01-01T10:00:00+00:00",)


def test_a_date_reads_the_same_with_and_without_quotes(read):
    (chart,) = read(MINIMAL)
    assert chart.birth_date == "1990-02-03"
    assert chart.days() == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("patient = 3", "patient: expected a list of tables"),
        ("patient = [", "no readable TOML"),
        (MINIMAL.replace('id = "one"', ""), "patient 1: id: is missing"),
        (MINIMAL.replace('sex = "male"', 'sex = "m"'), "sex: expected one of female"),
        (MINIMAL.replace('given = ["One"]', "given = []"), "given: expected one name"),
        (MINIMAL.replace("1990-02-03", '"1990-02-30"'), "birth_date: '1990-02-30' is no ISO date"),
        (MINIMAL + MINIMAL, "'one' is used twice"),
        (MINIMAL + "problem = []", "problem: no such key"),
        (MINIMAL + "problems = 3", r"problems: expected a list of tables, [[patient.problems]]"),
        (MINIMAL + "[[patient.problems]]\ncode = 3", "problems-1: code: expected { system"),
        (
            MINIMAL + f'[[patient.laboratory_results]]\n{CODE}\ndate = "2017-13"',
            "laboratory_results-1: date: '2017-13'",
        ),
        (MINIMAL + '[[patient.goals]]\ntext = "x"\nencounter = "no"', "no encounter has the id 'no'"),
        (MINIMAL + '[[patient.goals]]\ntext = "\\u0001"', "goals: text: holds a control character"),
    ],
)
def test_a_bad_file_is_one_line_that_names_file_and_key(read, text, complaint):
    with pytest.raises(ValueError, match=r"patients\.toml") as caught:
        read(text)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.toml: cannot be read"):
        charts.load([tmp_path / "absent.toml"])
