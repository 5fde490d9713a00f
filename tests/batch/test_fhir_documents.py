"""`validate` before FHIR: resources, Bundles, files with a resource on each line, and what is none of these."""

import io
import json
import zipfile

import pytest

from onc_conformance import batch
from onc_conformance.batch import archives
from onc_conformance.fhir import reading
from onc_conformance.findings import UsageError
from onc_conformance.judging import resources

PATIENT = {
    "resourceType": "Patient", "id": "ann", "identifier": [{"system": "http://example.org", "value": "1"}],
    "name": [{"family": "Lee"}], "gender": "female",
}  # fmt: skip


def run(path, **what):
    out = io.StringIO()
    code = batch.validate([path], **{"edition": "uscdi-v3", "form": "json", "out": out, **what})
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def rules(told):
    return [each["rule"] for each in told["findings"] if each["severity"] == "error"]


def test_a_resource_is_told_as_a_document_is(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(PATIENT))
    code, [told] = run(path)
    assert (code, told["verdict"], told["document_type"]) == (0, "pass", "Patient (us-core-patient)")
    assert told["edition"] == "uscdi-v3, US Core 6.1.0"
    assert set(told) == {"path", "sha256", "bytes", "document_type", "edition", "verdict", "findings", "seconds"}
    assert told["seconds"]["uscdi"] is None
    code, [told] = run(path, us_core="7.0.0", profiles=["us-core-practitioner"])
    assert (code, told["edition"], rules(told)) == (1, "uscdi-v3, US Core 7.0.0", ["FHIR-PROFILE"])


def test_a_profile_asked_for_is_that_of_the_resources_of_its_type_in_a_bundle(tmp_path, monkeypatch):
    other = {"resourceType": "Basic", "code": {"text": "x"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Practitioner"}}]}
    bundle["entry"].append({"resource": other})
    (tmp_path / "a.json").write_text(json.dumps(bundle))
    for least in (reading.LARGE, 10):
        monkeypatch.setattr(reading, "LARGE", least)
        [told] = run(tmp_path, profiles=["us-core-practitioner"])[1]
        assert {each.partition("#")[0] for each in rules(told)} == {"us-core-practitioner"}


def test_the_version_is_that_of_the_edition(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(PATIENT))
    assert run(tmp_path, edition="svap-uscdi-v4")[1][0]["edition"] == "svap-uscdi-v4, US Core 7.0.0"
    for wrong in ({"us_core": "1.0"}, {"profiles": ["us-core-klingon"]}):
        with pytest.raises(UsageError):
            run(tmp_path, **wrong)


def test_each_line_is_a_document_and_a_bad_one_takes_no_other_with_it(tmp_path):
    lines = [json.dumps(PATIENT), "", "{", json.dumps({**PATIENT, "gender": "f"}), "[]"]
    (tmp_path / "a.ndjson").write_text("\n".join(lines))
    for jobs in (1, 2):
        code, told = run(tmp_path, jobs=jobs)
        assert code == 1
        assert [(each["path"].rpartition(":")[2], rules(each)) for each in told] == [
            ("1", []), ("3", ["JSON-SYNTAX"]), ("4", ["FHIR-BINDING"]), ("5", ["FHIR-RESOURCE"]),
        ]  # fmt: skip
        assert [{one["line"] for one in each["findings"]} for each in told] == [{1}, {3}, {4}, {5}]


def test_the_shortest_lines_are_lines(tmp_path):
    (tmp_path / "a.ndjson").write_bytes(b"{}\n[]\n\n1")
    told = run(tmp_path)[1]
    assert [each["path"].rpartition(":")[2] for each in told] == ["1", "2", "4"]
    assert [rules(each) for each in told] == [["FHIR-RESOURCE"]] * 3


def test_a_line_too_long_is_refused_and_the_next_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 300)
    (tmp_path / "a.ndjson").write_text(f"{json.dumps({'x': 'y' * 400})}\n{json.dumps(PATIENT)}\n")
    assert [rules(each) for each in run(tmp_path)[1]] == [["JSON-TOO-LARGE"], []]


def test_zips_and_folders_hold_fhir_beside_documents(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.json", json.dumps(PATIENT))
        archive.writestr("b.ndjson", f"{json.dumps(PATIENT)}\n{json.dumps(PATIENT)}\n")
    assert [each["path"].rpartition("z.zip")[2] for each in run(tmp_path / "z.zip")[1]] == [
        "!a.json",
        "!b.ndjson:1",
        "!b.ndjson:2",
    ]


def test_a_stream_may_have_a_resource_on_each_line(tmp_path, monkeypatch):
    for text, many in ((json.dumps(PATIENT, indent=1), 1), (f"{json.dumps(PATIENT)}\n{json.dumps(PATIENT)}", 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert len(run("-")[1]) == many


@pytest.mark.parametrize("at_once", [500, 2, 1])
def test_a_large_bundle_is_judged_entry_by_entry_as_a_small_one_is_at_once(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(resources, "_AT_ONCE", at_once)
    entries = [
        {"fullUrl": f"http://x.y/{n}", "resource": {**PATIENT, "gender": "f" if n == 2 else "male"}} for n in range(4)
    ]
    entries.append({"fullUrl": "http://x.y/0", "resource": PATIENT})
    entries[3] |= {"search": {"mode": "match"}, "colour": "blue"}
    (tmp_path / "a.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    whole = run(tmp_path)[1][0]
    monkeypatch.setattr(reading, "LARGE", 10)
    parts = run(tmp_path)[1][0]
    key = lambda each: (each["rule"], each["xpath"] or "")  # noqa: E731 - twice the same order
    assert [key(each) for each in sorted(whole["findings"], key=key)] == [
        key(each) for each in sorted(parts["findings"], key=key)
    ]
    assert set(rules(whole)) == {"bdl-2", "bdl-7", "FHIR-BINDING", "FHIR-UNKNOWN"}
    assert parts["document_type"] == "Bundle"


def test_advice_true_of_many_resources_is_told_once(tmp_path):
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}, {"resource": PATIENT}]}
    (tmp_path / "a.json").write_text(json.dumps(bundle))
    [one] = [each for each in run(tmp_path)[1][0]["findings"] if each["rule"] == "dom-6"]
    assert one["found"] == "2"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"{", "JSON-SYNTAX"),
        (b"hello", "JSON-SYNTAX"),
        (b"", "JSON-SYNTAX"),
        (b"{}", "FHIR-RESOURCE"),
        (b'{"resourceType": "Klingon"}', "FHIR-RESOURCE"),
        (b"[" * 999, "JSON-DEPTH"),
    ],
)
def test_what_is_no_fhir_is_a_located_finding(tmp_path, data, rule):
    (tmp_path / "a.json").write_bytes(data)
    code, [told] = run(tmp_path)
    assert (code, rules(told)) == (1, [rule])
    assert told["findings"][0]["line"] or told["findings"][0]["xpath"] or rule == "JSON-DEPTH"
