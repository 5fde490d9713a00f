"""Sentences about the tokens of backend services."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import backendservice
from onc_conformance.access import backend


@when("the service asks for a token", target_fixture="token")
def _(exam):
    return backendservice.given(exam)


@when(parsers.re(r"the service asks for a token with an assertion signed with (?P<name>\w+)"), target_fixture="token")
def _(exam, name):
    return backendservice.given(exam, name)


@then("a token is given")
def _(token, verdict, rule):
    verdict(backendservice.granted(token, rule))


@then("the answer has the fields and headers of a token response")
def _(token, verdict, rule):
    verdict(backendservice.told(token, rule))


@when(parsers.re(r"the service asks for a token with a request that (?P<fault>.+)"), target_fixture="asked")
def _(exam, fault):
    return backendservice.wrong(exam, fault)


@then("no token is given")
def _(asked, verdict, rule):
    verdict(backendservice.refused(asked, rule))


@when("the service asks for two tokens with one assertion")
def _(exam):
    backendservice.given(exam)


@then("the second is not given")
def _(exam, verdict, rule):
    verdict(backendservice.repeated(exam, rule))


@when("the service asks for tokens with every assertion that must not be believed", target_fixture="refusals")
def _(exam):
    return backendservice.errors(exam, (*backend.SIGNATURES, *backend.CLAIMS))


@when("the service asks for tokens with every other fault", target_fixture="refusals")
def _(exam):
    return backendservice.errors(exam, (*backend.PARAMETERS, *backend.SCOPES))


@then("each error fits what was wrong")
def _(refusals, verdict, rule):
    verdict(backendservice.fitting(refusals, rule))


@when("the service asks for a scope that it is not registered for", target_fixture="token")
def _(exam):
    return backendservice.beyond(exam)


@then("that scope is not granted")
def _(exam, token, verdict, rule):
    verdict(backendservice.within(exam, token, rule))


@when("the service proves itself with keys at its own address", target_fixture="keys")
def _(exam):
    return backendservice.fetched_keys(exam)


@then("a token is given for the key found there")
def _(keys, verdict, rule):
    verdict(backendservice.used(keys, rule))


@then("the key that came after it is known, and the one taken away is not")
def _(keys, verdict, rule):
    verdict(backendservice.fresh(keys, rule))
