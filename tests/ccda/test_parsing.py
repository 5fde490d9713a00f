"""Hostile and broken input: one located finding each, never an exception, nothing fetched."""

from __future__ import annotations

import socket
import time

import pytest

from onc_conformance.ccda import Document
from onc_conformance.ccda.parsing import MAX_BYTES
from onc_conformance.findings import Layer, Severity

HEAD = b'<?xml version="1.0"?>'
GOOD = b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>x</title></ClinicalDocument>'
BOMB = b"".join(
    [
        b'<!DOCTYPE b [<!ENTITY a0 "ha">',
        *(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)),
        b"]>",
    ]
)


@pytest.mark.parametrize(
    ("data", "rule", "place"),
    [
        (b"", "XML-EMPTY", (1, 1)),
        (b" \n\t", "XML-EMPTY", (1, 1)),
        (b"Error: session expired", "XML-MALFORMED", (1, 1)),
        (GOOD[:-5], "XML-MALFORMED", (1, 72)),
        (HEAD + b"\n<a>\n<b></a>", "XML-MALFORMED", (3, 8)),
        (b"<!doctype html><html><body>Log in</body></html>", "XML-HTML", (1, 1)),
        (b"\n <html><form></html>", "XML-HTML", (2, 2)),
        (HEAD + b"<!-- hi --><HTML/>", "XML-HTML", (1, 33)),
        (b'\n{"error": "no"}', "XML-JSON", (2, 1)),
        (b"[]", "XML-JSON", (1, 1)),
        (BOMB + b"<b>&a11;</b>", "XML-ENTITY", (1, 14)),
        (b"<!-- a -->\n<!DOCTYPE b [\n<!ENTITY x SYSTEM 'file:///etc/passwd'>]><b>&x;</b>", "XML-ENTITY", (3, 1)),
        (b"<!DOCTYPE b [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'> %x;]><b/>", "XML-ENTITY", (1, 14)),
        (b"<!DOCTYPE b SYSTEM 'a>b' [<!ENTITY x 'y'>]><b>&x;</b>", "XML-ENTITY", (1, 1)),
        (("<!DOCTYPE b [<!ENTITY x 'y'>]><b>&x;</b>").encode("utf-16"), "XML-ENTITY", (1, 14)),
        (b"<a>" * 60_000, "XML-LIMIT", (1, 771)),
        (b"<a>" * 60_000 + b"</a>" * 60_000, "XML-LIMIT", (1, 771)),
        (HEAD + b"<a>\xff\xfe\xe9</a>", "XML-ENCODING", (1, 25)),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "XML-ENCODING", (1, 39)),
        (b"<a>" + b"x" * 10_000_001 + b"</a>", "XML-LIMIT", None),
        (b" " * (MAX_BYTES + 1), "XML-TOO-LARGE", (1, 1)),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "XML-NOT-CCDA", (1, 1)),
        (b"<ClinicalDocument/>", "XML-NOT-CCDA", (1, 1)),
    ],
)
def test_what_cannot_be_read_is_one_located_finding(data, rule, place):
    doc = Document(data, "0007")
    [finding] = doc.findings
    assert doc.root is None
    assert doc.type == "unreadable"
    assert (finding.layer, finding.severity, finding.rule) == (Layer.XML, Severity.ERROR, rule)
    assert finding.exchange == "0007"
    if place:
        assert f"(line {place[0]}, column {place[1]})" in finding.message
        assert finding.line == place[0]
    assert (doc.facts, doc.people, doc.sections) == ((), (), ())


def test_a_login_page_is_called_one():
    [finding] = Document(b"<html><body><form/></body></html>").findings
    assert "an HTML page came back instead of XML; is this a login page?" in finding.message


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        b"\xef\xbb\xbf" + HEAD + GOOD,
        ('<?xml version="1.0" encoding="UTF-16"?>' + GOOD.decode()).encode("utf-16"),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + GOOD.replace(b">x<", b">\xe9<"),
        b"<!DOCTYPE ClinicalDocument SYSTEM 'http://127.0.0.1:9/cda.dtd'>" + GOOD,
        GOOD.replace(b">x<", b"><![CDATA[<!DOCTYPE x [<!ENTITY a 'b'>]>]]><"),
    ],
)
def test_what_is_only_unusual_is_read(data, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("something was fetched"))
    doc = Document(data)
    assert doc.findings == ()
    assert doc.is_whole


def test_a_broken_namespace_is_an_error_and_the_rest_is_still_judged():
    doc = Document(GOOD.replace(b"<title>", b'<title xsi:type="ST">'))
    [finding] = doc.findings
    assert finding.rule == "XML-NAMESPACE"
    assert finding.line == 1
    assert doc.is_whole


def test_a_prolog_of_comments_costs_no_more_than_its_length():
    began = time.perf_counter()
    Document(b"<?a ?> <!-- b --> " * 20_000 + b"<a/>")
    assert time.perf_counter() - began < 2
