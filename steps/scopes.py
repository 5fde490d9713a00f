"""Sentences about what scopes open."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import granular, scoped, strangers

TOKENS = "|".join(strangers.TOKENS)


@when("the user chooses a few types of resources of those an app asks for", target_fixture="chosen")
def _(exam):
    return scoped.chosen(exam)


@then("the app is granted what the user chose")
def _(chosen, verdict, rule):
    verdict(scoped.as_chosen(chosen, rule))


@then("what the user did not choose does not open")
def _(exam, chosen, verdict, rule):
    verdict(scoped.others_closed(exam, chosen, rule))


@when("the user is asked what an app may do", target_fixture="chosen")
def _(exam):
    return scoped.chosen(exam)


@then("the user decides on offline access or is told of it")
def _(exam, chosen, verdict, rule):
    verdict(scoped.offline_offered(exam, chosen, rule))


@then("the app is given nothing for later")
def _(chosen, verdict, rule):
    verdict(scoped.nothing_for_later(chosen, rule))


@when("an app is authorized for one category of Conditions or Observations at a time", target_fixture="parts")
def _(exam):
    return granular.parts(exam)


@then("what is of another category does not open")
def _(exam, parts, verdict, rule):
    verdict(granular.parts_closed(exam, parts, rule))


@when("an app is authorized for one type of resource at a time", target_fixture="keys")
def _(exam):
    return scoped.keys(exam)


@then("each type opens with its own scope alone")
def _(exam, keys, verdict, rule):
    verdict(scoped.matrix(exam, keys, rule))


@when("an app that is authorized for one patient asks for another", target_fixture="launch")
def _(exam):
    return scoped.for_one(exam)


@then("no data of the other come back")
def _(exam, launch, verdict, rule):
    verdict(strangers.foreign(exam, launch, rule))


@when(parsers.re(rf"somebody asks for a Patient with (?P<what>{TOKENS})"), target_fixture="got")
def _(exam, what):
    return strangers.stranger(exam, what)


@then(parsers.re(rf"somebody with (?P<what>{TOKENS}) is turned away"))
def _(got, what, verdict, rule):
    verdict(strangers.turned_away(got, what, rule))
