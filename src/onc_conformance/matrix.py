"""The traceability matrix: which scenarios of the features cover which step of the procedures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gherkin.parser import Parser

from onc_conformance import procedure, suite


@cache
def scenarios_by_step() -> Mapping[str, tuple[str, ...]]:
    """`Feature: scenario` for each step id, read off the feature files; an outline counts once."""
    found: dict[str, list[str]] = {step: [] for step in procedure.load().steps}
    for path in sorted((suite.root() / "features").rglob("*.feature")):
        feature: Any = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
        for child in feature["children"]:
            scenario = child.get("scenario")
            for tag in scenario["tags"] if scenario else ():
                found.get(tag["name"][1:], []).append(f"{feature['name']}: {scenario['name']}")
    return {step: tuple(names) for step, names in found.items()}


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
        }
        for step in procedure.load().steps.values()
    ]
