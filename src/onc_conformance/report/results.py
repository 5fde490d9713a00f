"""results.json: the whole run for machines. Its form is schemas/results.schema.json."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onc_conformance.gate import Attestation, Excuse, ScenarioResult, StepResult
from onc_conformance.report import changes, resultsfile
from onc_conformance.report.folder import put
from onc_conformance.report.run import Run


def as_json(run: Run, exchanges: int) -> dict[str, Any]:
    """The run, masked already, as plain data; `exchanges` is how many the evidence holds."""
    settlement = run.settlement
    return {
        "tool": {"version": run.version, "rules": dict(run.rules)},
        "targets": [target.id for target in run.targets],
        "edition": run.edition.id,
        "started": timestamp(run.started),
        "seconds": round(run.seconds, 3),
        "summary": settlement.summary,
        "steps": [_step(result) for result in settlement.steps],
        "exit_code": int(run.exit_code),
        "interrupted": run.interrupted,
        "command": run.command,
        "criteria": [criterion.id for criterion in run.criteria],
        "products": {
            target.id: {
                "title": target.title,
                "name": target.name,
                "version": target.version,
                "developer": target.developer,
                "chpl_id": target.chpl_id,
                "setting": target.setting,
                "criteria": list(target.criteria),
                "unreachable": target.unreachable,
            }
            for target in run.targets
        },
        "patients": [{"id": name, "title": title} for name, title in run.patients],
        "beyond": [_beyond(result) for result in run.results if result.beyond],
        "layers_not_run": [{"layer": layer.layer, "reason": layer.reason} for layer in run.layers_not_run],
        "attestations": [_attestation(entry, defect) for entry, defect in settlement.attestations],
        "excuses": [_excuse(entry) for entry in settlement.excuses],
        "suppressions": [
            {"kind": "excuse", **_excuse(outcome.excuse), "target": outcome.target}
            for _, outcome in settlement.suppressed
            if outcome.excuse
        ],
        "warnings": list(run.cautions),
        "exchanges": exchanges,
        "comparison": None,
    }


def comparison(run: Run) -> changes.Comparison | None:
    """What changed since the baseline of the run, masked already; None without one."""
    if run.baseline is None:
        return None
    return changes.compare(run.baseline, resultsfile.Results.model_validate(as_json(run, 0)))


def write(run: Run, path: Path, exchanges: int) -> None:
    """Write results.json; the run is masked already."""
    content = as_json(run, exchanges)
    if compared := comparison(run):
        content["comparison"] = compared.as_json()
    put(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _step(result: StepResult) -> dict[str, Any]:
    return {
        "id": result.step.id,
        "criterion": result.step.criterion,
        "paragraph": result.step.paragraph,
        "edition": result.edition,
        "coverage": result.step.coverage,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "by_target": {each.target: each.outcome.value for each in result.targets},
        "reason_by_target": {each.target: each.reason for each in result.targets},
        "scenarios": list(dict.fromkeys(scenario.name for scenario in result.scenarios)),
        "findings": [finding.as_json() for finding in result.findings],
        "exchanges": list(result.exchanges),
    }


def _beyond(result: ScenarioResult) -> dict[str, Any]:
    return {
        "scenario": result.name,
        "target": result.target,
        "steps": list(result.steps),
        "outcome": result.outcome.value,
        "reason": result.explanation,
        "findings": len(result.findings),
    }


def _attestation(entry: Attestation, defect: str | None) -> dict[str, Any]:
    return {
        "step": entry.step,
        "target": entry.target,
        "who": entry.who,
        "when": entry.when.isoformat(),
        "statement": entry.statement,
        "evidence": entry.evidence,
        "sha256": entry.sha256,
        "expires": entry.expires.isoformat(),
        "demonstration": entry.demonstration,
        "invalid": defect,
    }


def _excuse(entry: Excuse) -> dict[str, Any]:
    return {
        "step": entry.step,
        "target": entry.target,
        "reason": entry.reason,
        "expires": entry.expires.isoformat(),
    }
