"""Sentences about what an authorization server must refuse."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import denied, lifecycle, unproved

REQUESTS = "|".join(denied.REQUESTS)


@when(parsers.re(rf"an app asks for authorization with (?P<what>{REQUESTS})"), target_fixture="asked")
def _(exam, what):
    return denied.asked(exam, what)


@when("an app asks for authorization with a launch that the EHR never gave out", target_fixture="asked")
def _(exam):
    return denied.foreign_launch(exam)


@when("the user refuses what an app asks for", target_fixture="asked")
def _(exam):
    return denied.denied(exam)


@then("no code comes back, but an error or an error page")
def _(asked, verdict, rule):
    verdict(denied.refused(asked, rule))


@when(parsers.re(rf"an app exchanges a code with (?P<what>{'|'.join(denied.VERIFIERS)})"), target_fixture="tried")
def _(exam, what):
    return denied.unverified(exam, what)


@when(parsers.re(rf"an app exchanges a code, (?P<which>{'|'.join(denied.CODES)})"), target_fixture="tried")
def _(exam, which):
    return denied.CODES[which](exam)


@when("an app exchanges a code that has run out", target_fixture="tried")
def _(exam):
    return denied.expired(exam)


@when(parsers.parse("the app that signs exchanges its code with an assertion {what}"), target_fixture="tried")
def _(exam, what):
    return unproved.disbelieved(exam, what)


@when("the app that signs uses one assertion twice", target_fixture="tried")
def _(exam):
    return unproved.asserted_twice(exam)


@when(parsers.re(rf"an app exchanges its code with (?P<what>{'|'.join(unproved.PROOFS)})"), target_fixture="tried")
def _(exam, what):
    return unproved.unproven(exam, what)


@when(
    parsers.re(rf"an app refreshes with a refresh token, (?P<which>{'|'.join(denied.REFRESHES)})"),
    target_fixture="tried",
)
def _(exam, which):
    return denied.REFRESHES[which](exam)


@when("an app that keeps a secret refreshes without it", target_fixture="tried")
def _(exam):
    return unproved.refreshing(exam)


@then("no token comes back, but an error")
def _(tried, verdict, rule):
    verdict(denied.no_token(tried, rule))


@when("an app exchanges a code twice", target_fixture="both")
def _(exam):
    return denied.replayed(exam)


@then("no token comes back the second time, but an error")
def _(both, verdict, rule):
    verdict(denied.no_token(both[0], rule))


@then("the token of the first time is good no more")
def _(exam, both, verdict, rule):
    verdict(denied.outlived(exam, both[1], rule))


@when("an app gives its refresh token back", target_fixture="returned")
def _(exam):
    return lifecycle.withdrawn_refresh(exam)


@when("an app gives its access token back", target_fixture="returned")
def _(exam):
    return lifecycle.withdrawn(exam)


@when("an app gives back the access token of another app", target_fixture="launch")
def _(exam):
    return lifecycle.given_back_by_another(exam)


@then("the access token is still good")
def _(exam, launch, verdict, rule):
    verdict(lifecycle.alive(exam, launch, rule))


@then("the token can be given back")
def _(returned, verdict, rule):
    verdict(lifecycle.taken(returned[1], rule))


@then("the refresh token is good no more")
def _(exam, returned, verdict, rule):
    verdict(lifecycle.past_renewal(exam, returned[0], rule))


@then("the access token is good no more")
def _(exam, returned, verdict, rule):
    verdict(lifecycle.dead(exam, returned[0], rule))
