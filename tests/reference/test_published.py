"""The list of service base addresses, and what a judge makes of it, right and wrong."""

import json

import pytest
from tests.reference.clients import in_process

from onc_conformance.documentation import Page
from onc_conformance.publishing import listed, opens
from onc_conformance.reference import ReferenceEHR, charts

BASE = "https://ehr.example/fhir"


def page(body, status=200, trouble=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Page("https://ehr.example/list", status, "application/fhir+json", body, [], "0001", trouble)


def told(body, **facts):
    return [finding.message for finding in listed(page(body, **facts), BASE, "API-DOC-3")]


def published(fault=None):
    """The Bundle as the reference EHR publishes it, at the address above."""
    with ReferenceEHR(charts.bundled()[:1], faults=[fault] if fault else []) as ehr:
        answer = in_process(ehr).get(ehr.env["FHIR_ENDPOINTS"])
        return answer.status_code, answer.content.replace(ehr.env["FHIR_BASE"].encode(), BASE.encode())


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, []),
        ("fhir-endpoints-missing", ["the list of service base addresses does not open"]),
        ("fhir-endpoints-elsewhere", ["the base address of this server is not in the list"]),
        ("fhir-endpoints-of-nobody", ["nobody says whom this server serves"]),
    ],
)
def test_the_reference_publishes_its_address_and_each_fault_shows(fault, expected):
    status, body = published(fault)
    assert told(body, status=status) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"<html>", {"resourceType": "Endpoint"}, b"[" * 100_000])
def test_what_is_no_bundle_is_told(body):
    assert told(body) == ["the list of service base addresses is no FHIR Bundle"]


def test_what_does_not_come_is_told():
    assert told(b"", status=None, trouble="refuses connections") == ["the list of service base addresses does not open"]


def test_an_endpoint_without_what_a_machine_needs_is_told():
    endpoint = {"resourceType": "Endpoint", "id": "1", "address": "http://ehr.example"}
    entry = [{"resource": endpoint}, "?", {"resource": 1}]
    assert told({"resourceType": "Bundle", "entry": entry}) == [
        "the base address of this server is not in the list",
        "an Endpoint is not said to be a FHIR server's",
        "an Endpoint has no address of TLS",
        "an Endpoint has no status",
    ]


def test_an_organization_without_name_place_or_identifier_is_told():
    endpoint = {
        "resourceType": "Endpoint", "id": "1", "address": BASE + "/", "status": "active",
        "connectionType": {"code": "hl7-fhir-rest"}, "managingOrganization": {"reference": "Organization/2"},
    }  # fmt: skip
    organization = {"resourceType": "Organization", "id": "2", "name": "Practice"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": endpoint}, {"resource": organization}]}
    assert told(bundle) == ["an Organization has no identifier and no address"]


@pytest.mark.parametrize(
    ("status", "body", "objections"), [(200, b"<form>", 0), (404, b"<h1>", 1), (200, b" ", 1), (None, b"", 1)]
)
def test_a_page_opens_or_does_not(status, body, objections):
    assert len(list(opens(page(body, status=status), "APP-REG-1"))) == objections
