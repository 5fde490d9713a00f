"""Our template rules against the verdicts HL7's Schematron of C-CDA R2.1 gave on real documents; ONC's negatives."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from onc_conformance import suite
from onc_conformance.ccda import Document, templates
from onc_conformance.ccda.derivation.__main__ import written
from onc_conformance.ccda.derivation.schematron import derive, names
from onc_conformance.ccda.derivation.selection import select
from onc_conformance.ccda.rulebook import rulebook
from onc_conformance.ccda.standards.errata import errata
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.reference import ccd, charts

SHARED = Path(__file__).parents[3] / "shared"
STANDARDS = SHARED / "standards" / "ccda"
DOCUMENTS = SHARED / "corpus" / "documents"
NEGATIVE = SHARED / "testdata" / "uscdi-v3"
TABLES = suite.schemas() / "ccda" / "templates"
R21 = STANDARDS / "ccda-r2.1-2025-07-25.sch"
INDEX = [json.loads(line) for line in (SHARED / "corpus" / "index.jsonl").read_text(encoding="utf-8").splitlines()]
JUDGED = [entry for entry in INDEX if entry["schematron_error_counts"] is not None]
DEFECTS = set(errata({"2015-08-01"}))
"""Rules that find fault with what is right."""
OTHER_RELEASES = {
    (rule, "4e73a35cd7_MedicationSectionCodeInvalid.xml")
    for rule in ("1198-5361", "1198-5250", "1198-5251", "1098-15388")
}
"""What R1.1 documents are held to: the rules of every release."""


def bare(name):
    return re.search(r"\d+-\d+", name)[0]


@pytest.fixture(scope="module")
def found():
    return {entry["file"]: templates.check(Document((DOCUMENTS / entry["file"]).read_bytes())) for entry in JUDGED}


def pairs(found, severity, entries=JUDGED):
    """(rule, document) of rules with a number of R2.1."""
    return {
        (each.rule, entry["file"])
        for entry in entries
        for each in found[entry["file"]]
        if each.severity is severity and each.rule.partition("-")[0] in {"81", "1098", "1198"}
    }


def numbers(phase):
    schematron = "{http://purl.oclc.org/dsdl/schematron}"
    root = etree.parse(R21).getroot()
    active = {
        each.get("pattern")
        for one in root.iter(f"{schematron}phase")
        if one.get("id") == phase
        for each in one.iter(f"{schematron}active")
    }
    for pattern in root.iter(f"{schematron}pattern"):
        if pattern.get("id") in active:
            for each in pattern.iter(f"{schematron}assert"):
                yield bare(each.get("id") or "".join(each.itertext()))


def test_nearly_every_number_of_the_error_phase_is_covered():
    official = set(numbers("errors"))
    ours = {
        fact["rule"]
        for each in (*rulebook().templates, *(({"blocks": [block]}) for block in rulebook().shared))
        for block in each["blocks"]
        if block["level"] == "SHALL"
        for fact in (*block.get("rules", ()), *block.get("own", ()))
    }
    assert len(official) == 1977
    assert len(official & ours) / len(official) >= 0.98
    # What is left out: no document could break it as the file has it, or it was withdrawn
    assert official - ours <= set(derive(R21, "").untestable) | {"1198-32934"}


def test_errors_on_documents_of_r21_agree_but_for_what_is_known(found):
    entries = [entry for entry in JUDGED if entry["is_r21"]]
    official = {(bare(name), entry["file"]) for entry in entries for name in entry["schematron_error_counts"]}
    ours = pairs(found, Severity.ERROR, entries)
    assert len(official) > 400
    assert not ours - official
    assert {rule for rule, _ in official - ours} == {"1098-28042", "1198-32934"} == DEFECTS
    judged = {each for each in official | ours if each[0] not in DEFECTS}
    assert len(official & ours) / len(judged) >= 0.995


def test_errors_are_as_many_as_the_official_ones(found):
    """An element may be named once only, where it declares a template and one that takes over its rules."""
    for entry in (entry for entry in JUDGED if entry["is_r21"]):
        official = Counter()
        for name, many in entry["schematron_error_counts"].items():
            official[bare(name)] += many
        ours = Counter(each.rule for each in found[entry["file"]] if each.severity is Severity.ERROR)
        for rule in official.keys() & ours.keys():
            assert ours[rule] <= official[rule]


def test_warnings_on_documents_of_r21_agree(found):
    entries = [entry for entry in JUDGED if entry["is_r21"]]
    official = {(bare(name), entry["file"]) for entry in entries for name in entry["schematron_warning_confs"]}
    ours = pairs(found, Severity.WARNING, entries)
    assert len(official) > 3500
    assert not ours - official
    # A rule that is in both phases is told once, as the error it is
    assert official - ours <= pairs(found, Severity.ERROR, entries)


def test_older_documents_are_held_to_the_rules_of_every_release_alone(found):
    entries = [entry for entry in JUDGED if not entry["is_r21"]]
    assert pairs(found, Severity.ERROR, entries) == OTHER_RELEASES


def test_companion_guide_rules_object_to_what_is_wrong_on_real_documents(found):
    """By hand: an author without time, and a code with a digit changed."""
    objections = {
        (each.rule, entry["file"][:10])
        for entry in JUDGED
        for each in found[entry["file"]]
        if each.severity is Severity.ERROR and not each.rule[0].isdigit()
    }
    assert objections == {
        ("ProvenanceAuthorParticipation.time", "d3a91c7e6d"),
        ("MedicationAdherence.code.@code", "28ba2d1a2b"),
    }


@pytest.mark.parametrize(
    ("file", "rule", "place", "line"),
    [
        ("NT_Bad_DocTypeId_r11_v2.xml", "1198-5251", "/ClinicalDocument", 31),
        ("NT_Bad_GenderCode_r11_v2.xml", "1198-6394", "/patient/administrativeGenderCode", 134),
        ("NT_Bad_RaceCodeSystem_r11_v2.xml", "1198-5322", "/patient/raceCode", 154),
        ("NT_Bad_ProblemSectionCode_r11_v2.xml", "1198-15410", "/component[9]/section", 2639),
    ],
)
def test_a_defect_of_an_older_document_is_found_at_its_place(file, rule, place, line):
    (error,) = (
        each for each in templates.check(Document((NEGATIVE / file).read_bytes())) if each.severity is Severity.ERROR
    )
    assert error.rule == rule
    assert error.path.endswith(place)
    assert error.line == line


def test_what_onc_has_left_whole_breaks_only_what_leaves_the_companion_guide_no_room():
    """HL7's file counts the Companion Guide's templateId beside that of R2.1 as one too many, and so do we."""
    data = (NEGATIVE / "170.315_b1_toc_amb_ccd_r21_svap_uscdiv3_sample1_v1.xml").read_bytes()
    broken = {each.rule for each in templates.check(Document(data)) if each.severity is Severity.ERROR}
    assert broken == {"81-14436", "1098-8583", "1098-32953"}


def sections(file):
    """Path of each section of a document, by its code."""
    doc = Document((NEGATIVE / file).read_bytes())
    here = Finding(layer=Layer.TEMPLATE, severity=Severity.INFO, rule="", message="")
    return {each.code: doc.locate(here, each.element).path for each in doc.sections}, templates.check(doc)


def test_nonsense_section_codes_are_found_at_their_sections():
    codes, findings = sections("NT_USCDIv3_Sample1_r21_v1.xml")
    nonsense = {path for code, path in codes.items() if not re.fullmatch(r"\d+-\d", code)}
    found = {each.path for each in findings if (each.found or "").startswith("code with @code=")}
    assert len(nonsense) == 9
    assert nonsense <= found


def test_sections_without_their_template_are_found_at_their_place():
    codes, findings = sections("NT_USCDIv3_Sample2_r21_v1.xml")
    missing = {
        code
        for code, path in codes.items()
        for each in findings
        if (each.rule, each.path) == ("TEMPLATE-MISSING", path)
    }
    assert missing == {
        "48765-2", "10160-0", "11450-4", "46240-8", "47519-4", "11369-6", "8716-3", "29762-2", "30954-2",
    }  # fmt: skip
    required = {"1198-30661", "1198-30663", "1198-30665", "1198-30669", "1198-30687", "1198-30689"}
    assert required <= {each.rule for each in findings if each.severity is Severity.ERROR}


PATIENTS = {chart.id: chart for chart in charts.load([*charts.bundled(), suite.schemas() / "patients" / "tiny.toml"])}


@pytest.mark.parametrize("edition", ["uscdi-v1", "uscdi-v3"])
@pytest.mark.parametrize("patient", PATIENTS)
def test_a_reference_document_breaks_no_rule(patient, edition):
    data = ccd.document(PATIENTS[patient], document_id="6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11", edition=edition)
    assert not [each for each in templates.check(Document(data)) if each.severity is Severity.ERROR]


def test_a_reference_document_of_a_window_or_category_breaks_no_rule():
    chart = PATIENTS["newman"]
    window = (date(2017, 5, 2), date(2017, 5, 2))
    cut = ccd.document(chart, document_id="6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11", edition="uscdi-v3", window=window)
    for data in (cut, *(ccd.category_document(chart, [category]) for category in ccd.CATEGORIES)):
        assert not [each for each in templates.check(Document(data)) if each.severity is Severity.ERROR]


def test_the_tables_are_what_the_official_files_give():
    later = names(STANDARDS / "ccda-r3.0.sch")
    r21 = derive(R21, "C-CDA R2.1", later).table
    assert written(r21) == (TABLES / "r2.1.json").read_text(encoding="utf-8")
    taken = {(each["root"], each.get("extension")) for each in r21["templates"]}
    for release in ("3.0", "4.0"):
        table = select(derive(STANDARDS / f"ccda-r{release}.sch", f"C-CDA {release}").table, taken, "2024-01-01")
        assert written(table) == (TABLES / f"companion-{release}.json").read_text(encoding="utf-8")
        taken |= {(each["root"], each.get("extension")) for each in table["templates"]}
