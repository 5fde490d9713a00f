"""The JSON Schema beside the form is the form's."""

from __future__ import annotations

import json
import runpy

from onc_conformance import record, suite


def test_the_schema_kept_is_the_schema_of_the_form():
    kept = json.loads((suite.schemas() / "record.schema.json").read_text(encoding="utf-8"))
    assert kept == record.schema(), "run: python -m onc_conformance.record > schemas/record.schema.json"


def test_the_schema_can_be_written_anew(capsys):
    runpy.run_module("onc_conformance.record", run_name="__main__")
    assert json.loads(capsys.readouterr().out) == record.schema()


def test_code_systems_have_a_name_an_oid_and_a_uri():
    assert all(set(entry) == {"title", "oid", "uri"} for entry in record.systems().values())
    assert len({entry["oid"] for entry in record.systems().values()}) == len(record.systems())
    assert record.system_of("2.16.840.1.113883.6.96") == "snomed"
    assert record.system_of("1.2.3") == "1.2.3"
