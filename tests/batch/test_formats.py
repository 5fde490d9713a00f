"""What a judgement becomes in each format."""

import io
import json
import re

import pytest

from onc_conformance import batch, judging
from onc_conformance.batch import sarif, text, writers
from onc_conformance.batch.work import Tally, Told
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import Judgement

ERROR, WARNING, INFO = Severity


def finding(rule, severity=ERROR, layer=Layer.TEMPLATE, **what):
    return Finding(layer=layer, severity=severity, rule=rule, message=what.pop("message", f"{rule} is broken"), **what)


def judgement(*findings, path="a b.xml", verdict="fail"):
    return Judgement(
        path=path, sha256="0" * 64, bytes=1, document_type="Care Plan", edition="uscdi-v3", verdict=verdict,
        findings=findings, seconds=dict.fromkeys((*judging.SECONDS, "total")),
    )  # fmt: skip


FINDINGS = (
    finding("1-2", path="/a/b[1]", line=3, expected="x", found="y\nz", hint="do it"),
    finding("V-1", INFO, Layer.VOCABULARY),
    finding("1-3", WARNING, line=9),
    finding("1-2", path="/a/b[2]", line=4, expected="x", found="y\nz", hint="do it"),
    finding("S-1", layer=Layer.SCHEMA, path="/a/@c", line=5, message="no \x1b[31m such thing"),
)


def test_text_says_each_thing_once_with_its_places_by_layer_and_severity():
    assert text.plain(judgement(*FINDINGS))[0].splitlines() == [
        "a b.xml: fail (Care Plan, uscdi-v3): 3 errors, 1 warning, 1 info",
        "  schema: 1 error",
        r"    S-1: no \x1b[31m such thing",
        "      line 5 /a/@c",
        "  template: 2 errors",
        r"    1-2: 1-2 is broken; expected x; found y\nz",
        "      line 3 /a/b[1]",
        "      line 4 /a/b[2]",
        "      hint: do it",
        "  template: 1 warning",
        "    1-3: 1-3 is broken",
        "      line 9",
        "  vocabulary: 1 info",
        "    V-1: V-1 is broken",
    ]


def test_text_on_a_terminal_is_the_same_in_colour():
    coloured, plain = text.coloured(judgement(*FINDINGS))[0], text.plain(judgement(*FINDINGS))[0]
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert coloured.startswith("\x1b[1;31ma b.xml: fail")


def test_the_closing_line_counts_and_names_the_layers_no_document_had():
    tally = Tally(left_out="2 others")
    tally.count(Told("pass", "", frozenset({"schema", "content"})))
    tally.count(Told("error", "", frozenset(judging.SECONDS), not_judged=3))
    said = "2 documents: 1 pass, 1 error; layers not run: schema, content; 3 codes not judged; 2 others"
    assert str(tally) == said
    assert tally.exit_code == 4


def logged(*judgements, **tallied):
    out = io.StringIO()
    writer, tally = writers.Sarif(out), Tally(**tallied)
    for each in judgements:
        told = Told(each.verdict, *writer.form(each)[:1], frozenset(), writer.form(each)[1])
        tally.count(told)
        writer.tell(told)
    writer.end(tally)
    return json.loads(out.getvalue())


def test_sarif_is_a_log_of_one_run():
    log = logged(judgement(*FINDINGS), judgement(verdict="pass"), judgement(finding("1-2"), path="/x/c.zip!d#.xml"))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert [each["ruleId"] for each in run["results"]] == ["1-2", "V-1", "1-3", "1-2", "S-1", "1-2"]
    first = run["results"][0]
    assert first["level"] == "error"
    assert first["message"] == {"text": "1-2 is broken; expected x; found y\nz"}
    [location] = first["locations"]
    assert location["physicalLocation"] == {"artifactLocation": {"uri": "a%20b.xml"}, "region": {"startLine": 3}}
    assert location["logicalLocations"] == [{"fullyQualifiedName": "/a/b[1]", "kind": "element"}]
    assert run["results"][4]["locations"][0]["logicalLocations"][0]["kind"] == "attribute"
    assert run["results"][5]["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "file:///x/c.zip!d%23.xml"}}}
    ]
    driver = run["tool"]["driver"]
    assert driver["name"] == "onc-conformance"
    assert [each["id"] for each in driver["rules"]] == ["1-2", "1-3", "S-1", "V-1"]
    assert {each["ruleId"] for each in run["results"]} == {each["id"] for each in driver["rules"]}
    assert run["invocations"] == [
        {"executionSuccessful": True, "properties": {"documents": {"pass": 1, "fail": 2, "error": 0}}}
    ]


def test_sarif_keeps_to_the_vocabulary_of_the_standard():
    """OASIS SARIF 2.1.0: 3.27.10 level, 3.33.7 kind, 3.4.3 uri, 3.30.5 startLine, 3.20.14 executionSuccessful."""
    log = logged(judgement(*FINDINGS, path="-"), judgement(*FINDINGS, path="ü:.xml"), left_out="1 other")
    assert set(log) == {"$schema", "version", "runs"}
    [run] = log["runs"]
    assert set(run) <= {"results", "tool", "invocations"}
    for result in run["results"]:
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        for location in result["locations"]:
            assert re.fullmatch(
                r"[A-Za-z0-9\-._~!$&'()*+,;=@%/]+", location["physicalLocation"]["artifactLocation"]["uri"]
            )
            assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
            assert all(each["kind"] in {"element", "attribute"} for each in location.get("logicalLocations", ()))
    [invocation] = run["invocations"]
    assert all(each["level"] in {"note", "error"} for each in invocation["toolExecutionNotifications"])


@pytest.mark.parametrize("how", [{"interrupted": True}, {}])
def test_sarif_without_a_result_is_still_a_log(how):
    [run] = logged(**how)["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])
    assert run["invocations"][0]["executionSuccessful"] is not bool(how)


def test_a_fault_of_ours_is_no_success():
    [run] = logged(judgement(finding("TOOL-FAULT", INFO, Layer.XML), verdict="error"))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_json_line_has_every_key_always(tmp_path):
    (tmp_path / "a.xml").write_bytes(b"")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04")
    out = io.StringIO()
    assert batch.validate([tmp_path / "a.xml", tmp_path / "b.zip"], edition="uscdi-v3", form="json", out=out) == 1
    for line in out.getvalue().splitlines():
        told = json.loads(line)
        assert list(told) == [
            "path", "sha256", "bytes", "document_type", "edition", "verdict", "findings", "seconds"
        ]  # fmt: skip
        assert list(told["seconds"]) == ["parse", "schema", "templates", "vocabulary", "uscdi", "content", "total"]
        assert told["verdict"] == "fail"


def test_the_schema_named_is_the_one_of_the_version():
    assert "sarif-schema-2.1.0" in sarif.SCHEMA
