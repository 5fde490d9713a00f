"""What was done: encounters, procedures, immunizations, devices, and who pays for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from onc_conformance.reference.fhir.parts import (
    IDENTIFIERS,
    TERMS,
    Pen,
    Resource,
    coded,
    coding,
    concept,
    latest,
    moment,
    period,
)

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact

_ACTS = f"{TERMS}/v3-ActCode"
_CLASSES = {"32485007": ("IMP", "inpatient encounter"), "50849002": ("EMER", "emergency")}
_DISCHARGES = ("http://www.nubc.org/patient-discharge", "https://www.nubc.org/CodeSystem/PatDischargeStatus")
"""What the system of discharges was called at first, and is since US Core 7.0.0."""
_AMBULATORY = ("AMB", "ambulatory")
_UDI = re.compile(r"\((\d{2})\)([^(]+)")
_EVENT = {"active": "in-progress", "completed": "completed", "aborted": "stopped", "cancelled": "not-done"}


def encounter(pen: Pen, fact: Fact) -> Resource:
    """A visit or stay."""
    begun, ended = fact.text("start") or fact.text("date"), fact.text("end")
    code = fact.code()
    kind = _CLASSES.get(code.code if code else "", _AMBULATORY)
    dates = period(begun, ended or (begun if kind == _AMBULATORY else ""))
    place = str(fact.code("location") or fact.text("location"))
    performer = concept(f"{TERMS}/v3-ParticipationType", "PPRF", "primary performer")
    discharge = concept(_DISCHARGES[pen.since("7.0.0")], "01", "Discharged to Home")
    about = fact.code("diagnosis")
    return pen.write(
        "Encounter",
        fact.encounter or fact.anchor,
        ("us-core-encounter",),
        latest(fact),
        identifier=[{"system": f"{IDENTIFIERS}:encounter", "value": pen.id("Encounter identifier", fact.anchor)}],
        status="finished",
        class_=coding(_ACTS, *kind),
        type=[coded(code)],
        subject=pen.subject,
        participant=[{"type": [performer], "period": dates, "individual": pen.seen_by(fact)}],
        period=dates,
        reasonCode=[coded(about)] if about else [],
        reasonReference=[pen.to("Condition", f"{fact.anchor}-diagnosis"), *pen.listed(about)] if about else [],
        hospitalization={"dischargeDisposition": discharge} if kind[0] == "IMP" and ended else {},
        location=[{"location": pen.directory.location(place)}] if place else [],
        serviceProvider=pen.directory.organization(place) if place else pen.directory.organization(),
    )


def procedure(pen: Pen, fact: Fact) -> Resource:
    """A procedure."""
    return _procedure(pen, fact, fact.anchor, coded(fact.code(), text=fact.text("text")))


def implantation(pen: Pen, fact: Fact) -> Resource:
    """The procedure that put a device in."""
    device = {"manipulated": pen.to("Device", fact.anchor)}
    code = coded(fact.code("procedure"))
    return _procedure(pen, fact, f"{fact.anchor}-procedure", code) | {"focalDevice": [device]}


def _procedure(pen: Pen, fact: Fact, key: str, code: Resource) -> Resource:
    begun, ended = fact.text("start"), fact.text("end")
    return pen.write(
        "Procedure",
        key,
        ("us-core-procedure",),
        latest(fact),
        status=_EVENT.get(fact.text("status"), "completed"),
        code=code,
        subject=pen.subject,
        **pen.of(fact),
        performedDateTime=moment(fact.text("date") or begun) if fact.dates and not ended else None,
        performedPeriod=period(begun, ended) if ended else None,
        performer=[{"actor": pen.seen_by(fact)}],
    )


def immunization(pen: Pen, fact: Fact) -> Resource:
    """An immunization; one without an encounter was given elsewhere and is reported."""
    given = fact.text("date") or fact.text("start")
    when: Resource = {"occurrenceDateTime": moment(given)} if given else {"occurrenceString": "unknown"}
    return pen.write(
        "Immunization",
        fact.anchor,
        ("us-core-immunization",),
        latest(fact),
        **_given(fact),
        vaccineCode=coded(fact.code(), text=fact.text("text")),
        patient=pen.subject,
        **pen.of(fact),
        **when,
        primarySource=fact.encounter is not None,
        location=pen.directory.location() if fact.encounter else None,
        manufacturer={"display": fact.text("manufacturer")} if fact.text("manufacturer") else None,
        lotNumber=fact.text("lot"),
        performer=[{"actor": pen.seen_by(fact)}],
    )


def _given(fact: Fact) -> Resource:
    if fact.text("status") not in {"not_done", "refused"}:
        return {"status": "completed"}
    code, words = fact.code("reason"), fact.text("reason")
    reason = coded(code) if code else {"text": words} if words else None
    return {"status": "not-done"} | ({"statusReason": reason} if reason else {})


def device(pen: Pen, fact: Fact) -> Resource:
    """An implanted device with the parts of its UDI: (01) device, (11) made, (17) expires, (10) lot, (21) serial."""
    udi = fact.text("udi")
    parts = dict(_UDI.findall(udi))
    return pen.write(
        "Device",
        fact.anchor,
        ("us-core-implantable-device",),
        latest(fact),
        udiCarrier=[
            {
                "deviceIdentifier": parts["01"],
                "issuer": "http://hl7.org/fhir/NamingSystem/gs1-di",
                "jurisdiction": "http://hl7.org/fhir/NamingSystem/fda-udi",
                "carrierHRF": udi,
            }
        ]
        if "01" in parts
        else [],
        status="active",
        manufactureDate=_day(parts.get("11", "")),
        expirationDate=_day(parts.get("17", "")),
        lotNumber=parts.get("10"),
        serialNumber=parts.get("21"),
        type=coded(fact.code(), text=fact.text("text")),
        patient=pen.subject,
    )


def _day(digits: str) -> str | None:
    """YYMMDD as a date."""
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:6]}" if len(digits) == 6 else None


def coverage(pen: Pen, fact: Fact) -> Resource:
    """An insurance."""
    member = fact.text("member_id")
    code = fact.code()
    kinds = f"{TERMS}/coverage-class"
    classes = []
    if fact.text("group"):
        group = fact.text("group")
        classes.append({"type": concept(kinds, "group", "Group"), "value": group, "name": f"Group {group}"})
    if code:
        classes.append({"type": concept(kinds, "plan", "Plan"), "value": code.code, "name": code.display})
    number_type = concept(f"{TERMS}/v2-0203", "MB", "Member Number")
    return pen.write(
        "Coverage",
        fact.anchor,
        ("us-core-coverage",),
        latest(fact),
        identifier=[{"type": number_type, "system": f"{IDENTIFIERS}:member", "value": member}] if member else [],
        status="cancelled" if fact.text("end") else "active",
        type=coded(code),
        subscriberId=member,
        beneficiary=pen.subject,
        relationship=concept(f"{TERMS}/subscriber-relationship", "self", "Self"),
        period=period(fact.text("start"), fact.text("end")),
        payor=[pen.directory.organization(fact.text("payer"))] if fact.text("payer") else [pen.subject],
        class_=classes,
    )
