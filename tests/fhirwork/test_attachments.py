"""Attachments: opened where they can be, and held against what they say of themselves."""

import base64
import hashlib
import json
from types import SimpleNamespace

import pytest
from tests.fhirwork.charts import Paper, code
from tests.fhirwork.test_bad_answers import exchange

from onc_conformance.fhirwork import asking, attachments
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import NotApplicable, NotTested

NOTE = b"Feels well."
SHA1 = base64.b64encode(hashlib.sha1(NOTE, usedforsecurity=False).digest()).decode()
BASE = "http://h/fhir"


def binary(data=NOTE, kind="text/plain"):
    content = base64.b64encode(data).decode()
    return json.dumps({"resourceType": "Binary", "id": "1", "contentType": kind, "data": content}).encode()


def served(body, kind="application/fhir+json", status=200, headers=()):
    sent = exchange(body, status=status, kind=kind)
    sent = SimpleNamespace(**{name: getattr(sent, name) for name in sent.__dataclass_fields__}, media_type=kind)
    sent.header = dict(headers).get
    return Got("GET Binary/1", sent, *asking._read(exchange(body, status=status, kind=kind)))


def chart(*resources, answer=None):
    server = SimpleNamespace(
        base=BASE, read=lambda _subject, path: answer if path == "Binary/1" else served(b"", status=404)
    )
    made = Paper("p", *resources, server=server)
    held = Got("GET everything", exchange(b"{}"), {}, None)
    made.__dict__["own"] = {key: Kept(kept.resource, held) for key, kept in made.own.items()}
    return made


def document(**attachment):
    return {"resourceType": "DocumentReference", "id": "d", "content": [{"attachment": attachment}]}


def report(category="LP29708-2", **attachment):
    return {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "category": [code("l", category)],
        "presentedForm": [attachment],
    }


def objections(attachment, answer=None):
    found = list(attachments.opened([chart(document(**attachment), answer=answer)], "DAT-PAT-4"))
    return [(each.message.partition("the attachment ")[2], each.expected, each.found) for each in found]


@pytest.mark.parametrize(
    "answer",
    [served(binary()), served(NOTE, kind="text/plain"), served(NOTE, kind="application/octet-stream")],
)
def test_what_is_true_in_every_way_of_serving_it_is_not_objected_to(answer):
    told = {"contentType": "text/plain; charset=utf-8", "size": len(NOTE), "hash": SHA1}
    for url in ("Binary/1", f"{BASE}/Binary/1"):
        assert objections({**told, "url": url}, answer) == []
    assert objections({**told, "data": base64.b64encode(NOTE).decode()}) == []


def test_nothing_is_said_of_what_is_elsewhere_or_absent():
    onward = served(b"", kind="text/plain", status=302, headers={"location": "https://files.example/1"}.items())
    assert objections({"url": "https://files.example/1"}) == []
    assert objections({"url": "Binary/1"}, onward) == []
    assert objections({"_url": {"extension": []}}) == []


@pytest.mark.parametrize(
    ("told", "answer", "what"),
    [
        ({"size": 7}, served(binary()), ("is not of the size that it says", "11", "7")),
        ({"hash": "x"}, served(binary()), ("is not of the hash that it says", SHA1, "x")),
        (
            {"contentType": "application/pdf"},
            served(binary()),
            ("is not of the contentType that it says", "text/plain", "application/pdf"),
        ),
        (
            {"contentType": "text/plain"},
            served(b"<html>Log in", kind="text/html"),
            ("is not of the contentType that it says", "text/html", "text/plain"),
        ),
    ],
)
def test_an_attachment_says_of_itself_what_it_is(told, answer, what):
    assert objections({"url": "Binary/1", **told}, answer) == [what]
    assert objections({"data": base64.b64encode(NOTE).decode(), "size": 7}) == [
        ("is not of the size that it says", "11", "7")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        served(b"", kind="text/plain"),
        served(binary(b"")),
        served(b'{"resourceType": "OperationOutcome", "issue": []}'),
        served(NOTE, kind="text/plain", status=500),
    ],
)
def test_what_holds_nothing_cannot_be_opened(answer):
    ((message, _, _),) = objections({"url": "Binary/1"}, answer)
    assert message == "cannot be opened"
    assert [message for message, _, _ in objections({"title": "none"})] == ["cannot be opened"]


def test_kinds_of_xml_are_the_same_file():
    assert (
        objections({"url": "Binary/1", "contentType": "application/hl7-v3+xml"}, served(b"<a/>", kind="text/xml")) == []
    )


def test_a_narrative_report_is_a_document_too():
    both = chart(report(url="Binary/1"), document(url=f"{BASE}/Binary/1"))
    assert list(attachments.shared([both], "DAT-PAT-4")) == []
    (lost,) = attachments.shared([chart(report(url="Binary/1"), document(url="Binary/2"))], "DAT-PAT-4")
    assert (lost.severity, lost.expected) == ("error", "a DocumentReference with Binary/1")
    for other in (report("LAB", url="Binary/1"), report(data="eA==")):
        with pytest.raises(NotApplicable):
            list(attachments.shared([chart(other)], "DAT-PAT-4"))
    with pytest.raises(NotTested):
        list(attachments.opened([chart()], "DAT-PAT-4"))
