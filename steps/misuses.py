"""Sentences about the misuses that a target description lists."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import assessment

OPS = {"patient selection": "select_patient", "the category request": "category", "the all data request": "all_data"}


@given(parsers.re(r"the description lists misuses of (?P<what>.+)"), target_fixture="misuses")
def _(exam, what):
    return assessment.listed_misuses(exam, OPS[what])


@when("the app tries each of them", target_fixture="tried")
def _(exam, misuses):
    return [(misuse, exam.listed(misuse, exam.identified()[0])) for misuse in misuses]


@then("each is refused as the description expects")
def _(tried, verdict, rule):
    verdict(f for misuse, reply in tried for f in assessment.listed_misuse(reply, misuse.expect, rule))
