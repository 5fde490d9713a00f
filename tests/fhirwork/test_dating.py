"""Searches by date, by further codes and by names, made out of what a patient has."""

from tests.fhirwork.charts import Paper, code

from onc_conformance.fhirwork import dating, sampling, searches


def note(name, date, *codes):
    kind = {"coding": [each for one in codes or ("11506-3",) for each in code("http://loinc.org", one)["coding"]]}
    category = code("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note")
    return {"resourceType": "DocumentReference", "id": name, "date": date, "type": kind, "category": [category]}


def procedure(name, **performed):
    return {"resourceType": "Procedure", "id": name, "status": "completed", "code": code("s", "2"), **performed}


def asked(found, name="date"):
    return [value for search in found for its, value in search.asked if its == name]


def test_a_day_and_a_moment_are_asked_for_with_each_comparator():
    chart = Paper("p", procedure("a", performedDateTime="2019-01-01T10:00:00-05:00"))
    moment = "2019-01-01T10:00:00-05:00"
    expected = [prefix + text for text in (moment[:10], moment) for prefix in ("gt", "ge", "lt", "le")]
    assert asked(dating.compared(chart, "Procedure")) == expected
    assert asked(dating.bounded(chart, "Procedure")) == ["2019", "ge2019-01-01", "le2019-01-01"]


def test_nobody_is_asked_for_the_very_edge_of_a_period_or_a_day():
    for performed in ({"performedPeriod": {"start": "2019-01-01T00:00:00Z"}}, {"performedDateTime": "2019-01-01"}):
        found = asked(dating.compared(Paper("p", procedure("a", **performed)), "Procedure"))
        assert [each for each in found if "T" in each] == [
            f"{prefix}2019-01-01T00:00:01Z" for prefix in ("gt", "ge", "lt", "le")
        ]


def test_a_moment_is_after_no_other_than_itself():
    kept = procedure("a", performedDateTime="2019-01-01T10:00:00-05:00")
    fits = {
        value[:2]: search.matches({**kept, "subject": {"reference": "Patient/p"}})
        for search in dating.compared(Paper("p", kept), "Procedure")
        for name, value in search.asked
        if name == "date" and "T" in value
    }
    assert fits == {"gt": False, "ge": True, "lt": False, "le": True}


def test_the_last_of_several_codes_is_searched_for_too():
    chart = Paper("p", note("a", "2019-01-01"), note("b", "2019-01-01", "11506-3", "34117-2"))
    assert asked(searches.further(chart, "DocumentReference"), "type") == ["http://loinc.org|34117-2"]
    assert searches.further(Paper("p", note("a", "2019-01-01")), "DocumentReference") == []


def test_who_has_several_codes_or_moments_is_among_those_searches_are_made_for():
    plain, more = Paper("plain", note("a", "2019-01-01")), Paper("more", note("b", "2019-01-01T10:00:00Z", "1", "2"))
    others = [Paper(f"p{number}", note(f"c{number}", "2019-01-01")) for number in range(3)]
    assert "more" in [chart.name for chart in sampling.smallest([plain, *others, more])]


def test_names_are_searched_for_by_their_beginning_and_in_other_letters():
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": "Finch", "given": ["Ida"]}],
        "gender": "female",
    }
    chart = Paper("p", patient)
    assert set(asked(searches.respelt(chart, "Patient"), "name")) == {"Fin", "fINCH"}
    foiled = [each for each in searches.foiled(chart, "Patient") if (("name", searches.NO_NAME) in each.asked)]
    assert [len(each.asked) for each in foiled] == [1, 2]
    assert [each.matches(patient) for each in foiled] == [False, False]
