"""What is the matter, and what is meant to be done about it: conditions, allergies, goals, plans, orders."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from onc_conformance.reference.charts import days_of
from onc_conformance.reference.fhir.parts import (
    CATEGORY,
    SNOMED,
    TERMS,
    Pen,
    Resource,
    also,
    coded,
    concept,
    latest,
    moment,
    narrative,
    period,
)

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact

_ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
_CLINICAL = {"active": "Active", "inactive": "Inactive", "resolved": "Resolved"}
_CONCERNS = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"
_ANY = "us-core-condition"
"""The profile of every Condition, where the version has but one."""
_INTOLERANCE = "59037007"
_ALLERGY_KINDS = {"416098002": "medication", "59037007": "medication", "414285001": "food"}
_SEVERITIES = {"255604002": "mild", "6736007": "moderate", "371923003": "moderate", "24484000": "severe"}
_SOCIAL = {"733423003", "32911000", "160695008"}
"""Concerns about food, shelter and transport: social determinants of health."""
_ORDERS = {
    "61310001": ("409073007", "Education"),
    "3457005": ("386053000", "Evaluation procedure"),
    "306206005": ("386053000", "Evaluation procedure"),
}
_LABORATORY = ("108252007", "Laboratory procedure")
_OTHER_ORDER = ("387713003", "Surgical procedure")
_NOTHING = {
    "problems": ("160245001", "No current problems or disability"),
    "medication_allergies": ("716186003", "No known allergy"),
}
"""What is said where a chart says that there is nothing to say."""


def problem(pen: Pen, fact: Fact) -> Resource:
    """A row of the problem list."""
    return _condition(
        pen,
        fact,
        "us-core-condition-problems-health-concerns",
        [concept(f"{TERMS}/condition-category", "problem-list-item", "Problem List Item")],
    )


def concern(pen: Pen, fact: Fact) -> Resource:
    """A health concern; what is social about it is said."""
    categories = [concept(_CONCERNS, "health-concern", "Health Concern")]
    code = fact.code()
    if code and code.code in _SOCIAL and pen.since("6.1.0"):
        categories.append(concept(CATEGORY, "sdoh", "SDOH"))
    return _condition(pen, fact, "us-core-condition-problems-health-concerns", categories)


def _condition(pen: Pen, fact: Fact, named: str, categories: list[Resource]) -> Resource:
    begun = fact.text("start") or fact.text("date")
    ended = fact.text("end")
    status = "resolved" if ended else fact.text("status") or "active"
    code = coded(fact.code(), also=also(fact), text=fact.text("text"))
    if fact.no_information:
        code = concept(SNOMED, *_NOTHING["problems"]) | {"text": fact.text("text") or _NOTHING["problems"][1]}
    return pen.write(
        "Condition",
        fact.anchor,
        (named, _ANY),
        latest(fact),
        extension=[{"url": _ASSERTED, "valueDateTime": moment(begun)}] if begun else [],
        clinicalStatus=concept(f"{TERMS}/condition-clinical", status, _CLINICAL.get(status, "")),
        verificationStatus=concept(f"{TERMS}/condition-ver-status", "confirmed", "Confirmed"),
        category=categories,
        code=code,
        subject=pen.subject,
        **pen.of(fact),
        onsetDateTime=moment(begun) if begun else None,
        abatementDateTime=moment(ended) if ended else None,
        recordedDate=moment(begun) if begun else None,
        recorder=pen.seen_by(fact),
    )


def diagnosis(pen: Pen, visit: Fact) -> Resource:
    """What an encounter was about."""
    begun, ended = visit.text("start") or visit.text("date"), visit.text("end")
    status = "resolved" if ended else "active"
    return pen.write(
        "Condition",
        f"{visit.anchor}-diagnosis",
        ("us-core-condition-encounter-diagnosis", _ANY),
        latest(visit),
        extension=[{"url": _ASSERTED, "valueDateTime": moment(begun)}] if begun else [],
        clinicalStatus=concept(f"{TERMS}/condition-clinical", status, _CLINICAL[status]),
        verificationStatus=concept(f"{TERMS}/condition-ver-status", "confirmed", "Confirmed"),
        category=[concept(f"{TERMS}/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
        code=coded(visit.code("diagnosis")),
        subject=pen.subject,
        **pen.of(visit),
        onsetDateTime=moment(begun) if begun else None,
        abatementDateTime=moment(ended) if ended else None,
        recordedDate=moment(begun) if begun else None,
        recorder=pen.seen_by(visit),
    )


def allergy(pen: Pen, fact: Fact) -> Resource:
    """An allergy, or that none is known."""
    status = fact.text("status") or "active"
    kind = fact.code("type")
    code = coded(fact.code(), also=also(fact), text=fact.text("text"))
    if fact.no_information:
        words = _NOTHING["medication_allergies"]
        code = concept(SNOMED, *words) | {"text": fact.text("text") or words[1]}
    begun = fact.text("start") or fact.text("date")
    severity = fact.code("severity")
    reaction: Resource = {"manifestation": [coded(fact.code("reaction"))]} if fact.code("reaction") else {}
    if reaction and severity and severity.code in _SEVERITIES:
        reaction["severity"] = _SEVERITIES[severity.code]
    return pen.write(
        "AllergyIntolerance",
        fact.anchor,
        ("us-core-allergyintolerance",),
        latest(fact),
        clinicalStatus=concept(f"{TERMS}/allergyintolerance-clinical", status, _CLINICAL.get(status, "")),
        verificationStatus=concept(f"{TERMS}/allergyintolerance-verification", "confirmed", "Confirmed"),
        type=("intolerance" if kind.code == _INTOLERANCE else "allergy") if kind else None,
        category=[_ALLERGY_KINDS.get(kind.code, "environment")] if kind else [],
        code=code,
        patient=pen.subject,
        **pen.of(fact),
        onsetDateTime=moment(begun) if begun else None,
        recordedDate=moment(begun) if begun else None,
        recorder=pen.seen_by(fact),
        reaction=[reaction] if reaction else [],
    )


def goal(pen: Pen, fact: Fact) -> Resource:
    """A goal, due a year after it was set."""
    set_on = fact.text("date") or fact.text("start")
    day = days_of(set_on)[0] if set_on else None
    due = date(day.year + 1, day.month, min(day.day, 28)).isoformat() if day else ""
    return pen.write(
        "Goal",
        fact.anchor,
        ("us-core-goal",),
        latest(fact),
        lifecycleStatus="active",
        description=coded(fact.code(), text=fact.text("text")),
        subject=pen.subject,
        startDate=set_on[:10] if set_on else None,
        target=[{"dueDate": due}] if due else [],
        expressedBy=pen.seen_by(fact),
    )


def plan(pen: Pen, fact: Fact) -> Resource:
    """An assessment or a plan; what a plan wants done is an activity."""
    made = fact.text("date") or fact.text("start")
    planned = fact.text("kind") == "plan"
    detail: Resource = {"status": "not-started", "description": fact.text("text")}
    if fact.code():
        detail = {"code": coded(fact.code())} | detail
    return pen.write(
        "CarePlan",
        fact.anchor,
        ("us-core-careplan",),
        latest(fact),
        text=narrative(fact.text("text") or str(fact.code() or "")),
        status="active",
        intent="plan",
        category=[
            concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan", "Assessment and Plan")
        ],
        title="Plan of treatment" if planned else "Assessment",
        description=fact.text("text"),
        subject=pen.subject,
        **pen.of(fact),
        period=period(made),
        created=moment(made) if made else None,
        author=pen.seen_by(fact),
        contributor=[pen.seen_by(fact)],
        activity=[{"detail": detail}] if planned and fact.text("text") else [],
    )


def ordered(fact: Fact) -> bool:
    """Whether a plan orders something: a code of a drug is no service."""
    code = fact.code()
    return fact.text("kind") == "plan" and code is not None and code.system not in {"rxnorm", "ndc"}


def order(pen: Pen, fact: Fact) -> Resource:
    """What a plan with a code orders."""
    code = fact.code()
    made = fact.text("date") or fact.text("start")
    category = _LABORATORY if code and code.system == "loinc" else _ORDERS.get(code.code if code else "", _OTHER_ORDER)
    return pen.write(
        "ServiceRequest",
        fact.anchor,
        ("us-core-servicerequest",),
        latest(fact),
        status="active",
        intent="order",
        category=[concept(SNOMED, *category)],
        code=coded(code),
        subject=pen.subject,
        **pen.of(fact),
        occurrencePeriod=period(made),
        authoredOn=moment(made) if made else None,
        requester=pen.seen_by(fact),
        reasonCode=[{"text": fact.text("text")}] if fact.text("text") else [],
    )


def referral(pen: Pen, fact: Fact) -> Resource:
    """A referral: an order of a service elsewhere, and why."""
    made = fact.text("date") or fact.text("start")
    why = fact.code("indication")
    return pen.write(
        "ServiceRequest",
        fact.anchor,
        ("us-core-servicerequest",),
        latest(fact),
        status=fact.text("status") or "active",
        intent="order",
        category=[concept(SNOMED, *_ORDERS["306206005"])],
        code=coded(fact.code(), text=fact.text("text")),
        subject=pen.subject,
        **pen.of(fact),
        occurrencePeriod=period(made),
        authoredOn=moment(made) if made else None,
        requester=pen.seen_by(fact),
        reasonCode=[coded(why)] if why else [],
        reasonReference=pen.listed(why) if why else [],
    )


def team(pen: Pen, facts: tuple[Fact, ...]) -> Resource:
    """Everybody who cares for the patient, as one team: the first in person, others in their role since 6.1.0."""
    members = []
    for place, fact in enumerate(facts):
        name = pen.directory.member(fact)
        in_role = place and pen.since("6.1.0")
        who = pen.directory.role(name) if in_role else pen.directory.practitioner(name)
        begun = fact.text("start") or fact.text("date")
        dates = period(begun, fact.text("end"))
        members.append({"role": [coded(fact.code("role"))], "member": who} | ({"period": dates} if dates else {}))
    begun = min((fact.dates[0] for fact in facts if fact.dates), default="")
    return pen.write(
        "CareTeam",
        "care_team",
        ("us-core-careteam",),
        begun,
        status="active",
        name=f"Care team of {pen.chart.family}",
        subject=pen.subject,
        period=period(begun),
        participant=members,
        managingOrganization=[pen.directory.organization()],
    )
