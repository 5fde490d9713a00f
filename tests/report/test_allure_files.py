"""What stands around Allure's results, and the last line of defence over them."""

from __future__ import annotations

import json

import pytest

from onc_conformance.redaction import Secrets
from onc_conformance.report import allure, write


def test_the_environment_names_edition_tool_and_products(written):
    lines = (written / "allure-results" / "environment.properties").read_text("ascii").splitlines()
    assert "Edition=uscdi-v3 (HTI-1, USCDI v3)" in lines
    assert "Target\\ acme=Acme EHR 8.4, Acme & Sons" in lines
    assert "Target\\ brand=Brand" in lines


def test_properties_are_ascii_whatever_the_vendor_is_called(build, tmp_path):
    from onc_conformance.report import Product

    run = build(targets=(Product(id="a:b", title="", name="Übung \\ 😀\nx"),))
    allure.write(run, tmp_path)
    assert (tmp_path / "environment.properties").read_text("ascii").splitlines()[-1] == (
        "Target\\ a\\:b=\\u00dcbung \\\\ \\ud83d\\ude00\\nx"
    )


def test_categories_tell_their_fault_from_ours(written):
    categories = json.loads((written / "allure-results" / "categories.json").read_text())
    statuses = {each["name"]: each["matchedStatuses"] for each in categories}
    assert statuses["The target does not conform"] == ["failed"]
    assert statuses["A fault in this tool"] == ["broken"]
    assert statuses["Not tested"] == ["skipped"]


def test_the_executor_is_this_tool(written):
    executor = json.loads((written / "allure-results" / "executor.json").read_text())
    assert executor["name"] == "onc-conformance 0.1.0"


def test_a_secret_in_a_result_is_masked_at_the_end(written, secret):
    text = (written / "allure-results" / "a-result.json").read_text()
    assert json.loads(text) == {"name": "t", "trace": "said ***"}
    assert secret not in text


def test_masking_leaves_json_json_and_other_files_what_they_are(tmp_path):
    secrets = Secrets({"P": "passed-and-gone"})
    (tmp_path / "a-result.json").write_text('{"passed-and-gone": ["passed-and-gone", 1, null]}')
    (tmp_path / "b-attachment.txt").write_text("pass it: passed-and-gone")
    (tmp_path / "c-attachment.json").write_text("{broken passed-and-gone")
    (tmp_path / "d-attachment.bin").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "e-result.json").write_text('{"kept":  "as it was"}')
    assert allure.finish(tmp_path, tmp_path / "evidence", secrets) == 3
    assert json.loads((tmp_path / "a-result.json").read_text()) == {"***": ["***", 1, None]}
    assert (tmp_path / "b-attachment.txt").read_text() == "pass it: ***"
    assert (tmp_path / "c-attachment.json").read_text() == "{broken ***"
    assert (tmp_path / "d-attachment.bin").read_bytes() == b"\xff\xfe\x00"
    assert (tmp_path / "e-result.json").read_text() == '{"kept":  "as it was"}'


def test_without_allure_results_none_are_made(run, tmp_path):
    write(run, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "attestations.toml", "dossier.html", "evidence", "junit.xml", "results.json",
    ]  # fmt: skip


PROMISES = {
    "name": "t",
    "steps": [
        {
            "name": "s",
            "attachments": [
                {"name": "exchange", "source": "request-0002-attachment.txt"},
                {"name": "answer", "source": "answer-0002-attachment.xml"},
                {"name": "lost", "source": "request-0042-attachment.txt"},
            ],
        }
    ],
}


def kept(folder):
    (test,) = (json.loads(path.read_text()) for path in folder.glob("*-result.json"))
    return [each["name"] for each in test["steps"][0]["attachments"]]


@pytest.mark.parametrize(("bodies", "names"), [(True, ["exchange", "answer"]), (False, ["exchange"])])
def test_promised_exchanges_come_out_of_the_evidence_as_far_as_it_goes(build, tmp_path, bodies, names):
    results = tmp_path / "run" / "allure-results"
    results.mkdir(parents=True)
    (results / "a-result.json").write_text(json.dumps(PROMISES))
    write(build(bodies=bodies), tmp_path / "run")
    assert kept(results) == names
    told = (results / "request-0002-attachment.txt").read_text()
    assert told.startswith("curl -sS")
    assert "status 200\nContent-Type: text/xml" in told
    if bodies:
        assert (results / "answer-0002-attachment.xml").read_bytes() == b"<ClinicalDocument/>"
    else:
        assert list(results.glob("answer-*")) == []


def test_a_fixture_that_broke_is_kept(tmp_path):
    from allure_commons.model2 import TestBeforeResult, TestResultContainer

    from onc_conformance.report.shelf import Shelf

    fine = TestResultContainer(uuid="1", befores=[TestBeforeResult(name="a", status="passed")])
    broken = TestResultContainer(uuid="2", befores=[TestBeforeResult(name="b", status="broken")])
    shelf = Shelf(tmp_path)
    shelf.report_container(fine)
    shelf.report_container(broken)
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text())["uuid"] == "2"
