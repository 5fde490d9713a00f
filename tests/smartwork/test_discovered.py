"""What a server publishes about authorization, spoilt in every way."""

import pytest
from tests.smartwork.double import DEMANDED

from onc_conformance.findings import NotTested, Severity
from onc_conformance.smartwork import discovered

CONFIGURATION = "/fhir/.well-known/smart-configuration"
JSON = {"Content-Type": "application/json"}


def errors(findings):
    return [str(each.message) for each in findings if each.severity is Severity.ERROR]


def judged(smart):
    found = smart.configuration()
    return errors(
        [*discovered.fetched(found, "R"), *discovered.fields(smart, found, "R"), *discovered.capable(smart, found, "R")]
    )


def test_a_right_configuration(smart):
    assert judged(smart) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"token_endpoint": None}, "no address as token_endpoint"),
        ({"authorization_endpoint": "/auth/authorize"}, "no address as authorization_endpoint"),
        ({"authorization_endpoint": 7}, "no address as authorization_endpoint"),
        ({"issuer": None}, "no address as issuer"),
        ({"jwks_uri": "ftp://x.example/keys"}, "no address as jwks_uri"),
        ({"capabilities": None}, "the configuration has no capabilities"),
        ({"capabilities": [each for each in DEMANDED if each != "authorize-post"]}, "1 of the capabilities"),
        ({"grant_types_supported": ["client_credentials"]}, "grant_types_supported does not have all it must"),
        ({"code_challenge_methods_supported": ["S256", "plain"]}, "plain is offered for PKCE"),
        ({"code_challenge_methods_supported": "S256"}, "has no code_challenge_methods_supported"),
    ],
)
def test_a_configuration_that_is_wrong(smart, double, change, said):
    double.changes[CONFIGURATION] = change
    assert said in " ".join(judged(smart))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, {"Content-Type": "text/html"}, b"<h1>404</h1>"), "the answer is not JSON but text/html"),
        ((200, {"Content-Type": "text/html"}, b"<h1>Log in</h1>"), "the answer is not JSON but text/html"),
        ((500, JSON, b"{}"), "it is answered with HTTP 500"),
        ((200, JSON, b'["a"]'), "list instead of an object"),
        ((200, JSON, b'{"a":'), "the answer is not JSON"),
        ((302, {"Location": "/login"}, b""), "the answer is empty"),
        ((200, JSON, b"{" + b" " * 1_500_000 + b"}"), "more than anybody expects"),
    ],
)
def test_a_configuration_that_is_none(smart, double, answer, said):
    double.instead[CONFIGURATION] = answer
    found = smart.configuration()
    assert said in " ".join(errors(discovered.fetched(found, "R")))
    with pytest.raises(NotTested, match="there is no SMART configuration"):
        discovered.there(found)
    with pytest.raises(NotTested, match="no address as authorization_endpoint"):
        smart.plan()


def test_capabilities_the_product_has_not_are_not_demanded(connect, double):
    double.changes[CONFIGURATION] = {"capabilities": [each for each in DEMANDED if each != "context-banner"]}
    smart = connect(('without = [] # what the product has not, as ["a', 'without = ["context-banner"] # as ["a'))
    assert judged(smart) == []


def test_version_1_demands_less_and_looks_into_the_capability_statement(connect, double):
    double.changes[CONFIGURATION] = {
        "issuer": None, "jwks_uri": None, "code_challenge_methods_supported": None, "grant_types_supported": None,
    }  # fmt: skip
    smart = connect(version="1.0.0")
    assert judged(smart) == []
    statement = smart.statement()
    assert len(errors(discovered.stated(statement, "R"))) == 2


def extended(url, **addresses):
    uris = [{"url": name, "valueUri": url + path} for name, path in addresses.items()]
    extension = {"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": uris}
    return {"rest": [{"mode": "server", "security": {"extension": [extension]}}]}


def test_the_capability_statement_names_the_endpoints_where_the_configuration_does_not(connect, double):
    double.changes["/fhir/metadata"] = extended(double.url, authorize="/auth/authorize", token="/auth/token")
    double.changes[CONFIGURATION] = {"authorization_endpoint": None, "token_endpoint": None}
    smart = connect(version="1.0.0")
    assert errors(discovered.stated(smart.statement(), "R")) == []
    assert smart.launched().given().access_token


def test_two_places_that_disagree(connect, double):
    double.changes["/fhir/metadata"] = extended(double.url, authorize="/auth/authorize", token="/old/token")
    smart = connect(version="1.0.0")
    [said] = errors(discovered.agreeing(smart.configuration().document, smart.statement(), "R"))
    assert "different addresses for token" in said


@pytest.mark.parametrize(
    "resource",
    [
        {"rest": None},
        {"rest": ["a"]},
        {"rest": [{"security": []}]},
        {"rest": [{"security": {"extension": {}}}]},
        extended("", authorize="here", token=""),
    ],
)
def test_statements_of_any_shape_are_read(connect, double, resource):
    double.changes["/fhir/metadata"] = resource
    assert len(errors(discovered.stated(connect(version="1.0.0").statement(), "R"))) == 2
