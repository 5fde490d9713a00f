"""Entries about care itself: encounters, plans, goals, concerns, the care team, notes, coverage."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from onc_conformance.reference.cda.conditions import indication, problem_observation
from onc_conformance.reference.cda.contacts import NOWHERE, name_parts, reach
from onc_conformance.reference.cda.header import NPI, OFFICE, entry_author, named_author
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
    span,
    status,
    template,
    words,
)
from onc_conformance.reference.cda.narrative import row_title
from onc_conformance.reference.cda.places import place
from onc_conformance.reference.charts import Chart, Code, Fact

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMBERS = "2.16.840.1.113883.19.5.99999.3"
_SUBSCRIBER_SELF = Code("rolecode", "SELF", "Self")


def encounter(chart: Chart, fact: Fact) -> str:
    """Encounter Activity with place and diagnosis where the chart names them."""
    return el(
        "encounter",
        {"classCode": "ENC", "moodCode": "EVN"},
        template(f"{OID}.4.49", "", "2015-08-01"),
        identifier(chart, "encounter", fact.encounter or fact.anchor),
        coded("code", fact.code(), original(fact)),
        narrative(fact),
        moment(fact),
        coded("sdtc:dischargeDispositionCode", fact.code("disposition")) if fact.code("disposition") else "",
        entry_author(chart, fact),
        place(fact),
        _diagnosis(chart, fact) if fact.code("diagnosis") else "",
    )


def _diagnosis(chart: Chart, fact: Fact) -> str:
    return el(
        "entryRelationship",
        {"typeCode": "COMP"},
        el(
            "act",
            {"classCode": "ACT", "moodCode": "EVN"},
            template(f"{OID}.4.80", "", "2015-08-01"),
            fixed("code", "loinc", "29308-4", "Diagnosis"),
            status("active"),
            el(
                "entryRelationship",
                {"typeCode": "SUBJ"},
                problem_observation(chart, fact, fact.code("diagnosis"), "diagnosis", also="diagnosis_also"),
            ),
        ),
    )


_ACTS = {
    "observation": ("observation", "OBS", "4.44"),
    "procedure": ("procedure", "PROC", "4.41"),
    "encounter": ("encounter", "ENC", "4.40"),
    "act": ("act", "ACT", "4.39"),
}
"""How what is planned is written: element, class, template."""


def planned(chart: Chart, fact: Fact) -> str:
    """What is planned, as the act the chart or its code makes it: an observation, a medication, or some other act."""
    system = code.system if (code := fact.code()) else ""
    act = fact.text("act") or {"loinc": "observation", "rxnorm": "medication"}.get(system, "act")
    if act == "medication":
        return _planned_medication(chart, fact)
    tag, kind, number = _ACTS[act]
    return el(
        tag,
        {"classCode": kind, "moodCode": "INT"},
        template(f"{OID}.{number}", "", "2014-06-09"),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact)) if fact.code() else coded("code", None, text=row_title(fact)),
        narrative(fact),
        status("active"),
        moment(fact),
        entry_author(chart, fact),
    )


def _planned_medication(chart: Chart, fact: Fact) -> str:
    material = el("manufacturedMaterial", {}, coded("code", fact.code(), original(fact)))
    product = el("manufacturedProduct", {"classCode": "MANU"}, template(f"{OID}.4.23", "", "2014-06-09"), material)
    return el(
        "substanceAdministration",
        {"classCode": "SBADM", "moodCode": "INT"},
        template(f"{OID}.4.42", "", "2014-06-09"),
        identifier(chart, fact.anchor),
        narrative(fact),
        status("active"),
        point("effectiveTime", next(iter(fact.dates), None)),
        el("consumable", {}, product),
        entry_author(chart, fact),
    )


def goal(chart: Chart, fact: Fact) -> str:
    """Goal Observation: the goal's words as its value."""
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "GOL"},
        template(f"{OID}.4.121", ""),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact)) if fact.code() else coded("code", None, text=row_title(fact)),
        narrative(fact),
        status("active"),
        _until(fact) if fact.text("due") else moment(fact),
        words("value", row_title(fact), {"xsi:type": "ST"}),
        entry_author(chart, fact),
    )


def _until(fact: Fact) -> str:
    """From the day of the goal to the day by which it is to be achieved."""
    return el("effectiveTime", {}, point("low", next(iter(fact.dates), None)), point("high", fact.text("due")))


def health_concern(chart: Chart, fact: Fact) -> str:
    """Health Concern Act, referring to the condition it is about where the chart codes one."""
    about = [(fact.code(), "condition"), (fact.code("problem"), "problem")]
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "EVN"},
        template(f"{OID}.4.132", "2015-08-01"),
        identifier(chart, fact.anchor),
        fixed("code", "loinc", "75310-3", "Health concerns document"),
        narrative(fact),
        status("active"),
        moment(fact),
        entry_author(chart, fact),
        *(
            el("entryRelationship", {"typeCode": "REFR"}, problem_observation(chart, fact, code, role))
            for code, role in about
            if code
        ),
    )


def care_team(chart: Chart, facts: Sequence[Fact], extension: str) -> str:
    """Care Team Organizer (companion guide) with one act for each member; `extension` is the guide's release."""
    begun = min((fact.dates[0] for fact in facts if fact.dates), default=None)
    return el(
        "organizer",
        {"classCode": "CLUSTER", "moodCode": "EVN"},
        template(f"{OID}.4.500", "", extension),
        identifier(chart, "care-team"),
        fixed("code", "loinc", "86744-0", "Care team"),
        status("active"),
        el("effectiveTime", {}, point("low", begun)),
        entry_author(chart, facts[0]),
        *(el("component", {}, _member(chart, fact, extension)) for fact in facts),
    )


def _member(chart: Chart, fact: Fact, extension: str) -> str:
    role = fact.code("role")
    return el(
        "act",
        {"classCode": "PCPR", "moodCode": "EVN"},
        template(f"{OID}.4.500.1", "", extension),
        identifier(chart, fact.anchor),
        fixed("code", "loinc", "85847-2", "Patient Care team information"),
        narrative(fact),
        status("completed" if fact.values.get("end") else "active"),
        span(fact),
        el(
            "performer",
            {"typeCode": "PRF"},
            coded("sdtc:functionCode", role) if role else "",
            el(
                "assignedEntity",
                {},
                el("id", {"root": NPI, "extension": _npi(member_name(fact))}),
                reach(fact.values, OFFICE),
                el("assignedPerson", {}, el("name", {}, name_parts(fact.values.get("member", {})))),
            ),
        ),
    )


def member_name(fact: Fact) -> str:
    """A care team member as a person would say it."""
    member = fact.values.get("member", {})
    given = member.get("given", "")
    return " ".join([*([given] if isinstance(given, str) else given), str(member.get("family", ""))]).strip()


def _npi(name: str) -> str:
    """A made-up provider number for a made-up provider: right check digit, from a block not issued."""
    base = f"19999{int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], 'big') % 10000:04}"
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(base))]
    total = 24 + sum(digit - 9 if digit > 9 else digit for digit in doubled)  # 24 stands for the card prefix 80840
    return f"{base}{-total % 10}"


def referral(chart: Chart, fact: Fact) -> str:
    """Patient Referral Act."""
    return el(
        "act",
        {"classCode": "PCPR", "moodCode": "INT"},
        template(f"{OID}.4.140", ""),
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact)) if fact.code() else coded("code", None, text=row_title(fact)),
        narrative(fact),
        status("active"),
        moment(fact),
        entry_author(chart, fact),
        indication(chart, fact),
    )


def note(chart: Chart, fact: Fact) -> str:
    """Note Activity whose words are in the narrative."""
    kind, author = fact.code(), fact.text("author")
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "EVN"},
        template(f"{OID}.4.202", "2016-11-01"),
        identifier(chart, fact.anchor),
        fixed("code", "loinc", "34109-9", "Note", coded("translation", kind) if kind else ""),
        narrative(fact),
        status("completed"),
        moment(fact),
        named_author(chart, fact, author, _npi(author)) if author else entry_author(chart, fact),
    )


def coverage(chart: Chart, fact: Fact) -> str:
    """Coverage Activity around one Policy Activity: payer, policy holder, group, member."""
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "EVN"},
        template(f"{OID}.4.60", "", "2015-08-01"),
        identifier(chart, fact.anchor),
        fixed("code", "loinc", "48768-6", "Payment sources"),
        narrative(fact),
        status("completed"),
        moment(fact),
        entry_author(chart, fact),
        el("entryRelationship", {"typeCode": "COMP"}, _policy(chart, fact)),
    )


def _policy(chart: Chart, fact: Fact) -> str:
    member = el("id", {"root": _MEMBERS, "extension": fact.text("member_id") or chart.id})
    held_by = fact.text("subscriber_id")
    subscriber = el("id", {"root": _MEMBERS, "extension": held_by}) + NOWHERE if held_by else member
    code = fact.code()
    relationship = fact.code("relationship") or _SUBSCRIBER_SELF
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "EVN"},
        template(f"{OID}.4.61", "", "2015-08-01"),
        el("id", {"root": "2.16.840.1.113883.19.5.99999.4", "extension": fact.text("group") or fact.anchor}),
        coded("code", code, coded("translation", code)),
        status("completed"),
        el(
            "performer",
            {"typeCode": "PRF"},
            template(f"{OID}.4.87", ""),
            el(
                "assignedEntity",
                {},
                el("id", {"root": fact.text("payer_id")})
                if fact.text("payer_id")
                else identifier(chart, fact.anchor, "payer"),
                '<code code="PAYOR" codeSystem="2.16.840.1.113883.5.110" codeSystemName="RoleClass"/>',
                reach(fact.values, ""),
                el("representedOrganization", {}, words("name", fact.text("payer") or row_title(fact))),
            ),
        ),
        el(
            "participant",
            {"typeCode": "COV"},
            template(f"{OID}.4.89", ""),
            el("time", {}, point("low", next(iter(fact.dates), None))),
            el(
                "participantRole",
                {"classCode": "PAT"},
                member,
                coded("code", relationship),
            ),
        ),
        el(
            "participant",
            {"typeCode": "HLD"},
            template(f"{OID}.4.90", ""),
            el("participantRole", {}, subscriber),
        ),
        el("entryRelationship", {"typeCode": "REFR"}, _authorization(chart, fact)),
    )


def _authorization(chart: Chart, fact: Fact) -> str:
    """A policy refers to what it covers; this EHR knows only the plan's name."""
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "DEF"},
        identifier(chart, fact.anchor, "plan"),
        coded("code", None, text=fact.text("payer") or row_title(fact)),
        words("text", fact.text("payer") or row_title(fact)),
    )
