"""Entries about what a person was asked or found to be: social history, function, mind."""

from __future__ import annotations

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
    number,
    original,
    point,
    span,
    status,
    template,
    translations,
)
from onc_conformance.reference.cda.narrative import row_title
from onc_conformance.reference.cda.observed import value
from onc_conformance.reference.charts import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.reference.charts import Chart, Fact

_SEXES = {
    "female": Code("snomed", "248152002", "Female (finding)"),
    "male": Code("snomed", "248153007", "Male (finding)"),
}
_BIRTH_SEXES = {"F": Code("gender", "F", "Female"), "M": Code("gender", "M", "Male")}
_ASSERTION = '<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4" codeSystemName="HL7ActCode"/>'
_SOCIAL = template(f"{OID}.4.38", "", "2015-08-01")
_KNOWN = {
    "occupation": (template(f"{OID}.4.503", "2023-05-01"), ("11341-5", "History of occupation")),
    "industry": (template(f"{OID}.4.504", "2023-05-01"), ("86188-0", "History of occupation industry")),
    "tribal_affiliation": (template(f"{OID}.4.506", "2023-05-01"), ("95370-3", "Tribal affiliation")),
    "pregnancy": (template("2.16.840.1.113883.10.20.15.3.8", ""), None),
    "sexual_orientation": (_SOCIAL + template(f"{OID}.4.501", "2022-06-01"), ("76690-7", "Sexual orientation")),
    "gender_identity": (
        _SOCIAL + template("2.16.840.1.113883.10.20.34.3.45", "2022-06-01"),
        ("76691-5", "Gender identity"),
    ),
    "disability": (template(f"{OID}.4.505", "2023-05-01"), ("89571-4", "Disability status [CUBS]")),
}
"""Kinds of facts that are answers: template, and the question (LOINC), or None for an assertion."""
_LASTING = {"occupation", "industry", "pregnancy"}
"""Kinds whose time is since when it is so."""


_FUNCTION = (
    template(f"{OID}.4.67", "", "2014-06-09"),
    fixed("code", "loinc", "54522-8", "Functional status"),
)
_COGNITION = fixed("translation", "loinc", "75275-8", "Cognitive function")
_MIND = (
    template(f"{OID}.4.74", "", "2015-08-01"),
    fixed("code", "snomed", "373930000", "Cognitive function finding", _COGNITION),
)


def social_history(chart: Chart, facts: Sequence[Fact]) -> list[str]:
    """An entry for each fact that does not stand within another."""
    return [_social(chart, fact, facts) for fact in _outer(facts)]


def functional_status(chart: Chart, facts: Sequence[Fact]) -> list[str]:
    """Functional Status Observations, disability status and assessments."""
    return [_finding(chart, fact, facts, *_FUNCTION) for fact in _outer(facts)]


def mental_status(chart: Chart, facts: Sequence[Fact]) -> list[str]:
    """Mental Status Observations and assessments."""
    return [_finding(chart, fact, facts, *_MIND) for fact in _outer(facts)]


def sex(chart: Chart, edition: str) -> list[str]:
    """Birth Sex Observation of the person, unknown where it is not charted, and after USCDI v1 the Sex Observation."""
    known, now = _BIRTH_SEXES.get(str(chart.person.get("birth_sex") or "")), str(chart.person["sex"])
    found = [
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.200", "2016-06-01"),
            fixed("code", "loinc", "76689-9", "Sex assigned at birth"),
            '<text><reference value="#birth-sex"/></text>',
            status("completed"),
            coded("value", known, kind="CD") if known else '<value xsi:type="CD" nullFlavor="UNK"/>',
        )
    ]
    if edition != "uscdi-v1" and now in _SEXES:
        found.append(
            el(
                "observation",
                {"classCode": "OBS", "moodCode": "EVN"},
                template(f"{OID}.4.507", "2023-06-28"),
                identifier(chart, "sex"),
                fixed("code", "loinc", "46098-0", "Sex"),
                '<text><reference value="#sex"/></text>',
                status("completed"),
                point("effectiveTime", chart.birth_date),
                coded("value", _SEXES[now], kind="CD"),
            )
        )
    return found


def _outer(facts: Sequence[Fact]) -> list[Fact]:
    """Facts that are entries of their own: answers stand in their assessment, an industry in an occupation."""
    assessments = {fact.text("id") for fact in facts if fact.text("kind") == "assessment"}
    occupied = any(fact.text("kind") == "occupation" for fact in facts)
    return [
        fact
        for fact in facts
        if not (fact.text("part_of") and fact.text("part_of") in assessments)
        and not (fact.text("kind") == "industry" and occupied)
    ]


def _social(chart: Chart, fact: Fact, facts: Sequence[Fact]) -> str:
    kind = fact.text("kind")
    if kind == "assessment":
        return _assessment(chart, fact, facts)
    if kind in _KNOWN:
        first = next((each for each in facts if each.text("kind") == "occupation"), None)
        industries = [each for each in facts if each.text("kind") == "industry"] if fact is first else []
        return _answer(chart, fact, *(_within("REFR", _answer(chart, each)) for each in industries))
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        _SOCIAL,
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact), translations(fact), text=row_title(fact)),
        narrative(fact),
        status("completed"),
        moment(fact),
        value(fact),
        entry_author(chart, fact),
    )


def _finding(chart: Chart, fact: Fact, facts: Sequence[Fact], templates: str, code: str) -> str:
    """A finding, wherever the chart keeps it: as the fact's code, or as a value beside its question."""
    kind = fact.text("kind")
    if kind == "assessment" or (fact.code() and "value" in fact.values):
        return _assessment(chart, fact, facts)
    if kind in _KNOWN:
        return _answer(chart, fact)
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        templates,
        identifier(chart, fact.anchor),
        code,
        narrative(fact),
        status("completed"),
        moment(fact),
        value(fact) if "value" in fact.values else coded("value", fact.code(), kind="CD", text=row_title(fact)),
        entry_author(chart, fact),
    )


def _answer(chart: Chart, fact: Fact, *inner: str) -> str:
    """The observation a kind of fact is the answer of."""
    templates, question = _KNOWN[fact.text("kind")]
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        templates,
        identifier(chart, fact.anchor),
        fixed("code", "loinc", *question) if question else _ASSERTION,
        narrative(fact),
        status("completed"),
        span(fact) if fact.text("kind") in _LASTING else moment(fact),
        coded("value", fact.code(), kind="CD", text=row_title(fact)),
        entry_author(chart, fact),
        *inner,
    )


def _assessment(chart: Chart, fact: Fact, facts: Sequence[Fact]) -> str:
    """Assessment Scale Observation around its Supporting Observations."""
    answers = [each for each in facts if each.text("part_of") and each.text("part_of") == fact.text("id")]
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.69", ""),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact), translations(fact), text=row_title(fact)),
        narrative(fact),
        status("completed"),
        moment(fact),
        _score(fact),
        entry_author(chart, fact),
        *(_within("COMP", _supporting(chart, each)) for each in answers),
    )


def _score(fact: Fact) -> str:
    found = fact.values.get("value")
    whole = isinstance(found, (int, float)) and float(found).is_integer()
    return el("value", {"xsi:type": "INT", "value": number(int(found))}) if whole else value(fact)  # type: ignore[arg-type]


def _supporting(chart: Chart, fact: Fact) -> str:
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"},
        template(f"{OID}.4.86", ""),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact), text=row_title(fact)),
        narrative(fact),
        status("completed"),
        moment(fact),
        value(fact),
    )


def _within(kind: str, entry: str) -> str:
    return el("entryRelationship", {"typeCode": kind}, entry)
