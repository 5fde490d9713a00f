"""Clinical notes as documents, with the files they are kept in."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from onc_conformance.reference.fhir.parts import (
    IDENTIFIERS,
    Pen,
    Resource,
    coded,
    coding,
    concept,
    instant,
    latest,
    period,
)

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact

_KINDS = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"


def written(pen: Pen, fact: Fact) -> list[Resource]:
    """The document, and the file it points to; every second document carries its file along as well."""
    told = fact.text("date") or fact.text("start")
    data = base64.b64encode(fact.text("text").encode()).decode("ascii")
    file = pen.write("Binary", fact.anchor, (), told, contentType="text/plain; charset=utf-8", data=data)
    attachment: Resource = {
        "contentType": "text/plain; charset=utf-8",
        "language": "en",
        "url": f"Binary/{file['id']}",
        "title": str(fact.code() or "Note"),
        "creation": instant(told) if told else "",
    }
    if fact.number % 2 == 0:
        attachment["data"] = data
    context = pen.of(fact).get("encounter")
    document = pen.write(
        "DocumentReference",
        fact.anchor,
        ("us-core-documentreference",),
        latest(fact),
        identifier=[{"system": f"{IDENTIFIERS}:document", "value": pen.id("document", fact.anchor)}],
        status="current",
        docStatus="final",
        type=coded(fact.code()),
        category=[concept(_KINDS, "clinical-note", "Clinical Note")],
        subject=pen.subject,
        date=instant(told) if told else None,
        author=[pen.seen_by(fact)],
        custodian=pen.directory.organization(),
        content=[
            {
                "attachment": {name: part for name, part in attachment.items() if part},
                "format": coding(
                    "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                    "urn:ihe:iti:xds:2017:mimeTypeSufficient",
                    "mimeType Sufficient",
                ),
            }
        ],
        context=({"encounter": [context]} if context else {}) | ({"period": period(told, told)} if told else {}),
    )
    return [document, file]
