"""Resources that are right, each spoilt at one place: the judge must object there, whatever the profile.

What to spoil is read from HL7's own definitions, not from the tables under test. `FHIR_MUTANTS=all` makes every mutant;
otherwise a fixed sample of them is judged.
"""

import copy
import hashlib
import json
import os
import re
import tarfile
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from onc_conformance import fhir
from onc_conformance.fhir import tables
from onc_conformance.findings import Severity

SHARED = Path(__file__).parents[2].parent / "shared"
PACKAGE = SHARED / "standards" / "us-core" / "us_core_610.tgz"
POOL = SHARED / "fhir" / "us-core-patient-85.bundle.json"
EVERY = os.environ.get("FHIR_MUTANTS") == "all"
SAMPLE = 1500
EXAMPLES = 4
"""Resources spoilt per profile; those with most in them."""

pytestmark = pytest.mark.skipif(not PACKAGE.exists(), reason="HL7's packages are not at hand")

BAD = {
    "date": "2020-13-01", "dateTime": "2020-02-30", "instant": "2020-01-01", "time": "25:00:00", "code": " code ",
    "id": "not an id", "uri": "http://a b", "url": "http://a b", "canonical": "a b", "oid": "urn:oid:a", "uuid": "urn:uuid:1",
    "base64Binary": "!!!", "boolean": "true", "integer": 1.5, "positiveInt": 0, "unsignedInt": -1, "decimal": "1",
    "string": "", "markdown": "", "xhtml": "<script/>",
}  # fmt: skip
BROKEN = {
    "us-core-1": ("Observation", lambda r: r.update(effectiveDateTime="2020-01"), "effective"),
    "us-core-2": ("Observation", lambda r: _drop(r, "value", "dataAbsentReason", "component", "hasMember"), ""),
    "us-core-3": ("Observation", lambda r: r["valueQuantity"].update(system="http://example.org/units"), "value"),
    "us-core-5": ("Immunization", lambda r: r["vaccineCode"]["coding"].append({"system": "http://hl7.org/fhir/sid/ndc", "code": "49281-0400-10"}), ""),
    "us-core-6": ("Patient", lambda r: _drop(r["name"][0], "family", "given"), "name[0]"),
    "us-core-7": ("Procedure", lambda r: (_drop(r, "performed"), r.update(status="completed")), ""),
    "us-core-8": ("DiagnosticReport", lambda r: (_drop(r, "effective"), r.update(status="final")), ""),
    "us-core-9": ("DiagnosticReport", lambda r: (_drop(r, "issued"), r.update(status="final")), ""),
    "us-core-13": ("PractitionerRole", lambda r: _drop(r, "practitioner", "organization", "healthcareService", "location"), ""),
    "us-core-14": ("RelatedPerson", lambda r: _drop(r, "name", "relationship"), ""),
    "us-core-15": ("Coverage", lambda r: _drop(r, "identifier", "subscriberId"), ""),
    "us-core-20": ("MedicationDispense", lambda r: (_drop(r, "whenHandedOver"), r.update(status="completed")), ""),
    "us-core-21": ("MedicationRequest", lambda r: (_drop(r, "requester"), r.update(intent="order")), ""),
    "vs-3": ("Observation", lambda r: _drop(r["component"][0], "value", "dataAbsentReason"), "component[0]"),
    "pd-1": ("PractitionerRole", lambda r: _drop(r, "telecom", "endpoint"), ""),
    "obs-6": ("Observation", lambda r: r.update(dataAbsentReason={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}) if _has(r, "value") else None, ""),
    "con-5": ("Condition", lambda r: r.update(verificationStatus={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]}) if "clinicalStatus" in r else None, ""),
    "con-4": ("Condition", lambda r: r.update(abatementDateTime="2024-01-01", clinicalStatus={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}), ""),
    "ait-2": ("AllergyIntolerance", lambda r: r.update(verificationStatus={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "entered-in-error"}]}) if "clinicalStatus" in r else None, ""),
    "org-1": ("Organization", lambda r: _drop(r, "name", "identifier"), ""),
    "dom-3": (None, lambda r: r.setdefault("contained", []).append({"resourceType": "Basic", "id": "unused", "code": {"text": "x"}}), "contained"),
    "dom-4": (None, lambda r: (r.setdefault("contained", []).append({"resourceType": "Basic", "id": "versioned", "code": {"text": "x"}, "meta": {"versionId": "1"}})), ""),
    "ext-1": (None, lambda r: r.setdefault("extension", []).append({"url": "http://example.org/x"}), "extension"),
    "ele-1": (None, lambda r: r.setdefault("extension", []).append({}), "extension"),
    "per-1": (None, lambda r: r.setdefault("extension", []).append({"url": "http://example.org/x", "valuePeriod": {"start": "2020-02-01", "end": "2020-01-01"}}), "extension"),
    "qty-3": (None, lambda r: r.setdefault("extension", []).append({"url": "http://example.org/x", "valueQuantity": {"value": 1, "code": "mg"}}), "extension"),
    "txt-1": (None, lambda r: r.update(text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>'}), "text.div"),
}  # fmt: skip


@cache
def package():
    definitions, examples = {}, []
    with tarfile.open(PACKAGE) as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            if name.startswith("StructureDefinition-") and name.endswith(".json"):
                told = json.load(archive.extractfile(member))
                definitions[told["url"]] = told
            elif name.startswith("example/") and name.endswith(".json"):
                told = json.load(archive.extractfile(member))
                if "resourceType" in told:
                    examples.append(told)
    return definitions, examples


@cache
def guide():
    return fhir.load("6.1.0")


def errors(resource, profile):
    found = fhir.validate(resource, guide(), [profile])
    return {(each.rule, each.path, each.found) for each in found if each.severity is Severity.ERROR}


@cache
def subjects():
    """By profile, resources that keep to it, the richest first."""
    definitions, examples = package()
    pool = [*examples, *(one for _, one in fhir.entries(json.loads(POOL.read_text())))]
    found = {}
    for url, told in definitions.items():
        if told["kind"] != "resource" or told["type"] == "Extension":
            continue
        able = []
        for each in pool:
            named = [name.partition("|")[0] for name in each.get("meta", {}).get("profile", ())]
            fits = url in named or (not named and any(one.url == url for one in fhir.profiles(each, guide())))
            if each["resourceType"] == told["type"] and fits and not errors(each, url):
                able.append(each)
        able.sort(key=lambda one: (-len(_keys(one)), -len(json.dumps(one)), one.get("id", "")))
        found[url] = able[:EXAMPLES]
    return found


def _keys(value, at=""):
    if isinstance(value, dict):
        return {at, *(key for name, each in value.items() for key in _keys(each, f"{at}.{name}"))}
    return {key for each in value for key in _keys(each, at)} if isinstance(value, list) else {at}


def _has(resource, stem):
    return any(re.fullmatch(rf"_?{stem}([A-Z]\w*)?", key) for key in resource)


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
            yield here, there, row, type_, each, kind
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


def mutants(url, resource):
    """Kind of mutation, the mutant, where it is wrong (a FHIRPath), and any other place that tells as much."""
    definition = package()[0][url]
    root = resource["resourceType"]
    required = {each["path"] for each in definition["snapshot"]["element"] if each["min"] and ":" not in each["id"]}
    must = {each["path"] for each in definition["snapshot"]["element"] if each.get("mustSupport") and ":" not in each["id"]}

    def spoilt(change):
        one = copy.deepcopy(resource)
        change(one)
        return one

    seen = Counter()
    for path, at, row, kind, value, owner in walk(resource, root, (), root):
        key, last = tuple(part for part in path if isinstance(part, str)), path[-1]
        seen[key] += 1
        if seen[key] > 2 or "resourceType" in key:
            continue
        group = _stated(at, root)
        yield "unknown element", spoilt(lambda r: _unknown(parent(r, path), last)), f"{at}.notAnElement" if isinstance(value, dict) else f"{at.rpartition('.')[0]}.notAnElement", None
        if not (isinstance(last, int) and isinstance(value, dict) and kind == "Resource"):
            yield "wrong type", spoilt(lambda r: _put(r, path, "text" if isinstance(value, dict) else {"x": 1})), at, None
        if isinstance(last, str) and (group in required or row[0]):
            place = at.rpartition(".ofType(")[0] if at.endswith(")") else at
            label = "drop a must-support element" if group in must else "drop a required element"
            yield label, spoilt(lambda r: _drop_key(parent(r, path), last)), place, at
        if isinstance(last, int) and last == 0 and len(parent(resource, path)) == 1 and (group in required or row[0]):
            label = "drop a must-support element" if group in must else "drop a required element"
            yield label, spoilt(lambda r: _drop_key(parent(r, path[:-1]), path[-2])), at.removesuffix("[0]"), None
        if kind in BAD and not isinstance(value, (dict, list)):
            yield "bad primitive", spoilt(lambda r: _put(r, path, BAD[kind])), at, None
        if row[3] and row[3][0] == "required" and kind in ("code", "Coding", "CodeableConcept"):
            if row[3][1].endswith(("mimetypes", "languages", "all-languages")):
                continue
            yield "bad code", spoilt(lambda r: _code(r, path, value)), at, None
        if kind == "Reference":
            yield "bad reference", spoilt(lambda r: _put(r, path, {"reference": "nowhere at all"})), at, None
            yield "bad reference", spoilt(lambda r: _put(r, path, {"reference": "#nothing"})), at, None
            targets = next((each[1] for each in row[2] if isinstance(each, list) and each[0] == "Reference"), ["Any"])
            if not {"Resource", "Any"} & set(targets) and "VerificationResult" not in targets:
                yield "bad reference", spoilt(lambda r: _put(r, path, {"reference": "VerificationResult/1"})), at, None
    yield from _slices(definition, resource, spoilt)
    for rule, (kind, change, place) in BROKEN.items():
        stated = kind is None or any(
            constraint["key"] == rule for each in definition["snapshot"]["element"] for constraint in each.get("constraint", ())
        )
        if kind in (None, root) and stated:
            one = copy.deepcopy(resource)
            try:
                change(one)
            except (KeyError, IndexError):
                continue
            if one != resource:
                yield "broken invariant", one, f"{root}.{place}" if place else root, rule


def _slices(definition, resource, spoilt):
    """Slices told by a pattern or by codes fixed within, at the top of a resource: taken away, and there once too often."""
    by_id = {each["id"]: each for each in definition["snapshot"]["element"]}
    for name, told in by_id.items():
        if ":" not in name or "." in name.partition(":")[2] or name.count(".") != 1:
            continue
        key = name.rpartition(".")[2].partition(":")[0]
        wanted = [
            (coding.get("system"), coding.get("code"))
            for coding in told.get("patternCodeableConcept", {}).get("coding", ())
        ]
        inner = by_id.get(f"{name}.coding.code", {}), by_id.get(f"{name}.coding.system", {})
        if "fixedCode" in inner[0]:
            wanted = [(inner[1].get("fixedUri"), inner[0]["fixedCode"])]
        if told["type"][0]["code"] == "BackboneElement":
            pattern = by_id.get(f"{name}.code", {}).get("patternCodeableConcept") or by_id.get(f"{name}.type", {}).get("patternCodeableConcept")
            wanted = [(coding.get("system"), coding.get("code")) for coding in (pattern or {}).get("coding", ())]
        members = [
            number for number, each in enumerate(resource.get(key, ()) if isinstance(resource.get(key), list) else ())
            if wanted and set(wanted) <= {(one.get("system"), one.get("code")) for one in _codings(each)}
        ]
        place = f"{resource['resourceType']}.{key}"
        if members and told["min"] >= len(members):
            def away(r, key=key, members=members):
                r[key] = [each for number, each in enumerate(r[key]) if number not in members] or [{"text": "another"}]

            yield "wrong slice count", spoilt(away), place, None
        if members and told["max"].isdigit() and int(told["max"]) == len(members):
            yield "wrong slice count", spoilt(lambda r, key=key, number=members[0]: r[key].append(copy.deepcopy(r[key][number]))), place, None


def _codings(value):
    if isinstance(value, dict):
        if "coding" in value:
            return value["coding"]
        return [one for key in ("code", "type") if isinstance(value.get(key), dict) for one in value[key].get("coding", ())]
    return []


def _stated(at, root):
    return re.sub(r"\.ofType\(\w+\)", "[x]", re.sub(r"\[\d+\]", "", at)) if at else root


def _unknown(owner, last):
    inner = owner[last]
    (inner if isinstance(inner, dict) else owner if isinstance(owner, dict) else {})["notAnElement"] = "x"


def _put(resource, path, value):
    parent(resource, path)[path[-1]] = value


def _drop_key(owner, key):
    owner.pop(key, None)
    if isinstance(key, str):
        owner.pop(f"_{key}", None)


def _code(resource, path, value):
    owner = parent(resource, path)
    if isinstance(value, str):
        owner[path[-1]] = "NOT_A_CODE"
    elif "coding" in value:
        owner[path[-1]] = {"coding": [{**value["coding"][0], "code": "NOT_A_CODE"}]}
    else:
        owner[path[-1]] = {**value, "code": "NOT_A_CODE"}


def caught(url, resource, mutant, place, other):
    """Whether a new error stands at the place, within it, or right around it."""
    new = errors(mutant, url) - errors(resource, url)
    around = {place, place.rpartition(".")[0], re.sub(r"\[\d+\]$", "", place), other}
    return any(at in around or at.startswith((f"{place}.", f"{place}[")) for _, at, _ in new)


def made():
    for url, resources in subjects().items():
        for resource in resources:
            told = set()
            for kind, mutant, place, other in mutants(url, resource):
                written = json.dumps(mutant)
                if mutant != resource and (kind, written) not in told:
                    told.add((kind, written))
                    yield url, resource, kind, mutant, place, other


def test_every_profile_of_a_resource_has_a_subject():
    without = sorted(url.rpartition("/")[2] for url, each in subjects().items() if not each)
    assert without == []


def test_what_is_spoilt_is_objected_to_where_it_is_spoilt():
    total, many, survivors = 0, Counter(), []
    every = list(made())
    step = 1 if EVERY else max(1, len(every) // SAMPLE)
    for number, (url, resource, kind, mutant, place, other) in enumerate(every):
        if number % step:
            continue
        total += 1
        many[kind] += 1
        if not caught(url, resource, mutant, place, other):
            survivors.append((kind, url.rpartition("/")[2], resource.get("id"), place))
    for each in survivors:
        print(*each)
    print(len(every), "mutants,", total, "judged,", total - len(survivors), "caught;", dict(many))
    assert len(every) >= 5000
    assert set(many) == {
        "unknown element", "wrong type", "drop a required element", "drop a must-support element", "bad primitive",
        "bad code", "bad reference", "wrong slice count", "broken invariant",
    }  # fmt: skip
    assert len(survivors) <= total // 100
