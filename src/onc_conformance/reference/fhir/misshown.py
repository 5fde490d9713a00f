"""Resources told wrongly: each change is to one element of one type, wherever such a resource is shown."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from onc_conformance.reference.fhir.parts import Resource

_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"
_RACE = "us-core-race"


def _in(kind: str, change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    return lambda resource: change(resource) if resource["resourceType"] == kind else resource


def _drop(name: str, resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if key != name}


def _put(name: str, value: Any, resource: Resource) -> Resource:
    return resource | {name: value} if name in resource else resource


def _without(kind: str, name: str) -> Callable[[Resource], Resource]:
    return _in(kind, partial(_drop, name))


def _with(kind: str, name: str, value: Any) -> Callable[[Resource], Resource]:
    """The element replaced, where there is one."""
    return _in(kind, partial(_put, name, value))


def _is(resource: Resource, named: str) -> bool:
    return any(each.endswith(f"/{named}") for each in resource.get("meta", {}).get("profile", ()))


def _profiled(named: str, change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    return lambda resource: change(resource) if _is(resource, named) else resource


def _dead_encounter(resource: Resource) -> Resource:
    return _put("encounter", {"reference": "Encounter/0"}, resource)


def _dead_target(resource: Resource) -> Resource:
    return resource | {"target": [{"reference": f"{resource['target'][0]['reference']}0"}]}


def _in_error(resource: Resource) -> Resource:
    """Ended, and active all the same."""
    if "abatementDateTime" not in resource:
        return resource
    system = resource["clinicalStatus"]["coding"][0]["system"]
    return resource | {"clinicalStatus": {"coding": [{"system": system, "code": "active"}]}}


def _value_and_reason(resource: Resource) -> Resource:
    reason = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}
    return resource | {"dataAbsentReason": reason} if "valueQuantity" in resource else resource


def _unit(code: str, resource: Resource) -> Resource:
    quantity = resource.get("valueQuantity")
    return resource | {"valueQuantity": quantity | {"code": code, "unit": code}} if quantity else resource


def _unit_system(resource: Resource) -> Resource:
    quantity = resource.get("valueQuantity")
    return resource | {"valueQuantity": _drop("system", quantity)} if quantity else resource


def _one_component(resource: Resource) -> Resource:
    return resource | {"component": resource["component"][:1]}


def _loinc_misnamed(resource: Resource) -> Resource:
    codings = [
        each | {"system": "urn:loinc"} if each.get("system") == _LOINC else each
        for each in resource["code"].get("coding", ())
    ]
    return resource | {"code": resource["code"] | {"coding": codings}}


def _race_without_text(resource: Resource) -> Resource:
    changed = [
        each | {"extension": [part for part in each["extension"] if part["url"] != "text"]}
        if each["url"].endswith(_RACE)
        else each
        for each in resource.get("extension", ())
    ]
    return resource | ({"extension": changed} if changed else {})


def _sex_of_another_type(resource: Resource) -> Resource:
    """As a Coding where it is a code, and as a code where it is a Coding."""
    return _put("extension", [_retyped(each) for each in resource.get("extension", ())], resource)


def _retyped(extension: Resource) -> Resource:
    if not extension["url"].endswith("/us-core-sex"):
        return extension
    if "valueCode" in extension:
        return {"url": extension["url"], "valueCoding": {"system": _SNOMED, "code": extension["valueCode"]}}
    return {"url": extension["url"], "valueCode": extension["valueCoding"]["code"]}


def _attachment(change: Callable[[Resource], Resource]) -> Callable[[Resource], Resource]:
    def changed(resource: Resource) -> Resource:
        return resource | {"content": [{**one, "attachment": change(one["attachment"])} for one in resource["content"]]}

    return _in("DocumentReference", changed)


def _another_race(resource: Resource) -> Resource:
    """Asian instead of White, in words and code."""
    told = json.dumps(resource.get("extension", []))
    changed = told.replace('"2106-3"', '"2028-9"').replace("White", "Asian")
    return resource | ({"extension": json.loads(changed)} if "extension" in resource else {})


def _elsewhere(resource: Resource) -> Resource:
    return resource | {"subject": {"reference": f"https://ehr.example/fhir/{resource['subject']['reference']}"}}


def _second_code(resource: Resource) -> Resource:
    """With another code that no search knows."""
    if "coding" not in resource.get("code", {}):
        return resource
    further = {"system": "https://reference-ehr.example.org/codes", "code": "7"}
    return resource | {"code": resource["code"] | {"coding": [*resource["code"]["coding"], further]}}


def _local_vaccine(resource: Resource) -> Resource:
    code = {"coding": [{"system": "urn:local", "code": "V1", "display": "Vaccine"}]}
    return resource | {"vaccineCode": code}


def _coded(name: str, code: str, resource: Resource) -> Resource:
    if not resource.get(name):
        return resource
    first = resource[name]["coding"][0]
    return resource | {name: {"coding": [{"system": first["system"], "code": code}]}}


def _somebody_elses(resource: Resource) -> Resource:
    return _put("subject", {"reference": "Patient/10000000"}, resource)


_EXAM = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}
SHOWN: dict[str, Callable[[Resource], Resource]] = {
    "fhir-reference-unresolvable": _dead_encounter,
    "fhir-provenance-target-wrong": _in("Provenance", _dead_target),
    "fhir-subject-missing": _without("Observation", "subject"),
    "fhir-subject-of-another": _in("Observation", _somebody_elses),
    "fhir-status-missing": _without("Observation", "status"),
    "fhir-code-missing": _without("Condition", "code"),
    "fhir-identifier-missing": _without("Patient", "identifier"),
    "fhir-recorded-missing": _without("Provenance", "recorded"),
    "fhir-description-missing": _without("Goal", "description"),
    "fhir-udi-missing": _without("Device", "udiCarrier"),
    "fhir-lot-not-on-label": _with("Device", "lotNumber", "A1"),
    "fhir-dosage-missing": _without("MedicationRequest", "dosageInstruction"),
    "fhir-contained-missing": _without("MedicationRequest", "contained"),
    "fhir-range-missing": _without("Observation", "referenceRange"),
    "fhir-absent-reason-missing": _without("Observation", "dataAbsentReason"),
    "fhir-laboratory-slice-wrong": _profiled("us-core-observation-lab", partial(_put, "category", [_EXAM])),
    "fhir-pressure-slice-missing": _profiled("us-core-blood-pressure", _one_component),
    "fhir-gender-unbound": _with("Patient", "gender", "F"),
    "fhir-clinical-status-unbound": _in("AllergyIntolerance", partial(_coded, "clinicalStatus", "current")),
    "fhir-problem-status-unbound": _in("Condition", partial(_coded, "clinicalStatus", "ongoing")),
    "fhir-intent-unbound": _with("MedicationRequest", "intent", "wish"),
    "fhir-smoking-status-unbound": _profiled("us-core-smokingstatus", partial(_put, "status", "preliminary")),
    "fhir-extensible-unjustified": _in("Immunization", _local_vaccine),
    "fhir-code-system-misnamed": _in("Observation", _loinc_misnamed),
    "fhir-condition-invariant": _in("Condition", _in_error),
    "fhir-observation-invariant": _in("Observation", _value_and_reason),
    "fhir-name-invariant": _in("Patient", lambda one: one | {"name": [*one["name"], {"use": "nickname"}]}),
    "fhir-weight-unit-wrong": _profiled("us-core-body-weight", partial(_unit, "stone")),
    "fhir-hole-elements-of-6.1.0": _in("Patient", _race_without_text),
    "fhir-hole-bindings-of-7.0.0": _profiled("us-core-body-weight", partial(_unit, "stone")),
    "fhir-issued-missing-in-3.1.1": _profiled("us-core-smokingstatus", partial(_drop, "issued")),
    "fhir-sex-of-another-type-in-8.0.0": _in("Patient", _sex_of_another_type),
    "fhir-unit-system-missing": _profiled("us-core-vital-signs", _unit_system),
    "fhir-birth-date-malformed": _with("Patient", "birthDate", "03/14/1970"),
    "fhir-date-impossible": _with("Observation", "effectiveDateTime", "2017-02-30"),
    "fhir-element-unknown": _in("Procedure", lambda one: one | {"colour": "blue"}),
    "fhir-element-of-wrong-type": _with("Patient", "active", "true"),
    "fhir-element-repeated": _in("Goal", lambda one: one | {"description": [one["description"]] * 2}),
    "fhir-race-text-missing": _in("Patient", _race_without_text),
    "fhir-attachment-empty": _attachment(lambda one: {"contentType": one["contentType"]}),
    "fhir-attachment-hash-wrong": _attachment(lambda one: one | {"hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}),
    "fhir-attachment-type-wrong": _attachment(lambda one: one | {"contentType": "application/pdf"}),
    "fhir-race-of-another": _in("Patient", _another_race),
    "fhir-telecom-missing": _without("Patient", "telecom"),
    "fhir-subject-elsewhere": _in("Observation", _elsewhere),
    "fhir-observations-retracted": _with("Observation", "status", "entered-in-error"),
    "fhir-care-team-of-none": _in("CareTeam", lambda one: one | {"participant": one["participant"][1:]}),
    "fhir-second-code-unknown": _in("Observation", _second_code),
    "fhir-attachment-dead": _attachment(lambda one: _put("url", "Binary/0", one)),
}
