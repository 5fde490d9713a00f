"""The small change of a C-CDA document: elements, codes, times, identifiers, narrative anchors."""

from __future__ import annotations

import uuid
from decimal import Decimal
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from onc_conformance.reference.charts import Chart, Code, Fact

OID = "2.16.840.1.113883.10.20.22"
"""Under which C-CDA names its templates."""

SYSTEMS = {
    "snomed": ("2.16.840.1.113883.6.96", "SNOMED CT"),
    "loinc": ("2.16.840.1.113883.6.1", "LOINC"),
    "rxnorm": ("2.16.840.1.113883.6.88", "RxNorm"),
    "cvx": ("2.16.840.1.113883.12.292", "CVX"),
    "icd10cm": ("2.16.840.1.113883.6.90", "ICD-10-CM"),
    "icd10pcs": ("2.16.840.1.113883.6.4", "ICD-10-PCS"),
    "cpt": ("2.16.840.1.113883.6.12", "CPT-4"),
    "hcpcs": ("2.16.840.1.113883.6.285", "HCPCS"),
    "ucum": ("2.16.840.1.113883.6.8", "UCUM"),
    "cdcrec": ("2.16.840.1.113883.6.238", "Race & Ethnicity - CDC"),
    "ndc": ("2.16.840.1.113883.6.69", "NDC"),
    "unii": ("2.16.840.1.113883.4.9", "UNII"),
    "icd9cm": ("2.16.840.1.113883.6.103", "ICD-9-CM"),
    "medrt": ("2.16.840.1.113883.6.345", "MED-RT"),
    "ndfrt": ("2.16.840.1.113883.3.26.1.5", "NDF-RT"),
    "nci": ("2.16.840.1.113883.3.26.1.1", "NCI Thesaurus"),
    "participationfunction": ("2.16.840.1.113883.5.88", "ParticipationFunction"),
    "actcode": ("2.16.840.1.113883.5.4", "HL7ActCode"),
    "nucc": ("2.16.840.1.113883.6.101", "Healthcare Provider Taxonomy"),
    "hsloc": ("2.16.840.1.113883.6.259", "HealthcareServiceLocation"),
    "sopt": ("2.16.840.1.113883.3.221.5", "Source of Payment Typology"),
    "gender": ("2.16.840.1.113883.5.1", "AdministrativeGender"),
    "marital": ("2.16.840.1.113883.5.2", "MaritalStatus"),
    "confidentiality": ("2.16.840.1.113883.5.25", "Confidentiality"),
    "rolecode": ("2.16.840.1.113883.5.111", "RoleCode"),
    "interpretation": ("2.16.840.1.113883.5.83", "ObservationInterpretation"),
    "odh": ("2.16.840.1.114222.4.5.327", "Occupational Data for Health (ODH)"),
    "tribalentityus": ("2.16.840.1.113883.5.140", "TribalEntityUS"),
    "nubc": ("2.16.840.1.113883.6.301.5", "NUBC UB-04 FL17 Patient Status"),
    "actreason": ("2.16.840.1.113883.5.8", "ActReason"),
}
NULL = "nullflavor"
"""The system of codes that say why there is no code."""
_NAMESPACE = uuid.UUID("5f0c4f2e-9d0b-5c1e-8f43-6f2a3c1f7b10")
# the same few thousand codes, names and ids stand in every document
_quoted = lru_cache(maxsize=8192)(quoteattr)
_escaped = lru_cache(maxsize=4096)(escape)


def el(tag: str, attributes: dict[str, str] | None = None, *children: str) -> str:
    """One element around children that are markup already; attribute values are escaped here."""
    start = "".join((tag, *(f" {name}={_quoted(value)}" for name, value in (attributes or {}).items())))
    inner = "".join(children)
    return f"<{start}>{inner}</{tag}>" if inner else f"<{start}/>"


def words(tag: str, content: str, attributes: dict[str, str] | None = None) -> str:
    """One element around text, which is escaped here."""
    return el(tag, attributes, _escaped(content))


def template(root: str, *extensions: str) -> str:
    """The templateId a rule set finds the element by: bare for R1.1 readers, then each extension."""
    return "".join(
        f'<templateId root="{root}" extension="{extension}"/>' if extension else f'<templateId root="{root}"/>'
        for extension in extensions
    )


def identifier(chart: Chart, *parts: str) -> str:
    """An id made of what it names, so that the same fact has the same id in every document."""
    return f'<id root="{unique(chart.id, *parts)}"/>'


@lru_cache(maxsize=8192)
def unique(*parts: str) -> str:
    """A UUID made of `parts`: the same parts, the same UUID."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def fixed(tag: str, system: str, code: str, display: str, *children: str, kind: str | None = None) -> str:
    """A code the specification or this EHR chooses."""
    oid, name = SYSTEMS[system]
    attributes = {"xsi:type": kind} if kind else {}
    attributes |= {"code": code, "codeSystem": oid, "codeSystemName": name, "displayName": display}
    return el(tag, attributes, *children)


def coded(tag: str, code: Code | None, *children: str, kind: str | None = None, text: str = "") -> str:
    """A code of the chart; nullFlavor with `text` as its original text where the chart has none or says unknown."""
    attributes = {"xsi:type": kind} if kind else {}
    if code is None:
        original = words("originalText", text) if text else ""
        return el(tag, attributes | {"nullFlavor": "OTH" if text else "UNK"}, original, *children)
    if code.system == NULL:
        return el(tag, attributes | {"nullFlavor": code.code}, *children)
    oid, name = SYSTEMS.get(code.system, (code.system, ""))
    attributes |= {"code": code.code, "codeSystem": oid}
    if name:
        attributes["codeSystemName"] = name
    if code.display:
        attributes["displayName"] = code.display
    return el(tag, attributes, *children)


def translations(fact: Fact, key: str = "also") -> str:
    """The further codes the chart gives for the same thing."""
    also = fact.values.get(key, [])
    return "".join(coded("translation", Code(item["system"], item["code"], item.get("display", ""))) for item in also)


def original(fact: Fact) -> str:
    """The link from an entry's code to the row a person reads."""
    return f'<originalText><reference value="#{fact.anchor}"/></originalText>'


def narrative(fact: Fact) -> str:
    """The link from an entry to the row a person reads."""
    return f'<text><reference value="#{fact.anchor}"/></text>'


def stamp(iso: str) -> str:
    """An ISO date or time as an HL7 TS of the same precision and zone."""
    day, _, time = iso.partition("T")
    if not time:
        return day.replace("-", "")
    clock, sign, zone = time.replace("Z", "+00:00"), "", ""
    for mark in "+-":
        if mark in clock:
            clock, _, zone = clock.partition(mark)
            sign = mark
    return day.replace("-", "") + clock.replace(":", "") + sign + zone.replace(":", "")


def point(tag: str, iso: str | None, kind: str | None = None) -> str:
    """A time that is one moment."""
    attributes = {"xsi:type": kind} if kind else {}
    return el(tag, attributes | ({"value": stamp(iso)} if iso else {"nullFlavor": "UNK"}))


def span(fact: Fact, kind: str | None = None, *, ended: bool = False) -> str:
    """An interval from the fact's start, or date, to its end; an `ended` one without an end says so."""
    start, end = fact.values.get("start") or fact.values.get("date"), fact.values.get("end")
    high = point("high", end) if end or ended else ""
    return el("effectiveTime", {"xsi:type": kind} if kind else {}, point("low", start), high)


def moment(fact: Fact) -> str:
    """The fact's time as it is stated: a point where it has a date, an interval where it has a start or an end."""
    if fact.values.get("start") or fact.values.get("end"):
        return span(fact)
    return point("effectiveTime", fact.values.get("date"))


def number(value: object) -> str:
    """A number with the digits the chart gives it, and without an exponent, which HL7 does not know."""
    return format(Decimal(str(value)), "f")


def quantity(tag: str, value: object, unit: str = "", kind: str | None = None) -> str:
    """A physical quantity; a number without a unit counts ones."""
    attributes = {"xsi:type": kind} if kind else {}
    attributes["value"] = number(value)
    if unit:
        attributes["unit"] = unit
    return el(tag, attributes)


def status(code: str) -> str:
    return f'<statusCode code="{code}"/>'
