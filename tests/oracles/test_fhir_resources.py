"""The reference EHR's resources against FHIR's own schema, and against what US Core's packages want supported."""

import gzip
import json
import tarfile
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from onc_conformance.reference import charts
from onc_conformance.reference.charted import ChartedPerson
from onc_conformance.reference.fhir import records
from onc_conformance.reference.people import People

SHARED = Path(__file__).parents[2].parent / "shared"
STANDARDS = SHARED / "standards"
PACKAGES = {"6.1.0": "us_core_610.tgz", "7.0.0": "us_core_700.tgz"}
MUST_SUPPORT = "http://hl7.org/fhir/StructureDefinition/elementdefinition-type-must-support"
# Only what is a panel has components: to be able to hold them is all that the other vital signs promise.
PANELS = {"us-core-blood-pressure", "us-core-pulse-oximetry", "us-core-average-blood-pressure"}


@cache
def made(version):
    people = People([ChartedPerson(chart) for chart in charts.load(charts.bundled())])
    found = records.of_people(people, "http://localhost/fhir", version)
    return found, [one for kind in found.kinds() for one in found.of_type(kind)]


@cache
def profiles(version):
    with tarfile.open(STANDARDS / "us-core" / PACKAGES[version]) as package:
        names = [one for one in package.getnames() if one.startswith("package/StructureDefinition-")]
        read = [json.load(package.extractfile(name)) for name in names]
    return {one["url"]: one for one in read if one["kind"] == "resource" and one["type"] != "Extension"}


# --- FHIR's schema


@cache
def validators():
    from jsonschema import Draft6Validator

    with gzip.open(STANDARDS / "fhir-r4" / "fhir.schema.json.gz") as file:
        schema = json.load(file)

    @cache
    def of(kind):
        return Draft6Validator({"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]})

    return of


@pytest.mark.parametrize("version", PACKAGES)
def test_every_resource_fits_the_schema(version):
    _, resources = made(version)
    of = validators()
    seen = defaultdict(int)
    for resource in resources:
        kind = resource["resourceType"]
        seen[kind] += 1
        if kind == "Provenance" and seen[kind] > 50:  # they are all alike
            continue
        # the schema forgets that a canonical address may have extensions
        plain = {name: value for name, value in resource.items() if name != "_questionnaire"}
        wrong = [
            f"{kind}/{resource['id']}: {error.json_path}: {error.message}" for error in of(kind).iter_errors(plain)
        ]
        assert wrong == []
    assert len(seen) >= 25


# --- must-support


def elements(profile):
    """The must-support elements: path of (name, slice) steps, types wanted, targets wanted."""
    by_id = {one["id"]: one for one in profile["snapshot"]["element"]}
    for one in by_id.values():
        if one.get("mustSupport") and "." in one["id"]:
            yield one, [step.partition(":")[::2] for step in one["id"].split(".")[1:]], by_id


def held(value, steps, where, by_id):
    """Every value at the end of the steps."""
    if not steps:
        yield value
        return
    (name, slice_name), rest = steps[0], steps[1:]
    here = f"{where}.{name}" + (f":{slice_name}" if slice_name else "")
    for found in children(value, name, slice_name):
        if not slice_name or fits_slice(found, here, by_id):
            yield from held(found, rest, here, by_id)


def children(value, name, slice_name):
    if not isinstance(value, dict):
        return
    if name.endswith("[x]"):
        stem = name[:-3]
        keys = [slice_name] if slice_name and slice_name in value else [
            key for key in value if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()
        ]  # fmt: skip
        if slice_name.startswith(stem) and slice_name not in value:
            return
    else:
        keys = [key for key in (name, f"_{name}") if key in value]
    for key in keys:
        yield from value[key] if isinstance(value[key], list) else [value[key]]


def fits_slice(value, where, by_id):
    """Whether a value has the pattern, fixed values or profile that its slice is known by."""
    element = by_id.get(where, {})
    for key, wanted in element.items():
        if key.startswith(("pattern", "fixed")) and not contains(value, wanted):
            return False
    for kind in element.get("type", ()):
        if kind["code"] == "Extension" and kind.get("profile"):
            return value.get("url") == kind["profile"][0]
    for each, child in by_id.items():
        below = each.removeprefix(f"{where}.")
        if below == each or not any(key.startswith(("pattern", "fixed")) for key in child) or child["min"] == 0:
            continue
        steps = [step.partition(":")[::2] for step in below.split(".")]
        wanted = next(item for key, item in child.items() if key.startswith(("pattern", "fixed")))
        found = list(held(value, steps, where, {}))
        if "value[x]" not in below and not any(contains(one, wanted) for one in found):
            return False
    return True


def contains(value, wanted):
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(contains(value.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(contains(one, item) for one in value) for item in wanted)
    return value == wanted


def wants(element):
    """The types, and the targets of references, that a server has to support."""
    kinds, targets = set(), set()
    for kind in element.get("type", ()):
        if any(one["url"] == MUST_SUPPORT and one["valueBoolean"] for one in kind.get("extension", ())):
            kinds.add(kind["code"])
        extended = kind.get("_targetProfile", [])
        for place, target in enumerate(kind.get("targetProfile", ())):
            more = (extended[place] or {}).get("extension", ()) if place < len(extended) else ()
            if any(one["url"] == MUST_SUPPORT and one["valueBoolean"] for one in more):
                targets.add(target)
    return kinds, targets


def typed(element, holders):
    """The types found: what follows the stem of a choice."""
    stem = element["path"].rpartition(".")[2].removesuffix("[x]")
    return {key[len(stem) :].casefold() for holder in holders for key in holder if key.startswith(stem)}


def missing(profile, resources, found):
    for element, steps, by_id in elements(profile):
        name = element["id"].partition(".")[2]
        sign = "vital-signs" in profile["id"] + profile.get("baseDefinition", "")
        if sign and profile["id"] not in PANELS and name.startswith("component"):
            continue
        if profile["id"] in PANELS and name == "value[x]" and "blood-pressure" in profile["id"]:
            continue  # a pressure has two values, and none of its own
        kind = profile["type"]
        values = [value for one in resources for value in held(one, steps, kind, by_id)]
        if not values:
            yield name
            continue
        kinds, targets = wants(element)
        if element["path"].endswith("[x]"):
            holders = [one for each in resources for one in held(each, steps[:-1], kind, by_id)]
            there = typed(element, holders)
            yield from (f"{name}:{one}" for one in sorted(kinds) if one.casefold() not in there)
        for target in sorted(targets):
            if not any(claims(found, value, target) for value in values):
                yield f"{name} -> {target.rpartition('/')[2]}"


def claims(found, reference, target):
    if not isinstance(reference, dict):
        return False
    kind, _, issued = str(reference.get("reference", "")).partition("/")
    owned = found.get(kind, issued)
    if target.startswith("http://hl7.org/fhir/StructureDefinition/"):
        return owned is not None and target.endswith(f"/{kind}")
    return owned is not None and target.partition("|")[0] in owned[0].get("meta", {}).get("profile", ())


@pytest.mark.parametrize("version", PACKAGES)
def test_every_must_support_element_is_somewhere(version):
    found, resources = made(version)
    claiming = defaultdict(list)
    for one in resources:
        for each in one.get("meta", {}).get("profile", ()):
            claiming[each].append(one)
    lacking = {}
    for url, profile in sorted(profiles(version).items()):
        names = list(missing(profile, claiming[url], found)) if claiming[url] else ["no resource at all"]
        if names:
            lacking[profile["id"]] = names
    assert lacking == {}


@pytest.mark.parametrize("version", PACKAGES)
def test_every_reference_leads_somewhere(version):
    found, resources = made(version)

    def references(value):
        if isinstance(value, list):
            for item in value:
                yield from references(item)
        elif isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                yield value["reference"]
            for item in value.values():
                yield from references(item)

    for resource in resources:
        inside = {f"#{one['id']}" for one in resource.get("contained", ())}
        for reference in references(resource):
            kind, _, issued = reference.partition("/")
            assert reference in inside or found.get(kind, issued), (resource["resourceType"], resource["id"], reference)
