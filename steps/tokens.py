"""Sentences about the life of tokens."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import introspected, lifecycle

INACTIVE = "|".join(introspected.INACTIVE)
STRANGERS = "|".join(introspected.STRANGERS)


@when("an app refreshes for the scope of the Patient alone", target_fixture="narrowed")
def _(exam):
    return lifecycle.narrowed(exam)


@then("an access token comes that opens the Patient and nothing else")
def _(exam, narrowed, verdict, rule):
    verdict(lifecycle.less(exam, narrowed, rule))


@when("an app refreshes for more than it was granted", target_fixture="widened")
def _(exam):
    return lifecycle.widened(exam)


@then("it is given no more than it was granted")
def _(exam, widened, verdict, rule):
    verdict(lifecycle.no_more(exam, widened, rule))


@when("an app uses its refresh token twice", target_fixture="used")
def _(exam):
    return lifecycle.twice(exam)


@then("it is good both times, or another came and it is refused")
def _(used, verdict, rule):
    verdict(lifecycle.rotated(used, rule))


@when("the server is asked about the refresh token of the public app", target_fixture="lasting")
def _(exam):
    return introspected.lasting(exam, "public")


@when("the server is asked about the refresh token of an app that used it", target_fixture="lasting")
def _(exam):
    return introspected.lasting(exam, exam.trials.kind(), used=True)


@then("it is good for three months at least")
def _(lasting, verdict, rule):
    verdict(introspected.three_months(lasting, rule))


@when("a resource server asks about an access token that is good", target_fixture="told")
def _(exam):
    return introspected.active(exam)


@then("it is told that it is active, for whom, for what and until when")
def _(exam, told, verdict, rule):
    issuer = exam.smart.configuration().document.text("issuer")
    verdict(introspected.told_of(told, issuer, rule))


@when(parsers.re(rf"a resource server asks about a token (?P<what>{INACTIVE})"), target_fixture="answer")
def _(exam, what):
    return introspected.inactive(exam, what)


@then(parsers.re(rf"it is told that a token (?P<what>{INACTIVE}) is not active"))
def _(answer, what, verdict, rule):
    verdict(introspected.not_active(answer, what, rule))


@when(parsers.re(rf"(?P<who>{STRANGERS}) asks about an access token that is good"), target_fixture="answer")
def _(exam, who):
    return introspected.unproven(exam, who)


@then(parsers.re(rf"(?P<who>{STRANGERS}) is told nothing"))
def _(answer, who, verdict, rule):
    verdict(introspected.not_told(answer, who, rule))


@when("a patient withdraws an app on the page that lists them", target_fixture="withdrawn")
def _(exam):
    return lifecycle.by_patient(exam)


@then("the patient found the app there")
def _(withdrawn, verdict, rule):
    verdict(lifecycle.withdrawable(withdrawn, rule))


@then("the app can renew its access no more")
def _(exam, withdrawn, verdict, rule):
    verdict(lifecycle.past_renewal(exam, withdrawn[0], rule))


@then("the app gets no more data")
def _(exam, withdrawn, verdict, rule):
    verdict(lifecycle.gone(exam, withdrawn[0], rule))
