"""ONC's test procedures as data: criteria, paragraphs, steps and the editions they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from onc_conformance import suite
from onc_conformance.findings import UsageError

COVERAGES = ("automated", "attested", "both", "either")
"""Who judges a step: the machine, a person, both for a part each, or a person only where the machine cannot."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One set of standards a run can be judged by (45 CFR 170.205, 170.213, 170.215)."""

    id: str
    title: str
    data: str
    status: str
    caution: str | None
    ccda: Mapping[str, Any]
    uscdi: Mapping[str, str]
    """`elements`, a version of schemas/uscdi, and perhaps the `overlay` that eases it."""
    us_core: str
    """The version FHIR resources are judged by."""
    smart: str
    """The version of SMART App Launch."""
    bulk: str = "2.0.0"
    """The version of Bulk Data Access."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a procedure: what the system under test shows (SUT) or the test lab verifies (TLV)."""

    id: str
    criterion: str
    paragraph: str
    title: str
    role: str
    text: str
    editions: tuple[str, ...]
    coverage: str
    fixed_edition: str | None
    """The edition its criterion is always judged in, if there is only one."""

    def edition(self, chosen: str) -> str:
        """The edition this step is judged in when the run chose `chosen`."""
        return self.fixed_edition or chosen

    def applies(self, chosen: str) -> bool:
        """Whether the edition it is judged in has this step."""
        return self.edition(chosen) in self.editions


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of 45 CFR 170.315 with its steps in the order of its paragraphs."""

    id: str
    title: str
    legacy: bool
    steps: tuple[Step, ...]


class Procedures:
    """All criteria the suite knows, by id."""

    def __init__(self, criteria: Iterable[Criterion]) -> None:
        self.criteria = {criterion.id: criterion for criterion in criteria}
        self.steps = {step.id: step for criterion in self.criteria.values() for step in criterion.steps}

    def select(self, names: Iterable[str] | None) -> tuple[str, ...]:
        """The ids among `names`, or all; raises UsageError for a criterion the suite does not know."""
        chosen = tuple(names) if names is not None else tuple(self.criteria)
        unknown = [name for name in chosen if name not in self.criteria]
        if unknown or not chosen:
            raise UsageError(
                f"--criterion {','.join(unknown)}: unknown criterion; expected one or more of {','.join(self.criteria)}"
            )
        return chosen


def _criterion(raw: Mapping[str, Any], every_edition: tuple[str, ...]) -> Criterion:
    fixed = raw.get("edition")
    steps = tuple(
        Step(
            id=step["id"],
            criterion=raw["criterion"],
            paragraph=paragraph["paragraph"],
            title=paragraph["title"],
            role="SUT" if "-SUT-" in step["id"] else "TLV",
            text=step["text"],
            editions=(fixed,) if fixed else tuple(step.get("editions", paragraph.get("editions", every_edition))),
            coverage=step.get("coverage", "automated"),
            fixed_edition=fixed,
        )
        for paragraph in raw["paragraphs"]
        for step in paragraph["steps"]
    )
    return Criterion(raw["criterion"], raw["title"], bool(raw.get("legacy")), steps)


@cache
def editions() -> Mapping[str, Edition]:
    """Every edition by id, the default one first."""
    raw = yaml.safe_load((suite.schemas() / "editions.yaml").read_text(encoding="utf-8"))
    known = {
        each["id"]: Edition(
            each["id"],
            each["title"],
            each["data"],
            each["status"],
            each.get("caution"),
            each["ccda"],
            each["uscdi"],
            each["us_core"],
            each["smart"],
            each["bulk"],
        )
        for each in raw["editions"]
    }
    return {raw["default"]: known.pop(raw["default"]), **known}


def edition(name: str | None) -> Edition:
    """The edition called `name`, or the default; raises UsageError for an unknown one."""
    known = editions()
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise UsageError(f"--edition {name}: unknown edition; expected one of {', '.join(sorted(known))}")
    return known[name]


@cache
def load() -> Procedures:
    """The procedures under schemas/procedures, one file a criterion."""
    every = tuple(editions())
    files = sorted((suite.schemas() / "procedures").glob("*.yaml"), key=lambda path: int(path.stem[1:]))
    return Procedures(_criterion(yaml.safe_load(path.read_text(encoding="utf-8")), every) for path in files)
