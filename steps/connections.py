"""Sentences about connections: TLS, certificates, and what is served without."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import secured


@when("the endpoints in use are gathered", target_fixture="endpoints")
def _(exam):
    return secured.endpoints(exam)


@then("the address of each is one of TLS")
def _(endpoints, verdict, rule):
    verdict(secured.unsecured(endpoints, rule))


@when("a client that checks certificates shakes hands with each endpoint", target_fixture="looks")
def _(exam):
    return secured.handshakes(exam, secured.endpoints(exam))


@then("TLS 1.2 or later is agreed on, and the certificate stands")
def _(looks, verdict, rule):
    verdict(secured.trusted(looks, rule))
    secured.seen_through(looks)


@when(parsers.parse("a client that knows {version} alone speaks to each endpoint"), target_fixture="looks")
def _(exam, version):
    return secured.outdated(exam, secured.endpoints(exam), version)


@then("it is refused")
def _(looks, verdict, rule):
    verdict(secured.refused(looks, rule))
    secured.seen_through(looks)


@when("a client that knows no TLS asks at the port of each endpoint", target_fixture="looks")
def _(exam):
    return secured.unencrypted(exam, secured.endpoints(exam))


@then("nothing is served")
def _(looks, verdict, rule):
    verdict(secured.closed(looks, rule))
    secured.seen_through(looks)
