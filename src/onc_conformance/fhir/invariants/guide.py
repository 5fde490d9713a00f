"""The invariants of US Core, by id and by the digest of what the guide has under that id: it reuses ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onc_conformance.fhir.invariants.words import Rule, Scope, chosen, codings, distinct, has, is_coded, items
from onc_conformance.vocabulary.digits import luhn

_UCUM = "http://unitsofmeasure.org"
_SNOMED = "http://snomed.info/sct"
_NDC = "http://hl7.org/fhir/sid/ndc"
_CVX = "http://hl7.org/fhir/sid/cvx"
_KINDS = "http://terminology.hl7.org/CodeSystem/v2-0203"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_REPORTED = ("partial", "preliminary", "final", "amended", "corrected", "appended")
_ORDERED = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
_CATEGORIES = {
    "http://terminology.hl7.org/CodeSystem/condition-category": ("problem-list-item", "encounter-diagnosis"),
    "http://hl7.org/fhir/us/core/CodeSystem/condition-category": ("health-concern",),
    "http://snomed.info/sct": ("16100001",),
}
_NPI_PREFIX = "80840"
_DEVICE = ("manufactureDate", "expirationDate", "lotNumber", "serialNumber", "distinctIdentifier")


def _day(value: Any, _: Scope) -> bool:
    return not isinstance(value, str) or len(value) >= 10


def _named(value: Any, _: Scope) -> bool:
    absent = any(isinstance(each, dict) and each.get("url") == _ABSENT for each in items(value, "extension"))
    return (has(value, "family") or has(value, "given")) != absent


def _answered(value: Any, _: Scope) -> bool:
    return has(value, "component") or has(value, "hasMember") or _value_or_reason(value)


def _value_or_reason(value: Any) -> bool:
    return bool(chosen(value, "value")) or has(value, "dataAbsentReason")


def _value(value: Any) -> Any:
    """What is measured: the value itself, or that of the observation a rule is asked about."""
    if isinstance(value, dict) and value.get("resourceType") == "Observation":
        key = chosen(value, "value")
        return value.get(key) if key else None
    return value


def _is_quantity(value: Any) -> bool:
    return isinstance(value, dict) and not has(value, "coding") and not has(value, "text") and "numerator" not in value


def _ucum(value: Any, _: Scope) -> bool:
    measured = _value(value)
    return not _is_quantity(measured) or measured.get("system", _UCUM) == _UCUM


def _snomed_alone(value: Any, _: Scope) -> bool:
    systems = _systems(value)
    return not systems or systems == [_SNOMED]


def _snomed_among(value: Any, _: Scope) -> bool:
    systems = _systems(value)
    return not systems or _SNOMED in systems


def _systems(value: Any) -> list[Any]:
    told = _value(value)
    return [system for system, _ in codings(items(told, "coding")) if system] if isinstance(told, dict) else []


def _no_ndc(value: Any, _: Scope) -> bool:
    concept = value.get("vaccineCode") if has(value, "vaccineCode") else value
    return not any(system == _NDC for system, _ in codings(concept))


def _ndc_beside_cvx(value: Any, _: Scope) -> bool:
    systems = [system for system, _ in codings(value.get("vaccineCode"))]
    return _CVX not in systems or _NDC in systems


def _npi(value: Any, _: Scope) -> bool:
    told = value.get("value") if isinstance(value, dict) else None
    return isinstance(told, str) and len(told) == 10 and told.isascii() and told.isdigit() and luhn(_NPI_PREFIX + told)


def _shaped(value: Any, *parts: tuple[int, bool | str]) -> bool:
    """Whether a value is made of so many digits, or of these characters, one after another."""
    told = value.get("value") if isinstance(value, dict) else None
    if not isinstance(told, str) or not told.isascii():
        return False
    for many, kind in parts:
        part, told = told[:many], told[many:]
        if len(part) < many or (part != kind if isinstance(kind, str) else not part.isdigit()):
            return False
    return not told


def _concern(value: Any, _: Scope) -> bool:
    return any(is_coded(value.get("category"), system, *codes) for system, codes in _CATEGORIES.items())


def _on_behalf(value: Any, scope: Scope) -> bool:
    told = next((each.get("reference") for each in items(value, "who") if isinstance(each, dict)), None)
    found = scope.resolve(told) if scope.resolve and isinstance(told, str) else None
    return has(value, "onBehalfOf") or found is None or found.get("resourceType") not in ("Practitioner", "Device")


def _one_race(value: Any, _: Scope) -> bool:
    told = [each for each in items(value, "extension") if isinstance(each, dict) and each.get("url") == "ombCategory"]
    unknown = any(_coding(each).get("code") in ("ASKU", "UNK") for each in told)
    return not unknown or len(told) == 1


def _coding(extension: dict[str, Any]) -> dict[str, Any]:
    found = extension.get("valueCoding")
    return found if isinstance(found, dict) else {}


def _valued(value: Any, codes: tuple[str, ...], key: str) -> bool:
    asked = any(code in codes for _, code in codings(value.get("code")))
    return not asked or chosen(value, "value") == key


def _range_in_ucum(value: Any, _: Scope) -> bool:
    bounds = [*items(value, "low"), *items(value, "high")]
    return all(each.get("system", _UCUM) == _UCUM for each in bounds if isinstance(each, dict))


def _links_once(value: Any, _: Scope) -> bool:
    def each_level(item: Any) -> Iterator[list[Any]]:
        inside = [each for each in items(item, "item") if isinstance(each, dict)]
        yield [each.get("linkId") for each in inside if _is_answered(each)]
        for each in (*inside, *(one for one in items(item, "answer") if isinstance(one, dict))):
            yield from each_level(each)

    return all(distinct(level) for level in each_level(value))


def _is_answered(item: Any) -> bool:
    return any(chosen(each, "value") for each in items(item, "answer"))


def _reported(value: Any, name: str) -> bool:
    there = has(value, name) or bool(chosen(value, name))
    return value.get("status") not in _REPORTED or there


def _member_number(value: Any, _: Scope) -> bool:
    kinds = [each.get("type") for each in items(value, "identifier") if isinstance(each, dict)]
    return has(value, "subscriberId") or any(is_coded(each, _KINDS, "MB") for each in kinds)


_ANSWER = "a value or dataAbsentReason, or component or hasMember"
_RULES: tuple[tuple[str, Rule], ...] = (
    (
        "c41a3336",
        Rule(
            "us-core-12",
            lambda v, _: (
                not has(v, "udiCarrier")
                or any(has(each, "carrierHRF") or has(each, "carrierAIDC") for each in items(v, "udiCarrier"))
            ),
            "carrierHRF or carrierAIDC in udiCarrier",
        ),
    ),
    (
        "3acec7b3",
        Rule(
            "us-core-9",
            lambda v, _: not has(v, "udiCarrier") or any(has(v, each) for each in _DEVICE),
            "a part of the UDI: a date, lot, serial number or distinct identifier",
        ),
    ),
    ("9276b407", Rule("us-core-1", _concern, "a category of US Core's")),
    ("110b30b8", Rule("us-core-1", _no_ndc, "no NDC code")),
    ("386c5298", Rule("us-core-5", _no_ndc, "no NDC code")),
    ("e06ff8a0", Rule("us-core-5", _ndc_beside_cvx, "an NDC code beside the CVX code")),
    ("e64c9db2", Rule("us-core-1", _day, "a moment told to the day")),
    ("fec7f3be", Rule("us-core-1", _day, "a moment told to the day")),
    ("58c25878", Rule("us-core-1", _day, "a moment told to the day")),
    ("21c0d2b3", Rule("us-core-8", lambda v, _: _reported(v, "effective"), "an effective time of what was reported")),
    ("2e06383c", Rule("us-core-9", lambda v, _: _reported(v, "issued"), "when it was issued, of what was reported")),
    ("42142982", Rule("us-core-6", _named, "either family or given, or data-absent-reason")),
    ("3e5495a4", Rule("us-core-6", lambda v, _: has(v, "url") or has(v, "data"), "a url or data")),
    ("001be232", Rule("us-core-2", _answered, _ANSWER)),
    ("01889dd0", Rule("us-core-3", _ucum, "a unit of UCUM")),
    ("db828320", Rule("us-core-3", _ucum, "a unit of UCUM")),
    ("f539835b", Rule("us-core-3", _ucum, "a unit of UCUM")),
    ("472fa917", Rule("us-core-4", _snomed_alone, "a code of SNOMED CT")),
    ("62eb8d20", Rule("us-core-4", _snomed_alone, "a code of SNOMED CT")),
    ("3e18e70b", Rule("us-core-4", _snomed_among, "a code of SNOMED CT")),
    (
        "7d192b08",
        Rule(
            "us-core-7",
            lambda v, _: v.get("status") not in ("completed", "in-progress") or bool(chosen(v, "performed")),
            "when it was performed",
        ),
    ),
    (
        "b50a347f",
        Rule(
            "us-core-13",
            lambda v, _: any(
                has(v, each) for each in ("practitioner", "organization", "healthcareService", "location")
            ),
            "a practitioner, organization, healthcareService or location",
        ),
    ),
    ("ba23ebf8", Rule("us-core-14", lambda v, _: has(v, "name") or has(v, "relationship"), "a name or a relationship")),
    ("519adc3f", Rule("us-core-15", _member_number, "an identifier of type MB, or a subscriberId")),
    ("7a12bb37", Rule("us-core-16", lambda v, _: _shaped(v, (10, True)), "an NPI of ten digits")),
    ("fa5c317d", Rule("us-core-17", _npi, "an NPI whose check digit fits")),
    (
        "ad2561b6",
        Rule(
            "us-core-18",
            lambda v, _: _shaped(v, (2, True), (1, "D"), (7, True)),
            "a CLIA number: two digits, D, seven digits",
        ),
    ),
    ("abd61292", Rule("us-core-19", lambda v, _: _shaped(v, (5, True)), "a NAIC code of five digits")),
    (
        "25b0b1a4",
        Rule(
            "us-core-20",
            lambda v, _: v.get("status") != "completed" or has(v, "whenHandedOver"),
            "when it was handed over",
        ),
    ),
    (
        "0148b971",
        Rule(
            "us-core-21",
            lambda v, _: v.get("intent") not in _ORDERED or has(v, "requester"),
            "a requester of the order",
        ),
    ),
    ("c59af903", Rule("us-core-22", _range_in_ucum, "units of UCUM in low and high")),
    ("c4858e6e", Rule("us-core-23", _one_race, "no other category beside one that says it is not known")),
    (
        "c2698dd5",
        Rule(
            "us-core-24",
            lambda v, _: _valued(v, ("72166-2", "11367-0"), "valueCodeableConcept"),
            "a valueCodeableConcept for this code",
        ),
    ),
    (
        "3634e4ec",
        Rule(
            "us-core-25",
            lambda v, _: _valued(v, ("401201003", "782516008"), "valueQuantity"),
            "a valueQuantity for this code",
        ),
    ),
    ("a5edf369", Rule("vs-3", lambda v, _: _value_or_reason(v), "a value or dataAbsentReason")),
    ("45b23c4f", Rule("pd-1", lambda v, _: has(v, "telecom") or has(v, "endpoint"), "a telecom or an endpoint")),
    ("3f496a4e", Rule("provenance-1", _on_behalf, "onBehalfOf, where a practitioner or a device acts")),
    ("6308b2f8", Rule("sdcqr-1", lambda v, _: has(v, "subject"), "a subject")),
    ("fd251cd6", Rule("sdcqr-2", _links_once, "each linkId answered once among its neighbours")),
)
_ALSO = {"ed0b3b04": "45b23c4f", "13bc78f0": "b50a347f"}
"""Expressions that were written anew and mean what they meant."""

GUIDE: dict[str, Rule] = dict(_RULES)
"""By digest."""
GUIDE.update({new: GUIDE[old] for new, old in _ALSO.items()})
