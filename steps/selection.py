"""Sentences about selecting a patient, and about ids, tokens and credentials."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import assessment, misuse
from onc_conformance.findings import NotApplicable
from onc_conformance.spoiling import altered, never_issued


@when("the app asks for each test patient", target_fixture="replies")
def _(exam):
    return [exam.resolve(subject) for subject in exam.subjects]


@given("the test patients have been resolved", target_fixture="subjects")
def _(exam):
    return exam.resolved()


@when("the app asks for data with each id", target_fixture="replies")
def _(exam):
    return [exam.data(subject) for subject in exam.identified()]


@then("each request is processed and resolves one patient")
def _(replies, verdict, rule):
    verdict(reply.refused(rule) for reply in replies if not reply.processed)


@then("each answer carries an id or a token")
def _(exam, subjects, verdict, rule):
    verdict(
        exam.resolve(subject).objection(rule, "the answer carries no id", expected="an id or a token", found="none")
        for subject in subjects
        if not exam.id_of(subject)
    )


@then("no two patients share an id")
def _(exam, subjects, verdict, rule):
    first = {}
    for subject in filter(exam.id_of, subjects):
        first.setdefault(exam.id_of(subject), subject)
    verdict(
        exam.resolve(subject).objection(rule, f"has the id of {first[exam.id_of(subject)].id}", expected="its own id")
        for subject in filter(exam.id_of, subjects)
        if first[exam.id_of(subject)] is not subject
    )


@then("each of these requests is answered with data")
def _(replies, verdict, rule):
    verdict(finding for reply in replies for finding in assessment.answered(reply, rule))


@then("the data belong to the patient meant and to nobody else")
def _(exam, replies, verdict, rule):
    usable = assessment.readable(replies, "G7-I-TLV-2")
    verdict(finding for reply in usable for finding in exam.belongs(reply, rule))


@given("patients are selected by a search")
def _(exam):
    if not exam.searches:
        raise NotApplicable("selection is bound to the credentials")


@given("credentials are bound to one patient")
def _(exam):
    if exam.searches:
        raise NotApplicable("one login may read every patient")


@given("access goes by a token or a session", target_fixture="token")
def _(exam):
    return exam.token_name()


@when("the app asks for a test patient under a name nobody bears", target_fixture="replies")
def _(exam):
    return [exam.resolve(exam.subjects[0], family="Zzyzxqwv", given="Qwvzzyx")]


@when("the app asks for a test patient under a name one letter off", target_fixture="replies")
def _(exam):
    return [exam.resolve(subject, family=altered(subject.record.name.family)) for subject in exam.subjects[:2]]


@when("the app asks for a test patient with another birth date", target_fixture="replies")
def _(exam):
    return [exam.resolve(subject, dob="1901-02-03") for subject in exam.subjects[:2]]


@given("two test patients share a name", target_fixture="namesakes")
def _(exam):
    return misuse.namesakes(exam)


@when("the app asks for that name without a birth date", target_fixture="replies")
def _(exam, namesakes):
    return [exam.resolve(namesakes[0], dob="")]


@then("nobody is resolved")
def _(exam, replies, verdict, rule):
    verdict(finding for reply in replies for finding in misuse.resolves_nobody(exam, reply, rule))


@given(parsers.parse("a test patient's name has {mark}"), target_fixture="marked")
def _(exam, mark):
    return misuse.subjects_with(exam, mark)


@when("the app asks for that patient", target_fixture="replies")
def _(exam, marked):
    return [exam.resolve(subject) for subject in marked]


@then("that patient is resolved")
def _(replies, verdict, rule):
    verdict(reply.refused(rule, "warning") for reply in replies if not reply.ok)


@when("the app asks for data with an altered id", target_fixture="replies")
def _(exam):
    subject = exam.identified()[0]
    return [exam.misuse(subject, values={"pat_id": altered(exam.id_of(subject))})]


@when("the app asks for data with an id that was never issued", target_fixture="replies")
def _(exam):
    subject = exam.identified()[0]
    return [exam.misuse(subject, values={"pat_id": never_issued(exam.id_of(subject))})]


@when("the app asks for data without an id", target_fixture="replies")
def _(exam):
    subject = exam.identified()[0]
    return [exam.misuse(subject, unset=["pat_id"])]


@when("the app asks for data with an altered token", target_fixture="replies")
def _(exam, token):
    subject = exam.identified()[0]
    return [exam.misuse(subject, values={token: altered(subject.session.value(token))})]


@when("the app asks for data with a token that was never issued", target_fixture="replies")
def _(exam, token):
    subject = exam.identified()[0]
    return [exam.misuse(subject, values={token: never_issued(subject.session.value(token))})]


@when("the app asks for data without a token", target_fixture="replies")
def _(exam, token):
    return [exam.misuse(exam.identified()[0], unset=[token])]


@when("the app asks for another patient's data with them", target_fixture="replies")
def _(exam):
    one, other = misuse.two(exam)
    return [exam.misuse(one, values={"pat_id": exam.id_of(other)})]


@when("the app asks for data with another patient's token", target_fixture="replies")
def _(exam, token):
    one, other = misuse.two(exam)
    return [exam.misuse(one, values={token: other.session.value(token)})]


@when("the app asks for one patient's data with another patient's id", target_fixture="replies")
def _(exam):
    one, other = misuse.two(exam)
    return [exam.misuse(one, whose=other, values={"pat_id": exam.id_of(other)})]


@then("no data come back")
def _(replies, verdict, rule):
    verdict(finding for reply in replies for finding in misuse.turned_away(reply, rule))


@then("the data are the ones of the id that was asked for")
def _(exam, replies, verdict, rule):
    verdict(finding for reply in replies if reply.brought_data for finding in exam.belongs(reply, rule))
