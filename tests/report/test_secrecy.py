"""No declared secret is in any file a run writes, in any dress."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, quote_plus

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from onc_conformance.redaction import Secrets
from onc_conformance.report import write

VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=12, max_size=30)


def dresses(value):
    raw = value.encode()
    return {
        value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], html.escape(value), raw.hex(),
        base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
    }  # fmt: skip


@given(VALUES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_secret_reaches_a_file(build, exchanged, value):
    plain = build()
    with TemporaryDirectory() as folder:
        write(plain, Path(folder) / "run")
        usual = "".join(path.read_text("utf-8") for path in (Path(folder) / "run").rglob("*") if path.is_file())
    assume(not any(dress in usual for dress in dresses(value)))  # a word of the reports is no secret
    spilled = " ; ".join(sorted(dresses(value)))
    finding = next(each for each in plain.settlement.findings if each.severity == "error")
    results = tuple(
        replace(each, reason=spilled, findings=(replace(finding, message=spilled, found=spilled, path=spilled),))
        for each in plain.results
    )
    steps = tuple(
        replace(
            each,
            targets=tuple(
                replace(outcome, reason=spilled, scenarios=tuple(r for r in results if outcome.target == r.target))
                for outcome in each.targets
            ),
        )
        for each in plain.settlement.steps
    )
    run = replace(
        plain,
        settlement=replace(plain.settlement, steps=steps, warnings=(spilled,)),
        results=results,
        command=spilled,
        exchanges=(
            exchanged(
                1, url=f"https://ehr.example/?t={quote(value)}", request_body=spilled.encode(), purpose=spilled,
                body=spilled.encode(), response_headers=(("X-Back", quote(value)), ("Content-Type", "text/plain")),
                error=spilled,
            ),
        ),
        secrets=Secrets({"P": value}),
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        (Path(folder) / "run" / "allure-results").mkdir(parents=True)
        (Path(folder) / "run" / "allure-results" / "x-attachment.txt").write_text(spilled)
        write(run, Path(folder) / "run")
        for path in (Path(folder) / "run").rglob("*"):
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                assert not [dress for dress in dresses(value) if dress in text], path.name
