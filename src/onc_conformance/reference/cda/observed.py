"""Entries about what was measured, asked or seen: results, vital signs, social history, function, mind."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING

from onc_conformance.reference.cda.header import entry_author
from onc_conformance.reference.cda.markup import (
    OID,
    coded,
    el,
    fixed,
    identifier,
    moment,
    narrative,
    original,
    point,
    quantity,
    status,
    template,
    translations,
    words,
)
from onc_conformance.reference.charts import Chart, Code, Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

_RESULT_STATUS = {"active", "aborted", "cancelled", "held", "suspended"}


def panels(chart: Chart, facts: Iterable[Fact]) -> list[str]:
    """Result Organizers: one for each panel of a time, or for a result that belongs to none."""
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for fact in facts:
        panel = fact.code("panel")
        key = (panel.system, panel.code, *fact.dates) if panel else (fact.anchor,)
        groups.setdefault(key, []).append(fact)
    return [_panel(chart, group) for group in groups.values()]


def _panel(chart: Chart, facts: list[Fact]) -> str:
    first = facts[0]
    time = next(iter(first.dates), None)
    bounds = el("effectiveTime", {}, point("low", time), point("high", first.dates[-1])) if time else ""
    return el(
        "organizer",
        {"classCode": "BATTERY", "moodCode": "EVN"},
        template(f"{OID}.4.1", "", "2015-08-01"),
        identifier(chart, first.anchor, "panel"),
        coded("code", first.code("panel") or first.code()),
        status("completed"),
        bounds,
        entry_author(chart, first),
        *(el("component", {}, _result(chart, fact)) for fact in facts),
    )


def _result(chart: Chart, fact: Fact) -> str:
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.2", "", "2015-08-01"),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact), translations(fact)),
        narrative(fact),
        status(fact.text("status") if fact.text("status") in _RESULT_STATUS else "completed"),
        moment(fact),
        value(fact),
        _interpretation(fact),
        _specimen(fact) if fact.code("specimen") else "",
        _reference_range(fact),
    )


def value(fact: Fact) -> str:
    """The fact's value as what it is: a quantity, a code, words, or unknown."""
    found = fact.values.get("value")
    if found is None or found == "":
        return '<value xsi:type="ST" nullFlavor="UNK"/>'
    if isinstance(found, Number):
        return quantity("value", found, fact.text("unit") or "1", "PQ")
    code = fact.code("value")
    return coded("value", code, kind="CD") if code else words("value", str(found), {"xsi:type": "ST"})


def _interpretation(fact: Fact) -> str:
    code = fact.text("interpretation")
    return coded("interpretationCode", Code("interpretation", code, "")) if code else ""


def _specimen(fact: Fact) -> str:
    playing = el("specimenPlayingEntity", {}, coded("code", fact.code("specimen")))
    return el("specimen", {"typeCode": "SPC"}, el("specimenRole", {}, playing))


def _reference_range(fact: Fact) -> str:
    bounds = fact.values.get("range")
    if not bounds:
        return ""
    if "text" in bounds:
        return el(
            "referenceRange", {}, el("observationRange", {}, words("value", str(bounds["text"]), {"xsi:type": "ST"}))
        )
    unit = fact.text("unit") or "1"
    ends = (quantity(tag, bounds[tag], unit) for tag in ("low", "high") if tag in bounds)
    return el("referenceRange", {}, el("observationRange", {}, el("value", {"xsi:type": "IVL_PQ"}, *ends)))


def vital_signs(chart: Chart, facts: Iterable[Fact]) -> list[str]:
    """Vital Signs Organizers: what was measured at one time of one visit together."""
    groups: dict[tuple[str | None, ...], list[Fact]] = {}
    for fact in facts:
        groups.setdefault((fact.encounter, *fact.dates), []).append(fact)
    return [_vital_group(chart, group) for group in groups.values()]


def _vital_group(chart: Chart, facts: list[Fact]) -> str:
    first = facts[0]
    return el(
        "organizer",
        {"classCode": "CLUSTER", "moodCode": "EVN"},
        template(f"{OID}.4.26", "", "2015-08-01"),
        identifier(chart, first.anchor, "group"),
        fixed("code", "snomed", "46680005", "Vital signs", fixed("translation", "loinc", "74728-7", "Vital signs")),
        status("completed"),
        moment(first),
        entry_author(chart, first),
        *(el("component", {}, _vital(chart, fact)) for fact in facts),
    )


def _vital(chart: Chart, fact: Fact) -> str:
    found = fact.values.get("value")
    measured = (
        quantity("value", found, fact.text("unit") or "1", "PQ")
        if isinstance(found, Number)
        else '<value xsi:type="PQ" nullFlavor="UNK"/>'
    )
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.27", "", "2014-06-09"),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact)),
        narrative(fact),
        status("completed"),
        moment(fact),
        measured,
        _interpretation(fact),
    )


def smoking_status(chart: Chart, fact: Fact) -> str:
    """Smoking Status - Meaningful Use: a snapshot, so its time is a point."""
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.78", "", "2014-06-09"),
        identifier(chart, fact.anchor),
        fixed("code", "loinc", "72166-2", "Tobacco smoking status NHIS"),
        narrative(fact),
        status("completed"),
        point("effectiveTime", next(iter(fact.dates), None)),
        coded("value", fact.code() or Code("snomed", "266927001", "Tobacco smoking consumption unknown"), kind="CD"),
        entry_author(chart, fact),
    )
