"""Our template rules against HL7's file beyond what real documents break: documents made to break each rule.

For every template of the file a document is built that obeys its rules, out of the templates alone and out of the
smallest real instance; then every test is broken in every way its form allows, and what no rule speaks of is altered.
Both rule sets judge each of these documents.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from tests.oracles.mutants import PREFIXES, Maker, grown, strays

from onc_conformance import cli, suite
from onc_conformance.ccda import contexts, templates
from onc_conformance.ccda.derivation.xpath import parse
from onc_conformance.ccda.standards import errata, official, store
from onc_conformance.findings import Severity

SHARED = Path(__file__).parents[3] / "shared"
STANDARDS = SHARED / "standards" / "ccda"
NAMESPACE = PREFIXES["cda"]
DOCUMENT = f"{{{NAMESPACE}}}ClinicalDocument"
HEADER, RELEASE = store.HEADER, "2015-08-01"
MISSED = {
    "1098-28499": "the file counts: two times of a kind that is allowed once are one too many",
    "1098-32946": "likewise",
}
"""What the file finds and we do not, and why."""
SURPLUS = {
    "1098-14750": "a section's code is judged by the root of its template, whatever the extension",
    "1098-15420": "likewise",
}
"""What we find and the file does not, other than rules it has no test for."""
UNBREAKABLE = {
    "1098-30774": "asks for the templateId by which the rule is found",
    "1098-32564": "likewise",
    "81-15524": "likewise",
    "1198-29504": "stands below a rule of the same context in its pattern, which takes every node",
    "1198-32466": "asks for documentationOf within the performer in it",
}
"""Rules of the file that no document can break."""
STRAYS = 400 if os.environ.get("ONC_ORACLES") == "all" else 25
"""How many changes that no rule asks for are tried on each document."""


@pytest.fixture(scope="module")
def codes():
    lines = (STANDARDS / "value_sets.jsonl").read_text(encoding="utf-8").splitlines()
    return {each["oid"]: [code for code, *_ in each.get("codes", ())] for each in map(json.loads, lines)}


@pytest.fixture(scope="module")
def standard(tmp_path_factory, codes):
    folder = tmp_path_factory.mktemp("imported")
    systems = etree.Element("systems")
    for oid, values in codes.items():
        system = etree.SubElement(systems, "system", valueSetOid=oid)
        for value in values:
            etree.SubElement(system, "code", value=value)
    (folder / "voc.xml").write_bytes(etree.tostring(systems))
    file = STANDARDS / "ccda-r2.1-2025-07-25.sch"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONC_CONFORMANCE_DATA", str(folder / "data"))
        assert cli.main(["standards", "import", str(file), "--codes", str(folder / "voc.xml")]) == 0
        [imported] = store.standards()
        yield imported


@cache
def tree(test):
    try:
        return parse(test)
    except ValueError:
        return None


def bare(name):
    found = re.match(r"\d+-\d+", name)
    return found[0] if found else name


def holds_always(assertion):
    """What the file says of constraints it has no test for."""
    return "not(test" in assertion.test


@dataclass
class Trial:
    """Both rule sets, and what they said so far."""

    ours: object
    theirs: object
    numbers: frozenset
    both: int = 0
    documents: int = 0
    missed: Counter = field(default_factory=Counter)
    surplus: Counter = field(default_factory=Counter)
    wider: Counter = field(default_factory=Counter)
    """What only we say and mean to."""
    fired: set = field(default_factory=set)

    def compare(self, root):
        self.documents += 1
        theirs, ours = self.said(self.theirs, root), self.said(self.ours, root)
        self.both += len(theirs & ours)
        self.missed.update(theirs - ours)
        extra = ours - theirs
        by_design = {each for each in extra if each[0] in beyond()}
        self.wider.update(by_design)
        self.surplus.update(extra - by_design)
        self.fired |= {number for number, _ in theirs}

    def said(self, rules, root):
        found = {(bare(assertion.id), assertion.severity.value) for assertion, _ in rules.judge(root)}
        return {each for each in found if each[0] in self.numbers}


@cache
def beyond():
    """Numbers of rules that we judge where the file does not: of every release, and those it leaves untested."""
    tables = [suite.schemas() / "ccda" / "templates" / name for name in ("every-release.json", "r2.1-untested.json")]
    return frozenset(re.findall(r'"(\d+-\d+)"', "".join(path.read_text(encoding="utf-8") for path in tables)))


def anchors(rules):
    """The rules of each template: tag, root and extension, then the ways from there to the nodes they are about."""
    found = {}
    for pattern in rules.patterns:
        for rule in pattern.rules:
            for each in contexts.read(rule.context, rules.namespaces):
                if each.template and each.tag:
                    extension = None if each.template.any_extension else each.template.extension
                    found.setdefault((each.tag, each.template.root, extension), []).append((each, rule))
    return found


def bare_instance(tag, root, extension):
    """A document with nothing but the template; an element that is no document stands in one that declares nothing."""
    kind = "ClinicalDocument" if tag == DOCUMENT else "component"
    top = etree.fromstring(
        f'<{kind} xmlns="{NAMESPACE}" xmlns:sdtc="{PREFIXES["sdtc"]}" xmlns:xsi="{PREFIXES["xsi"]}"/>'
    )
    element = top if tag == top.tag else etree.SubElement(top, tag)
    for declared in [(root, extension)] + ([(HEADER, RELEASE)] if tag == DOCUMENT and root != HEADER else []):
        template = etree.SubElement(element, f"{{{NAMESPACE}}}templateId", root=declared[0])
        if declared[1]:
            template.set("extension", declared[1])
    return top


@pytest.fixture(scope="module")
def real():
    """The smallest real instance of each template that is no document."""
    found = {}
    for path in sorted((SHARED / "corpus" / "documents").iterdir()):
        try:
            root = etree.fromstring(path.read_bytes(), etree.XMLParser(remove_comments=True, remove_pis=True))
        except etree.XMLSyntaxError:
            continue
        for each in root.iter(f"{{{NAMESPACE}}}templateId"):
            element = each.getparent()
            if element.tag == DOCUMENT:
                continue
            size = len(etree.tostring(element))
            for extension in {each.get("extension"), None}:
                key = (element.tag, each.get("root"), extension)
                if size < found.get(key, (20_000, None))[0]:
                    found[key] = (size, element)
    instances = {}
    for key, (_, element) in found.items():
        top = etree.fromstring(f'<component xmlns="{NAMESPACE}"/>')
        top.append(copy.deepcopy(element))
        instances[key] = top
    return instances


def starts(top, key):
    return [top] if key[0] == top.tag else list(top.iterchildren(key[0]))


def nodes(top, key, alternative, namespaces):
    if alternative.path is None:
        return starts(top, key)
    return [node for start in starts(top, key) for node in start.xpath(alternative.path, namespaces=dict(namespaces))]


def bases(trial, maker, key, rules, real):
    """Documents that obey the rules of a template as far as can be; every one on the way is compared too."""

    def broken(root):
        for assertion, element in trial.theirs.judge(root):
            if assertion.severity is Severity.ERROR and tree(assertion.test):
                yield assertion.id, tree(assertion.test), element

    start = bare_instance(*key)
    for alternative, _ in rules:
        if alternative.path:
            for each in starts(start, key):
                maker.fulfil(each, parse(alternative.path.replace("self::node()", ".")))
    for first in [start, real[key]] if key in real else [start]:
        last = first
        for last in grown(first, maker, broken):
            trial.compare(last)
        yield last


def broken_one_by_one(trial, maker, key, rules, base):
    places = {element: number for number, element in enumerate(base.iter(etree.Element))}
    for alternative, rule in rules:
        for node in nodes(base, key, alternative, trial.theirs.namespaces)[:1]:
            for assertion in rule.assertions:
                for way in maker.ways(tree(assertion.test)) if tree(assertion.test) else ():
                    mutant = copy.deepcopy(base)
                    if way(list(mutant.iter(etree.Element))[places[node]]):
                        trial.compare(mutant)


def strayed(trial, base):
    ways = list(strays(base))
    for way in ways[:: max(1, len(ways) // STRAYS)]:
        mutant = copy.deepcopy(base)
        if way(mutant):
            trial.compare(mutant)


@pytest.fixture(scope="module")
def trial(standard, codes, real):
    theirs = store.ruleset(standard)
    defects = errata.errata(standard.releases)
    every = {
        official.rule_number(each) for pattern in theirs.patterns for rule in pattern.rules for each in rule.assertions
    }
    trial = Trial(templates.ruleset()[0], theirs, frozenset(every - set(defects)))
    maker = Maker(codes)
    for key, rules in anchors(theirs).items():
        for base in bases(trial, maker, key, rules, real):
            broken_one_by_one(trial, maker, key, rules, base)
            strayed(trial, base)
    return trial


def test_both_rule_sets_say_the_same_of_what_breaks_a_rule(trial):
    assert trial.documents > 10_000
    differ = trial.missed.total() + trial.surplus.total()
    assert trial.both / (trial.both + differ) >= 0.99
    assert {number for number, _ in trial.missed} <= set(MISSED)
    assert {number for number, _ in trial.surplus} <= set(SURPLUS)


def test_what_only_we_say_and_mean_to_is_little(trial):
    assert trial.wider.total() / trial.both < 0.02


def test_every_rule_that_can_be_broken_was(trial):
    every = {
        official.rule_number(each)
        for pattern in trial.theirs.patterns
        for rule in pattern.rules
        for each in rule.assertions
        if not holds_always(each)
    }
    assert every & trial.numbers - trial.fired == set(UNBREAKABLE)
