"""The traceability matrix: which scenarios of the features cover which step of the procedures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from gherkin.parser import Parser

from onc_conformance import procedure, suite
from onc_conformance.fhir import tables
from onc_conformance.fhirwork import demands
from onc_conformance.procedure import Step
from onc_conformance.targets.population import BulkVersion


@cache
def scenarios_by_step() -> Mapping[str, tuple[str, ...]]:
    """`Feature: scenario` for each step id, read off the feature files; an outline counts once."""
    return {step: tuple(each.name for each in found) for step, found in _by_step().items()}


def types_by_step() -> Mapping[str, tuple[str, ...]]:
    """The types of resources that the outlines of each step are done for."""
    return {
        step: tuple(dict.fromkeys(kind for each in found for kind in each.types)) for step, found in _by_step().items()
    }


@dataclass(frozen=True, slots=True)
class _Covering:
    """A scenario that covers a step."""

    name: str
    types: tuple[str, ...]
    tags: frozenset[str]


@cache
def _by_step() -> Mapping[str, list[_Covering]]:
    found: dict[str, list[_Covering]] = {step: [] for step in procedure.load().steps}
    for path in sorted((suite.root() / "features").rglob("*.feature")):
        feature: Any = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
        for child in feature["children"]:
            if scenario := child.get("scenario"):
                tags = frozenset(tag["name"][1:] for tag in (*feature["tags"], *scenario["tags"]))
                told = _Covering(f"{feature['name']}: {scenario['name']}", tuple(_types(scenario)), tags)
                for tag in scenario["tags"]:
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


def by_smart(step: Step) -> list[str]:
    """The versions of SMART App Launch a step about authorization is judged by: those of its editions."""
    if not any(each.tags & {"authorization", "assertions"} for each in _by_step()[step.id]):
        return []
    return sorted({procedure.editions()[each].smart for each in step.editions})


def by_bulk(step: Step) -> list[str]:
    """The versions of Bulk Data Access a step about exports is judged by: a description may name any in any edition."""
    return list(get_args(BulkVersion)) if any("bulk" in each.tags for each in _by_step()[step.id]) else []


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
            "smart": by_smart(step),
            "bulk": by_bulk(step),
        }
        for step in procedure.load().steps.values()
    ]
