"""What the faults of content and of windows do to charts."""

from datetime import date

import pytest

from onc_conformance import suite
from onc_conformance.reference import charts
from onc_conformance.reference.falsified import for_category, for_document, in_utc
from onc_conformance.reference.narrowed import narrowed

WINDOW = (date(2016, 2, 29), date(2020, 2, 10))


@pytest.fixture(scope="module")
def patients():
    files = [suite.schemas() / "patients" / f"{name}.toml" for name in ("tiny", "edges")]
    return {chart.id: chart for chart in charts.load(files)}


def said(chart):
    return [(fact.kind, fact.values) for fact in chart.facts]


def gone(chart, faulty):
    left = said(faulty)
    lost = []
    for each in said(chart):
        if each in left:
            left.remove(each)
        else:
            lost.append(each)
    assert left == [], "nothing may have come instead"
    return [(kind, values.get("date") or values.get("start")) for kind, values in lost]


def test_a_chart_without_faults_stays_as_it_is(patients):
    chart = patients["edge-a"]
    for change in (for_document, for_category):
        assert change(chart, {"select-no-id"}) == chart
    assert narrowed(chart, None, {"window-in-utc"}) is chart


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ("equal-result-dropped", [("laboratory_results", "2019-12-31")]),
        ("partial-date-dropped", [("problems", "2018-06")]),
        ("vital-signs-empty", [("vital_signs", "2019-12-31"), ("vital_signs", "2020-03-15")]),
        (
            "newest-encounter-only",
            [("vital_signs", "2019-12-31"), ("encounters", "2019-12-31"), ("goals", "2019-12-31")],
        ),
        ("encounter-missing", [("vital_signs", "2019-12-31"), ("encounters", "2019-12-31"), ("goals", "2019-12-31")]),
    ],
)
def test_a_fault_drops_these_facts_and_no_others(patients, fault, lost):
    chart = patients["edge-a"]
    assert gone(chart, for_document(chart, {fault})) == lost


@pytest.mark.parametrize(
    ("fault", "kind", "key", "change"),
    [
        ("result-altered", "laboratory_results", "value", (0.8, 1.8)),
        ("problem-year-off", "problems", "start", ("2016-09-01", "2015-09-01")),
        ("goal-altered", "goals", "text", ("Swim twice a week", "Grow older")),
        ("assessment-altered", "assessment_plan", "text", ("Pressure well controlled.", "Nothing to remark")),
        ("udi-altered", "udi", "udi", ("(21)PM-100001", "(21)PM-100002")),
    ],
)
def test_a_fault_alters_one_fact(patients, fault, kind, key, change):
    chart = patients["tiny-a"]
    changed = [
        (old.kind, old.values[key], new.values[key])
        for old, new in zip(chart.facts, for_document(chart, {fault}).facts, strict=True)
        if old != new
    ]
    assert [each[0] for each in changed] == [kind]
    assert [str(told).endswith(str(part)) for told, part in zip(changed[0][1:], change, strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("fault", "key", "value"),
    [
        ("sex-wrong", "sex", "male"),
        ("birth-date-off", "birth_date", "1972-01-21"),
        ("language-wrong", "language", "fr"),
    ],
)
def test_a_fault_alters_one_thing_about_the_person(patients, fault, key, value):
    chart = patients["tiny-a"]
    faulty = for_document(chart, {fault})
    assert faulty.person == {**chart.person, key: value}
    assert faulty.facts == chart.facts


def test_faults_of_categories_leave_the_summary_alone(patients):
    chart = patients["tiny-a"]
    fault = {"category-result-altered"}
    assert for_document(chart, fault) == chart
    assert for_category(chart, fault) != chart


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2020-03-15T23:30:00-05:00", "2020-03-16T04:30:00+00:00"),
        ("2020-03-15T23:30:00", "2020-03-15T23:30:00"),
        ("2020-03-15", "2020-03-15"),
        ("2018-06", "2018-06"),
    ],
)
def test_only_what_has_a_zone_is_told_in_utc(text, utc):
    assert in_utc(text) == utc


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ("window-leap-day-lost", [("problems", "2016-02-29")]),
        ("window-partial-date-lost", [("problems", "2018-06")]),
        ("window-in-utc", [("laboratory_results", "2020-02-10T23:15:00-05:00")]),
        ("window-empty-whole", []),
    ],
)
def test_a_window_loses_these_facts_and_no_others(patients, fault, lost):
    chart = patients["edge-a"]
    assert gone(narrowed(chart, WINDOW), narrowed(chart, WINDOW, {fault})) == lost


def test_the_end_of_a_year_is_the_end_of_a_month(patients):
    chart = patients["edge-a"]
    december = {date for _, date in gone(narrowed(chart, WINDOW), narrowed(chart, WINDOW, {"window-year-end-lost"}))}
    months = {date for _, date in gone(narrowed(chart, WINDOW), narrowed(chart, WINDOW, {"window-month-end-lost"}))}
    assert december == {"2019-12-31"}
    assert months == {"2016-02-29", "2019-12-31"}


def test_an_empty_window_brings_the_whole_chart_with_its_fault_alone(patients):
    chart, window = patients["edge-a"], (date(2001, 1, 1), date(2001, 12, 31))
    assert narrowed(chart, window).facts == ()
    assert narrowed(chart, window, {"window-empty-whole"}) == chart
