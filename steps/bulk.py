"""Sentences about exports of a group's data."""

from __future__ import annotations

from pytest_bdd import then, when

from onc_conformance import exported, population, secured, singlepatient
from onc_conformance.bulk import files

TURNED_AWAY = (401, 403, 400)
REFUSED = range(400, 500)


@when("the service asks the FHIR server what it is capable of", target_fixture="statement")
def _(exam):
    return population.capability(exam)


@then("the export of groups is declared")
def _(statement, verdict, rule):
    verdict(population.declared(statement, rule))


@when("the service asks for the export of the group", target_fixture="exports")
def _(exam):
    return [population.begun(exam)]


@when("the service asks for the export of the group by each name of the format", target_fixture="exports")
def _(exam):
    return population.formats(exam)


@then("it is accepted, with the address of its status")
@then("each of them is accepted")
def _(exports, verdict, rule):
    verdict(finding for export in exports for finding in population.accepted(export, rule))


@when("the service waits for the export of the group", target_fixture="export")
def _(exam):
    return population.completed(exam)


@then("each answer on the way says how far it is, and the last that it is complete")
def _(exam, export, verdict, rule):
    verdict(population.followed(exam, export, rule))


@when("the export of the group is complete", target_fixture="manifest")
def _(exam):
    return population.manifest(exam)


@then("its manifest has every field of its version")
def _(exam, manifest, verdict, rule):
    verdict(population.in_order(exam, manifest, rule))


@then("every other server that files come from is behind TLS 1.2 or later")
def _(exam, manifest, verdict, rule):
    others = secured.elsewhere(exam, manifest)
    looks = secured.handshakes(exam, others) if secured.ports(others) else []
    verdict(secured.behind_tls(exam, others, looks, rule))
    secured.seen_through(looks)


@when("somebody asks for the status without a token", target_fixture="got")
def _(exam):
    return population.unseen(exam)


@when("somebody asks for a file without a token", target_fixture="got")
def _(exam):
    return population.unread(exam)


@when("somebody asks for an export without a token", target_fixture="got")
def _(exam):
    return population.untokened(exam)


@when("somebody asks for an export with a token that was never issued", target_fixture="got")
def _(exam):
    return population.mistokened(exam)


@then("they are turned away")
def _(got, verdict, rule):
    verdict(population.refused(got, TURNED_AWAY, rule, told=False))


@when("the service asks for the export of a group that there is not", target_fixture="got")
def _(exam):
    return population.nobody(exam)


@when("the service asks for an export in a format that there is not", target_fixture="got")
def _(exam):
    return population.misformatted(exam)


@then("it is refused, and the reason is told")
def _(got, verdict, rule):
    verdict(population.refused(got, REFUSED, rule))


@when("the service asks for an export without asking for it asynchronously", target_fixture="got")
def _(exam):
    return population.synchronous(exam)


@then("it is refused or begun, and not answered at once")
def _(exam, got, verdict, rule):
    verdict(population.asynchronous(exam, got, rule))


@when("the service asks for Condition with a token for another type", target_fixture="export")
def _(exam):
    return population.narrow(exam)


@then("no Condition is exported")
def _(export, verdict, rule):
    verdict(population.within_scope(export, rule))


@when("the service reads every line of every file", target_fixture="whole")
def _(exam):
    return exported.whole(exam)


@then("each file comes whole, each line a resource of the type announced, as many as are announced")
def _(whole, verdict, rule):
    verdict([*files.judged(whole.files, rule), *exported.said(whole, rule), *exported.repeated(whole, rule)])


@when("the service has read the export of the group", target_fixture="whole")
def _(exam):
    read = exported.whole(exam)
    exported.shown(read)
    return read


@then("it has data of each patient of the group and of nobody else")
def _(exam, whole, verdict, rule):
    verdict(exported.peopled(exam, whole, rule))


@then("each line of it has no error in form or vocabulary")
def _(whole, verdict):
    verdict(whole.form.findings())


@then("it has each resource of each single patient, told alike")
def _(exam, whole, verdict, rule):
    verdict(exported.alike(exam, whole, rule))


@then("each profile that US Core demands is shown by an exported resource")
def _(exam, whole):
    exported.unshown(exam, whole)


@then("each must-support element is shown by an exported resource")
def _(whole, verdict, rule):
    gaps = list(whole.support.gaps(rule))
    verdict(gaps)
    singlepatient.closed(gaps, "must-support elements")


@when("the service asks for the export of two types", target_fixture="export")
def _(exam):
    return population.typed(exam)


@then("there are files of these types alone")
def _(exam, export, verdict, rule):
    verdict(exported.of_asked_types(exam, export, rule))


@when("the service asks for what changed since a moment", target_fixture="both")
def _(exam):
    return exported.since(exam)


@then("everything that changed is exported, and nothing that did not")
def _(exam, both, verdict, rule):
    verdict(exported.changed_since(exam, both, rule))


@when("the service asks for the export of the other group", target_fixture="export")
def _(exam):
    return exported.of_others(exam)


@then("it is refused, or holds the patients of the other group alone")
def _(exam, export, verdict, rule):
    verdict(exported.other_patients(exam, export, rule))


@when("the service deletes an export that has just begun", target_fixture="answers")
def _(exam):
    return exported.deleted(exam, early=True)


@when("the service deletes the export of the group", target_fixture="answers")
def _(exam):
    return exported.deleted(exam, early=False)


@then("the deletion is accepted, and the export is not there any longer")
def _(answers, verdict, rule):
    verdict(exported.gone(answers, rule))
