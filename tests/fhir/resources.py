"""Resources that keep to FHIR R4 and US Core 6.1.0, as simple as they may be."""

import copy

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">text</div>'
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def patient(**other):
    return {
        "resourceType": "Patient",
        "id": "ann",
        "text": {"status": "generated", "div": DIV},
        "identifier": [{"system": "http://example.org/mrn", "value": "1"}],
        "name": [{"family": "Lee", "given": ["Ann"]}],
        "gender": "female",
        **copy.deepcopy(other),
    }


def blood_pressure(**other):
    def component(code, value):
        quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": quantity}

    return {
        "resourceType": "Observation",
        "id": "bp",
        "text": {"status": "generated", "div": DIV},
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "subject": {"reference": "Patient/ann"},
        "effectiveDateTime": "2024-01-02",
        "component": [component("8480-6", 120), component("8462-4", 80)],
        **copy.deepcopy(other),
    }


def race(*categories):
    told = [
        {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": each}}
        for each in categories
    ]
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
    return {"url": url, "extension": [*told, {"url": "text", "valueString": "told"}]}
