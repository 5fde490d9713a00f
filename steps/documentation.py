"""Sentences about the API's documentation."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from onc_conformance import documentation, publishing
from onc_conformance.findings import NotTested


@when("anybody opens the link to the documentation", target_fixture="page")
def _(exam):
    return exam.page("api")


@given("the documentation opens for everybody", target_fixture="page")
def _(exam, criterion):
    page = exam.page("api")
    if documentation.gate(page, ""):
        step = "API-DOC-2" if criterion == "g10" else f"{criterion.upper()}-IIB-TLV-1"
        raise NotTested("the documentation does not open for everybody", step)
    return page


@then("the documentation is there")
def _(page, verdict, rule):
    verdict(documentation.gate(page, rule))


@then("the link is secured by TLS")
def _(page, verdict, rule):
    verdict(documentation.unsecured(page, rule))


@then(parsers.parse('it covers "{name}"'))
def _(exam, page, verdict, rule, name):
    where = exam.target.documentation_item(name)
    if where is None:
        raise NotTested(f"documentation.items.{name} is not in the target description")
    verdict(documentation.covers(page, name, where, rule))


@then("the terms of use open for everybody")
def _(exam, verdict, rule):
    page = exam.page("terms")
    verdict(documentation.gate(page, rule))


@when("anybody opens the list of service base addresses", target_fixture="page")
def _(exam):
    return exam.page("endpoints")


@then("it is a Bundle with this server's address and whom it serves")
def _(exam, page, verdict, rule):
    verdict(publishing.listed(page, exam.fhir.base, rule))


@when("anybody opens the page on which an app is registered", target_fixture="page")
def _(exam):
    return exam.page("registration")


@then("it opens")
def _(page, verdict, rule):
    verdict(publishing.opens(page, rule))
