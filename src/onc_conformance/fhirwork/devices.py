"""A device's label read part by part, where it is written as GS1 has it, and held against the elements beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import Finding, Layer, Severity

RULE = "UDI-PART"
_PART = re.compile(r"\((\d{2,4})\)([^(]*)")
_PARTS = {
    "01": "deviceIdentifier",
    "10": "lotNumber",
    "11": "manufactureDate",
    "17": "expirationDate",
    "21": "serialNumber",
}
"""GS1's application identifiers and the elements that say the same."""


def labelled(kept: Kept) -> Iterator[Finding]:
    """Errors for elements that differ from what the label says, warnings for those that leave it out."""
    carriers = kept.resource.get("udiCarrier")
    for number, carrier in enumerate(carriers if isinstance(carriers, list) else ()):
        if not isinstance(carrier, dict) or not isinstance(label := carrier.get("carrierHRF"), str):
            continue
        for name, value in _PART.findall(label):
            if (element := _PARTS.get(name)) is None:
                continue
            beside: Mapping[str, Any] = carrier if element == "deviceIdentifier" else kept.resource
            told = beside.get(element)
            if isinstance(told, str) and _same(element, value.strip(), told):
                continue
            place = f"udiCarrier[{number}].{element}" if beside is carrier else element
            yield Finding(
                layer=Layer.CONTENT,
                severity=Severity.WARNING if told is None else Severity.ERROR,
                rule=RULE,
                message=f"{kept.name}: {element} is not what the label says",
                path=f"{kept.name}.{place}",
                expected=f"{value.strip()}, part ({name}) of {label}",
                found="none" if told is None else str(told),
                exchange=kept.got.exchange.id,
            )


def _same(element: str, label: str, told: str) -> bool:
    """Whether a part is told as labelled; a label has two digits of the year, and 00 for a day it does not know."""
    if not element.endswith("Date"):
        return label == told
    digits = told[2:10].replace("-", "")
    return digits[:4] == label[:4] if label.endswith("00") else digits == label
