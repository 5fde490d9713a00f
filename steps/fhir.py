"""Sentences about a FHIR server: what it says of itself, what it finds, and what it refuses."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import singlepatient
from onc_conformance.fhirwork import capability, dating, refusals, searches
from onc_conformance.findings import NotTested


@when("the app asks the FHIR server what it is capable of", target_fixture="statement")
def _(exam):
    return exam.capabilities()


@then("a capability statement of FHIR R4 in JSON comes back")
def _(statement, verdict, rule):
    verdict(capability.stated(statement, rule))


@then("it declares the types, profiles, reads and searches of US Core")
def _(exam, statement, verdict, rule):
    if statement.kind != "CapabilityStatement":
        raise NotTested("there is no capability statement", rule)
    verdict(capability.formed(statement, exam.us_core, rule))
    verdict(capability.declared(statement, exam.us_core, exam.fhir.table.without, rule))


@then("it instantiates the server capability statement of US Core")
def _(statement, verdict, rule):
    verdict(capability.guided(statement, rule))


@when(parsers.re(r"the app searches (?P<kind>[A-Z]\w+) in every way US Core demands"), target_fixture="found")
def _(exam, kind):
    return singlepatient.of_type(exam, kind)


@then("each search is answered with Bundles of search results")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, searches.answered, rule))


@then("each answer holds what was searched for and nothing else")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, searches.right, rule))


@then("each answer holds everything that matches")
def _(exam, found, verdict, rule):
    verdict([*singlepatient.judged(found, searches.whole, rule), *singlepatient.sampled(exam, rule)])
    singlepatient.evident(found)


@given("the server is searched by POST too")
def _(exam):
    if not exam.fhir.table.post:
        raise NotTested("the description says that the server is not searched by POST")


@when("the app makes the first search of each type by GET and by POST", target_fixture="both")
def _(exam):
    return singlepatient.changed(singlepatient.first_of_each(exam), searches.Search.posted)


@when("the app makes the first search of each type with the patient as a reference", target_fixture="both")
def _(exam):
    return singlepatient.changed(singlepatient.first_of_each(exam), searches.referring)


@when("the app asks for the first search of each type in pages of two", target_fixture="both")
def _(exam):
    return singlepatient.changed(singlepatient.first_of_each(exam), singlepatient.short)


@then("the two answers hold the same resources")
def _(both, verdict, rule):
    verdict(singlepatient.alike(both, rule))


@when("the app searches before, after, until and since a day and moment of each type", target_fixture="found")
def _(exam):
    return singlepatient.from_each(exam, dating.compared, "a search by date")


@when("the app searches by the year, and from the middlemost day to the same", target_fixture="found")
def _(exam):
    return singlepatient.from_each(exam, dating.bounded, "a search by date")


@when("the app searches for two values at once wherever US Core demands it", target_fixture="found")
def _(exam):
    return singlepatient.from_each(exam, searches.several, "a search for two values")


@when("the app makes each search with codes alone", target_fixture="found")
def _(exam):
    return [other for _, other in singlepatient.changed(singlepatient.all_demanded(exam), searches.unsystematic)]


@when("the app reads an id of each type that was never issued", target_fixture="answers")
def _(exam):
    return refusals.unknown(exam.charts()[0])


@then("each of them is not found")
def _(answers, verdict, rule):
    verdict(finding for got in answers for finding in refusals.refused(got, (404, 410), rule))


@when("the app searches by a date that is none", target_fixture="found")
def _(exam):
    return refusals.undated(exam.sample)


@then("each of them is a bad request")
def _(found, verdict, rule):
    verdict(finding for search in found for finding in refusals.refused(search.found().first, (400,), rule))


@when("the app searches each type with a parameter that nobody knows", target_fixture="found")
def _(exam):
    return singlepatient.odd(exam)


@then("each is refused with a reason, or answered with the patient's own data")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, refusals.unheard, rule))


@when("the app searches each type for an id that was never issued", target_fixture="found")
def _(exam):
    return singlepatient.unknown_searches(exam)


@when("the app searches each type for another test patient", target_fixture="found")
def _(exam):
    return singlepatient.foreign_searches(exam)


@then("no data come back for it")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, refusals.nobody, rule))


@then("each answer holds data of the patient asked for alone")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, refusals.strangers, rule))
