"""Documents made from the tables, one for each rule to break it, before our rules and HL7's own of C-CDA R2.1."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from onc_conformance.ccda import constraints, templates
from onc_conformance.ccda.rulebook import rulebook
from onc_conformance.ccda.standards import official, store
from onc_conformance.ccda.standards.errata import errata
from onc_conformance.findings import Severity

STANDARDS = Path(__file__).parents[3] / "shared" / "standards" / "ccda"
CDA, XSI = "urn:hl7-org:v3", "http://www.w3.org/2001/XMLSchema-instance"
SDTC = "urn:hl7-org:sdtc"
DEFECTS = set(errata({"2015-08-01"}))
"""Rules of the official file that find fault with what is right."""
BEYOND = {
    *("1198-5361", "1198-5250", "1198-5251", "1198-6394", "1198-5322", "1198-5323"),  # of every release
    *("1098-15428", "1098-14750"),  # codes of sections, whatever the release
    *("1198-32948", "1198-16789", "1198-31645", "1198-7624", "1098-32890", "1098-32947", "1198-30943"),
}
"""Rules we judge where the official file does not: those of every release, and what the file leaves untested."""
UNBREAKABLE = {"1098-30774", "1098-32564", "81-15524"}
"""A template asks for nothing but the templateId it was recognised by."""
SHADOWED = {"1198-29504"}
"""An earlier rule of its pattern takes every node it is about."""
CODES = {
    known["oid"]: [code for code, *_ in known.get("codes", ())]
    for known in map(json.loads, (STANDARDS / "value_sets.jsonl").read_text(encoding="utf-8").splitlines())
}


def tag(name):
    prefix, colon, local = name.rpartition(":")
    return f"{{{ {'sdtc': SDTC, 'xsi': XSI}[prefix] if colon else CDA }}}{local}"


def attribute(name):
    return tag(name) if ":" in name else name


def select(element, steps):
    return element.xpath(constraints.path(steps), namespaces=constraints.NAMESPACES, extensions={
        (constraints.NAMESPACES["onc"], "in-value-set"): lambda _, oid, code: code in CODES[oid],
    })  # fmt: skip


def holds(element, condition):
    return element.xpath(f"boolean({constraints.test(condition)})", namespaces=constraints.NAMESPACES, extensions={
        (constraints.NAMESPACES["onc"], "in-value-set"): lambda _, oid, code: code in CODES[oid],
    })  # fmt: skip


def parts(step):
    return (step, []) if isinstance(step, str) else (step["step"], step.get("where", []))


def grow(element, steps):
    """One more element at the end of a path."""
    for place, step in enumerate(steps):
        name, where = parts(step)
        if name == "..":
            element = element.getparent()
            continue
        if not isinstance(step, str) and step.get("from") in {"document", "root"}:
            element = element.getroottree().getroot()
            if name == "ClinicalDocument":
                continue
        there = select(element, [step if isinstance(step, str) else {k: v for k, v in step.items() if k != "from"}])
        if there and place < len(steps) - 1:
            element = there[0]
            continue
        element = etree.SubElement(element, tag("section" if name == "*" else name))
        for each in where:
            meet(element, each)


def meet(element, condition):  # noqa: C901, PLR0912 - one arm for each kind of condition
    """Change an element so that a condition holds of it."""
    match condition:
        case {"path": steps, "has": has}:
            for each in select(element, steps)[:1]:
                for one in has:
                    meet(each, one)
        case {"path": steps}:
            there = select(element, steps)
            for _ in range(condition.get("min", 1) - len(there)):
                grow(element, steps)
            for each in there[condition.get("max", len(there)) :]:
                each.getparent().remove(each)
        case {"together": [first, *_]}:
            meet(element, {**condition, "path": first, "together": None})
        case {"attribute": name}:
            element.set(attribute(name), value(condition))
        case {"own_text": _} | {"text": _}:
            element.text = value(condition)
        case {"template": root}:
            made = etree.SubElement(element, tag("templateId"), root=root)
            if condition.get("extension"):
                made.set("extension", condition["extension"])
        case {"any": options}:
            if not holds(element, condition):
                meet(element, next((each for each in options if each.get("attribute") != "nullFlavor"), options[0]))
        case {"all": several}:
            for each in several:
                meet(element, each)
        case {"not": inner}:
            fail(element, inner)
        case {"counts": [one, _, other]}:
            for _ in range(len(select(element, one)) - len(select(element, other))):
                grow(element, other)


def value(test):
    if "one_of" in test:
        return test["one_of"][0]
    if "value_set" in test:
        return CODES[test["value_set"]][0]
    said = test.get("starts_with", [""])[0] + "20200101" + test.get("contains", [""])[0]
    return said.ljust(test.get("min_length", 0), "0")[: test.get("max_length", 99)]


def fail(element, condition, way=0):  # noqa: C901, PLR0912 - one arm for each kind of condition
    """Change an element so that a condition does not hold of it; there may be more ways than one."""
    match condition:
        case {"path": steps, "has": has}:
            if not select(element, steps):
                grow(element, steps)
            for each in select(element, steps):
                fail(each, has[0], way)
        case {"path": ["templateId" | {"step": "templateId"}] as steps, "max": 1}:
            again(element, steps)  # without it the template would not be declared
        case {"path": [*_, {"where": where}] as steps, "min": 1} if way == 1:
            for each in select(element, steps):
                fail(each, where[-1], way)
        case {"path": steps}:
            if condition.get("min", 1):
                for each in select(element, steps):
                    each.getparent().remove(each)
            else:
                for _ in range(condition["max"] + 1):
                    again(element, steps)
        case {"together": several}:
            for each in several:
                fail(element, {"path": each, "min": 1})
        case {"attribute": name}:
            if {"one_of", "value_set", "starts_with", "contains"} & condition.keys():
                element.set(attribute(name), "ZZZ")
            elif "min_length" in condition:
                element.set(attribute(name), "1")
            elif "none_of" in condition:
                element.set(attribute(name), condition["none_of"][0])
            else:
                element.attrib.pop(attribute(name), None)
        case {"own_text": _} | {"text": _}:
            element.text = "ZZZ" if "text" in condition else None
        case {"template": _}:
            for each in select(
                element, [{"step": "templateId", "where": [{"attribute": "root", "one_of": [condition["template"]]}]}]
            ):
                element.remove(each)
        case {"any": [{"together": [one, *_]}, *_]}:
            fail(element, {"path": one, "min": 1})
        case {"any": several}:
            for each in several if way == 0 else several[:1] if way == 1 else several[1:2]:
                fail(element, each, way)
        case {"all": several}:
            for each in several if way < 2 else several[-1:]:
                if not holds(element, condition):
                    break
                fail(element, each, way)
        case {"not": inner}:
            meet(element, inner)
        case {"counts": [one, sign, other]}:
            for _ in range(2 + len(select(element, other))):
                grow(element, one if sign in {"=", "<=", "<"} else other)


def again(element, steps):
    *before, _ = steps
    if before and not select(element, before):
        grow(element, before)
    inside = copy.deepcopy(element)
    grow(element, steps) if len(select(inside, steps)) == 0 else select(element, steps)[0].addnext(
        copy.deepcopy(select(element, steps)[0])
    )


class Base:
    """A document around one element of a template, with everything its rules ask for."""

    def __init__(self, template):
        self.template = template
        self.blocks = [*template.get("blocks", ()), *inherited(template)]
        root = etree.Element(tag("ClinicalDocument"), nsmap={None: CDA, "sdtc": SDTC, "xsi": XSI})
        if template["element"] != "ClinicalDocument":
            body = etree.SubElement(etree.SubElement(root, tag("component")), tag("structuredBody"))
            section = etree.SubElement(etree.SubElement(body, tag("component")), tag("section"))
            element = section
            if template["element"] != "section":
                element = etree.SubElement(etree.SubElement(section, tag("entry")), tag(template["element"]))
        else:
            element = root
        meet(element, {"template": template["root"], "extension": template.get("extension") or None})
        self.root = root
        for _ in range(3):
            for block in self.blocks:
                for context in self.contexts(root, block, make=True):
                    for fact in facts(block):
                        if not holds(context, fact):
                            meet(context, fact)

    def element(self, root):
        declared = (each for each in root.iter(tag("templateId")) if each.get("root") == self.template["root"])
        bearers = (each.getparent() for each in declared)
        return next((each for each in bearers if each.tag == tag(self.template["element"])), None)

    def contexts(self, root, block, *, make=False):
        element = self.element(root)
        if "at" not in block or element is None:
            return [element] if element is not None else []
        if make and not select(element, block["at"]):
            grow(element, block["at"])
        return select(element, block["at"])

    def mutants(self):
        """(rule, document) of each rule that a change breaks."""
        for block in self.blocks:
            for fact in facts(block):
                for way in range(3):
                    root = copy.deepcopy(self.root)
                    contexts = self.contexts(root, block)
                    for context in contexts:
                        fail(context, fact, way)
                    if any(not holds(context, fact) for context in self.contexts(root, block)):
                        break
                yield fact["rule"], block["level"], root


def facts(block):
    return [*block.get("rules", ()), *block.get("own", ())]


def inherited(template):
    keys = {(each["root"], each.get("extension")): each for each in R21_TEMPLATES}
    for parent in template.get("inherits", ()):
        root, _, extension = parent.partition(":")
        above = keys[root, extension or None]
        yield from (
            {"level": block["level"], "rules": block["rules"]}
            for block in above["blocks"]
            if "at" not in block and "rules" in block
        )
        yield from inherited(above)


def data_types():
    """Each place where a data type is used, as a template with that one place."""
    for block in R21["shared"]:
        for place in block["places"][:3]:
            yield {
                "element": place["element"],
                "root": place["template"],
                "extension": place.get("extension"),
                "blocks": [{"level": block["level"], "at": place["at"], "rules": block["rules"]}],
            }


R21 = json.loads((Path(__file__).parents[2] / "schemas" / "ccda" / "templates" / "r2.1.json").read_bytes())
R21_TEMPLATES = R21["templates"]


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """HL7's file, with the codes it looks up."""
    folder = tmp_path_factory.mktemp("imported")
    vocabulary = etree.Element("{http://www.lantanagroup.com/voc}systems")
    for oid, codes in CODES.items():
        system = etree.SubElement(vocabulary, f"{vocabulary.tag[:-7]}system", valueSetOid=oid)
        for code in codes:
            etree.SubElement(system, f"{vocabulary.tag[:-7]}code", value=code)
    (folder / "voc.xml").write_bytes(etree.tostring(vocabulary))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONC_CONFORMANCE_DATA", str(folder / "data"))
        yield store.ruleset(store.add(STANDARDS / "ccda-r2.1-2025-07-25.sch", folder / "voc.xml"))


@pytest.fixture(scope="module")
def outcome(rules):
    """Every mutant before both: what each rule that was to break did, and each pair they disagree about."""
    ours = templates.ruleset()[0]
    fired, told, different, pairs = set(), set(), Counter(), Counter()
    for template in [*R21_TEMPLATES, *data_types()]:
        for rule, level, made in Base(template).mutants():
            root = etree.fromstring(etree.tostring(made))
            official_says = {(official.rule_number(each), each.severity) for each, _ in rules.judge(root)}
            we_say = {(each.id, each.severity) for each, _ in ours.judge(root)}
            told.add((rule, level))
            if (rule, Severity.ERROR if level == "SHALL" else Severity.WARNING) in official_says & we_say:
                fired.add((rule, level))
            pairs.update(severity for _, severity in official_says | we_say)
            different.update(("beyond", *each) for each in we_say - official_says)
            different.update(("missed", *each) for each in official_says - we_say)
    return fired, told, different, pairs


def test_every_rule_is_broken_by_a_document(outcome):
    fired, told, _, _ = outcome
    errors = {rule for rule, level in told if level == "SHALL"}
    assert len(errors) > 1900
    assert {rule for rule, level in told - fired if level == "SHALL"} == UNBREAKABLE | SHADOWED
    assert len(told - fired) <= len(UNBREAKABLE | SHADOWED) + 1


def test_both_say_the_same_of_every_document_but_for_what_is_known(outcome):
    _, _, different, pairs = outcome
    assert pairs[Severity.ERROR] > 100_000
    assert {rule for kind, rule, _ in different if kind == "missed"} == {"1098-28042", "1198-32934"} <= DEFECTS
    assert {rule for kind, rule, _ in different if kind == "beyond"} == BEYOND
    assert {severity for *_, severity in different} == {Severity.ERROR}


def test_the_tables_are_what_is_tested():
    assert {(each["root"], each.get("extension")) for each in R21_TEMPLATES} <= {
        (each["root"], each.get("extension")) for each in rulebook().templates
    }
