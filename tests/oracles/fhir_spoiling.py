"""How a resource that is right is spoilt at one place, and where an objection to that has to stand.

What to spoil is read from HL7's own definitions, not from the tables under test.
"""

import copy
import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from onc_conformance.fhir import tables

BAD = {
    "date": "2020-13-01", "dateTime": "2020-02-30", "instant": "2020-01-01", "time": "25:00:00", "code": " code ",
    "id": "not an id", "uri": "http://a b", "url": "http://a b", "canonical": "a b", "oid": "urn:oid:a",
    "uuid": "urn:uuid:1",
    "base64Binary": "!!!", "boolean": "true", "integer": 1.5, "positiveInt": 0, "unsignedInt": -1, "decimal": "1",
    "string": "", "markdown": "", "xhtml": "<script/>",
}  # fmt: skip


def _concept(system, code):
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _basic(name):
    return {"resourceType": "Basic", "id": name, "code": {"text": "x"}}


BROKEN = {
    "vs-1": ("Observation", lambda r: (_drop(r, "effective"), r.update(effectiveDateTime="2020-01")), "effective"),
    "us-core-2": ("Observation", lambda r: _drop(r, "value", "dataAbsentReason", "component", "hasMember"), ""),
    "us-core-6": ("Patient", lambda r: _drop(r["name"][0], "family", "given"), "name[0]"),
    "us-core-7": ("Procedure", lambda r: (_drop(r, "performed"), r.update(status="completed")), ""),
    "us-core-8": ("DiagnosticReport", lambda r: (_drop(r, "effective"), r.update(status="final")), ""),
    "us-core-9": ("DiagnosticReport", lambda r: (_drop(r, "issued"), r.update(status="final")), ""),
    "us-core-13": (
        "PractitionerRole",
        lambda r: _drop(r, "practitioner", "organization", "healthcareService", "location"),
        "",
    ),
    "us-core-14": ("RelatedPerson", lambda r: _drop(r, "name", "relationship"), ""),
    "us-core-15": ("Coverage", lambda r: _drop(r, "identifier", "subscriberId"), ""),
    "us-core-20": ("MedicationDispense", lambda r: (_drop(r, "whenHandedOver"), r.update(status="completed")), ""),
    "us-core-21": ("MedicationRequest", lambda r: (_drop(r, "requester"), r.update(intent="order")), ""),
    "us-core-16": ("Practitioner", lambda r: _npi(r, "12345"), "identifier"),
    "us-core-17": ("Practitioner", lambda r: _npi(r, "1234567890"), "identifier"),
    "vs-3": ("Observation", lambda r: _drop(r["component"][0], "value", "dataAbsentReason"), "component[0]"),
    "pd-1": ("PractitionerRole", lambda r: _drop(r, "telecom", "endpoint"), ""),
    "obs-6": (
        "Observation",
        lambda r: r.update(dataAbsentReason=_concept("data-absent-reason", "unknown")) if _has(r, "value") else None,
        "",
    ),
    "con-5": (
        "Condition",
        lambda r: (
            r.update(verificationStatus=_concept("condition-ver-status", "entered-in-error"))
            if "clinicalStatus" in r
            else None
        ),
        "",
    ),
    "con-4": (
        "Condition",
        lambda r: r.update(abatementDateTime="2024-01-01", clinicalStatus=_concept("condition-clinical", "active")),
        "",
    ),
    "ait-2": (
        "AllergyIntolerance",
        lambda r: (
            r.update(verificationStatus=_concept("allergyintolerance-verification", "entered-in-error"))
            if "clinicalStatus" in r
            else None
        ),
        "",
    ),
    "org-1": ("Organization", lambda r: _drop(r, "name", "identifier"), ""),
    "dom-3": (None, lambda r: r.setdefault("contained", []).append(_basic("unused")), "contained"),
    "dom-4": (
        None,
        lambda r: r.setdefault("contained", []).append({**_basic("versioned"), "meta": {"versionId": "1"}}),
        "",
    ),
    "ext-1": (None, lambda r: r.setdefault("extension", []).append({"url": "http://example.org/x"}), "extension"),
    "ele-1": (None, lambda r: r.setdefault("extension", []).append({}), "extension"),
    "per-1": (
        None,
        lambda r: r.setdefault("extension", []).append(
            {"url": "http://example.org/x", "valuePeriod": {"start": "2020-02-01", "end": "2020-01-01"}}
        ),
        "extension",
    ),
    "qty-3": (
        None,
        lambda r: r.setdefault("extension", []).append(
            {"url": "http://example.org/x", "valueQuantity": {"value": 1, "code": "mg"}}
        ),
        "extension",
    ),
    "txt-1": (
        None,
        lambda r: r.update(
            text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>'}
        ),
        "text.div",
    ),
}


_CODE = {"coding": [{"system": "http://example.org", "code": "x"}]}
_STRANGE = {"system": "http://example.org/units"}


def _unknown_race(resource):
    race = resource["extension"][0]
    unknown = {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"}
    if not race["url"].endswith("us-core-race"):
        raise KeyError("race")
    race["extension"].append({"url": "ombCategory", "valueCoding": unknown})


_LATER = {
    "us-core-1": ("Observation", lambda r: (_drop(r, "effective"), r.update(effectiveDateTime="2020-01")), "effective"),
    "us-core-3": ("Observation", lambda r: r["valueQuantity"].update(_STRANGE), "value"),
    "us-core-5": (
        "Immunization",
        lambda r: r.update(vaccineCode={"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "33"}]}),
        "",
    ),
    "us-core-22": ("Observation", lambda r: r["referenceRange"][0]["low"].update(_STRANGE), "referenceRange[0]"),
    "us-core-23": ("Patient", _unknown_race, "extension[0]"),
    "us-core-24": ("Observation", lambda r: (_drop(r, "value"), r.update(valueQuantity={"value": 1})), ""),
    "us-core-26": ("Observation", lambda r: _drop(r["component"][0], "value", "dataAbsentReason"), "component[0]"),
}
BROKEN_IN = {
    "3.1.1": {
        "us-core-1": ("Condition", lambda r: r.update(category=[_CODE]), ""),
        "us-core-8": ("Patient", lambda r: _drop(r["name"][0], "family", "given"), "name[0]"),
        "us-core-9": (
            "Device",
            lambda r: _drop(r, "manufactureDate", "expirationDate", "lotNumber", "serialNumber", "distinctIdentifier"),
            "",
        ),
        "us-core-12": ("Device", lambda r: _drop(r["udiCarrier"][0], "carrierAIDC", "carrierHRF"), ""),
    },
    "6.1.0": {"us-core-3": _LATER["us-core-3"]},
    "7.0.0": _LATER,
    "8.0.0": _LATER,
}
"""Rules that a version has under an id of its own, or that another has under the same."""


def _has(resource, stem):
    return any(re.fullmatch(rf"_?{stem}([A-Z]\w*)?", key) for key in resource)


def _npi(resource, number):
    for each in resource["identifier"]:
        if each["system"] == "http://hl7.org/fhir/sid/us-npi":
            each["value"] = number


def _drop(resource, *stems):
    for key in [key for key in resource for stem in stems if re.fullmatch(rf"_?{stem}([A-Z]\w*)?", key)]:
        del resource[key]


def walk(value, kind, path=(), at=""):
    """Every place of a resource: its keys, its FHIRPath, the row FHIR has for it, its type."""
    node = tables.types().get(kind)
    if not isinstance(value, dict) or node is None:
        return
    for key, told in value.items():
        found = _place(kind, key)
        if found is None or key == "contained":
            continue
        row, type_, inside, segment = found
        listed = isinstance(told, list)
        for number, each in enumerate(told if listed else [told]):
            here = (*path, key, number) if listed else (*path, key)
            there = f"{at}.{segment}[{number}]" if listed else f"{at}.{segment}"
            yield here, there, row, type_, each
            yield from walk(each, inside, here, there)


@cache
def _place(kind, key):
    for name, row in tables.types()[kind]["elements"].items():
        for each in row[2] or ["BackboneElement"]:
            type_ = each if isinstance(each, str) else each[0]
            group = f"{kind}.{name}"
            inside = row[5] or (group if group in tables.types() else type_)
            plain = "Quantity" if type_ == "SimpleQuantity" else type_
            stem = name.removesuffix("[x]")
            if key == (stem + plain[0].upper() + plain[1:] if name.endswith("[x]") else name):
                return row, plain, inside, f"{stem}.ofType({plain})" if name.endswith("[x]") else name
    return None


def parent(resource, path):
    for part in path[:-1]:
        resource = resource[part]
    return resource


def mutants(definition, version, resource):
    """Kind of mutation, the mutant, where it is wrong (a FHIRPath), and any other place that tells as much."""
    root = resource["resourceType"]
    required = {each["path"] for each in definition["snapshot"]["element"] if each["min"] and ":" not in each["id"]}
    must = {
        each["path"] for each in definition["snapshot"]["element"] if each.get("mustSupport") and ":" not in each["id"]
    }

    seen = Counter()
    for path, at, row, kind, value in walk(resource, root, (), root):
        key = tuple(part for part in path if isinstance(part, str))
        seen[key] += 1
        if seen[key] <= 2 and "resourceType" not in key:
            group = _stated(at, root)
            state = Stated(needed=group in required or bool(row[0]), must=group in must)
            yield from _spoilt(resource, Place(path, at, row, kind, value), state)
    yield from _slices(definition, resource)
    rules = {told["key"] for each in definition["snapshot"]["element"] for told in each.get("constraint", ())}
    for rule, (kind, change, place) in (BROKEN | BROKEN_IN.get(version, {})).items():
        if kind is None or (kind == root and rule in rules):
            one = copy.deepcopy(resource)
            try:
                change(one)
            except (KeyError, IndexError):
                continue
            if one != resource:
                yield "broken invariant", one, f"{root}.{place}" if place else root, rule


def _slices(definition, resource):
    """Slices at the top of a resource that a pattern or fixed codes tell: taken away, and there once too often."""
    by_id = {each["id"]: each for each in definition["snapshot"]["element"]}
    for name, told in by_id.items():
        if ":" not in name or "." in name.partition(":")[2] or name.count(".") != 1:
            continue
        key, wanted = name.rpartition(".")[2].partition(":")[0], _telling(by_id, name)
        values = resource.get(key) if isinstance(resource.get(key), list) else []
        members = [number for number, each in enumerate(values) if wanted and wanted <= _codes(each)]
        at = f"{resource['resourceType']}.{key}"
        if members and told["min"] >= len(members):
            yield "wrong slice count", changed(resource, _without, key, members), at, None
        if members and told["max"].isdigit() and int(told["max"]) == len(members):
            yield "wrong slice count", changed(resource, _again, key, members[0]), at, None


def _telling(by_id, name):
    for inside in ("", ".code", ".type"):
        pattern = by_id.get(name + inside, {}).get("patternCodeableConcept", {}).get("coding", ())
        if pattern:
            return {(each.get("system"), each.get("code")) for each in pattern}
    code = by_id.get(f"{name}.coding.code", {}).get("fixedCode")
    return {(by_id[f"{name}.coding.system"].get("fixedUri"), code)} if code else set()


def _without(resource, key, members):
    rest = [each for number, each in enumerate(resource[key]) if number not in members]
    resource[key] = rest or [{"text": "another"}]


def _again(resource, key, number):
    resource[key].append(copy.deepcopy(resource[key][number]))


def _codes(value):
    return {(each.get("system"), each.get("code")) for each in _codings(value)}


def _codings(value):
    if isinstance(value, dict):
        if "coding" in value:
            return value["coding"]
        return [
            one for key in ("code", "type") if isinstance(value.get(key), dict) for one in value[key].get("coding", ())
        ]
    return []


class Place(NamedTuple):
    path: tuple
    at: str
    row: list
    kind: str
    value: object


class Stated(NamedTuple):
    needed: bool
    must: bool


def changed(resource, change, *what):
    one = copy.deepcopy(resource)
    change(one, *what)
    return one


def _spoilt(resource, place, state):
    path, at, row, kind, value = place
    last = path[-1]
    around = at if isinstance(value, dict) else re.sub(r"\.\w+(\.ofType\(\w+\)|\[\d+\])?$", "", at)
    yield "unknown element", changed(resource, _unknown, path), f"{around}.notAnElement", None
    if kind != "Resource":
        yield "wrong type", changed(resource, _put, path, "text" if isinstance(value, dict) else {"x": 1}), at, None
    label = "drop a must-support element" if state.must else "drop a required element"
    if isinstance(last, str) and state.needed:
        yield label, changed(resource, _drop_key, path), re.sub(r"\.ofType\(\w+\)$", "", at), at
    elif last == 0 and len(parent(resource, path)) == 1 and state.needed:
        yield label, changed(resource, _drop_key, path[:-1]), at.removesuffix("[0]"), None
    elif isinstance(last, str) and state.must:
        yield (
            "drop an optional must-support element",
            changed(resource, _drop_everywhere, [part for part in path if isinstance(part, str)]),
            at,
            None,
        )
    if kind in BAD and not isinstance(value, dict):
        yield "bad primitive", changed(resource, _put, path, BAD[kind]), at, None
    coded = row[3] and row[3][0] == "required" and kind in ("code", "Coding", "CodeableConcept")
    if coded and not row[3][1].endswith(("mimetypes", "languages")):
        yield "bad code", changed(resource, _code, path, value), at, None
    if kind == "Reference":
        yield "bad reference", changed(resource, _put, path, {"reference": "nowhere at all"}), at, None
        yield "bad reference", changed(resource, _put, path, {"reference": "#nothing"}), at, None
        targets = next((each[1] for each in row[2] if isinstance(each, list) and each[0] == "Reference"), ["Any"])
        if {"Resource", "Any", "VerificationResult"}.isdisjoint(targets):
            yield "bad reference", changed(resource, _put, path, {"reference": "VerificationResult/1"}), at, None


def _stated(at, root):
    return re.sub(r"\.ofType\(\w+\)", "[x]", re.sub(r"\[\d+\]", "", at)) if at else root


def _unknown(resource, path):
    owner = parent(resource, path)
    inner = owner[path[-1]]
    if isinstance(inner, dict):
        inner["notAnElement"] = "x"
    elif isinstance(owner, dict):
        owner["notAnElement"] = "x"


def _put(resource, path, value):
    parent(resource, path)[path[-1]] = value


def _drop_key(resource, path):
    owner, key = parent(resource, path), path[-1]
    owner.pop(key, None)
    owner.pop(f"_{key}", None)


def _drop_everywhere(value, keys):
    if isinstance(value, list):
        for each in value:
            _drop_everywhere(each, keys)
    elif isinstance(value, dict) and keys[0] in value:
        if len(keys) > 1:
            _drop_everywhere(value[keys[0]], keys[1:])
        else:
            _drop_key(value, keys)


def _code(resource, path, value):
    if isinstance(value, str):
        spoilt = "NOT_A_CODE"
    elif "coding" in value:
        spoilt = {"coding": [{**value["coding"][0], "code": "NOT_A_CODE"}]}
    else:
        spoilt = {**value, "code": "NOT_A_CODE"}
    _put(resource, path, spoilt)
