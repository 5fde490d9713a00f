"""Entries about conditions and what was given for them: problems, allergies, medications, immunizations, procedures."""

from __future__ import annotations

from onc_conformance.reference.cda.header import entry_author
from onc_conformance.reference.cda.markup import (
    coded,
    el,
    fixed,
    identifier,
    moment,
    narrative,
    original,
    point,
    quantity,
    span,
    status,
    template,
    translations,
    words,
)
from onc_conformance.reference.charts import Chart, Code, Fact

OID = "2.16.840.1.113883.10.20.22"
UDI_ROOT = "2.16.840.1.113883.3.3719"
_CONCERN = '<code code="CONC" codeSystem="2.16.840.1.113883.5.6" displayName="Concern"/>'
_ASSERTION = '<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4" codeSystemName="HL7ActCode"/>'
_OVER = {"resolved", "completed", "inactive", "aborted", "stopped"}
_STATUS_VALUES = {
    "active": Code("snomed", "55561003", "Active"),
    "inactive": Code("snomed", "73425007", "Inactive"),
    "resolved": Code("snomed", "413322009", "Resolved"),
}
_MEDICATION_STATUS = {"active", "completed", "aborted", "suspended"}
_ALLERGY_TO_DRUG = Code("snomed", "416098002", "Allergy to drug (finding)")
_NO_DRUG = Code("snomed", "410942007", "Drug or medicament (substance)")
_NO_PROBLEM = Code("snomed", "55607006", "Problem")
_PROCEDURE_TEMPLATES = template(f"{OID}.4.14", "", "2014-06-09")


def problem(chart: Chart, fact: Fact) -> str:
    """Problem Concern Act around one Problem Observation; "no known problems" where that is the fact."""
    over = _is_over(fact)
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


def problem_observation(chart: Chart, fact: Fact, code: Code | None, role: str = "problem") -> str:
    """Problem Observation of `code` over the fact's own time."""
    none_known = fact.no_information and code is None
    value = _NO_PROBLEM if none_known else code
    about = translations(fact) if code == fact.code() else ""
    over = _is_over(fact)
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


def _is_over(fact: Fact) -> bool:
    return bool(fact.values.get("end")) or fact.text("status") in _OVER


def allergy(chart: Chart, fact: Fact) -> str:
    """Allergy Concern Act around one Allergy - Intolerance Observation; "no known allergies" where that is the fact."""
    over = _is_over(fact)
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


def medication(chart: Chart, fact: Fact) -> str:
    """Medication Activity; "no known medications" where that is the fact."""
    none_known = fact.no_information and fact.code() is None
    every = fact.values.get("every")
    period = quantity("period", every["value"], every.get("unit", "h")) if every else ""
    code = fact.code()
    material = (
        coded("code", None, coded("translation", _NO_DRUG), text=row_title(fact))
        if none_known
        else coded("code", code, original(fact), translations(fact))
    )
    return el(
        "substanceAdministration",
        {"classCode": "SBADM", "moodCode": "EVN"} | ({"negationInd": "true"} if none_known else {}),
        template(f"{OID}.4.16", "", "2014-06-09"),
        identifier(chart, fact.anchor),
        narrative(fact),
        status(_medication_status(fact)),
        _medication_time(fact),
        el("effectiveTime", {"xsi:type": "PIVL_TS", "operator": "A"}, period) if period else "",
        coded("routeCode", fact.code("route")) if fact.code("route") else "",
        _dose(fact),
        el(
            "consumable",
            {},
            el(
                "manufacturedProduct",
                {"classCode": "MANU"},
                template(f"{OID}.4.23", "", "2014-06-09"),
                el("manufacturedMaterial", {}, material),
            ),
        ),
        entry_author(chart, fact),
    )


def _medication_time(fact: Fact) -> str:
    if fact.values.get("date"):
        return point("effectiveTime", fact.values["date"])
    return span(fact, "IVL_TS")


def _medication_status(fact: Fact) -> str:
    if fact.text("status") in _MEDICATION_STATUS:
        return fact.text("status")
    return "completed" if _is_over(fact) or fact.values.get("date") else "active"


def _dose(fact: Fact) -> str:
    dose = fact.values.get("dose")
    if not dose:
        return '<doseQuantity nullFlavor="UNK"/>'
    return quantity("doseQuantity", dose["value"], str(dose.get("unit", "")))


def immunization(chart: Chart, fact: Fact) -> str:
    """Immunization Activity; one with status `not_done` is negated."""
    refused = fact.text("status") in {"not_done", "refused"}
    maker = fact.text("manufacturer")
    return el(
        "substanceAdministration",
        {"classCode": "SBADM", "moodCode": "EVN", "negationInd": "true" if refused else "false"},
        template(f"{OID}.4.52", "", "2015-08-01"),
        identifier(chart, fact.anchor),
        narrative(fact),
        status("completed"),
        point("effectiveTime", next(iter(fact.dates), None)),
        coded("routeCode", fact.code("route")) if fact.code("route") else "",
        el(
            "consumable",
            {},
            el(
                "manufacturedProduct",
                {"classCode": "MANU"},
                template(f"{OID}.4.54", "", "2014-06-09"),
                el(
                    "manufacturedMaterial",
                    {},
                    coded("code", fact.code(), original(fact), translations(fact)),
                    words("lotNumberText", fact.text("lot")) if fact.text("lot") else "",
                ),
                el("manufacturerOrganization", {}, words("name", maker)) if maker else "",
            ),
        ),
        entry_author(chart, fact),
    )


def procedure(chart: Chart, fact: Fact) -> str:
    """Procedure Activity Procedure."""
    return el(
        "procedure",
        {"classCode": "PROC", "moodCode": "EVN"},
        _PROCEDURE_TEMPLATES,
        identifier(chart, fact.anchor),
        coded("code", fact.code(), original(fact), translations(fact)),
        narrative(fact),
        status(_procedure_status(fact)),
        moment(fact),
        entry_author(chart, fact),
    )


def device(chart: Chart, fact: Fact, *, with_instance: bool = True) -> str:
    """The procedure that put a device in, and the device as its Product Instance with the full UDI."""
    act = fact.code("procedure") or Code("snomed", "360030002", "Application of medical device (procedure)")
    return el(
        "procedure",
        {"classCode": "PROC", "moodCode": "EVN"},
        _PROCEDURE_TEMPLATES,
        identifier(chart, fact.anchor),
        coded("code", act, original(fact)),
        narrative(fact),
        status(_procedure_status(fact)),
        moment(fact),
        entry_author(chart, fact),
        _product_instance(fact) if with_instance else "",
    )


def _product_instance(fact: Fact) -> str:
    carrier = fact.text("udi")
    known = {"root": UDI_ROOT, "extension": carrier, "assigningAuthorityName": "FDA"}
    return el(
        "participant",
        {"typeCode": "DEV"},
        el(
            "participantRole",
            {"classCode": "MANU"},
            template(f"{OID}.4.37", ""),
            el("id", known if carrier else {"nullFlavor": "UNK"}),
            el("playingDevice", {}, coded("code", fact.code(), original(fact))),
            el("scopingEntity", {}, el("id", {"root": UDI_ROOT})),
        ),
    )


def _procedure_status(fact: Fact) -> str:
    return fact.text("status") if fact.text("status") in {"active", "aborted", "cancelled"} else "completed"


def row_title(fact: Fact) -> str:
    """What a person reads first of a fact: its own text, else what its code is called."""
    return fact.text("text") or str(fact.code() or "No information")
