"""Where something was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.cda.contacts import reach
from onc_conformance.reference.cda.header import OFFICE
from onc_conformance.reference.cda.markup import OID, el, fixed, template, words

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact


def place(fact: Fact) -> str:
    """Service Delivery Location as a participant; nothing where the chart names no place."""
    name = fact.text("location")
    if not name:
        return ""
    return el(
        "participant",
        {"typeCode": "LOC"},
        el(
            "participantRole",
            {"classCode": "SDLOC"},
            template(f"{OID}.4.32", ""),
            fixed("code", "hsloc", "1117-1", "Family Medicine Clinic"),
            reach(fact.values, OFFICE),
            el("playingEntity", {"classCode": "PLC"}, words("name", name)),
        ),
    )
