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
from onc_conformance.reference.cda.narrative import row_title
from onc_conformance.reference.charts import Chart, Code, Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

_RESULT_STATUS = {"active", "aborted", "cancelled", "held", "suspended"}
_SEXES = {"F": Code("snomed", "248152002", "Female (finding)"), "M": Code("snomed", "248153007", "Male (finding)")}
_BIRTH_SEXES = {"F": Code("gender", "F", "Female"), "M": Code("gender", "M", "Male")}


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


def _reference_range(fact: Fact) -> str:
    bounds = fact.values.get("range")
    if not bounds:
        return ""
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


def social(chart: Chart, fact: Fact) -> str:
    """Social History Observation: a question and its answer."""
    code = fact.code()
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.38", "", "2015-08-01"),
        identifier(chart, fact.anchor),
        coded("code", code, original(fact), text=row_title(fact)),
        narrative(fact),
        status("completed"),
        moment(fact),
        value(fact),
        entry_author(chart, fact),
    )


def birth_sex(chart: Chart, edition: str) -> list[str]:
    """Birth Sex Observation of the person, and after USCDI v1 the Sex Observation where the sex is stated."""
    letter = str(chart.person.get("birth_sex", ""))
    known = _BIRTH_SEXES.get(letter)
    at_birth = el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.200", "2016-06-01"),
        fixed("code", "loinc", "76689-9", "Sex assigned at birth"),
        '<text><reference value="#birth-sex"/></text>',
        status("completed"),
        coded("value", known, kind="CD") if known else '<value xsi:type="CD" nullFlavor="UNK"/>',
    )
    if edition == "uscdi-v1" or letter not in _SEXES:
        return [at_birth]
    sex = el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.507", "2023-06-28"),
        identifier(chart, "sex"),
        fixed("code", "loinc", "46098-0", "Sex"),
        '<text><reference value="#birth-sex"/></text>',
        status("completed"),
        point("effectiveTime", chart.birth_date),
        coded("value", _SEXES[letter], kind="CD"),
    )
    return [at_birth, sex]


def functional_status(chart: Chart, fact: Fact) -> str:
    """Functional Status Observation of a finding."""
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.67", "", "2014-06-09"),
        identifier(chart, fact.anchor),
        fixed("code", "loinc", "54522-8", "Functional status"),
        narrative(fact),
        status("completed"),
        moment(fact),
        _finding(fact),
        entry_author(chart, fact),
    )


def mental_status(chart: Chart, fact: Fact) -> str:
    """Mental Status Observation of a finding."""
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.74", "", "2015-08-01"),
        identifier(chart, fact.anchor),
        fixed(
            "code",
            "snomed",
            "373930000",
            "Cognitive function finding",
            fixed("translation", "loinc", "75275-8", "Cognitive function"),
        ),
        narrative(fact),
        status("completed"),
        moment(fact),
        _finding(fact),
        entry_author(chart, fact),
    )


def _finding(fact: Fact) -> str:
    """The finding, wherever the chart keeps it: as the fact's code, or as a value beside its question."""
    return value(fact) if "value" in fact.values else coded("value", fact.code(), kind="CD", text=row_title(fact))
