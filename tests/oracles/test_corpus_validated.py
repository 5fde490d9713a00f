"""`validate` over real documents: one process and two tell the same, in every format, and nothing is a fault."""

import io
import json
from pathlib import Path

import pytest

from onc_conformance import batch

DOCUMENTS = Path(__file__).parents[3] / "shared" / "corpus" / "documents"


def told(form, **how):
    out = io.StringIO()
    code = batch.validate([DOCUMENTS], edition="uscdi-v3", form=form, out=out, **how)
    return code, out.getvalue()


@pytest.fixture(scope="module")
def lines():
    code, out = told("json")
    assert code == 1
    return [json.loads(line) for line in out.splitlines()]


def test_every_document_is_judged(lines):
    assert len(lines) == len(list(DOCUMENTS.rglob("*.xml")))
    assert {each["verdict"] for each in lines} == {"pass", "fail"}
    findings = [finding for each in lines for finding in each["findings"]]
    assert all(each["line"] for each in findings)


def test_two_processes_tell_what_one_tells(lines):
    code, out = told("json", jobs=2)
    others = [json.loads(line) for line in out.splitlines()]
    for each in (*lines, *others):
        each.pop("seconds", None)
    assert (code, others) == (1, lines)


def test_a_sarif_log_has_every_finding_at_its_line(lines):
    code, out = told("sarif")
    [run] = json.loads(out)["runs"]
    found = [
        (result["ruleId"], result["locations"][0]["physicalLocation"]["region"]["startLine"])
        for result in run["results"]
    ]
    assert code == 1
    assert found == [(finding["rule"], finding["line"]) for each in lines for finding in each["findings"]]
    assert {rule for rule, _ in found} == {each["id"] for each in run["tool"]["driver"]["rules"]}
