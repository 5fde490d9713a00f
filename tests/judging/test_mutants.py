"""One thing changed at a time in the document of a patient of whom much is stated: each change is found.

What survives is listed with the reason. A sample; `CONTENT_MUTANTS=all` changes everything there is.
"""

from __future__ import annotations

import copy
import os
import re
from datetime import date, timedelta

import pytest
from lxml import etree

from onc_conformance import judging, record, suite
from onc_conformance.findings import Severity
from onc_conformance.reference import ccd, charts

NS = "{urn:hl7-org:v3}"
VERA = suite.schemas() / "patients" / "details.toml"
EVERY = 1 if os.environ.get("CONTENT_MUTANTS") == "all" else 23
SURVIVORS = {
    # of the document, not of the patient; the record names nobody beside her
    r"^/ClinicalDocument/(?!recordTarget)": "header",
    r"^/ClinicalDocument/recordTarget/patientRole/(id|telecom#duplicated)": "header",
    r"/patient/(raceCode|name)#(duplicated|use)": "said twice, or called otherwise",
    r"/patient/\w+Code#(codeSystem|displayName)": "vocabulary",
    r"/languageCommunication/preferenceInd#removed": "header",
    r"/addr/country#removed": "goes without saying",
    # of a name of before the family name and the first given name count
    r"/patient/name/given#(words|removed)": "name of before",
    # what sections are called, who wrote an entry, what identifies it: no fact of this record
    r"/section/(title|code)": "unstated",
    r"/author(/|#)": "unstated",
    r"/id#": "unstated",
    r"/participantRole/(code|telecom|scopingEntity)": "unstated",
    r"/(addr|telecom)#use": "unstated",
    # a question whose answer speaks for itself, a class of act, a code beside the code
    r"/observation/code(/|#)|/code/translation|/act/code#|/organizer/code": "understood",
    r"/criterion/|/supply/(product|effectiveTime|statusCode)": "understood",
    # the time of a concern, of an organizer around results that have their own, of a reaction or a diagnosis
    r"/(act|organizer)/effectiveTime": "around",
    r"/entryRelationship/(observation|act/entryRelationship/observation)/effectiveTime": "around",
    r"/component/observation/effectiveTime#(null|removed)": "around",
    # the status of an act is not that of its fact, or is told by the negation
    r"/(act|organizer|observation|procedure|supply|encounter)/statusCode": "around",
    r"^Immunizations/section/entry\[2\]/substanceAdministration/statusCode": "around",
    r"/observation/entryRelationship(/observation(/value)?)?#": "status, which need not be told",
    r"/interpretationCode#codeSystem": "vocabulary",
    # whether sex and birth sex have to be stated is the edition's to say
    r"^Social history/section/entry\[[34]\]": "uscdi",
    # what a code is called has no meaning of its own (HL7 data types, CD.displayName)
    r"#displayName": "display",
    # words are for eyes, and what stands in the narrative need not be said in the entry
    r"/(originalText|text)(/|#)": "narrative",
    r"/substanceAdministration/(entryRelationship(/substanceAdministration.*)?#|code)": "narrative",
    # classes of words: the narrative still tells them
    r"^Progress note/|^Assessment/|^Goals/|^Health concerns/|^Plan of treatment/": "words",
    # members, devices and statuses may be told again
    r"^(Social history|Medical equipment|Care team|Functional status|Mental status)/section/entry\[\d+\]#dupl": "again",
    r"/(name|addr|telecom)#duplicated|^Immunizations/section/entry\[2\]#duplicated": "again",
    # the coverage and the electrocardiogram are optional
    r"^Payers/|^Procedures/section/entry\[2\]": "optional",
}


def described(element):
    """Section and path from it, or from the top; entries by their place."""
    steps = []
    node = element
    while node is not None:
        name = etree.QName(node).localname
        if name == "entry":
            name += f"[{1 + sum(1 for _ in node.itersiblings(NS + 'entry', preceding=True))}]"
        steps.append(name)
        if name == "section":
            title = node.findtext(NS + "title") or "?"
            return "/".join([title, *steps[::-1]])
        node = node.getparent()
    return "/" + "/".join(steps[::-1])


def later(text):
    if len(text) < 8:
        return f"{int(text[:4]) + 1}{text[4:]}"
    day = date(int(text[:4]), int(text[4:6]), int(text[6:8])) + timedelta(days=1)
    return day.strftime("%Y%m%d") + text[8:]


def attribute(name, value):
    return lambda element: element.set(name, value)


def emptied(element):
    for name in set(element.attrib) - {"{http://www.w3.org/2001/XMLSchema-instance}type"}:
        del element.attrib[name]
    element[:] = []
    element.text = None
    element.set("nullFlavor", "UNK")


def of_codes(element):
    code, name = element.get("code"), etree.QName(element).localname
    if code and element.get("codeSystem"):
        yield "code", lambda one: (one.set("code", "161891005"), one.set("displayName", "Backache (finding)"))
        yield "code alone", attribute("code", "161891005")
        yield "codeSystem", attribute("codeSystem", "2.16.840.1.113883.6.103")
        yield "displayName", attribute("displayName", "Something else")
    elif name == "statusCode":
        yield "code", attribute("code", "aborted" if code != "aborted" else "active")


def of_values(element):
    name, value = etree.QName(element).localname, element.get("value") or ""
    if re.fullmatch(r"\d{4,14}([+-]\d{4})?", value) and name in {"effectiveTime", "low", "high", "time", "birthTime"}:
        yield "day", attribute("value", later(value))
        yield from [("year", attribute("value", value[:4]))] if len(value) > 4 else []
        yield from [("clock", attribute("value", f"{value[:8]}0101{value[12:]}"))] if len(value) > 8 else []
    elif re.fullmatch(r"-?\d+(\.\d+)?", value) and name != "telecom":
        yield "number", attribute("value", f"{float(value) * 2 + 1:g}")
    elif name == "telecom" and value:
        yield "telecom", attribute("value", value[:-1] + ("9" if value[-1] != "9" else "8"))


def of_attributes(element):
    for name, one, other in (("unit", "kg", "g"), ("use", "WP", "HP")):
        if element.get(name):
            yield name, attribute(name, one if element.get(name) != one else other)
    if element.get("extension"):
        yield "extension", attribute("extension", element.get("extension") + "9")
    if (element.get("code") or element.get("value")) and not element.get("nullFlavor"):
        yield "null", emptied


def changes(element):
    """(what is done, how) of one element outside the narrative."""
    name = etree.QName(element).localname
    yield from (*of_codes(element), *of_values(element), *of_attributes(element))
    if len(element) == 0 and (element.text or "").strip():
        yield "words", lambda one: setattr(one, "text", "Something else")
    if name in {"observation", "procedure", "substanceAdministration", "encounter"}:
        yield "denied", attribute("negationInd", "false" if element.get("negationInd") == "true" else "true")
    yield "removed", lambda one: one.getparent().remove(one)
    if name in {"entry", "telecom", "name", "raceCode", "addr"}:
        yield "duplicated", lambda one: one.addnext(copy.deepcopy(one))


def mutants(root):
    for number, element in enumerate(root.iter()):
        name = etree.QName(element).localname
        around = [etree.QName(each).localname for each in (element, *element.iterancestors())]
        if "text" in around or element is root or name in {"templateId", "typeId", "realmCode", "reference"}:
            continue
        for what, change in changes(element):
            yield f"{described(element)}#{what}", number, change


def mutant(root, number, change):
    made = copy.deepcopy(root)
    change(list(made.iter())[number])
    return made


@pytest.fixture(scope="module")
def vera():
    person, *others = record.load(VERA)
    return person, others, etree.fromstring(ccd.document(charts.load([VERA])[0], document_id="1"))


def objections(person, others, root):
    doc = judging.read(etree.tostring(root))
    found = [*judging.whose(doc, person, others), *judging.content([doc], person, others)]
    return [each for each in found if each.severity is not Severity.INFO]


def test_what_is_changed_is_found(vera):
    person, others, root = vera
    assert objections(person, others, root) == []
    missed, listed, tried = [], set(), 0
    for place, number, change in list(mutants(root))[::EVERY]:
        tried += 1
        found = objections(person, others, mutant(root, number, change))
        reasons = {pattern for pattern in SURVIVORS if re.search(pattern, place)}
        if not found and not reasons:
            missed.append(place)
        if not found:
            listed |= reasons
    assert missed == []
    assert tried > 100
    if EVERY == 1:
        assert set(SURVIVORS) == listed, "a reason nothing needs"


def test_what_is_found_is_found_there(vera):
    person, others, root = vera
    astray = []
    for place, number, change in list(mutants(root))[5::EVERY]:
        made, section = mutant(root, number, change), place.partition("/")[0]
        for each in objections(person, others, made):
            at = made.getroottree().xpath(re.sub(r"/(\w+)", r"/*[local-name()='\1']", each.path))
            here = described(at[0]).partition("/")[0] if at else None
            if here != section and each.rule != "CONTENT-MISSING" and not place.endswith("/section#removed"):
                astray.append((place, each.path, each.message))
    assert astray == []
