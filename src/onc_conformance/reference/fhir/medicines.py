"""Medications asked for, and handed over; they are named as the guide allows: by code, by reference, contained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.charts import days_of
from onc_conformance.reference.fhir.directory import PHARMACY
from onc_conformance.reference.fhir.parts import (
    TERMS,
    Pen,
    Resource,
    also,
    coded,
    concept,
    latest,
    moment,
    period,
    profile,
    quantity,
)

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact

_WAYS = ("coded", "referenced", "contained")
_LOCAL = "medication"
_STATUS = {"active": "active", "completed": "completed", "aborted": "stopped", "held": "on-hold"}
_FORMS = {"Tablet": "{tbl}", "Capsule": "{capsule}"}
_SUPPLY_DAYS = 30


def written(pen: Pen, fact: Fact) -> list[Resource]:
    """All about one medication: the request, the Medication it refers to, and the first time it was dispensed."""
    way = _WAYS[(fact.number - 1) % len(_WAYS)]
    made = [_request(pen, fact, way)]
    if way == "referenced":
        made.append(_medication(pen, fact))
    if way != "contained" and fact.encounter:
        made.append(_dispense(pen, fact, way))
    return made


def _named(pen: Pen, fact: Fact, way: str) -> Resource:
    if way == "referenced":
        return {"medicationReference": pen.to("Medication", fact.anchor)}
    if way == "contained":
        return {"medicationReference": {"reference": f"#{_LOCAL}"}}
    return {"medicationCodeableConcept": coded(fact.code(), also=also(fact), text=fact.text("text"))}


def _medication(pen: Pen, fact: Fact) -> Resource:
    code = coded(fact.code(), also=also(fact))
    return pen.write("Medication", fact.anchor, ("us-core-medication",), latest(fact), code=code, status="active")


def _request(pen: Pen, fact: Fact, way: str) -> Resource:
    """Without an encounter it is what somebody told of a plan made elsewhere."""
    inside: list[Resource] = []
    if way == "contained":
        contained = _medication(pen, fact)
        inside = [
            {"resourceType": "Medication", "id": _LOCAL, "meta": {"profile": [profile("us-core-medication")]}}
            | {name: contained[name] for name in ("code", "status")}
        ]
    begun, ended = fact.text("start") or fact.text("date"), fact.text("end")
    told = not fact.encounter
    reported: Resource = {"reportedReference": pen.seen_by(fact)} if told else {"reportedBoolean": False}
    category, why = "community", fact.code("indication")
    return pen.write(
        "MedicationRequest",
        fact.anchor,
        ("us-core-medicationrequest",),
        latest(fact),
        contained=inside,
        status=_STATUS.get(fact.text("status"), "completed" if ended else "active"),
        intent="plan" if told else "order",
        category=[concept(f"{TERMS}/medicationrequest-category", category, category.capitalize())],
        **reported,
        **_named(pen, fact, way),
        subject=pen.subject,
        **pen.of(fact),
        authoredOn=moment(begun) if begun else None,
        requester=pen.seen_by(fact),
        reasonCode=[coded(why)] if why else [],
        reasonReference=pen.listed(why) if why else [],
        dosageInstruction=_dosage(fact, begun, ended),
        dispenseRequest=None
        if told
        else {
            "numberOfRepeatsAllowed": 3 if fact.text("status") == "active" else 0,
            "quantity": _supply(fact),
        },
    )


def _dispense(pen: Pen, fact: Fact, way: str) -> Resource:
    begun = fact.text("start") or fact.text("date")
    first_fill = concept(f"{TERMS}/v3-ActCode", "FF", "First Fill")
    return pen.write(
        "MedicationDispense",
        fact.anchor,
        ("us-core-medicationdispense",),
        latest(fact),
        status="completed",
        **_named(pen, fact, way),
        subject=pen.subject,
        context=pen.of(fact).get("encounter"),
        performer=[{"actor": pen.directory.organization(PHARMACY)}, {"actor": pen.seen_by(fact)}],
        authorizingPrescription=[pen.to("MedicationRequest", fact.anchor)],
        type=first_fill,
        quantity=_supply(fact),
        whenHandedOver=moment(begun) if begun else None,
        dosageInstruction=_dosage(fact, begun, fact.text("end")),
    )


def _unit(fact: Fact) -> str:
    words = str(fact.code() or "")
    return next((unit for form, unit in _FORMS.items() if form in words), "{dose}")


def _supply(fact: Fact) -> Resource:
    """What a month takes, or the days from start to end where both are charted."""
    every = fact.values.get("every", {})
    a_day = 24 / every["value"] if every.get("unit") == "h" else 1
    days = _SUPPLY_DAYS
    if fact.text("start") and fact.text("end"):
        days = min(days, max(1, (days_of(fact.text("end"))[1] - days_of(fact.text("start"))[0]).days))
    dose = float(fact.values.get("dose", {}).get("value", 1))
    unit = _unit(fact)
    return quantity(round(a_day * days * dose), unit, unit.strip("{}"))


def _dosage(fact: Fact, begun: str, ended: str) -> list[Resource]:
    dose, every, route = fact.values.get("dose"), fact.values.get("every"), fact.code("route")
    if not dose and not every:
        return []
    unit = str((dose or {}).get("unit") or _unit(fact))
    words = f"{dose['value']} {unit.strip('{}')}" if dose else "as directed"
    words = f"{words} every {every['value']} {every['unit']}" if every else words
    dosage: Resource = {"text": fact.text("instructions") or words}
    repeat: Resource = {"boundsPeriod": period(begun, ended)} if begun else {}
    if every:
        repeat |= {"frequency": 1, "period": every["value"], "periodUnit": every["unit"]}
    dosage |= {"timing": {"repeat": repeat}} if repeat else {}
    dosage |= {"route": coded(route)} if route else {}
    if dose:
        dosage["doseAndRate"] = [{"doseQuantity": quantity(dose["value"], unit, unit.strip("{}"))}]
    return [dosage]
