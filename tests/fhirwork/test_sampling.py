"""Whom all searches are made for."""

import pytest
from tests.fhirwork.charts import Paper, code, condition

from onc_conformance.fhirwork import sampling

DATED = {"onsetDateTime": "2020-01-01", "recordedDate": "2020-01-01", "code": code("s", "1")}


def names(*charts):
    return [chart.name for chart in sampling.smallest(charts)]


def procedure(name, **performed):
    return {"resourceType": "Procedure", "id": name, "status": "completed", "code": code("s", "2"), **performed}


def test_the_one_who_shows_all_makes_others_superfluous_but_one():
    little = Paper("little", condition("a"))
    least = Paper("least", condition("b"), condition("c"))
    much = Paper("much", condition("d", **DATED), condition("e"), procedure("f", performedDateTime="2020-01-01"))
    assert names(little, least, much) == ["little", "much"]
    assert names(much) == ["much"]


def test_who_alone_has_a_type_is_among_them():
    many = [Paper(f"p{number}", condition(f"a{number}"), condition(f"b{number}")) for number in range(5)]
    only = Paper("only", procedure("c", performedDateTime="2020-01-01"))
    assert "only" in names(*many, only)
    assert len(names(*many, only)) == 2


@pytest.mark.parametrize("version", ["3.1.1", "6.1.0"])
def test_a_period_shows_what_a_day_does_not(version):
    day = Paper("day", procedure("a", performedDateTime="2020-01-01"), version=version)
    more = Paper("more", procedure("b", performedDateTime="2020-01-01"), version=version)
    period = Paper("period", procedure("c", performedPeriod={"start": "2020-01-01"}), version=version)
    assert "period" in names(day, more, period)


def test_nobody_is_asked_about_twice_under_two_names():
    twin, other = Paper("same", condition("a")), Paper("same", condition("a"))
    assert len(sampling.smallest([twin, other])) == 1
    assert sampling.smallest([]) == ()
