"""Pieces that FHIR resources are made of: codes, references, dates, and the pen that writes one chart's resources."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from onc_conformance import suite
from onc_conformance.reference.charts import Chart, Code, Fact
from onc_conformance.reference.fhir import versions
from onc_conformance.reference.fhir.catalog import kinds, profiles
from onc_conformance.reference.people import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.reference.fhir.directory import Directory

Resource = dict[str, Any]

PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition"
TERMS = "http://terminology.hl7.org/CodeSystem"
CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ABSENT = f"{TERMS}/data-absent-reason"
IDENTIFIERS = "urn:ietf:rfc:3986:onc-conformance:reference"
"""Where the identifiers of this EHR's own records begin."""


@cache
def _systems() -> dict[str, str]:
    content = tomllib.loads((suite.schemas() / "code-systems.toml").read_text(encoding="utf-8"))
    return {name: entry["uri"] for name, entry in content.items() if entry.get("uri")}


def coding(system: str, code: str, display: str = "") -> Resource:
    """A Coding; `system` is a URI."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(system: str, code: str, display: str = "") -> Resource:
    """A CodeableConcept of one Coding; `system` is a URI."""
    return {"coding": [coding(system, code, display)]}


def coded(code: Code | None, *, also: tuple[Code, ...] = (), text: str = "") -> Resource:
    """A CodeableConcept of charted codes; without any, of its text; without that, of the reason for having none."""
    codings = [
        coding(_systems().get(one.system, one.system), one.code, one.display)
        for one in ((code,) if code else ()) + also
        if one.code
    ]
    words = text or (str(code) if code else "")
    if not codings and not words:
        return concept(ABSENT, "unknown", "Unknown")
    return ({"coding": codings} if codings else {}) | ({"text": words} if words else {})


def also(fact: Fact) -> tuple[Code, ...]:
    """The codes of other systems for the same thing."""
    rows = fact.values.get("also", ())
    return tuple(Code(str(row.get("system")), str(row.get("code")), str(row.get("display", ""))) for row in rows)


def moment(text: str) -> str:
    """A charted date as a dateTime: a time of day there has seconds."""
    day, _, time = text.partition("T")
    if not time:
        return day
    clock, zone = time[:5], time[5:]
    return f"{day}T{clock}{zone if zone.startswith(':') else f':00{zone}'}" if zone else f"{day}T{clock}:00Z"


def instant(text: str) -> str:
    """A charted date as an instant: of a day without a time, noon; of less, the first day there is."""
    if "T" in text:
        return moment(text)
    return f"{(text + '-01-01')[:10]}T12:00:00Z"


def period(first: str, last: str = "") -> Resource:
    """A Period of what is known of its bounds."""
    return ({"start": moment(first)} if first else {}) | ({"end": moment(last)} if last else {})


def quantity(value: float, unit: str, words: str = "") -> Resource:
    """A Quantity in a unit of UCUM; `words` is what a person reads."""
    return {"value": value, "unit": words or unit, "system": UCUM, "code": unit}


def narrative(text: str) -> Resource:
    """A Narrative of one paragraph."""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(text)}</p></div>'}


def profile(name: str) -> str:
    """The canonical address of a profile by its short name; a whole address stays as it is."""
    return name if "://" in name else f"{PROFILE}/{name}"


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes resources about one person."""

    chart: Chart
    patient: str
    """The number issued for the person, the id of the Patient."""
    directory: Directory
    version: str = "6.1.0"
    """Of US Core."""

    @property
    def subject(self) -> Resource:
        return {"reference": f"Patient/{self.patient}", "display": " ".join((*self.chart.given, self.chart.family))}

    def id(self, kind: str, key: str) -> str:
        """The id of the resource that says what `key` names in the chart."""
        return number(f"fhir {kind}", f"{self.chart.id}/{key}", 12)

    def to(self, kind: str, key: str) -> Resource:
        """A Reference to that resource."""
        return {"reference": f"{kind}/{self.id(kind, key)}"}

    def of(self, fact: Fact) -> Resource:
        """`encounter`, where the fact has one."""
        return {"encounter": self.to("Encounter", fact.encounter)} if fact.encounter else {}

    def listed(self, about: Code) -> list[Resource]:
        """A Reference to the row of the problem list with this code, if there is one."""
        same = [fact for fact in self.chart.of("problems") if fact.code() and fact.code() == about]
        return [self.to("Condition", fact.anchor) for fact in same[:1]]

    def seen_by(self, fact: Fact) -> Resource:
        """A Reference to whoever is answerable for the fact."""
        return self.directory.practitioner(self.directory.author(self.chart, fact))

    def claimed(self, names: Iterable[str]) -> list[str]:
        """The addresses of those of these profiles that the version has."""
        return [profile(name) for name in names if name in profiles(self.version)]

    def since(self, version: str) -> bool:
        """Whether the version is that one or a later one."""
        return versions.has(self.version, {"since": version})

    def has(self, kind: str) -> bool:
        """Whether the version has resources of a type."""
        return kind in kinds(self.version)

    def write(self, kind: str, key: str, profiles: tuple[str, ...], changed: str, /, **elements: Any) -> Resource:
        """The resource of that type; elements that are None or empty are left out."""
        meta: Resource = {"lastUpdated": instant(changed or self.chart.birth_date)}
        if claimed := self.claimed(profiles):
            meta["profile"] = claimed
        kept = {name.removesuffix("_"): value for name, value in elements.items() if value not in (None, "", [], {})}
        return {"resourceType": kind, "id": self.id(kind, key), "meta": meta} | kept


def latest(fact: Fact) -> str:
    """The last date the fact states, or nothing."""
    return max(fact.dates, key=lambda text: text[:10], default="")
