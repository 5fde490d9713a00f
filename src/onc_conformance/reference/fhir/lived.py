"""How somebody lives: smoking, work, habits, what they can do, how they think."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.fhir.measured import OBSERVED, value, when
from onc_conformance.reference.fhir.parts import (
    ABSENT,
    CATEGORY,
    LOINC,
    Pen,
    Resource,
    also,
    coded,
    concept,
    instant,
    latest,
    moment,
    period,
)

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact

_SOCIAL = concept(OBSERVED, "social-history", "Social History")
_SURVEY = concept(OBSERVED, "survey", "Survey")
_OCCUPATION = "11341-5"
_ABILITIES = {
    "functional_status": ("functional-status", "Functional Status", "54522-8", "Functional status"),
    "mental_status": ("cognitive-status", "Cognitive Status", "11332-4", "History of Cognitive function"),
}


def smoking(pen: Pen, fact: Fact) -> Resource:
    """Whether they smoke."""
    told = fact.text("date") or fact.text("start") or fact.text("end")
    return pen.write(
        "Observation",
        fact.anchor,
        ("us-core-smokingstatus",),
        latest(fact),
        status="final",
        category=[_SOCIAL],
        code=concept(LOINC, "72166-2", "Tobacco smoking status"),
        subject=pen.subject,
        **pen.of(fact),
        effectiveDateTime=moment(told) if told else None,
        _effectiveDateTime=None if told else _unknown(),
        issued=instant(told) if told else None,
        performer=[pen.seen_by(fact)],
        valueCodeableConcept=coded(fact.code(), also=also(fact)),
    )


def habit(pen: Pen, fact: Fact) -> Resource:
    """A row of the social history; work is told in the profile it has of its own."""
    code = fact.code()
    if code and code.code == _OCCUPATION:
        return _work(pen, fact)
    return pen.write(
        "Observation",
        fact.anchor,
        ("us-core-simple-observation",),
        latest(fact),
        status="final",
        category=[_SOCIAL],
        code=coded(code, also=also(fact), text=fact.text("text")),
        subject=pen.subject,
        **pen.of(fact),
        **when(fact),
        issued=instant(latest(fact)) if latest(fact) else None,
        performer=[pen.seen_by(fact)],
        **value(fact),
    )


def _work(pen: Pen, fact: Fact) -> Resource:
    found = fact.values.get("value")
    named = coded(fact.code("value")) if isinstance(found, dict) else {"text": str(found)}
    return pen.write(
        "Observation",
        fact.anchor,
        ("us-core-observation-occupation",),
        latest(fact),
        status="final",
        category=[_SOCIAL],
        code=coded(fact.code()),
        subject=pen.subject,
        effectivePeriod=period(fact.text("start") or fact.text("date"), fact.text("end")),
        performer=[pen.subject],
        valueCodeableConcept=named if found else concept(ABSENT, "unknown", "Unknown"),
    )


def ability(pen: Pen, fact: Fact) -> Resource:
    """A finding about function or mind."""
    category, words, number, display = _ABILITIES[fact.kind]
    return pen.write(
        "Observation",
        fact.anchor,
        ("us-core-simple-observation",),
        latest(fact),
        status="final",
        category=[concept(CATEGORY, category, words) if pen.since("6.1.0") else _SURVEY],
        code=concept(LOINC, number, display),
        subject=pen.subject,
        **pen.of(fact),
        **when(fact),
        performer=[pen.seen_by(fact)],
        valueCodeableConcept=coded(fact.code(), also=also(fact)),
        note=[{"text": fact.text("text")}] if fact.text("text") else [],
    )


def _unknown() -> Resource:
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    return {"extension": [{"url": url, "valueCode": "unknown"}]}
