"""Entries about what was given or done: medications, immunizations, procedures, devices put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.cda.conditions import indication, is_over
from onc_conformance.reference.cda.header import entry_author
from onc_conformance.reference.cda.markup import (
    OID,
    coded,
    el,
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
from onc_conformance.reference.cda.narrative import row_title
from onc_conformance.reference.cda.places import place
from onc_conformance.reference.charts import Code

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Chart, Fact

_UDI = "2.16.840.1.113883.3.3719"
_MEANT = {"stopped": "aborted", "on-hold": "suspended"}
"""What other records call a status."""
_MEDICATION_STATUS = {"active", "completed", "aborted", "suspended"}
_NO_DRUG = Code("snomed", "410942007", "Drug or medicament (substance)")
_NOTHING_CONSUMED = (
    '<consumable><manufacturedProduct classCode="MANU"><manufacturedLabeledDrug nullFlavor="NA"/></manufacturedProduct>'
    "</consumable>"
)
_PROCEDURE_TEMPLATES = template(f"{OID}.4.14", "", "2014-06-09")


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
        _event(fact) if fact.text("event") else "",
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
        indication(chart, fact),
        _directions(fact) if fact.text("instructions") else "",
        _dispensed(chart, fact, material) if fact.values.get("fill") else "",
        _as_needed(fact) if fact.values.get("as_needed") else "",
    )


def _event(fact: Fact) -> str:
    event = el("event", {"code": fact.text("event")})
    return el("effectiveTime", {"xsi:type": "EIVL_TS", "operator": "A"}, event)


def _dispensed(chart: Chart, fact: Fact, material: str) -> str:
    """Medication Dispense."""
    fill = fact.values["fill"]
    product = el(
        "manufacturedProduct",
        {"classCode": "MANU"},
        template(f"{OID}.4.23", "", "2014-06-09"),
        el("manufacturedMaterial", {}, material),
    )
    return el(
        "entryRelationship",
        {"typeCode": "REFR"},
        el(
            "supply",
            {"classCode": "SPLY", "moodCode": "EVN"},
            template(f"{OID}.4.18", "", "2014-06-09"),
            identifier(chart, fact.anchor, "fill"),
            status(str(fill.get("status", "completed"))),
            point("effectiveTime", next(iter(fact.dates), None)),
            el("repeatNumber", {"value": str(fill["repeat"])}) if "repeat" in fill else "",
            quantity("quantity", fill["quantity"]) if "quantity" in fill else "",
            el("product", {}, product),
        ),
    )


def _directions(fact: Fact) -> str:
    """Medication Free Text Sig; its words stand in the row a person reads."""
    sig = '<code code="76662-6" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"/>'
    return el(
        "entryRelationship",
        {"typeCode": "COMP"},
        el(
            "substanceAdministration",
            {"classCode": "SBADM", "moodCode": "EVN"},
            template(f"{OID}.4.147", ""),
            sig,
            el("text", {}, el("reference", {"value": f"#{fact.anchor}-directions"})),
            _NOTHING_CONSUMED,
        ),
    )


def _as_needed(fact: Fact) -> str:
    """Precondition for Substance Administration: the problem it is for, or any need."""
    need = coded("value", fact.code("indication"), kind="CD", text="as needed")
    marked = template(f"{OID}.4.25", "", "2014-06-09")
    code = '<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>'
    return el("precondition", {"typeCode": "PRCN"}, el("criterion", {}, marked, code, need))


def _medication_time(fact: Fact) -> str:
    if fact.values.get("date"):
        return point("effectiveTime", fact.values["date"])
    return span(fact, "IVL_TS")


def _medication_status(fact: Fact) -> str:
    said = _MEANT.get(fact.text("status"), fact.text("status"))
    if said in _MEDICATION_STATUS:
        return said
    return "completed" if is_over(fact) or fact.values.get("date") else "active"


def _dose(fact: Fact) -> str:
    dose = fact.values.get("dose")
    if not dose:
        return '<doseQuantity nullFlavor="UNK"/>'
    return quantity("doseQuantity", dose["value"], str(dose.get("unit", "")))


def immunization(chart: Chart, fact: Fact) -> str:
    """Immunization Activity; one with status `not_done` is negated."""
    refused = fact.text("status") in {"not_done", "refused", "cancelled"}
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
        _not_given(chart, fact) if refused and fact.values.get("reason") else "",
    )


def _not_given(chart: Chart, fact: Fact) -> str:
    """Immunization Refusal Reason: its code, or the words for one that has none."""
    code = fact.code("reason") if isinstance(fact.values["reason"], dict) else None
    return el(
        "entryRelationship",
        {"typeCode": "RSON"},
        el(
            "observation",
            {"classCode": "OBS", "moodCode": "EVN"},
            template(f"{OID}.4.53", ""),
            identifier(chart, fact.anchor, "reason"),
            coded("code", code) if code else coded("code", None, text=fact.text("reason")),
            status("completed"),
        ),
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
        coded("targetSiteCode", fact.code("target_site")) if fact.code("target_site") else "",
        entry_author(chart, fact),
        place(fact),
        indication(chart, fact),
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
    known = {"root": _UDI, "extension": carrier, "assigningAuthorityName": "FDA"}
    return el(
        "participant",
        {"typeCode": "DEV"},
        el(
            "participantRole",
            {"classCode": "MANU"},
            template(f"{OID}.4.37", ""),
            el("id", known if carrier else {"nullFlavor": "UNK"}),
            el("playingDevice", {}, coded("code", fact.code(), original(fact))),
            el("scopingEntity", {}, el("id", {"root": _UDI})),
        ),
    )


def _procedure_status(fact: Fact) -> str:
    return fact.text("status") if fact.text("status") in {"active", "aborted", "cancelled"} else "completed"
