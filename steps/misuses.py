"""Sentences about the misuses that a target description lists."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import misuse

OPS = {"patient selection": "select_patient", "the category request": "category", "the all data request": "all_data"}


@given(parsers.re(r"the description lists misuses of (?P<what>.+)"), target_fixture="misuses")
def _(exam, what):
    return misuse.listed_misuses(exam, OPS[what])


@when("the app tries each of them", target_fixture="tried")
def _(exam, misuses):
    return [(listed, exam.listed(listed, exam.identified()[0])) for listed in misuses]


@then("each is refused as the description expects")
def _(tried, verdict, rule):
    verdict(f for listed, reply in tried for f in misuse.listed_misuse(reply, listed.expect, rule))
