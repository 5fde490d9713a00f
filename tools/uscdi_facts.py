"""Derives schemas/uscdi/elements.json from a table of USCDI elements: `python tools/uscdi_facts.py TABLE.yaml`.

Facts alone are taken: names, versions, code systems, value sets, FHIR paths, and where an element stands in a C-CDA.
The table says that in XPath; here it becomes steps of a form of our own, and what this program cannot read stops it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

OUT = Path(__file__).parents[1] / "schemas" / "uscdi" / "elements.json"
BODY = ["component", "structuredBody", "component"]
EDITIONS = ("v1", "v3", "v3.1", "v4", "v5")
# What must be there for a node to hold a value, told by the names a condition speaks of
HELD = {
    frozenset({"@code", "@nullFlavor", "translation"}): "code",
    frozenset({"@code", "@nullFlavor"}): "plain_code",
    frozenset({"@code"}): "plain_code",
    frozenset(
        {"@nullFlavor", "@code", "@value", "low", "high", "center", "numerator", "translation", "text()"}
    ): "value",
    frozenset({"@nullFlavor", "text()"}): "text",
    frozenset({"text()"}): "text",
    frozenset({"@nullFlavor", "text()", "*"}): "text",
    frozenset({"@value", "low", "high", "center"}): "time",
    frozenset({"@value", "low", "high"}): "quantity",
    frozenset({"@root", "@nullFlavor"}): "id",
    frozenset({"@extension", "@nullFlavor"}): "extension",
    frozenset({"@nullFlavor"}): "there",
    frozenset({"@value", "@nullFlavor"}): "point",
    frozenset({"@value"}): "point",
    frozenset({"@value", "@use"}): "used",
    frozenset({"@unit"}): "unit",
    frozenset({"@nullFlavor", "text", "reference", "@value", "text()"}): "note",
    frozenset({"reference", "@value", "text()"}): "referred",
    frozenset({"@nullFlavor", "value", "text", "code", "@code", "originalText"}): "said",
}
# Items of the header are told apart by order and use; the names stand for functions of ccda/places.py
PATIENT = ["recordTarget", "patientRole", "patient"]
HEADER: dict[str, list[tuple[list[str], str | None, str]]] = {
    "first_name": [([*PATIENT, "name", "given"], "first_given", "text")],
    "middle_name_including_middle_initial": [([*PATIENT, "name", "given"], "second_given", "text")],
    "last_name": [([*PATIENT, "name", "family"], "of_first_name", "text")],
    "previous_name": [
        ([*PATIENT, "name"], "further_name", "text"),
        ([*PATIENT, "name", "family"], "birth_part", "text"),
        ([*PATIENT, "name", "given"], "birth_part", "text"),
    ],
    "suffix": [([*PATIENT, "name", "suffix"], "suffix_of_person", "text")],
    "name_to_use": [([*PATIENT, "name"], "name_to_use", "text"), ([*PATIENT, "name", "given"], "called", "text")],
    "preferred_language": [([*PATIENT, "languageCommunication", "languageCode"], "preferred", "plain_code")],
    "current_address": [(["recordTarget", "patientRole", "addr"], "current_address", "text")],
    "previous_address": [(["recordTarget", "patientRole", "addr"], "previous_address", "text")],
    "phone_number": [(["recordTarget", "patientRole", "telecom"], "phone", "point")],
    "phone_number_type": [(["recordTarget", "patientRole", "telecom"], "phone", "used")],
    "email_address": [(["recordTarget", "patientRole", "telecom"], "email", "point")],
}
CONDITIONS = re.compile(
    r"templateId/@root='(?P<template>[^']+)'|(?:code/)?translation/@codeSystem='(?P<also>[^']+)'|"
    r"code/translation/@code='(?P<translated>[^']+)'|code/@code='(?P<code>[^']+)'|@codeSystem='(?P<system>[^']+)'|"
    r"@(?P<name>typeCode|classCode|root)='(?P<wanted>[^']+)'|(?P<null>@nullFlavor)|(?P<unit>@unit)|(?P<joint>\bor\b|\s+)"
)


def derived(table: str) -> str:
    """The file's text; raises ValueError for what the program cannot read."""
    told = yaml.safe_load(Path(table).read_text(encoding="utf-8"))
    elements = [element(each) for each in told["elements"] if set(each["versions"]) & set(EDITIONS)]
    known = told["versions"]
    versions = {each: {"us_core": known[each]["us_core"].split()[0]} for each in EDITIONS}
    lines = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in elements]
    head = json.dumps({"derived_by": "tools/uscdi_facts.py", "versions": versions}, indent=1)
    return head.removesuffix("\n}") + ',\n "elements": [\n' + ",\n".join(lines) + "\n]}\n"


def element(row: dict[str, Any]) -> dict[str, Any]:
    """One element as facts."""
    ccda = row["ccda"]
    name = row["id"].rpartition(".")[2]
    sections = [each["loinc"] for each in ccda["sections"] if re.fullmatch(r"\d+-\d", each.get("loinc") or "")]
    facts: dict[str, Any] = {
        "id": row["id"],
        "class": row["class"],
        "element": row["element"],
        "versions": [each for each in row["versions"] if each in EDITIONS],
        "enforcement": row["vocabulary_enforcement"],
        "precision": ccda["precision"],
        "sections": sections or (["34109-9"] if name.endswith(("_note", "_narrative", "_physical")) else []),
        "places": places(name, ccda),
    }
    facts |= {"classes": row["class_in_other_versions"]} if row.get("class_in_other_versions") else {}
    facts |= {"shared_with": ccda["shared_with"]} if ccda["precision"] == "shared" else {}
    facts |= {"silent_entries": True} if "/entry/*[" in (ccda["null_xpath"] or "") else {}
    facts["systems"] = [each["oid"] for each in row["vocabulary"] if each.get("oid")]
    facts["value_sets"] = [
        {"release": each["release"], "strength": each["strength"], "oid": each["oid"]}
        for each in ccda.get("bindings", ())
        if each.get("oid")
    ]
    facts["fhir"] = [
        {
            "profile": each["structure"],
            "path": each["path"],
            "us_core": sorted(
                {*(v for v, must in each["must_support"].items() if must), *each.get("uscdi_requirement", ())}
            ),
        }
        for each in row["fhir"]
    ]
    return facts


def places(name: str, ccda: dict[str, Any]) -> list[dict[str, Any]]:
    """Where values of an element stand, each as steps down and what must be held at the end."""
    if name in HEADER:
        return [
            {
                "steps": [*({"name": tag} for tag in path[:-1]), {"name": path[-1]} | ({"is": named} if named else {})],
                "held": held,
            }
            for path, named, held in HEADER[name]
        ]
    located = [branch.strip() for branch in parts(ccda["xpath"], " | ")]
    found = []
    for branch in parts(ccda["present_xpath"], " | "):
        prefix = max((each for each in located if branch.strip().startswith(each)), key=len, default=None)
        if prefix is None:
            prefix = branch.strip()[: branch.strip().rindex("[")]
        found.append({"steps": steps(prefix), "held": held(branch.strip()[len(prefix) :])})
    return found


def held(condition: str) -> str:
    names = re.findall(r"normalize-space\(text\)|normalize-space|@\w+|[a-zA-Z]+|\*", condition)
    spoken = {{"normalize-space": "text()", "normalize-space(text)": "text()"}.get(each, each) for each in names}
    spoken |= {"text"} if "normalize-space(text)" in names else set()
    known = HELD.get(frozenset(spoken - {"not", "or", "and"}))
    if known is None:
        raise ValueError(f"a condition of presence nobody knows: {condition}")
    return known


def steps(path: str) -> list[dict[str, Any]]:
    """A path down as steps; the body's own three elements go without saying."""
    found: list[dict[str, Any]] = []
    deep = path.startswith("//")
    for step in parts(path.removeprefix("//"), "/"):
        if not step:
            deep = True
            continue
        name, _, conditions = step.partition("[")
        one: dict[str, Any] = {"name": name.removeprefix("sdtc:")} | ({"deep": True} if deep else {})
        for condition in re.findall(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]", f"[{conditions}"):
            which, said = ("unless", condition[4:-1]) if condition.startswith("not(") else ("if", condition)
            one.setdefault(which, []).append(alternatives(said))
        found.append(one)
        deep = False
    if [each["name"] for each in found[:3]] == BODY:
        del found[:3]
        found[0]["body"] = True
    elif [each["name"] for each in found[:2]] == BODY[:2]:
        del found[:2]
    return found


def alternatives(condition: str) -> dict[str, list[str]]:
    """One condition: any of these."""
    found: dict[str, list[str]] = {}
    at = 0
    while at < len(condition):
        match = CONDITIONS.match(condition, at)
        if not match:
            raise ValueError(f"a condition nobody knows: {condition[at:]} in {condition}")
        at = match.end()
        kinds = {key: value for key, value in match.groupdict().items() if value and key not in {"joint", "name"}}
        for kind, value in kinds.items():
            key = {"wanted": match["name"], "also": "translated_system"}.get(kind, kind)
            found.setdefault(str(key), [])
            if value not in found[str(key)]:
                found[str(key)].append(value)
    return found


def parts(text: str, mark: str) -> list[str]:
    """The text cut at a mark, but not within brackets or quotes."""
    cut, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += (letter in "[(") - (letter in "])")
            if depth == 0 and text.startswith(mark, at):
                cut.append(text[start:at])
                start = at + len(mark)
    return [*cut, text[start:]]


if __name__ == "__main__":
    OUT.write_text(derived(sys.argv[1]), encoding="utf-8")
