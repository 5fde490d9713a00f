"""One small run that has something of everything, written once for the tests that only read it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from onc_conformance.exchange import Exchange
from onc_conformance.findings import Finding, Layer, Outcome, Severity
from onc_conformance.gate import Attestation, Excuse, ScenarioResult, exit_code, settle
from onc_conformance.procedure import Criterion, Edition, Step
from onc_conformance.redaction import Secrets
from onc_conformance.report import LayerNotRun, Product, Run, write

SECRET = "correct horse&battery/staple"
EDITION = "uscdi-v3"
STARTED = datetime(2026, 11, 22, 22, 18, 5, tzinfo=UTC)


def _step(step_id, paragraph, coverage="automated", editions=(EDITION,)):
    return Step(
        id=step_id, criterion=step_id[:2].lower(), paragraph=paragraph, title=f"About {paragraph}", role="TLV",
        text=f"What {step_id} asks for.", editions=editions, coverage=coverage, fixed_edition=None,
    )  # fmt: skip


STEPS = (
    _step("G7-I-TLV-1", "(g)(7)(i)"),
    _step("G7-I-TLV-2", "(g)(7)(i)"),
    _step("G7-IIA1-TLV-1", "(g)(7)(ii)(A)(1)", "both"),
    _step("G7-IIA2-TLV-1", "(g)(7)(ii)(A)(2)", "attested"),
    _step("G9-IA-TLV-1", "(g)(9)(i)(A)(1)"),
    _step("G9-IB-TLV-1", "(g)(9)(i)(B)"),
    _step("G9-IB-TLV-2", "(g)(9)(i)(B)", editions=("ccds-2015",)),
)
WRONG = Finding(
    layer=Layer.SECURITY,
    severity=Severity.ERROR,
    rule="G9-IA-TLV-1",
    message="The document is of <another> patient",
    path="/ClinicalDocument/recordTarget",
    line=32,
    expected="Newman",
    found=f"Larson of {SECRET}",
    hint="compare the id asked for",
    exchange="0002",
    target="acme",
)
WARNED = replace(
    WRONG, severity=Severity.WARNING, message="The exception is not the documented one", found="status 200"
)
UNJUDGED = Finding(
    layer=Layer.VOCABULARY,
    severity=Severity.INFO,
    rule="VOC-NOT-JUDGED",
    message="LOINC 1-8 is unknown here",
    found="1",
)


def result(step, target, outcome, **facts):
    return ScenarioResult(
        **{
            "steps": (step,),
            "target": target,
            "criterion": step[:2].lower(),
            "feature": "A feature",
            "name": f"{step} holds",
            "edition": EDITION,
            "outcome": Outcome(outcome),
            "seconds": 0.25,
            **facts,
        }
    )


def exchange(number, target="acme", body=b"<ClinicalDocument/>", **facts):
    return Exchange(
        **{
            "id": f"{number:04}",
            "target": target,
            "purpose": "all data of Alice Newman",
            "method": "POST",
            "url": f"https://ehr.example/all?key={SECRET}",
            "request_headers": (("Accept", "text/xml"), ("X-Note", SECRET)),
            "request_body": f"pass={SECRET}".encode(),
            "status": 200,
            "response_headers": (("Content-Type", "text/xml; charset=utf-8"),),
            "response_body": body,
            "started": f"2026-11-22T22:18:{number:02}.000Z",
            "seconds": 0.0421,
            "sha256": hashlib.sha256(body).hexdigest(),
            **facts,
        }
    )


def make_run(**changes):
    results = (
        result("G7-I-TLV-1", "acme", "passed", exchanges=("0001",)),
        result("G7-I-TLV-1", "acme", "passed", name="A near name singles out nobody", beyond=True, findings=(WARNED,)),
        result("G7-I-TLV-1", "brand", "passed"),
        result("G7-I-TLV-2", "acme", "error", reason=f"KeyError: {SECRET}"),
        result("G7-I-TLV-2", "brand", "not_tested", reason="no token", blocked_by="G7-I-TLV-1"),
        result("G7-IIA1-TLV-1", "acme", "passed"),
        result("G9-IA-TLV-1", "acme", "failed", findings=(WRONG, UNJUDGED), exchanges=("0002", "0003")),
        result("G9-IB-TLV-1", "acme", "not_tested", reason="no expected record"),
    )
    attestation = Attestation(
        step="G7-IIA2-TLV-1", target="acme", who="R. Proctor", when=date(2026, 11, 1), statement="All “there”.",
        evidence="page.html", sha256="ab" * 32, expires=date(2027, 11, 1), demonstration=True,
    )  # fmt: skip
    excuses = (
        Excuse(step="G9-IB-TLV-1", target="acme", reason="Dated data come later", expires=date(2026, 12, 31)),
        Excuse(step="G7-I-TLV-1", target=None, reason="over", expires=date(2026, 12, 31)),
    )
    claims = {"acme": ("g7", "g9"), "brand": ("g7",)}
    settlement = settle(
        STEPS, results, edition=EDITION, claims=claims, criteria={"g7", "g9"}, today=date(2026, 11, 22),
        attestations=[attestation], excuses=excuses, interrupted=changes.get("interrupted", False),
    )  # fmt: skip
    facts = {
        "version": "0.1.0",
        "rules": {"procedures/g7.yaml": "cd" * 32},
        "targets": (
            Product(
                id="acme", title="Acme API", name="Acme EHR", version="8.4", developer="Acme & Sons",
                chpl_id="15.04.04.1234", setting="ambulatory", criteria=claims["acme"],
                base_urls=("https://ehr.example",),
            ),
            Product(id="brand", title="Brand", criteria=claims["brand"], unreachable="refused the connection"),
        ),
        "edition": Edition(
            EDITION, "HTI-1, USCDI v3", "USCDI v3", "in force", None, {}, {"elements": "v3"}, "6.1.0", "2.0.0"
        ),
        "criteria": (
            Criterion("g7", "Patient selection", legacy=False, steps=STEPS[:4]),
            Criterion("g9", "All data request", legacy=False, steps=STEPS[4:]),
        ),
        "started": STARTED,
        "seconds": 9.4216,
        "settlement": settlement,
        "exit_code": exit_code(settlement, ran=len(results), targets=claims),
        "results": results,
        "patients": (("newman", "Alice Newman: a full chart"),),
        "layers_not_run": (LayerNotRun(layer="template", reason="no template rules in this version"),),
        "warnings": ("ACME_PASS is short",),
        "command": f"onc-conformance run --target acme.toml --header {SECRET}",
        "exchanges": (
            exchange(1, body=b'{"token": "t"}', response_headers=(("Content-Type", "application/json"),)),
            exchange(2),
            exchange(3, status=None, response_headers=(), body=b"", error="refuses connections"),
        ),
        "secrets": Secrets({"ACME_PASS": SECRET}),
    }  # fmt: skip
    return Run(**{**facts, **changes})


@pytest.fixture(scope="session")
def run():
    return make_run()


@pytest.fixture(scope="session")
def written(run, tmp_path_factory):
    """The folder of a written run, with an Allure result a plugin has left there."""
    folder = tmp_path_factory.mktemp("reports") / "20261122T221805Z"
    (folder / "allure-results").mkdir(parents=True)
    (folder / "allure-results" / "a-result.json").write_text(f'{{"name": "t", "trace": "said {SECRET}"}}')
    write(run, folder)
    return folder


@pytest.fixture(scope="session")
def secret():
    return SECRET


@pytest.fixture(scope="session")
def build():
    """Makes such a run with some of its facts changed."""
    return make_run


@pytest.fixture(scope="session")
def exchanged():
    """Makes an exchange by number, with some of its facts changed."""
    return exchange
