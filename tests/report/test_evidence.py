"""The evidence folder: every exchange, masked."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from onc_conformance.redaction import Secrets
from onc_conformance.report import evidence


@pytest.fixture(scope="module")
def folder(written):
    return written / "evidence"


def test_one_file_set_for_each_exchange(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "0001.json", "0001.request.txt", "0001.response.json",
        "0002.json", "0002.request.txt", "0002.response.xml",
        "0003.json", "0003.request.txt", "index.json",
    ]  # fmt: skip


def test_the_record_has_the_facts_and_the_curl_line(folder):
    facts = json.loads((folder / "0002.json").read_text())
    assert (facts["status"], facts["seconds"], facts["bytes"]) == (200, 0.0421, 19)
    assert facts["sha256"] == hashlib.sha256(b"<ClinicalDocument/>").hexdigest()
    assert facts["curl"].startswith("curl ")
    assert "https://ehr.example/all?key=***" in facts["curl"]
    assert ["Content-Type", "text/xml; charset=utf-8"] in facts["response_headers"]
    assert not facts["altered"]


def test_the_request_reads_as_it_was_sent(folder):
    assert (folder / "0002.request.txt").read_text() == (
        "POST https://ehr.example/all?key=***\nAccept: text/xml\nX-Note: ***\n\npass=***"
    )


def test_the_answer_is_kept_as_it_came(folder):
    assert (folder / "0002.response.xml").read_bytes() == b"<ClinicalDocument/>"


def test_an_exchange_without_an_answer_says_why(folder):
    facts = json.loads((folder / "0003.json").read_text())
    assert (facts["status"], facts["error"], facts["response"]) == (None, "refuses connections", None)


def test_the_index_lists_all_in_order(folder):
    index = json.loads((folder / "index.json").read_text())
    assert [(each["id"], each["file"]) for each in index] == [(f"000{n}", f"000{n}.json") for n in (1, 2, 3)]


def test_digests_keep_no_bodies(tmp_path, exchanged, secret):
    body = b"<chart>Newman has the flu</chart>"
    entry = evidence.record(exchanged(7, body=body), tmp_path, Secrets({"P": secret}), bodies=False)
    assert [path.name for path in tmp_path.iterdir()] == ["0007.json"]
    kept = (tmp_path / "0007.json").read_text()
    assert "flu" not in kept
    assert "pass=" not in kept
    assert entry.sha256 == hashlib.sha256(body).hexdigest() in kept
    assert hashlib.sha256(f"pass={secret}".encode()).hexdigest() in entry.curl


def test_a_body_that_had_to_be_masked_says_so(tmp_path, exchanged, secret):
    body = f'<a token="{base64.b64encode(secret.encode()).decode()}"/>'.encode()
    entry = evidence.record(exchanged(8, body=body), tmp_path, Secrets({"P": secret}))
    assert entry.altered
    assert entry.sha256 == hashlib.sha256(body).hexdigest()
    assert base64.b64encode(secret.encode()) not in (tmp_path / "0008.response.xml").read_bytes()


@pytest.mark.parametrize(
    ("media_type", "body", "expected"),
    [
        ("application/fhir+json", b"{}", "json"),
        ("text/html", b"<html/>", "html"),
        ("application/hl7-cda+xml", b"<a/>", "xml"),
        ("", b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "xml"),
        ("", b"\n<!DOCTYPE HTML><p>", "html"),
        ("text/plain", b'[{"a": 1}]', "json"),
        ("text/plain", b"error 17", "txt"),
        ("application/octet-stream", b"%PDF\xff\xfe", "bin"),
    ],
)
def test_the_name_of_an_answer_tells_its_form(exchanged, media_type, body, expected):
    headers = (("Content-Type", media_type),) if media_type else ()
    assert evidence.extension(exchanged(1, body=body, response_headers=headers)) == expected


def test_what_other_processes_wrote_is_collected_in_order(tmp_path, exchanged):
    for number in (3, 1, 2):
        evidence.record(exchanged(number), tmp_path, Secrets())
    assert [entry.id for entry in evidence.collect(tmp_path)] == ["0001", "0002", "0003"]


def test_an_empty_run_has_an_empty_index(tmp_path):
    assert evidence.collect(tmp_path / "evidence") == ()
    assert json.loads((tmp_path / "evidence" / "index.json").read_text()) == []
