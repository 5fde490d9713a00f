"""Writes schemas/vocabulary out of the official files that state its facts: identifiers, names, codes, displays.

    python tools/vocabulary/derive.py sets VALUE_SETS.jsonl V3_CODESYSTEMS.json.gz schemas/vocabulary
    python tools/vocabulary/derive.py bindings CCDA_R2.1.sch CCDA_R4.0_BINDINGS.json USCDI.yaml schemas/vocabulary

VALUE_SETS.jsonl has a value set per line, `{"oid", "name", "n", "codes": [[code, system OID, display], ...]}`; where it
has no codes the set is too large to list. V3_CODESYSTEMS.json.gz is the bundle of HL7 v3 code systems in the FHIR R4
definitions. No sentence of an official file is written. Codes of CPT and CDT are never written, and displays of the
NUBC and NUCC lists are not, because their owners do not allow it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

SNOMED, LOINC, RXNORM, CDC = (
    "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.1", "2.16.840.1.113883.6.88", "2.16.840.1.113883.6.238",
)  # fmt: skip
NOT_OURS_TO_LIST = {"2.16.840.1.113883.6.12": "CPT", "2.16.840.1.113883.6.13": "CDT"}
WITHOUT_DISPLAY = {"2.16.840.1.113883.6.101", "2.16.840.1.113883.6.301.5"}

# What a large set may hold, known from its definition; a code of another system cannot be in it
SYSTEMS = {
    "2.16.840.1.113883.3.88.12.3221.8.9": [SNOMED],
    "2.16.840.1.113883.3.88.12.3221.7.4": [SNOMED],
    "2.16.840.1.113762.1.4.1010.4": [RXNORM],
    "1.3.6.1.4.1.12009.10.2.5": [LOINC],
    "2.16.840.1.113762.1.4.1010.1": [],
    "2.16.840.1.113762.1.4.1010.2": [],
}
# Judged by a grammar instead of a list
BY_GRAMMAR = {
    "2.16.840.1.113883.1.11.11526": "language", "2.16.840.1.113883.1.11.12839": "ucum",
    "2.16.840.1.113883.3.88.12.80.63": "country", "2.16.840.1.113883.1.11.20300": "country",
    "2.16.840.1.113883.3.88.12.80.2": "zip",
}  # fmt: skip
# The official list is a sample or of a day: what it does not hold may have been added since
GROWING = {
    "2.16.840.1.113883.3.88.12.80.33",  # patient status: eleven of them
    "2.16.840.1.113883.3.88.12.3221.5.2",  # health insurance types
    "2.16.840.1.114222.4.11.1066",  # provider taxonomy, twice a year
    "2.16.840.1.113883.1.11.20275",  # service locations
    "2.16.840.1.113762.1.4.1010.6",  # vaccines
    "2.16.840.1.113762.1.4.1010.8",  # vaccine products
    "2.16.840.1.114222.4.11.3591",  # payers
    "2.16.840.1.113762.1.4.1099.30",  # care team functions
    "2.16.840.1.113883.11.20.9.34",  # patient education, by descent in SNOMED CT
    "2.16.840.1.113883.11.20.9.56",  # referral types, by descent in SNOMED CT
    "2.16.840.1.113883.11.20.9.52",  # planned encounters, by descent in SNOMED CT
    "2.16.840.1.113883.3.88.12.3221.8.7",  # routes
    "2.16.840.1.113762.1.4.1099.12",  # routes
    "2.16.840.1.113883.11.20.12.1",  # roles
    "2.16.840.1.113883.3.88.12.80.62",  # vital signs: without those USCDI has added
    "2.16.840.1.113883.11.20.9.41",  # tobacco use, by descent in SNOMED CT
    "2.16.840.1.113883.3.88.12.80.32",  # encounter types
    "2.16.840.1.113762.1.4.1099.10", "2.16.840.1.113883.11.20.9.31", "2.16.840.1.113883.11.20.4.1",
    "2.16.840.1.113883.1.11.20.22", "2.16.840.1.113883.11.20.6.1", "2.16.840.1.113883.11.20.8.1",
    "2.16.840.1.113883.1.11.20.2.3", "2.16.840.1.113883.11.20.1.1", "2.16.840.1.113883.1.11.20.2.4",
    "2.16.840.1.113883.11.20.9.65", "2.16.840.1.113883.11.20.9.59",  # document and section types, by LOINC's own axes
    "2.16.840.1.113883.1.11.19185", "2.16.840.1.113883.1.11.78",  # tables HL7 goes on extending
}  # fmt: skip
# Code systems of HL7 v3 a clinical document uses; the flag says whether HL7 goes on adding to them
V3 = {
    "AdministrativeGender": True, "MaritalStatus": False, "ReligiousAffiliation": False, "NullFlavor": True,
    "ActStatus": True, "ActMood": False, "ActClass": False, "Confidentiality": False,
    "ObservationInterpretation": False, "ParticipationFunction": False, "ParticipationType": False,
    "RoleClass": False, "RoleCode": False, "ActCode": False, "ActReason": False, "ActPriority": False,
    "RouteOfAdministration": False, "EntityNameUse": False, "AddressUse": False, "LanguageAbilityMode": True,
    "LanguageAbilityProficiency": True, "SpecimenType": False, "TribalEntityUS": False, "ObservationValue": False,
    "ParticipationSignature": False, "ParticipationMode": False, "ActSite": False, "EntityCode": False,
}  # fmt: skip
# Identifiers FHIR gives to value sets that C-CDA names by OID; VSAC's own are made from the OID
CANONICAL = {
    "2.16.840.1.113883.1.11.1": "http://terminology.hl7.org/ValueSet/v3-AdministrativeGender",
    "2.16.840.1.113883.1.11.12212": "http://hl7.org/fhir/ValueSet/marital-status",
    "2.16.840.1.113883.1.11.78": "http://terminology.hl7.org/ValueSet/v3-ObservationInterpretation",
    "2.16.840.1.113883.1.11.16926": "http://terminology.hl7.org/ValueSet/v3-xBasicConfidentialityKind",
    "2.16.840.1.113883.1.11.11526": "http://terminology.hl7.org/ValueSet/v3-HumanLanguage",
    "2.16.840.1.113883.1.11.19579": "http://terminology.hl7.org/ValueSet/v3-FamilyMember",
    "2.16.840.1.113883.1.11.15913": "http://terminology.hl7.org/ValueSet/v3-EntityNameUse",
    "2.16.840.1.113883.1.11.12839": "http://hl7.org/fhir/ValueSet/ucum-units",
    "2.16.840.1.113883.3.88.12.80.1": "http://hl7.org/fhir/us/core/ValueSet/us-core-usps-state",
}
# Sets that Companion Guide templates and USCDI name and VALUE_SETS.jsonl lacks; small enough to state
US_CORE = "http://hl7.org/fhir/us/core/ValueSet/"
STATED = [
    ("2.16.840.1.113762.1.4.1", "ONC Administrative Sex", US_CORE + "birthsex", "2.16.840.1.113883.5.1",
     {"F": "Female", "M": "Male"}),
    ("2.16.840.1.113762.1.4.1021.24", "Birth Sex", US_CORE + "birthsex", "2.16.840.1.113883.5.1",
     {"F": "Female", "M": "Male"}),
    ("2.16.840.1.113762.1.4.1021.121", "Federal Administrative Sex", None, SNOMED,
     {"248152002": "Female (finding)", "248153007": "Male (finding)"}),
    ("2.16.840.1.113883.4.642.2.575", "Race Categories", US_CORE + "omb-race-category", CDC,
     {"1002-5": "American Indian or Alaska Native", "2028-9": "Asian", "2054-5": "Black or African American",
      "2076-8": "Native Hawaiian or Other Pacific Islander", "2106-3": "White"}),
    ("2.16.840.1.113883.4.642.40.2.48.3", "Ethnicity Categories", US_CORE + "omb-ethnicity-category", CDC,
     {"2135-2": "Hispanic or Latino", "2186-5": "Not Hispanic or Latino"}),
    ("2.16.840.1.113762.1.4.1021.33", "Sexual Orientation", US_CORE + "us-core-sexual-orientation", SNOMED,
     {"38628009": "Homosexual (finding)", "20430005": "Heterosexual (finding)", "42035005": "Bisexual (finding)"}),
    ("2.16.840.1.113762.1.4.1021.101", "Gender Identity USCDI core", None, SNOMED,
     {"446151000124109": "Identifies as male gender (finding)",
      "446141000124107": "Identifies as female gender (finding)",
      "407377005": "Female-to-male transsexual (finding)", "407376001": "Male-to-female transsexual (finding)",
      "446131000124102": "Identifies as non-conforming gender (finding)"}),
]  # fmt: skip
# Sexual orientation and gender identity: nobody may be failed for them since USCDI v3.1
NEVER_FAILED = {"2.16.840.1.113883.10.20.22.4.501", "2.16.840.1.113883.10.20.34.3.45"}
# Codes that ONC's own sample documents use of a set whose list is older than they are
SINCE = {
    "2.16.840.1.113883.3.88.12.3221.6.2": [["12481000132103", SNOMED, "History of biological substance allergy"]],
}
NAMED = re.compile(r"(SHALL|SHOULD|MAY)\b\**\s+be\s+(?:selected|drawn)\s+from\s+(?:the\s+)?(ValueSet|CodeSystem)\b"
                   r"([^()]*?(?:\([^()]*\)[^()]*?)?)\(?urn:(?:oid|hl7ii):([0-9.]+[0-9])")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    sets = actions.add_parser("sets")
    for name in ("value_sets", "v3", "out"):
        sets.add_argument(name, type=Path)
    bindings = actions.add_parser("bindings")
    for name in ("schematron", "r4", "uscdi", "out"):
        bindings.add_argument(name, type=Path)
    options = parser.parse_args()
    if options.action == "sets":
        derive_sets(options.value_sets, options.v3, options.out)
    else:
        derive_bindings(options.schematron, options.r4, options.uscdi, options.out)


def derive_sets(value_sets: Path, v3: Path, out: Path) -> None:
    """Write value-sets.jsonl and codes.jsonl, a line each, keyed by OID."""
    displays: dict[str, dict[str, str]] = defaultdict(dict)
    closed: dict[str, bool] = {}
    for oid, closes, codes in _v3(v3):
        displays[oid].update(codes)
        closed[oid] = closes
    lines = {}
    for text in value_sets.read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        oid, codes = (
            entry["oid"].removeprefix("urn:hl7ii:").partition(":")[0],
            [*(entry.get("codes") or []), *SINCE.get(entry["oid"], [])],
        )
        line = _line(oid, entry["name"].strip(), codes)
        if oid in lines:  # another version of the same set: what either holds is in it
            line["codes"] = {**lines[oid]["codes"], **line["codes"]}
        lines[oid] = line
        for code, system, display in codes:
            if system not in NOT_OURS_TO_LIST and system != oid:
                known = displays[system]
                known[code] = known.get(code) or ("" if system in WITHOUT_DISPLAY else (display or "").strip())
    lines["2.16.840.1.113883.1.11.20300"] = _line("2.16.840.1.113883.1.11.20300", "Country2", [])
    tribes = "2.16.840.1.113883.1.11.11631"
    lines[tribes] = {"oid": tribes, "name": "TribalEntityUS", "canonical": _canonical(tribes, None), "closed": False,
                     "codes": {"2.16.840.1.113883.5.140": sorted(displays["2.16.840.1.113883.5.140"])}}  # fmt: skip
    for oid, name, canonical, system, stated in STATED:
        lines[oid] = {"oid": oid, "name": name, "canonical": _canonical(oid, canonical), "closed": True,
                      "codes": {system: sorted(stated)}}  # fmt: skip
        displays[system].update({code: displays[system].get(code) or display for code, display in stated.items()})
    _write(out / "value-sets.jsonl", [lines[oid] for oid in sorted(lines, key=_key)])
    _write(
        out / "codes.jsonl",
        [
            {"oid": oid, "closed": closed.get(oid, False), "codes": dict(sorted(displays[oid].items()))}
            for oid in sorted(displays, key=_key)
        ],
    )


def _line(oid: str, name: str, codes: list[list[str]]) -> dict[str, Any]:
    by_system: dict[str, list[str]] = defaultdict(list)
    left_out = set()
    for code, system, _ in codes:
        if system in NOT_OURS_TO_LIST:
            left_out.add(system)
        else:
            by_system[system].append(code.strip())
    line: dict[str, Any] = {"oid": oid, "name": name, "canonical": _canonical(oid, CANONICAL.get(oid))}
    line["closed"] = bool(codes) and oid not in GROWING and not left_out
    if oid in BY_GRAMMAR:
        line["grammar"] = BY_GRAMMAR[oid]
        line["closed"] = True
    if left_out:
        line["unlisted"] = sorted(left_out)
    if not codes and oid not in BY_GRAMMAR:
        line["unlisted"] = SYSTEMS.get(oid, [])
    line["codes"] = {system: sorted(set(many)) for system, many in sorted(by_system.items())}
    return line


def _canonical(oid: str, known: str | None) -> list[str]:
    return [f"http://cts.nlm.nih.gov/fhir/ValueSet/{oid}", *([known] if known else [])]


def _v3(path: Path) -> list[tuple[str, bool, dict[str, str]]]:
    with gzip.open(path) as file:
        bundle = json.load(file)
    found = []
    for entry in bundle["entry"]:
        resource = entry["resource"]
        name = resource["id"].removeprefix("v3-")
        if resource["resourceType"] == "CodeSystem" and name in V3:
            oid = resource["identifier"][0]["value"].removeprefix("urn:oid:")
            found.append((oid, V3[name], dict(_concepts(resource.get("concept", [])))))
    return found


def _concepts(concepts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    flat = []
    for concept in concepts:
        if not concept["code"].startswith("_"):
            flat.append((concept["code"], concept.get("display", "")))
        flat += _concepts(concept.get("concept", []))
    return flat


def derive_bindings(schematron: Path, r4: Path, uscdi: Path, out: Path) -> None:
    """Write bindings-r2.1.jsonl and bindings-r4.0.jsonl: template, path, value set or systems, strength, rule."""
    soft, demanded = _enforced(uscdi)
    found: dict[str, dict[str, Any]] = {}
    missed = []
    for context, identity, test, text in _assertions(schematron):
        if "document(" in test:  # a static table, which the template rules judge
            continue
        place = _place(context, test)
        for strength, kind, _, oid in NAMED.findall(text)[:1]:  # what is named further belongs to another element
            if place is None:
                missed.append((identity, test))
                continue
            if strength == "MAY" or (kind == "ValueSet" and place.get("path", "").endswith("@moodCode")):
                continue
            conf = re.match(r"a-([0-9]+-[0-9]+)", identity)
            binding = {"rule": conf.group(1) if conf else identity, **place, "strength": strength}
            binding["set" if kind == "ValueSet" else "system"] = oid
            if kind == "ValueSet" and strength == "SHALL" and oid in soft:
                binding["strength"] = "SHALL, soft"
            bare = re.sub(r"\[[^]]*\]", "", place["path"])
            if strength == "SHOULD" and BY_GRAMMAR.get(oid) == "ucum" and (place["template"], bare, oid) in demanded:
                binding["strength"] = "SHALL"
            found.setdefault(json.dumps({**binding, "strength": ""}, sort_keys=True), binding)
    official = list(found.values())
    known = {(each["template"], each.get("extension")) for each in official}
    _write(out / "bindings-r2.1.jsonl", official)
    _write(
        out / "bindings-r4.0.jsonl",
        [each for each in _later(r4, soft) if (each["template"], each["extension"]) not in known],
    )
    for identity, test in missed:
        sys.stderr.write(f"no place understood for {identity}: {test}\n")


def _enforced(uscdi: Path) -> tuple[set[str], set[tuple[str, str, str]]]:
    """OIDs of sets no USCDI element may be failed for; (template, path, set) that ONC's own validator demands."""
    ranks: dict[str, set[str]] = defaultdict(set)
    demanded = set()
    for element in yaml.load(uscdi.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["elements"]:
        places = element.get("ccda") or []
        for place in places if isinstance(places, list) else [places]:
            for binding in place.get("bindings") or []:
                ranks[binding.get("oid") or ""].add(element["vocabulary_enforcement"])
            for rule in place.get("onc_vocabulary_rules") or []:
                suffix, _, path = rule["path"].partition(" ")
                if element["vocabulary_enforcement"] == "hard" and rule["severity"] == "SHALL" and suffix[0].isdigit():
                    template = f"2.16.840.1.113883.10.20.22.{suffix}"
                    demanded.add((template, path.partition(" ")[0], rule.get("value_set_oid")))
    return {oid for oid, all_ranks in ranks.items() if "hard" not in all_ranks}, demanded


def _assertions(schematron: Path) -> list[tuple[str, str, str, str]]:
    ns = {"s": "http://purl.oclc.org/dsdl/schematron"}
    found = []
    for pattern in etree.parse(str(schematron)).iterfind(".//s:pattern", ns):
        rules = {rule.get("id"): rule for rule in pattern.iterfind("s:rule", ns)}
        for rule in rules.values():
            if rule.get("context") is None:
                continue
            inherited = [rules[each.get("rule")] for each in rule.iterfind("s:extends", ns)]
            found += [
                (rule.get("context"), each.get("id"), each.get("test"), " ".join("".join(each.itertext()).split()))
                for source in (rule, *inherited)
                for each in source.iterfind("s:assert", ns)
            ]
    return found


_CONTEXT = re.compile(
    r"(cda|sdtc):(\w+)\[cda:templateId\[@root='([0-9.]+)'(?: and @extension='([^']+)')?\]\](.*)$", re.DOTALL
)


def _place(context: str, test: str) -> dict[str, Any] | None:
    """Where a rule's assertion looks: the template, and a path of local names with attribute predicates."""
    start = _CONTEXT.match(context)
    if start is None or "|" in context:
        return None
    _, _, root, extension, rest = start.groups()
    below = _path(rest.lstrip("/")) if rest else []
    inside = _tested(test)
    if below is None or inside is None:
        return None
    return {"template": root, "extension": extension, "path": "/".join([*below, *inside])}


def _tested(test: str) -> list[str] | None:
    test = test.strip()
    if test.startswith("not(") and ") or " in test:
        test = test.partition(") or ")[2].strip()
    if counted := re.match(r"count\((.*)\)\s*(?:=|>|<)\s*\d+$", test, re.DOTALL):
        test = counted.group(1)
    return _path(test)


def _path(expression: str) -> list[str] | None:
    """Local names of a path, keeping `[@name='value']`, going down into a counted or an attribute predicate."""
    steps: list[str] = []
    while expression:
        step = re.match(r"/?(?:cda:)?(@?(?:sdtc:)?\w+)", expression)
        if step is None:
            return None
        name, expression = step.group(1), expression[step.end() :]
        deeper: list[str] | None = []
        while expression.startswith("["):
            predicate, expression = _bracket(expression)
            if fixed := re.match(r"\(?@([\w:]+)\s*=\s*'([^']*)'\)?$", predicate):
                name += f"[@{fixed.group(1)}='{fixed.group(2)}']"
            elif counted := re.match(r"count\((.*)\)\s*(?:=\s*1|>\s*0)$", predicate, re.DOTALL):
                deeper = deeper or _path(counted.group(1))
            elif re.match(r"@\w+$", predicate):
                deeper = deeper or ([] if predicate == "@code" else [predicate])
        steps.append(name)
        if deeper is None:
            return None
        if deeper and not expression:
            return [*steps, *deeper]
    return steps


def _bracket(text: str) -> tuple[str, str]:
    depth = 0
    for index, character in enumerate(text):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if depth == 0:
            return text[1:index], text[index + 1 :]
    return text[1:], ""


def _later(r4: Path, soft: set[str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in (one for many in json.loads(r4.read_text(encoding="utf-8")).values() for one in many):
        start = _CONTEXT.match(each["xpath"])
        if start is None or not each.get("oid") or "nullFlavor" in each["xpath"]:
            continue
        _, _, root, extension, rest = start.groups()
        simple = not re.search(r"\[(?!\(?@[\w:]+\s*=\s*'[^']*'\)?\])", rest)
        path = _path(rest.lstrip("/")) if simple else None
        if path is None or extension is None:
            continue
        where = "/".join(path).removesuffix("/@code")
        suffix = root.removeprefix("2.16.840.1.113883.10.20.")
        bare = re.sub(r"\[[^]]*\]", "", where).replace("/", ".")
        rule = f"VOC-{suffix}-{bare}"
        strength = "SHALL" if each["strength"] == "required" else "SHOULD"
        if strength == "SHALL" and (each["oid"] in soft or root in NEVER_FAILED):
            strength = "SHALL, soft"
        binding = {"rule": rule, "template": root, "extension": extension, "path": where, "strength": strength,
                   "set": each["oid"], "name": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", each["name"])}  # fmt: skip
        found.setdefault(json.dumps({**binding, "rule": ""}, sort_keys=True), binding)
    return list(found.values())


def _key(oid: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in oid.split(".")]


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{path}: {len(lines)} lines, {len(text)} characters\n")


if __name__ == "__main__":
    main()
