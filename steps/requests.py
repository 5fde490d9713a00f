"""Sentences about asking for data, by category and all at once, and about what comes back."""

from __future__ import annotations

from functools import partial

from pytest_bdd import given, parsers, then, when

from onc_conformance import assessment, judging, misuse, uscdi
from onc_conformance.examination import DATED_PATIENTS
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.spoiling import never_issued

LAYERS = {
    "is valid against the CDA schema": "schema",
    "keeps the rules of the templates it declares": "templates",
    "has its codes, units and times from the vocabularies required": "vocabulary",
}
"""What is kept, and the layer of judging that knows."""


@when(parsers.parse('the app asks for the category "{category}" of each test patient'), target_fixture="replies")
def _(exam, category):
    if category not in exam.target.supported:
        raise NotTested(f"the API documents no request for {category}")
    return [exam.category(subject, category) for subject in exam.identified()]


@then("the API documents a request for every category of the list")
def _(exam):
    missing = [
        each.name for each in uscdi.categories().values() if each.ccds and each.name not in exam.target.supported
    ]
    if missing:
        raise NotTested(f"the API documents no request for {', '.join(missing)}")


@then("each answer is computable")
def _(replies, verdict, rule):
    verdict(finding for reply in replies for finding in assessment.computable(reply, rule))


@then("each answer belongs to the patient asked for")
def _(exam, replies, verdict, rule):
    usable = assessment.readable(replies, "G8-IA-SUT-1")
    verdict(finding for reply in usable for finding in exam.belongs(reply, rule))


@then("each answer holds what the patient's record has in that category")
def _(exam, replies, verdict, rule):
    usable = assessment.own(exam, replies, rule, "G8-IA-TLV-1")
    verdict(finding for reply in usable for finding in assessment.complete_category(exam, reply, rule))


@when("the app asks for every category of each test patient", target_fixture="replies")
def _(exam):
    return [exam.category(subject, name) for name in exam.target.supported for subject in exam.identified()]


@when("the app asks for every category of the list of each test patient", target_fixture="replies")
def _(exam):
    listed = [name for name in exam.target.supported if uscdi.categories()[name].ccds]
    return [exam.category(subject, name) for name in listed for subject in exam.identified()]


@then(parsers.re(f"each C-CDA among the answers (?P<kept>{'|'.join(LAYERS)})"))
def _(exam, replies, verdict, rule, kept):
    verdict(assessment.formed_slices(exam, replies, LAYERS[kept], rule))


@then("no category brings the facts of another")
def _(exam, replies, verdict, rule):
    usable = assessment.own(exam, replies, rule, "G8-IA-TLV-1")
    verdict(finding for reply in usable for finding in assessment.isolated_category(reply))


@when("the app asks each test patient for the categories in which nothing is entered", target_fixture="replies")
def _(exam):
    replies = [
        exam.category(subject, name)
        for subject in exam.identified()
        for name in exam.target.supported
        if subject.record.facts and assessment.nothing_entered(subject.record, name)
    ]
    if not replies:
        raise NotApplicable("every category of every test patient has something in it")
    return replies


@then("these requests are answered without facts")
def _(exam, replies, verdict, rule):
    verdict(finding for reply in replies for finding in assessment.empty(exam, reply, rule))


@given("the API offers categories beyond the list", target_fixture="more")
def _(exam):
    more = [name for name in exam.target.supported if not uscdi.categories()[name].ccds]
    if not more:
        raise NotApplicable("the API offers no category beyond the list")
    return more


@when("the app asks for each of them", target_fixture="replies")
def _(exam, more):
    return [exam.category(subject, name) for name in more for subject in exam.identified()]


@when("the app asks for a category with an id that was never issued", target_fixture="replies")
def _(exam):
    subject = exam.identified()[0]
    return [exam.misuse(subject, "category", values={"pat_id": never_issued(exam.id_of(subject))})]


@when("the app asks for one patient's category with another patient's id", target_fixture="replies")
def _(exam):
    one, other = misuse.two(exam)
    return [exam.misuse(one, "category", whose=other, values={"pat_id": exam.id_of(other)})]


@when("the app asks for another patient's category with them", target_fixture="replies")
def _(exam):
    one, other = misuse.two(exam)
    return [exam.misuse(one, "category", values={"pat_id": exam.id_of(other)})]


@when("the app asks for all data of each test patient", target_fixture="replies")
def _(exam):
    return [exam.all_data(subject) for subject in exam.identified()]


@then("each answer holds a document that can be read")
def _(replies, verdict, rule):
    verdict(finding for reply in replies for finding in assessment.computable(reply, rule))


@then("each document has the CCD template and the LOINC code 34133-9")
def _(replies, verdict, rule):
    verdict(assessment.of_documents(replies, judging.document_type, rule))


@then("each document belongs to the patient asked for")
def _(exam, replies, verdict, rule):
    usable = assessment.readable(replies, "G9-IA-SUT-1")
    verdict(finding for reply in usable for finding in exam.belongs(reply, rule))


@then("each document has the sections of the edition's data classes")
def _(replies, verdict, rule):
    verdict(assessment.of_documents(replies, judging.required_sections, rule))


@then("each document holds what the patient's record has and nothing else")
def _(exam, replies, verdict, rule):
    usable = assessment.recorded(assessment.own(exam, replies, rule, "G9-IA-TLV-1"))
    verdict(finding for reply in usable for finding in assessment.complete(exam, reply, rule))


@then(parsers.parse('each document holds what the record has under "{kind}"'))
def _(exam, replies, verdict, rule, kind):
    usable = assessment.recorded(assessment.own(exam, replies, rule, "G9-IA-TLV-1"))
    verdict(finding for reply in usable for finding in assessment.complete(exam, reply, rule, kind))


@then(parsers.re(f"each document (?P<kept>{'|'.join(LAYERS)})"))
def _(exam, replies, verdict, rule, kept):
    verdict(assessment.formed(exam, replies, LAYERS[kept], rule))


@then("each document states the patient's sex and its author, and codes each data element in a system it may use")
def _(exam, replies, verdict, rule):
    judge = partial(judging.data_elements, edition=exam.edition.id)
    verdict(assessment.of_documents(replies, judge, rule))


@then("each section with entries has a narrative")
def _(exam, replies, verdict, rule):
    for reply in replies:
        exam.inspect(reply)
    verdict(assessment.of_documents(replies, judging.narrative, rule))


@then("each document has an Assessment and Plan Section, or an Assessment and a Plan of Treatment Section")
def _(replies, verdict, rule):
    verdict(assessment.of_documents_and_records(replies, judging.assessment_plan_sections, rule))


@then("each document has a Goals Section")
def _(replies, verdict, rule):
    verdict(assessment.of_documents_and_records(replies, judging.goals_section, rule))


@then("each document has a Health Concerns Section")
def _(replies, verdict, rule):
    verdict(assessment.of_documents_and_records(replies, judging.health_concerns_section, rule))


@then("each implant of the record is in a Product Instance of a Procedure Activity Procedure")
def _(exam, replies, verdict, rule):
    usable = assessment.own(exam, replies, rule, "G9-IA-TLV-1")
    verdict(assessment.of_documents_and_records(usable, judging.device_placement, rule))


@when("the app asks for all data with an id that was never issued", target_fixture="replies")
def _(exam):
    subject = exam.identified()[0]
    return [exam.misuse(subject, "all_data", values={"pat_id": never_issued(exam.id_of(subject))})]


@when("the app asks for all of one patient's data with another patient's id", target_fixture="replies")
def _(exam):
    one, other = misuse.two(exam)
    return [exam.misuse(one, "all_data", whose=other, values={"pat_id": exam.id_of(other)})]


@when("the app asks for all of another patient's data with them", target_fixture="replies")
def _(exam):
    one, other = misuse.two(exam)
    return [exam.misuse(one, "all_data", values={"pat_id": exam.id_of(other)})]


@when("the app asks twice for all data of a test patient", target_fixture="replies")
def _(exam):
    subject = exam.identified()[0]
    return [*assessment.readable([exam.all_data(subject)], "G9-IA-SUT-1"), exam.misuse(subject, "all_data")]


@given("the API answers requests for categories")
def _(exam):
    if "g8" not in exam.target.criteria or not exam.target.supported:
        raise NotApplicable("the API answers no request for a category")


@then("each document and the categories together tell the same facts")
def _(exam, replies, verdict, rule):
    usable = assessment.own(exam, replies[:DATED_PATIENTS], rule, "G9-IA-TLV-1")
    verdict(finding for reply in usable for finding in assessment.told_alike(exam, reply, rule))


@then("both answers hold the same facts")
def _(replies, verdict, rule):
    verdict(assessment.same_facts(replies, rule))
