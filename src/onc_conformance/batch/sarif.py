"""A judgement as results of SARIF 2.1.0 (OASIS), for editors and code scanning.

A log is one JSON object. Its results come first and its table of rules last, so that it can be written while documents
are judged and nothing but the rules is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import onc_conformance
from onc_conformance.batch.work import Tally
from onc_conformance.findings import Finding, Severity
from onc_conformance.judging import Judgement

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HEAD = f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [{{"results": ['
"""What stands before the first result."""
SEPARATOR = ",\n"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ABOUT = {
    "xml": "what makes a document readable",
    "schema": "the schema of CDA R2 with the SDTC extensions",
    "template": "a conformance statement of C-CDA",
    "vocabulary": "a code, its value set or its form",
    "uscdi": "what the edition demands of a document",
    "content": "a fact of the expected record",
    "dates": "what a window of dates may bring",
}


def results(judgement: Judgement) -> tuple[str, Mapping[str, str]]:
    """One result for each finding, parted by SEPARATOR; nothing for a document without."""
    uri = _uri(judgement.path)
    said = SEPARATOR.join(json.dumps(_result(each, uri)) for each in judgement.findings)
    return said, {each.rule: str(each.layer) for each in judgement.findings}


def tail(tally: Tally) -> str:
    """What stands after the last result: the rules, and how it went."""
    invocation: dict[str, Any] = {
        "executionSuccessful": not (tally.verdicts["error"] or tally.interrupted),
        "properties": {"documents": {each: tally.verdicts[each] for each in ("pass", "fail", "error")}},
    }
    notes = [("note", f"layers not run: {', '.join(sorted(tally.layers_not_run))}")] if tally.layers_not_run else []
    notes += [("note", tally.left_out)] if tally.left_out else []
    notes += [("error", "interrupted; what was gathered is here")] if tally.interrupted else []
    if many := tally.verdicts["error"]:
        notes.append(("error", f"this tool failed to judge {many} of the documents; their results say why"))
    if notes:
        said = [{"level": level, "message": {"text": text}} for level, text in notes]
        invocation["toolExecutionNotifications"] = said
    driver = {
        "name": "onc-conformance",
        "version": onc_conformance.__version__,
        "rules": [
            {"id": rule, "shortDescription": {"text": _about(rule, layer)}, "properties": {"layer": layer}}
            for rule, layer in sorted(tally.rules.items())
        ],
    }
    return f'\n], "invocations": [{json.dumps(invocation)}], "tool": {{"driver": {json.dumps(driver)}}}}}]}}\n'


def _about(rule: str, layer: str) -> str:
    return f"{rule}: {_ABOUT.get(layer, layer)}"


def _result(finding: Finding, uri: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.line:
        physical["region"] = {"startLine": finding.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.path:
        kind = "attribute" if finding.path.rpartition("/")[2].startswith("@") else "element"
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path, "kind": kind}]
    more = {"expected": finding.expected, "found": finding.found, "hint": finding.hint}
    parts = [finding.message, *(f"{name} {more[name]}" for name in ("expected", "found") if more[name] is not None)]
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": "; ".join(parts)},
        "locations": [location],
        "properties": {"layer": str(finding.layer), **{name: said for name, said in more.items() if said is not None}},
    }


def _uri(path: str) -> str:
    """A relative reference, or a file URI; what is within a zip follows after `!`."""
    said = quote(Path(path).as_posix().encode("utf-8", "surrogateescape"), safe="/!~@=+,;()'$&*")
    return f"file://{said}" if said.startswith("/") else said
