"""Answers that are no JSON, no FHIR, too deep, too large, or JSON with a flaw: said in one line, nothing lost."""

import json
from types import SimpleNamespace

import pytest

from onc_conformance import fhir
from onc_conformance.exchange import Exchange
from onc_conformance.fhirwork import asking, capability, refusals, searches
from onc_conformance.fhirwork.asking import Found, Got

PATIENT = {"resourceType": "Patient", "id": "1"}


def exchange(body, status=200, kind="application/fhir+json"):
    return Exchange(
        id="x1", target="t", purpose="p", method="GET", url="http://h/fhir/Patient?_id=1", request_headers=(),
        request_body=b"", status=status, response_headers=(("Content-Type", kind),), response_body=body, started="",
        seconds=0.0, sha256="",
    )  # fmt: skip


def got(body, **how):
    sent = exchange(body if isinstance(body, bytes) else json.dumps(body).encode(), **how)
    return Got("GET Patient?_id=1", sent, *asking._read(sent))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"<html>Sign in</html>", "not JSON"),
        (b'{"resourceType": "Patient"', "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"resourceType": "Patient", "a": NaN}', "NaN is no JSON number"),
        ('{"resourceType": "Patient"}'.encode("utf-16"), "not UTF-8"),
        (b"[]", "without a resourceType"),
        (b"{}", "without a resourceType"),
        (b'{"resourceType": 1}', "without a resourceType"),
    ],
)
def test_what_is_no_resource_is_said_to_be_none(body, said):
    answer = got(body)
    assert not answer.ok
    assert said in answer.trouble
    assert "\n" not in answer.said
    assert [each.rule for each in refusals.refused(answer, (404,), "SH-PAT-2")] == ["SH-PAT-2"]
    assert [each.found for each in capability.stated(answer, "SH-PAT-1")] == [answer.said]


def test_what_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(asking, "_LARGEST", 10)
    assert "of which nobody can make use" in got(PATIENT).trouble


def test_a_flaw_of_the_json_is_told_and_the_rest_is_read():
    answer = got(b'{"resourceType": "Patient", "id": "0", "id": "1"}')
    assert answer.ok
    [flaw] = answer.flawed("SH-PAT-2")
    assert (flaw.found, flaw.severity, flaw.exchange) == ("id", "error", "x1")


class _Search(searches.Search):
    """A search that was answered so."""

    def __new__(cls, *pages):
        made = object.__new__(cls)
        found = Found("Patient", (), pages, tuple(entry for page in pages for entry in asking._entries(page)))
        object.__setattr__(made, "found", lambda: found)
        object.__setattr__(made, "foil", False)
        chart = SimpleNamespace(tables=fhir.load("6.1.0"), server=SimpleNamespace(base="http://h/fhir"))
        object.__setattr__(made, "chart", chart)
        return made

    def __init__(self, *pages):
        pass


def _bundle(**other):
    link = [{"relation": "self", "url": "http://h/fhir/Patient?_id=1"}]
    entry = {"fullUrl": "http://h/fhir/Patient/1", "resource": PATIENT, "search": {"mode": "match"}}
    return {"resourceType": "Bundle", "type": "searchset", "total": 1, "link": link, "entry": [entry], **other}


@pytest.mark.parametrize(
    ("bundle", "how", "said"),
    [
        (_bundle(), {}, None),
        (_bundle(), {"kind": "text/html"}, "something else than it is"),
        (_bundle(total=7), {}, "total"),
        (_bundle(total="many"), {}, "no unsignedInt"),
        (_bundle(), {"status": 206}, "a status that is not one of success"),
        (_bundle(entry=[None, *_bundle()["entry"]]), {}, "entry is a BackboneElement"),
        (_bundle(entry=[*_bundle()["entry"], {"search": {"mode": "match"}}]), {}, "bdl-5"),
        (_bundle(entry=[{**_bundle()["entry"][0], "search": {"mode": "found"}}], total=0), {}, "no code of the value"),
        (_bundle(entry=[{**_bundle()["entry"][0], "fullUrl": "Patient/1"}]), {}, "address of an entry is not whole"),
        (_bundle(entry=[{**_bundle()["entry"][0], "fullUrl": "http://i/fhir/Patient/1"}]), {}, "not at this server"),
        (_bundle(entry=[], total=0), {}, "the list is empty"),
        (_bundle(type="collection"), {}, "no answer to a search"),
        (_bundle(link=[]), {}, "what was searched for"),
        (_bundle(entry="none"), {}, "may repeat and is written as a list"),
        ({"resourceType": "Klingon"}, {}, "was not answered"),
    ],
)
def test_a_server_that_lies_is_found_out(bundle, how, said):
    told = [each.message for each in searches.answered(_Search(got(bundle, **how)), "SH-PAT-2")]
    assert bool(told) is (said is not None)
    assert said is None or any(said in each for each in told)


def test_what_a_server_may_do_is_only_advised_against():
    entry = _bundle()["entry"][0]
    for bundle in (_bundle(entry=[], total=0), _bundle(entry=[{**entry, "fullUrl": "urn:uuid:1"}])):
        told = list(searches.answered(_Search(got(bundle)), "SH-PAT-2"))
        assert {each.severity for each in told} <= {"warning"}
    bare = {name: value for name, value in entry.items() if name not in {"search", "fullUrl"}}
    (told,) = searches.answered(_Search(got(_bundle(entry=[bare]))), "SH-PAT-2")
    assert (told.severity, told.found) == ("warning", "no address")


def test_the_total_of_every_page_is_read():
    first, second = got(_bundle(total=2)), got(_bundle(total=5, entry=[{"resource": {**PATIENT, "id": "2"}}]))
    told = [each for each in searches.answered(_Search(first, second), "SH-PAT-2") if "total" in each.message]
    assert [each.found for each in told] == ["5"]


def test_a_statement_that_breaks_rules_of_fhir_is_advised():
    statement = {
        "resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1",
        "format": ["json"], "rest": [{"mode": "server"}], "software": {"name": "s"},
        "implementation": {"description": "i"},
    }  # fmt: skip
    (told,) = capability.formed(got(statement), fhir.load("6.1.0"), "SH-PAT-1")
    assert (told.severity, told.path, told.found) == ("warning", "CapabilityStatement.date", "0")
    assert list(capability.formed(got(statement | {"date": "2026-01-01"}), fhir.load("6.1.0"), "SH-PAT-1")) == []
