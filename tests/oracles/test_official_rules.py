"""HL7's own Schematron files, imported, against the verdicts their reference implementation gave on real documents."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree, isoschematron

from onc_conformance import cli, judging
from onc_conformance.ccda.standards import canary, errata, official, store
from onc_conformance.findings import Severity

SHARED = Path(__file__).parents[3] / "shared"
STANDARDS = SHARED / "standards" / "ccda"
DOCUMENTS = SHARED / "corpus" / "documents"
INDEX = [json.loads(line) for line in (SHARED / "corpus" / "index.jsonl").read_text(encoding="utf-8").splitlines()]
JUDGED = [entry for entry in INDEX if entry["schematron_error_counts"] is not None]
R21, R30, R40 = "ccda-r2.1-2025-07-25", "ccda-r3.0", "ccda-r4.0"
RULES = {R21: 2372, R30: 5508, R40: 4822}
WITHDRAWN = "1198-32934"
"""The only assertion without an id that fails on real documents; the index calls it by its text."""


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory):
    """All three files, R2.1 with a voc.xml made of the codes its rules look up."""
    folder = tmp_path_factory.mktemp("imported")
    vocabulary = etree.Element("{http://www.lantanagroup.com/voc}systems")
    for line in (STANDARDS / "value_sets.jsonl").read_text(encoding="utf-8").splitlines():
        known = json.loads(line)
        system = etree.SubElement(vocabulary, f"{vocabulary.tag[:-7]}system", valueSetOid=known["oid"])
        for code, *_ in known.get("codes", ()):
            etree.SubElement(system, f"{vocabulary.tag[:-7]}code", value=code)
    (folder / "voc.xml").write_bytes(etree.tostring(vocabulary))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONC_CONFORMANCE_DATA", str(folder / "data"))
        for name, codes in dict.fromkeys(RULES, str(folder / "voc.xml")).items():
            assert cli.main(["standards", "import", str(STANDARDS / f"{name}.sch"), "--codes", codes]) == 0
        yield folder


@pytest.fixture(scope="module")
def standards():
    return {each.name: each for each in store.standards()}


@pytest.fixture(scope="module")
def rules(standards):
    return {name: store.ruleset(standard) for name, standard in standards.items()}


def named(assertion):
    return "txt-1198-32934" if assertion.id == WITHDRAWN else assertion.id


def read(entry):
    return judging.read((DOCUMENTS / entry["file"]).read_bytes())


def test_every_rule_of_every_file_is_run(standards):
    for name, standard in standards.items():
        assert standard.not_run == ()
        assert standard.assertions == RULES[name]
        assert set(standard.looks_up) <= set(standard.looked_up)
    assert cli.main(["standards", "check"]) == 0


@pytest.mark.parametrize("name", RULES)
def test_every_rule_compiles_and_the_canary_is_heard(name, rules):
    assert rules[name].problems() == []
    assert canary.sings(rules[name])


@pytest.mark.parametrize("entry", JUDGED, ids=lambda entry: entry["file"])
def test_the_verdict_is_the_official_one(entry, rules):
    unjudged = []
    failed = list(rules[R21].judge(read(entry).root, unjudged))
    assert unjudged == []
    errors = Counter(named(assertion) for assertion, _ in failed if assertion.severity is Severity.ERROR)
    assert errors == Counter(entry["schematron_error_counts"])
    warnings = {assertion.id for assertion, _ in failed if assertion.severity is Severity.WARNING}
    assert warnings == set(entry["schematron_warning_confs"])


def test_the_layer_says_the_same_but_for_known_defects(standards):
    defects = set(errata.errata(standards[R21].releases))
    for entry in JUDGED:
        doc = read(entry)
        found = official.judged(doc, standards[R21])
        expected = Counter()
        for name, many in entry["schematron_error_counts"].items():
            expected[re.search(r"\d+-\d+", name)[0]] += many
        aside = sum(many for name, many in expected.items() if name in defects)
        assert Counter(each.rule for each in found if each.severity is Severity.ERROR) == Counter(
            {name: many for name, many in expected.items() if name not in defects}
        )
        assert errata.suppressed(found) == aside
        assert all(each.path and each.line for each in found)


def test_every_document_of_r21_is_judged_by_the_file_for_r21(standards):
    for entry in JUDGED:
        if entry["is_r21"] and entry["kind"] == "ClinicalDocument":
            assert R21 in [each.name for each in official.fitting(read(entry), list(standards.values()))]


@pytest.mark.parametrize("name", [R30, R40])
def test_later_releases_run_on_every_document(name, rules):
    for entry in JUDGED:
        unjudged = []
        list(rules[name].judge(read(entry).root, unjudged))
        assert unjudged == []


@pytest.mark.parametrize("name", [R30, R40])
def test_later_releases_say_what_another_processor_says(name, rules):
    """lxml's ISO Schematron, which is slow: some documents here, all of them with ONC_ORACLES=all."""
    processor = isoschematron.Schematron(
        etree.parse(STANDARDS / f"{name}.sch"), validate_schema=False, store_report=True, phase=None
    )
    some = sorted((each for each in JUDGED if each["is_r21"]), key=lambda each: each["bytes"])
    chosen = some if os.environ.get("ONC_ORACLES") == "all" else [some[5], some[15], some[len(some) // 2]]
    for entry in chosen:
        root = read(entry).root
        processor.validate(root.getroottree())
        report = processor.validation_report
        theirs = Counter(
            " ".join(each.get("test").split()) for each in report.iter("{http://purl.oclc.org/dsdl/svrl}failed-assert")
        )
        tests = Counter(" ".join(assertion.test.split()) for assertion, _ in rules[name].judge(root))
        assert tests == theirs, entry["file"]
