"""ONC's own content validator as a yardstick: its code's verdicts and its tests' expectations, case by case.

Where its code reports an error for a data class, so do we in that class; where its test demands silence, we are silent.
`ARGUED` are the exceptions; docs/yardstick.md says why.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from onc_conformance import judging
from onc_conformance.findings import Severity
from onc_conformance.judging import gold

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
LINES = (CORPUS / "content_validator_cases.jsonl").read_text(encoding="utf-8").splitlines()
CASES = [case for case in map(json.loads, LINES) if case.get("onc_validator_results") is not None]

CLASSES = (
    ("document type", "submitted document type"),
    ("preferences (v4)", "Preference"),
    ("facility (v4)", "Facility"),
    ("identifier of the encounter (v4)", "EncounterIdentifier"),
    ("directions and adherence (v4)", "Free Text Sig|Medication Adherence"),
    ("alcohol, substances, activity (v4)", r"one of \[Alcohol"),
    ("assessments", "Assessment Scale|Assessment data|SDOH|Pregnancy"),
    ("functional status", "Disability|Functional Status"),
    ("goals", "Goal"),
    ("telecom", "Telecom"),
    ("patient_name", "(?i)first name|last name|middle name|previous name|suffix"),
    ("birth_date", "Date of Birth"),
    ("race", "Race"),
    ("birth sex", "birth sex"),
    ("provenance", "Provenance|Author"),
    ("related persons and other participants", "Related Person"),
    ("specimen", "Specimen"),
    ("laboratory values and results", "(?i)lab result|lab test|result observation"),
    ("vital signs", "Vital Sign"),
    ("problems", "problem observation"),
    ("encounters", "Encounter"),
    ("medication allergies", "Allerg"),
    ("medications", "Medication"),
    ("immunizations", "Immuniz"),
    ("procedures", "Procedure"),
    ("smoking status", "Smoking"),
    ("clinical notes", "Notes"),
    ("reason for referral", "Referral"),
    ("health insurance", "Payers|coverage"),
    ("care plan sections", "Care Plan section"),
)
"""What ONC's messages are about, first that fits; where it is no v4 class, under the name our findings have for it."""
NEEDED = {
    "assessments": {"mental status", "functional status", "social history"},
    "birth sex": {"birth sex"},
    "functional status": {"functional status"},
}
AFTER_V3 = {each for each, _ in CLASSES if "v4" in each}
ARGUED = {
    "document type": "any document type may be validated; the (g)(9) run asks for the CCD",
    "same number": "punctuation of a telephone number is not the number",
    "author's time": "a product writes at its own time; that it says when and for whom is asked",
    "v4": "templates of C-CDA 4.0, which are judged by its imported rules",
    "adherence": "no class of an expected record",
    "template": "a template of another release is the template layer's",
}


def about(message):
    return next((name for name, pattern in CLASSES if re.search(pattern, message)), message)


def judged(case):
    [record] = gold.load(CORPUS / case["reference"])
    data = (CORPUS / case["submitted"]).read_bytes()
    edition = "svap-uscdi-v4" if case["uscdiv4"] else "uscdi-v1"
    return judging.judge(data, edition, record), judging.read(data), record


def classes_of(judgement):
    """The classes in which we report an error."""
    found = set()
    for each in judgement.findings:
        if each.severity is not Severity.ERROR:
            continue
        if each.rule == "USCDI-BIRTH-SEX":
            found.add("birth sex")
        elif each.rule.startswith("USCDI-AUTHOR"):
            found.add("provenance")
        elif each.layer == "content":
            found.add(each.message.partition(":")[0])
    return found


def missed(case, judgement, doc, record):
    """Classes in which ONC's code reports an error and we none -> why not; None where nothing is argued."""
    ours = classes_of(judgement)
    onc = {about(message) for severity, message in case["onc_validator_results"] if severity == "ERROR"}
    return {
        each: argument(each, doc, record)
        for each in sorted(onc)
        if each not in ours and not NEEDED.get(each, set()) & ours
    }


def argument(name, doc, record):
    if name in AFTER_V3:
        return ARGUED["v4"]
    if name == "telecom":
        reached = {re.sub(r"\D", "", each.value)[-10:] for person in doc.people for each in person.telecoms}
        same = {re.sub(r"\D", "", each["value"])[-10:] for each in record.telecom} <= reached
        return ARGUED["same number"] if same else None
    if name == "provenance":
        author = next(doc.root.iterchildren("{*}author"), None)
        stated = author is not None and author.find("{*}time") is not None
        return ARGUED["author's time"] if stated else None
    if name == "related persons and other participants":
        return ARGUED["template"]
    return ARGUED.get(name)


SILENT = (
    (
        "birth sex",
        "does not have birth sex",
        lambda each: "BIRTH-SEX" in each.rule or each.message.startswith("birth sex"),
    ),
    (
        "laboratory results",
        "does not contain lab result data",
        lambda each: each.message == "laboratory values and results: absent" and each.found,
    ),
    ("number of authors", "Author Entries", lambda each: "the provenance of" in each.message),
    (
        "smoking status",
        "does contain Smoking|does not require data related to patient's Smoking",
        lambda each: each.message.startswith("smoking status: not in"),
    ),
    ("provenance", "^Provenance|Provenance", lambda each: "the provenance of" in each.message),
    (
        "time of a procedure",
        "Effective Time element for Procedure",
        lambda each: each.message.startswith("procedures: the date") and "56251" in each.message,
    ),
    (
        "planned procedure",
        "Planned Procedure",
        lambda each: each.rule == "CONTENT-MISSING" and each.message.startswith("assessment and plan") and each.found,
    ),
    ("care plan sections", "Care Plan section", lambda each: "Interventions" in each.message),
)
"""What ONC's tests demand silence about, by their messages, and our findings that would break it."""


def broken_silences(case, judgement):
    demanded = {about(each["message"]) for each in case["expect"] if each["kind"] == "must_contain"}
    demands = [
        each["message"]
        for each in case["expect"]
        if each["kind"] == "must_not_contain" and about(each["message"]) not in demanded  # else it is about wording
    ]
    return [
        (name, each.message)
        for message in demands
        for name, pattern, forbidden in SILENT
        if re.search(pattern, message)
        for each in judgement.findings
        if each.severity is Severity.ERROR and forbidden(each)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_where_onc_objects_so_do_we_and_its_silences_are_kept(case):
    judgement, doc, record = judged(case)
    unargued = {name: why for name, why in missed(case, judgement, doc, record).items() if why is None}
    assert unargued == {}
    assert broken_silences(case, judgement) == []


def test_every_demand_for_silence_is_understood():
    demands = {each["message"] for case in CASES for each in case["expect"] if each["kind"] == "must_not_contain"}
    unknown = [message for message in demands if not any(re.search(pattern, message) for _, pattern, _ in SILENT)]
    assert unknown == []


def test_the_agreement_as_a_table(capsys):
    lines = [f"{'case':<78} {'classes':>7} {'agreed':>6} {'argued':>6}"]
    agreed = argued = 0
    for case in CASES:
        judgement, doc, record = judged(case)
        onc = {about(message) for severity, message in case["onc_validator_results"] if severity == "ERROR"}
        reasons = missed(case, judgement, doc, record)
        agreed, argued = agreed + len(onc) - len(reasons), argued + len(reasons)
        name = case["id"].removeprefix("ContentValidator")[:78]
        lines.append(f"{name:<78} {len(onc):>7} {len(onc) - len(reasons):>6} {len(reasons):>6}  {', '.join(reasons)}")
    lines.append(f"{len(CASES)} cases: {agreed} classes agreed, {argued} argued")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert len(CASES) == 56
    assert agreed > 2 * argued
