"""junit.xml: one test per step, scenario and target, for the servers that read JUnit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from onc_conformance.findings import Finding, Outcome, Severity
from onc_conformance.gate import ScenarioResult, StepResult, TargetOutcome
from onc_conformance.report.folder import put
from onc_conformance.report.results import timestamp
from onc_conformance.report.run import Product, Run


def write(run: Run, path: Path) -> None:
    """Write junit.xml, a suite a target; the run is masked already."""
    root = ET.Element("testsuites", name="onc-conformance")
    for target in run.targets:
        root.append(_suite(run, target))
    _count(root, root.findall("testsuite/testcase"), run.seconds)
    ET.indent(root)
    put(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(run: Run, target: Product) -> ET.Element:
    suite = ET.Element("testsuite", name=target.id, timestamp=timestamp(run.started).removesuffix("Z"))
    properties = ET.SubElement(suite, "properties")
    facts = {
        "edition": run.edition.id,
        "product": target.name,
        "product version": target.version,
        "developer": target.developer,
        "tool version": run.version,
        "interrupted": str(run.interrupted).lower(),
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=value)
    timed: set[int] = set()
    for result in run.settlement.steps:
        for outcome in result.targets:
            if outcome.target == target.id:
                suite.extend(_cases(result, outcome, timed))
    cases = suite.findall("testcase")
    _count(suite, cases, sum(float(case.get("time", "0")) for case in cases))
    return suite


def _cases(result: StepResult, outcome: TargetOutcome, timed: set[int]) -> Iterator[ET.Element]:
    """The scenarios of a step on a target; where they do not say all, one more case says what the gate adds."""
    for scenario in outcome.scenarios:
        # a scenario of several steps took its time once
        seconds = 0.0 if id(scenario) in timed else scenario.seconds
        timed.add(id(scenario))
        case = _case(result, scenario.name, outcome.target, seconds)
        _tell(case, scenario)
        yield case
    stated = [scenario.outcome for scenario in outcome.scenarios if not scenario.beyond]
    if outcome.outcome in (Outcome.FAILED, Outcome.ERROR) or outcome.outcome in stated:
        return
    signed_for = stated or result.step.coverage == "attested"
    case = _case(result, "attestation" if signed_for else "no scenario", outcome.target, 0.0)
    if outcome.outcome in (Outcome.NOT_TESTED, Outcome.NOT_APPLICABLE):
        excuse = f" (excused until {outcome.excuse.expires}: {outcome.excuse.reason})" if outcome.excuse else ""
        ET.SubElement(case, "skipped", message=f"{_words(outcome.outcome)}: {outcome.reason}{excuse}")
    yield case


def _case(result: StepResult, scenario: str, target: str, seconds: float) -> ET.Element:
    return ET.Element(
        "testcase",
        classname=f"{target}.{result.step.criterion}.{result.step.id}",
        name=f"{result.step.id}: {scenario} [{target}]",
        time=f"{seconds:.3f}",
    )


def _tell(case: ET.Element, scenario: ScenarioResult) -> None:
    said = "\n".join(map(str, scenario.findings))
    match scenario.outcome:
        case Outcome.FAILED if scenario.objects:
            errors = [finding for finding in scenario.findings if finding.severity is Severity.ERROR]
            failure = ET.SubElement(case, "failure", message=_headline(errors, scenario), type="nonconformity")
            failure.text = said or scenario.explanation
            return
        case Outcome.ERROR:
            message = scenario.explanation or "a fault in this tool"
            ET.SubElement(case, "error", message=message, type="fault in this tool").text = said or message
            return
        case Outcome.NOT_TESTED | Outcome.NOT_APPLICABLE:
            reason = scenario.explanation or "no reason given"
            ET.SubElement(case, "skipped", message=f"{_words(scenario.outcome)}: {reason}")
    if said:
        ET.SubElement(case, "system-out").text = said


def _headline(errors: list[Finding], scenario: ScenarioResult) -> str:
    if not errors:
        return scenario.explanation or "does not conform"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0].rule}: {errors[0].message}{more}"


def _words(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")


def _count(element: ET.Element, cases: list[ET.Element], seconds: float) -> None:
    element.set("tests", str(len(cases)))
    for attribute, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(child) is not None for case in cases)))
    element.set("time", f"{seconds:.3f}")
