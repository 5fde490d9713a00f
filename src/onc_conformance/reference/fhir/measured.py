"""Results, with their reports and specimens, and vital signs."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING

from onc_conformance.reference.fhir.directory import LABORATORY
from onc_conformance.reference.fhir.parts import (
    ABSENT,
    IDENTIFIERS,
    LOINC,
    SNOMED,
    TERMS,
    Pen,
    Resource,
    also,
    coded,
    coding,
    concept,
    instant,
    latest,
    moment,
    period,
    quantity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onc_conformance.reference.charts import Fact

OBSERVED = f"{TERMS}/observation-category"
_PRESSURE = ("85354-9", "Blood pressure panel with all children optional")
_HALVES = {"8480-6": "Systolic blood pressure", "8462-4": "Diastolic blood pressure"}
_MEAN = ("96607-7", "Blood pressure panel mean systolic and mean diastolic")
_MEANS = {"96608-5": "Systolic blood pressure mean", "96609-3": "Diastolic blood pressure mean"}
_OXYGEN, _INHALED, _FLOW = "59408-5", "3150-0", "3151-8"
_SATURATION = ("2708-6", "Oxygen saturation in Arterial blood")
_PROFILES = {
    "8302-2": "us-core-body-height",
    "29463-7": "us-core-body-weight",
    "39156-5": "us-core-bmi",
    "8310-5": "us-core-body-temperature",
    "8867-4": "us-core-heart-rate",
    "9279-1": "us-core-respiratory-rate",
    "9843-4": "us-core-head-circumference",
    "8289-1": "head-occipital-frontal-circumference-percentile",
    "59576-9": "pediatric-bmi-for-age",
    "77606-2": "pediatric-weight-for-height",
    _OXYGEN: "us-core-pulse-oximetry",
}
_FHIRS_OWN = {
    f"us-core-{name}": f"http://hl7.org/fhir/StructureDefinition/{own}"
    for name, own in (
        ("blood-pressure", "bp"),
        ("bmi", "bmi"),
        ("body-height", "bodyheight"),
        ("body-temperature", "bodytemp"),
        ("body-weight", "bodyweight"),
        ("head-circumference", "headcircum"),
        ("heart-rate", "heartrate"),
        ("respiratory-rate", "resprate"),
    )
}
"""What the profiles of vital signs are where US Core has none."""
_INTERPRETATIONS = {
    "N": "Normal",
    "H": "High",
    "L": "Low",
    "A": "Abnormal",
    "HH": "Critical high",
    "LL": "Critical low",
    "POS": "Positive",
    "NEG": "Negative",
}
_SPECIMENS = (
    ("Serum or Plasma", "119361006", "Plasma specimen"),
    ("in Blood", "119297000", "Blood specimen"),
    ("of Blood", "119297000", "Blood specimen"),
    ("Urine", "122575003", "Urine specimen"),
)
_ANY_SPECIMEN = ("123038009", "Specimen")
_STATUS = {"active": "preliminary", "cancelled": "cancelled", "aborted": "cancelled"}


def when(fact: Fact) -> Resource:
    """When it was observed, a time or a period."""
    if fact.text("end"):
        return {"effectivePeriod": period(fact.text("start"), fact.text("end"))}
    told = fact.text("date") or fact.text("start")
    return {"effectiveDateTime": moment(told)} if told else {}


def value(fact: Fact) -> Resource:
    """What was observed; the reason, where nothing was."""
    found = fact.values.get("value")
    if isinstance(found, dict):
        return {"valueCodeableConcept": coded(fact.code("value"))}
    if isinstance(found, Number) and not isinstance(found, bool):
        return {"valueQuantity": quantity(found, fact.text("unit") or "1")}  # type: ignore[arg-type]  # int or float
    if found is not None:
        return {"valueString": str(found)}
    return {"dataAbsentReason": concept(ABSENT, "unknown", "Unknown")}


# --- the laboratory


def results(pen: Pen, facts: Iterable[Fact]) -> list[Resource]:
    """Observations, a Specimen for each panel or lone result, and a report for each panel."""
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for fact in facts:
        if fact.no_information:
            continue
        panel = fact.code("panel")
        key = (panel.system, panel.code, *fact.dates) if panel else (fact.anchor,)
        groups.setdefault(key, []).append(fact)
    made: list[Resource] = []
    for group in groups.values():
        made.append(_specimen(pen, group[0]))
        made += [_result(pen, fact, group[0]) for fact in group]
        if group[0].code("panel"):
            made.append(_report(pen, group))
    return made


def _result(pen: Pen, fact: Fact, first: Fact) -> Resource:
    told = fact.text("interpretation")
    bounds = fact.values.get("range", {})
    unit = fact.text("unit")
    limits = {side: quantity(bounds[side], unit or "1") for side in ("low", "high") if side in bounds}
    return pen.write(
        "Observation",
        fact.anchor,
        ("us-core-observation-lab",),
        latest(fact),
        status=_STATUS.get(fact.text("status"), "final"),
        category=[concept(OBSERVED, "laboratory", "Laboratory")],
        code=coded(fact.code(), also=also(fact)),
        subject=pen.subject,
        **pen.of(fact),
        **when(fact),
        issued=instant(latest(fact)) if latest(fact) else None,
        performer=[pen.directory.organization(LABORATORY), pen.seen_by(fact)],
        **value(fact),
        interpretation=[
            concept(f"{TERMS}/v3-ObservationInterpretation", told, _INTERPRETATIONS.get(told, ""))
            if told in _INTERPRETATIONS
            else {"text": told}
        ]
        if told
        else [],
        specimen=pen.to("Specimen", first.anchor) if pen.has("Specimen") else None,
        referenceRange=[limits] if limits else [],
    )


def _specimen(pen: Pen, fact: Fact) -> Resource:
    words = f"{fact.code('panel') or ''} {fact.code() or ''}"
    kind = next(((code, display) for part, code, display in _SPECIMENS if part in words), _ANY_SPECIMEN)
    taken = fact.text("date") or fact.text("start")
    identity = pen.id("Specimen identifier", fact.anchor)
    return pen.write(
        "Specimen",
        fact.anchor,
        ("us-core-specimen",),
        latest(fact),
        identifier=[{"system": f"{IDENTIFIERS}:specimen", "value": identity}],
        accessionIdentifier={"system": f"{IDENTIFIERS}:accession", "value": f"A{identity}"},
        status="available",
        type=concept(SNOMED, *kind),
        subject=pen.subject,
        collection={"collectedDateTime": moment(taken)} if taken else {},
    )


def _report(pen: Pen, facts: list[Fact]) -> Resource:
    first = facts[0]
    return pen.write(
        "DiagnosticReport",
        f"{first.anchor}-panel",
        ("us-core-diagnosticreport-lab",),
        latest(first),
        status="final",
        category=[concept(f"{TERMS}/v2-0074", "LAB", "Laboratory")],
        code=coded(first.code("panel")),
        subject=pen.subject,
        **pen.of(first),
        **when(first),
        issued=instant(latest(first)) if latest(first) else None,
        performer=[pen.directory.organization(LABORATORY), pen.seen_by(first)],
        resultsInterpreter=[pen.seen_by(first)],
        specimen=[pen.to("Specimen", first.anchor)] if pen.has("Specimen") else [],
        result=[pen.to("Observation", fact.anchor) for fact in facts],
    )


# --- vital signs


def vital_signs(pen: Pen, facts: Iterable[Fact]) -> list[Resource]:
    """One Observation each; pressures of one time are one, and so are saturation and what was inhaled."""
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for fact in facts:
        if fact.no_information:
            continue
        code = fact.code()
        number = code.code if code else ""
        if number in _HALVES or number in _MEANS:
            key = ("pressure" if number in _HALVES else "mean", *fact.dates, fact.encounter or "")
        elif number in {_OXYGEN, _INHALED, _FLOW}:
            key = ("oxygen", *fact.dates, fact.encounter or "")
        else:
            key = (fact.anchor,)
        same = groups.setdefault(key, [])
        if key[0] in {"pressure", "mean"} and any(number == _number(one) for one in same):
            same = groups.setdefault((*key, fact.anchor), [])
        same.append(fact)
    return [_vital_sign(pen, group) for group in groups.values()]


def _number(fact: Fact) -> str:
    code = fact.code()
    return code.code if code else ""


def _vital_sign(pen: Pen, group: list[Fact]) -> Resource:
    if _number(group[0]) in _HALVES:
        return _pressure(pen, group, _HALVES, _PRESSURE, "us-core-blood-pressure")
    if _number(group[0]) in _MEANS:
        return _pressure(pen, group, _MEANS, _MEAN, "us-core-average-blood-pressure")
    first = next((fact for fact in group if _number(fact) == _OXYGEN), group[0])
    components = [{"code": coded(fact.code()), **value(fact)} for fact in group if fact is not first]
    code = coded(first.code(), also=also(first))
    if _number(first) == _OXYGEN:
        code["coding"].append(coding(LOINC, *_SATURATION))
    return _sign(pen, first, _PROFILES.get(_number(first), "us-core-vital-signs"), code) | (
        value(first) | ({"component": components} if components else {})
    )


def _pressure(
    pen: Pen, group: list[Fact], halves: Mapping[str, str], panel: tuple[str, str], profiled: str
) -> Resource:
    found = {_number(fact): fact for fact in group}
    components = []
    for half, words in halves.items():
        measured = value(found[half]) if half in found else {"dataAbsentReason": concept(ABSENT, "unknown", "Unknown")}
        components.append({"code": concept(LOINC, half, words), **measured})
    return _sign(pen, group[0], profiled, concept(LOINC, *panel)) | {"component": components}


def _sign(pen: Pen, fact: Fact, named: str, code: Resource) -> Resource:
    both = tuple(dict.fromkeys((named, "us-core-vital-signs", _FHIRS_OWN.get(named, named))))
    return pen.write(
        "Observation",
        fact.anchor,
        both,
        latest(fact),
        status="final",
        category=[concept(OBSERVED, "vital-signs", "Vital Signs")],
        code=code,
        subject=pen.subject,
        **pen.of(fact),
        **when(fact),
        issued=instant(latest(fact)) if latest(fact) else None,
        performer=[pen.seen_by(fact)],
    )


def not_taken(pen: Pen, visit: Fact, wanted: Iterable[str]) -> list[Resource]:
    """Vital signs by LOINC code that could not be taken at a visit, each saying so."""
    made = []
    reason = {"dataAbsentReason": concept(ABSENT, "not-performed", "Not Performed")}
    for number in wanted:
        code = concept(LOINC, number)
        named = _PROFILES.get(number, "us-core-blood-pressure")
        if number == _OXYGEN:
            code["coding"].append(coding(LOINC, *_SATURATION))
        sign = _sign(pen, visit, named, code) | reason
        if number == _PRESSURE[0]:
            sign["component"] = [{"code": concept(LOINC, half, words), **reason} for half, words in _HALVES.items()]
        if number == _OXYGEN:
            sign["component"] = [{"code": concept(LOINC, each), **reason} for each in (_FLOW, _INHALED)]
        made.append(sign | {"id": pen.id("Observation", f"{visit.anchor}-not-taken-{number}")})
    return made
