"""The data categories a certified API must answer for, and where each lives in a C-CDA."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from onc_conformance import suite

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a C-CDA by its LOINC code."""

    loinc: str
    title: str
    templates: tuple[str, ...]
    """Roots of its templateIds, entries optional and required."""
    ccd: str | None
    """CONF number under which the CCD template demands it; None where it does not."""
    version: str | None
    """Extension of the templateId, where the regulation names a version."""


@dataclass(frozen=True, slots=True)
class Category:
    """A data category by its canonical name."""

    name: str
    title: str
    kinds: tuple[str, ...]
    """Fact classes of an expected record; none for a header item or a category without coded facts."""
    sections: tuple[str, ...]
    """LOINC codes."""
    header: bool
    """Whether it is an item of the document header."""
    elements: tuple[str, ...]
    """Ids of the data elements it is made of, where it is one of the CCDS."""
    ccds: bool
    """Whether it is one of the twenty of the 2015 Edition Common Clinical Data Set."""


@cache
def categories() -> Mapping[str, Category]:
    """Every category by name: the twenty of the CCDS first, then those beyond it (schemas/ccds.toml)."""
    return MappingProxyType(
        {
            entry["name"]: Category(
                name=entry["name"],
                title=entry["title"],
                kinds=tuple(entry.get("kinds", ())),
                sections=tuple(entry.get("sections", ())),
                header=entry.get("header", False),
                elements=tuple(entry.get("elements", ())),
                ccds=entry.get("ccds", False),
            )
            for entry in _tables()["category"]
        }
    )


@cache
def sections() -> Mapping[str, Section]:
    """Every section that carries a category, by LOINC code (schemas/ccds.toml)."""
    return MappingProxyType(
        {
            loinc: Section(loinc, entry["title"], tuple(entry["templates"]), entry.get("ccd"), entry.get("version"))
            for loinc, entry in _tables()["section"].items()
        }
    )


def title(kind: str) -> str:
    """What a person calls a class of facts."""
    return categories()[kind].title.lower()


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads((suite.schemas() / "ccds.toml").read_text(encoding="utf-8"))
