"""Resources that are right, each spoilt at one place: the judge must object there, whatever the profile.

What to spoil is read from HL7's own definitions, not from the tables under test. `FHIR_MUTANTS=all` makes every mutant;
otherwise a fixed sample of them is judged.
"""

import copy
import json
import os
import re
import sys
import tarfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

from onc_conformance import fhir, suite
from onc_conformance.fhir import imports, tables
from onc_conformance.fhirwork import ledger
from onc_conformance.findings import Severity

SHARED = Path(__file__).parents[2].parent / "shared"
PACKAGE = SHARED / "standards" / "us-core" / "us_core_610.tgz"
POOL = SHARED / "fhir" / "us-core-patient-85.bundle.json"
EVERY = os.environ.get("FHIR_MUTANTS") == "all"
SAMPLE = 1500
EXAMPLES = 4
"""Resources spoilt per profile; those with most in them."""

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
    "us-core-3": ("Observation", lambda r: r["valueQuantity"].update(system="http://example.org/units"), "value"),
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
    return tables.read(suite.schemas() / "us-core" / "6.1.0.json")


def errors(resource, profile, *severities, by=None):
    found = fhir.validate(resource, by or guide(), [profile])
    return {(each.rule, each.path, each.found) for each in found if each.severity in (Severity.ERROR, *severities)}


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
            named = _lineage([name.partition("|")[0] for name in each.get("meta", {}).get("profile", ())])
            fits = url in named or (not named and any(one.url == url for one in fhir.profiles(each, guide())))
            if each["resourceType"] == told["type"] and fits and not errors(each, url):
                able.append(each)
        able.sort(key=lambda one: (-len(_keys(one)), -len(json.dumps(one)), one.get("id", "")))
        found[url] = able[:EXAMPLES]
    return found


def _lineage(names):
    """The profiles of these names, and those they are profiles of."""
    definitions = package()[0]
    above = [definitions[name]["baseDefinition"] for name in names if name in definitions]
    return [*names, *_lineage(above)] if above else names


def _keys(value, at=""):
    if isinstance(value, dict):
        return {at, *(key for name, each in value.items() for key in _keys(each, f"{at}.{name}"))}
    return {key for each in value for key in _keys(each, at)} if isinstance(value, list) else {at}


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


def mutants(url, resource):
    """Kind of mutation, the mutant, where it is wrong (a FHIRPath), and any other place that tells as much."""
    definition = package()[0][url]
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
    for rule, (kind, change, place) in BROKEN.items():
        stated = kind is None or any(
            constraint["key"] == rule and (rule != "us-core-3" or each["id"] == "Observation")
            for each in definition["snapshot"]["element"]
            for constraint in each.get("constraint", ())
        )
        if kind in (None, root) and stated:
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


def caught(url, resource, kind, mutant, place, other):
    """Whether a new error stands at the place, within it, or right around it; some invariants are only advice."""
    if kind == "drop an optional must-support element":  # no error: the ledger must miss it
        profile = guide().profile(url)
        return ledger.seen(mutant, profile, guide()) < ledger.seen(resource, profile, guide())
    also = (Severity.WARNING,) if kind == "broken invariant" else ()
    new = errors(mutant, url, *also) - errors(resource, url, *also)
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


def test_our_rules_and_the_guides_own_expressions_agree(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path))
    imports.add(PACKAGE)
    theirs = fhir.load("6.1.0")
    assert theirs.expressions
    assert theirs is not guide()
    every = [each for number, each in enumerate(made()) if each[2] == "broken invariant" or not number % 40]
    every += [(url, each, "as it is", each, "", None) for url, one in subjects().items() for each in one]
    apart = Counter()
    for url, _resource, kind, mutant, *_ in every:
        both = [errors(mutant, url, Severity.WARNING, by=one) for one in (guide(), theirs)]
        for rule, path, _ in both[0] ^ both[1]:
            apart[(rule, kind, path)] += 1
    assert "TRACE" not in capsys.readouterr().out
    assert apart == {}


def test_what_is_spoilt_is_objected_to_where_it_is_spoilt():
    total, many, survivors = 0, Counter(), []
    every = list(made())
    step = 1 if EVERY else max(1, len(every) // SAMPLE)
    for number, (url, resource, kind, mutant, place, other) in enumerate(every):
        if number % step:
            continue
        total += 1
        many[kind] += 1
        if not caught(url, resource, kind, mutant, place, other):
            survivors.append((kind, url.rpartition("/")[2], resource.get("id"), place))
    sys.stdout.write(f"{len(every)} made, {total} judged, {total - len(survivors)} caught: {dict(many)}\n")
    sys.stdout.writelines(f"survived: {each}\n" for each in survivors)
    assert len(every) >= 5000
    assert set(many) == {
        "unknown element", "wrong type", "drop a required element", "drop a must-support element", "bad primitive",
        "bad code", "bad reference", "wrong slice count", "broken invariant", "drop an optional must-support element",
    }  # fmt: skip
    assert len(survivors) <= total // 100, survivors
