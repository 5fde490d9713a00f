"""Sentences about requests with dates."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import assessment


@when(parsers.re(r"the app asks for each dated category (?:on|over) (?P<window>.+)"), target_fixture="replies")
def _(exam, window):
    return assessment.category_windows(exam, window)


@when(
    parsers.re(r"the app asks for all data of (?P<window>(?:a|the) (?:day|range|window).*)"), target_fixture="replies"
)
def _(exam, window):
    return assessment.all_data_windows(exam, window)


@then("each answer holds the data of its dates and not the whole record")
def _(exam, replies, verdict, rule):
    usable = assessment.readable(replies, rule.replace("TLV", "SUT"))
    verdict(finding for reply in usable for finding in assessment.within(exam, reply, rule))


@then("no answer holds data from outside its dates")
def _(exam, replies, verdict, rule):
    verdict(f for reply in replies for f in assessment.nothing_foreign_to_window(exam, reply, rule))
