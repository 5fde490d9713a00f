"""The traceability matrix: which scenarios of the features cover which step of the procedures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gherkin.parser import Parser

from onc_conformance import procedure, suite
from onc_conformance.fhir import tables
from onc_conformance.fhirwork import demands
from onc_conformance.procedure import Step


@cache
def scenarios_by_step() -> Mapping[str, tuple[str, ...]]:
    """`Feature: scenario` for each step id, read off the feature files; an outline counts once."""
    return {step: tuple(name for name, _ in found) for step, found in _by_step().items()}


def types_by_step() -> Mapping[str, tuple[str, ...]]:
    """The types of resources that the outlines of each step are done for."""
    return {
        step: tuple(dict.fromkeys(kind for _, kinds in each for kind in kinds)) for step, each in _by_step().items()
    }


@cache
def _by_step() -> Mapping[str, list[tuple[str, list[str]]]]:
    found: dict[str, list[tuple[str, list[str]]]] = {step: [] for step in procedure.load().steps}
    for path in sorted((suite.root() / "features").rglob("*.feature")):
        feature: Any = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
        for child in feature["children"]:
            scenario = child.get("scenario")
            for tag in scenario["tags"] if scenario else ():
                told = f"{feature['name']}: {scenario['name']}", _types(scenario)
                found.get(tag["name"][1:], []).append(told)
    return found


def _types(scenario: Any) -> list[str]:
    """What stands in the column `type` of an outline's examples."""
    return [
        row["cells"][place]["value"]
        for table in scenario["examples"]
        for place, head in enumerate(table["tableHeader"]["cells"])
        if head["value"] == "type"
        for row in table["tableBody"]
    ]


def by_us_core(step: Step) -> dict[str, list[str]]:
    """The versions of US Core a step about data or searches is judged by, with the types it is done for."""
    if not step.id.startswith(("SH-PAT", "DAT-PAT")) or not _by_step()[step.id]:
        return {}
    asked = demands.OF_STEPS.get(step.id)
    kinds = types_by_step()[step.id] if asked else ()
    versions = dict.fromkeys(procedure.editions()[each].us_core for each in step.editions)
    return {
        version: [kind for kind in kinds if asked and asked(tables.load(version), kind)] for version in sorted(versions)
    }


def rows() -> list[dict[str, Any]]:
    """One row a step, in the order of the procedures."""
    covered = scenarios_by_step()
    return [
        {
            "id": step.id,
            "criterion": step.criterion,
            "paragraph": step.paragraph,
            "text": step.text,
            "editions": list(step.editions),
            "coverage": step.coverage,
            "scenarios": list(covered[step.id]),
            "us_core": by_us_core(step),
        }
        for step in procedure.load().steps.values()
    ]
