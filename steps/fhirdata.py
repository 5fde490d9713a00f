"""Sentences about the resources a FHIR server has of a patient, and about what they refer to."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import assessment, singlepatient
from onc_conformance.examination import DATED_PATIENTS
from onc_conformance.fhirwork import attachments, contents, ledger, provenance, recall, searches
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import NotApplicable, NotTested


@given("the server brings Provenance along")
def _(exam):
    if not exam.fhir.table.provenance:
        raise NotTested("the description says that no Provenance comes along")


@when(parsers.re(r"the app searches (?P<kind>[A-Z]\w+) and asks for its Provenance"), target_fixture="found")
def _(exam, kind):
    return singlepatient.with_provenance(exam, kind)


@when("the app searches each type and asks for its Provenance", target_fixture="found")
def _(exam):
    return singlepatient.with_provenance(exam)


@then("Provenance of what was found comes along, and of nothing else")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, provenance.along, rule))


@then("each type has Provenance")
def _(found, verdict, rule):
    verdict(provenance.covered(found, rule))


@then("each Provenance has no error in form or vocabulary")
def _(found, verdict, rule):
    came = {entry.key: (search.chart, entry) for search in found for entry in provenance.came(search)}
    if not came:
        raise NotTested("no Provenance came along", "SH-PAT-3")
    verdict(singlepatient.formed((chart, [Kept(e.resource, e.page, e.place)]) for chart, e in came.values()))


@when("the app has gathered the data of each test patient", target_fixture="charts")
def _(exam):
    return exam.charts()


@when("the app reads each resource of each test patient by its id", target_fixture="resources")
def _(exam):
    return singlepatient.readable(exam)


@then("each read brings the resource that was found")
def _(resources, verdict, rule):
    verdict(finding for chart, kept in resources for finding in contents.read(chart, kept, rule))


@when(parsers.re(r"the app has gathered the (?P<kind>[A-Z]\w+) of each test patient"), target_fixture="resources")
def _(exam, kind):
    return singlepatient.gathered(exam, kind)


@then("each resource has no error in form or vocabulary")
def _(resources, verdict, rule):
    verdict(singlepatient.formed(resources))


@then("each profile that US Core demands is shown by a resource")
def _(exam):
    singlepatient.shown(singlepatient.kept_ledger(exam))


@then("each must-support element is shown by a resource of its profile")
def _(exam, verdict, rule):
    gaps = list(ledger.gaps(singlepatient.kept_ledger(exam), rule))
    verdict(gaps)
    singlepatient.closed(gaps, "must-support elements")


@when("the app follows each reference in the data of each test patient", target_fixture="charts")
def _(exam):
    return exam.charts()


@then("each leads to what it names")
def _(charts, verdict, rule):
    verdict(finding for chart in charts for finding in contents.resolved(chart, chart.references, rule))


@then("each kind of note and report that the guide demands is there")
def _(charts, verdict, rule):
    gaps = list(contents.noted(charts, rule))
    verdict(gaps)
    singlepatient.closed(gaps, "kinds of notes and reports")


@then("the attachment of each note and report can be opened")
def _(charts, verdict, rule):
    verdict(attachments.opened(charts, rule))


@then("the attachment of each narrative report is that of a document too")
def _(charts, verdict, rule):
    verdict(attachments.shared(charts, rule))


@then("each medication that is referred to is a Medication in form")
def _(charts, verdict, rule):
    verdict(contents.medicated(charts, rule))


@when(parsers.re(r"the app searches (?P<kind>[A-Z]\w+) and asks for the medications it names"), target_fixture="found")
def _(exam, kind):
    return singlepatient.medications(exam, kind)


@when("the app asks for what the server says comes along", target_fixture="found")
def _(exam):
    return singlepatient.declared_includes(exam)


@then("all that was referred to comes along")
def _(found, verdict, rule):
    verdict(singlepatient.judged(found, searches.answered, rule))
    verdict(singlepatient.judged(found, searches.included, rule))


@then("some element says by an extension why its data are missing")
def _(charts):
    singlepatient.absent(contents.absent(charts)[0], "an extension")


@then("some element says by a code that its data are missing")
def _(charts):
    singlepatient.absent(contents.absent(charts)[1], "a code")


@given("there is an expected record", target_fixture="charts")
def _(exam):
    return singlepatient.recorded(exam)


@then("each fact of the record is told by a resource")
def _(charts, verdict, rule):
    verdict(finding for chart in charts for finding in recall.missing(chart, rule))


@then("what resources tell of it is as the record has it")
def _(charts, verdict, rule):
    verdict(finding for chart in charts for finding in recall.otherwise(chart, rule))


@then("no resource of the patient is known by reference alone")
def _(charts, verdict, rule):
    verdict(finding for chart in charts for finding in recall.unfound(chart, rule))


@then("each Patient has the name and date of birth of the test patient")
def _(charts, verdict, rule):
    verdict(finding for chart in charts for finding in recall.identity(chart, rule))


@given("the API answers a request for all data")
def _(exam):
    if not exam.offers("all_data"):
        raise NotTested("the description has no request for all data")


@then("each fact of the record that one of them tells is told by the other too")
def _(exam, replies, verdict, rule):
    verdict(singlepatient.reconciled(exam, replies, rule))


@given("the API has a FHIR server too")
def _(exam):
    if exam.target.description.fhir is None:
        raise NotApplicable("the description has no [fhir]")


@then("each document and the resources of its patient tell the same facts")
def _(exam, replies, verdict, rule):
    usable = assessment.own(exam, replies[:DATED_PATIENTS], rule, "G9-IA-TLV-1")
    verdict(finding for reply in usable for finding in singlepatient.told_alike(exam, reply, rule))
