"""Sentences about requests with dates."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import assessment, dated

CATEGORY = r"the app asks for each dated category (?:on|over) (?P<window>(?:a|the) (?:day|range|window).*)"
ALL_DATA = r"the app asks for all data of (?P<window>(?:a|the) (?:day|range|window).*)"


@given("nobody wrote down what facts to expect", target_fixture="learned")
def _(exam):
    return exam.learned()


@when(parsers.re(CATEGORY + r"(?<! of the answers' own)$"), target_fixture="replies")
def _(exam, window):
    return dated.category_windows(exam, window, exam.expected)


@when(parsers.re(CATEGORY + r" of the answers' own$"), target_fixture="replies")
def _(exam, window, learned):
    return dated.category_windows(exam, window, learned)


@when(parsers.re(ALL_DATA + r"(?<! of the answers' own)$"), target_fixture="replies")
def _(exam, window):
    return dated.all_data_windows(exam, window, exam.expected)


@when(parsers.re(ALL_DATA + r" of the answers' own$"), target_fixture="replies")
def _(exam, window, learned):
    return dated.all_data_windows(exam, window, learned)


@then("each answer holds the data of its dates and not the whole record")
def _(exam, replies, verdict, rule):
    usable = assessment.readable(replies, rule.replace("TLV", "SUT"))
    verdict(finding for reply in usable for finding in dated.within(exam, reply, rule))


@then("no answer holds data from outside its dates")
def _(exam, replies, verdict, rule):
    verdict(finding for reply in replies for finding in dated.nothing_foreign_to_window(exam, reply, rule))


@when("the app asks for all data of two ranges that follow each other", target_fixture="halves")
def _(exam):
    return dated.halves(exam)


@then("the two answers together tell what the whole record tells")
def _(exam, halves, verdict, rule):
    verdict(finding for pair in halves for finding in dated.joined(exam, pair, rule))
