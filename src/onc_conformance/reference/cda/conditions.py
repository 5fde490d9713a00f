"""Entries about what ails: problems and allergies, each a concern around an observation."""

from __future__ import annotations

from onc_conformance.reference.cda.header import entry_author
from onc_conformance.reference.cda.markup import (
    OID,
    coded,
    el,
    fixed,
    identifier,
    narrative,
    original,
    point,
    span,
    status,
    template,
    translations,
)
from onc_conformance.reference.charts import Chart, Code, Fact

_CONCERN = '<code code="CONC" codeSystem="2.16.840.1.113883.5.6" displayName="Concern"/>'
_ASSERTION = '<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4" codeSystemName="HL7ActCode"/>'
_OVER = {"resolved", "completed", "inactive", "aborted", "stopped"}
_STATUS_VALUES = {
    "active": Code("snomed", "55561003", "Active"),
    "inactive": Code("snomed", "73425007", "Inactive"),
    "resolved": Code("snomed", "413322009", "Resolved"),
}
_ALLERGY_TO_DRUG = Code("snomed", "416098002", "Allergy to drug (finding)")
_NO_PROBLEM = Code("snomed", "55607006", "Problem")


def problem(chart: Chart, fact: Fact) -> str:
    """Problem Concern Act around one Problem Observation; "no known problems" where that is the fact."""
    over = is_over(fact)
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "EVN"},
        template(f"{OID}.4.3", "", "2015-08-01"),
        identifier(chart, fact.anchor, "concern"),
        _CONCERN,
        narrative(fact),
        status("completed" if over else "active"),
        span(fact, ended=over),
        entry_author(chart, fact),
        el("entryRelationship", {"typeCode": "SUBJ"}, problem_observation(chart, fact, fact.code())),
    )


def _diagnosed(chart: Chart, fact: Fact) -> str:
    """Date of Diagnosis Act, where it is not the onset."""
    return el(
        "entryRelationship",
        {"typeCode": "COMP"},
        el(
            "act",
            {"classCode": "ACT", "moodCode": "EVN"},
            template(f"{OID}.4.502", "2022-06-01"),
            identifier(chart, fact.anchor, "diagnosed"),
            fixed("code", "loinc", "77975-1", "Earliest date of diagnosis"),
            status("completed"),
            point("effectiveTime", fact.text("diagnosed")),
        ),
    )


def problem_observation(
    chart: Chart, fact: Fact, code: Code | None, role: str = "problem", *, also: str = "also"
) -> str:
    """Problem Observation of `code` over the fact's own time; `also` is the key of the codes that mean the same."""
    none_known = fact.no_information and code is None
    value = _NO_PROBLEM if none_known else code
    about = translations(fact, also) if code == fact.code() or also != "also" else ""
    over = is_over(fact)
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"} | ({"negationInd": "true"} if none_known else {}),
        template(f"{OID}.4.4", "", "2015-08-01"),
        identifier(chart, fact.anchor, role),
        fixed("code", "snomed", "55607006", "Problem", fixed("translation", "loinc", "75326-9", "Problem")),
        narrative(fact),
        status("completed"),
        span(fact, ended=over),
        coded("value", value, about, kind="CD", text=fact.text("text")),
        _diagnosed(chart, fact) if role == "problem" and fact.text("diagnosed") else "",
        "" if none_known else _standing(chart, fact, role, over),
    )


def _standing(chart: Chart, fact: Fact, role: str, over: bool) -> str:
    return el(
        "entryRelationship",
        {"typeCode": "REFR"},
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.6", "", "2019-06-20"),
            identifier(chart, fact.anchor, role, "status"),
            fixed("code", "loinc", "33999-4", "Status"),
            status("completed"),
            coded("value", _status_value(fact, over), kind="CD"),
        ),
    )


def _status_value(fact: Fact, over: bool) -> Code:
    return _STATUS_VALUES.get(fact.text("status"), _STATUS_VALUES["resolved" if over else "active"])


def indication(chart: Chart, fact: Fact) -> str:
    """Indication, the problem something is done for; nothing where the chart names none."""
    code = fact.code("indication")
    if code is None:
        return ""
    return el(
        "entryRelationship",
        {"typeCode": "RSON"},
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.19", "", "2014-06-09"),
            identifier(chart, fact.anchor, "indication"),
            fixed("code", "snomed", "55607006", "Problem", fixed("translation", "loinc", "75326-9", "Problem")),
            status("completed"),
            coded("value", code, kind="CD"),
        ),
    )


def is_over(fact: Fact) -> bool:
    """Whether the chart says that it ended."""
    return bool(fact.values.get("end")) or fact.text("status") in _OVER


def allergy(chart: Chart, fact: Fact) -> str:
    """Allergy Concern Act around one Allergy - Intolerance Observation; "no known allergies" where that is the fact."""
    over = is_over(fact)
    return el(
        "act",
        {"classCode": "ACT", "moodCode": "EVN"},
        template(f"{OID}.4.30", "", "2015-08-01"),
        identifier(chart, fact.anchor, "concern"),
        _CONCERN,
        narrative(fact),
        status("completed" if over else "active"),
        span(fact, ended=over),
        entry_author(chart, fact),
        el("entryRelationship", {"typeCode": "SUBJ"}, _intolerance(chart, fact, over)),
    )


def _intolerance(chart: Chart, fact: Fact, over: bool) -> str:
    none_known = fact.no_information and fact.code() is None
    substance = '<code nullFlavor="NA"/>' if none_known else coded("code", fact.code(), original(fact))
    return el(
        "observation",
        {"classCode": "OBS", "moodCode": "EVN"} | ({"negationInd": "true"} if none_known else {}),
        template(f"{OID}.4.7", "", "2014-06-09"),
        identifier(chart, fact.anchor, "allergy"),
        _ASSERTION,
        narrative(fact),
        status("completed"),
        span(fact, ended=over),
        coded("value", fact.code("type") or _ALLERGY_TO_DRUG, kind="CD"),
        el(
            "participant",
            {"typeCode": "CSM"},
            el("participantRole", {"classCode": "MANU"}, el("playingEntity", {"classCode": "MMAT"}, substance)),
        ),
        "" if none_known else _allergy_status(chart, fact, over),
        _reaction(chart, fact) if fact.code("reaction") else "",
    )


def _allergy_status(chart: Chart, fact: Fact, over: bool) -> str:
    return el(
        "entryRelationship",
        {"typeCode": "SUBJ", "inversionInd": "true"},
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.28", "", "2019-06-20"),
            identifier(chart, fact.anchor, "status"),
            fixed("code", "loinc", "33999-4", "Status"),
            status("completed"),
            coded("value", _status_value(fact, over), kind="CE"),
        ),
    )


def _reaction(chart: Chart, fact: Fact) -> str:
    return el(
        "entryRelationship",
        {"typeCode": "MFST", "inversionInd": "true"},
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.9", "", "2014-06-09"),
            identifier(chart, fact.anchor, "reaction"),
            _ASSERTION,
            narrative(fact),
            status("completed"),
            span(fact),
            coded("value", fact.code("reaction"), kind="CD"),
            _severity(chart, fact) if fact.code("severity") else "",
        ),
    )


def _severity(chart: Chart, fact: Fact) -> str:
    return el(
        "entryRelationship",
        {"typeCode": "SUBJ", "inversionInd": "true"},
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.8", "", "2014-06-09"),
            identifier(chart, fact.anchor, "severity"),
            '<code code="SEV" codeSystem="2.16.840.1.113883.5.4" codeSystemName="HL7ActCode" displayName="Severity"/>',
            narrative(fact),
            status("completed"),
            coded("value", fact.code("severity"), kind="CD"),
        ),
    )
