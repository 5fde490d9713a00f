"""The judges on documents that are not ours: certified vendors', HL7's, and ONC's own negative tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onc_conformance import judging
from onc_conformance.findings import Layer, Severity
from onc_conformance.record import Fact, Record

SHARED = Path(__file__).parents[3] / "shared"
INDEX = [json.loads(line) for line in (SHARED / "corpus" / "index.jsonl").read_text(encoding="utf-8").splitlines()]
DOCUMENTS = sorted((SHARED / "corpus" / "documents").iterdir())
NEGATIVE = SHARED / "testdata" / "uscdi-v3"
# What ONC's validator came to demand after these documents were certified, and a retired identifier of CVX
DEMANDED = {"USCDI-SEX", "USCDI-AUTHOR-TIME", "USCDI-AUTHOR-ORGANIZATION", "USCDI-immunizations.immunizations-SYSTEM"}
SAYS_NONE_BESIDE_ONE = {
    "518f3b9ef1_CCDA_723061_21Sep2017_1456701.xml",
    "54bdd4d972_CCDA_723061_20Sep2017_1237580.xml",
}
"""Their narrative has no known medications, their entry one that is not negated."""
NO_SECTIONS = {"c908f081a9_maritalstatus.xml", "f5878f568f_maritalstatus2.xml"}


def errors(findings):
    """Rules broken, those of layers with oracles of their own left out."""
    return {each.rule for each in findings if each.severity is Severity.ERROR and each.layer is not Layer.VOCABULARY}


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_every_document_is_judged_and_none_wrongly(entry):
    judgement = judging.judge((SHARED / "corpus" / "documents" / entry["file"]).read_bytes(), "uscdi-v3")
    assert judgement.sha256 == entry["sha256"]
    assert judgement.bytes == entry["bytes"]
    rules = errors(each for each in judgement.findings if each.layer is not Layer.TEMPLATE)  # judged elsewhere
    broken = {rule for rule in rules if rule.startswith("SCHEMA-")}
    assert bool(broken) == (entry["xsd_valid"] is False)
    rules -= broken
    if entry["xsd_valid"] is None:
        assert rules
        assert all(rule.startswith("XML-") for rule in rules)
    elif entry["file"] in NO_SECTIONS:
        assert all(rule.startswith("1198-306") for rule in rules - DEMANDED)
    else:
        assert rules <= DEMANDED
    if entry["is_ccd"] is not None:
        assert (judgement.document_type == "Continuity of Care Document (CCD)") == bool(entry["is_ccd"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_record_taken_from_a_document_finds_it_complete(path):
    doc = judging.read(path.read_bytes())
    if not (doc.is_whole and doc.people and doc.people[0].names and doc.people[0].birth):
        return
    person = taken(doc)
    assert errors(judging.whose(doc, person)) == set()
    contradicts = {"NARRATIVE-CONTRADICTS"} if path.name in SAYS_NONE_BESIDE_ONE else set()
    assert errors(judging.content([doc], person)) - {"XML-NAMESPACE"} == contradicts
    for number, fact in enumerate(person.facts[:40]):
        more = replaced(person, number, fact)
        assert errors(judging.content([doc], more)) - {"XML-NAMESPACE"}, f"{fact} on another day was not missed"


def replaced(person, number, fact):
    """The same record with one fact about something no chart has."""
    other = Fact(id="x", kind=fact.kind, codes=(), text="Zebra stripes on a Tuesday")
    return taken_with(person, (*person.facts[:number], other, *person.facts[number + 1 :]))


def taken_with(person, facts):
    return Record(**{name: getattr(person, name) for name in person.__slots__} | {"facts": facts})


def taken(doc):
    """The expected record of a document that is taken for gold."""
    person = doc.people[0]
    return Record(
        id="gold",
        title="",
        setting="ambulatory",
        vars={},
        name=person.names[0],
        previous_names=(),
        birth_date=str(person.birth.first),
        sex=person.sex or "unknown",
        birth_sex=None,
        race=person.race,
        ethnicity=next(iter(person.ethnicity), None),
        language=next(iter(person.languages), None),
        marital_status=None,
        address=(),
        telecom=(),
        facts=tuple(as_fact(number, found) for number, found in enumerate(doc.facts)),
    )


def as_fact(number, found):
    attributes = {"value": found.value, "unit": found.unit, "udi": next(iter(found.udi), None)}
    if found.member:
        attributes["member"] = {"family": found.member.family, "given": list(found.member.given)}
    return Fact(
        id=f"{found.kind}-{number}",
        kind=found.kind,
        codes=found.codes,
        text=found.text,
        start=found.start,
        end=found.end,
        date=found.date,
        attributes={name: value for name, value in attributes.items() if value},
    )


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("NT_BadXml_r11_v2.xml", {"XML-MALFORMED"}),
        ("NT_Bad_DocTypeId_r11_v2.xml", {"1198-5251"}),
        ("NT_Bad_ProblemSectionCode_r11_v2.xml", {"1198-15410"}),
        ("NT_USCDIv3_Sample1_r21_v1.xml", {"1198-15410", "1198-30661", "1198-30663", "1198-30665", "1198-30669"}),
    ],
)
def test_what_onc_has_broken_is_found(name, rules):
    judgement = judging.judge((NEGATIVE / name).read_bytes(), "uscdi-v3")
    assert rules <= errors(judgement.findings)
    assert judgement.verdict == "fail"


def test_what_onc_has_left_whole_is_not_complained_of():
    judgement = judging.judge(
        (NEGATIVE / "170.315_b1_toc_amb_ccd_r21_svap_uscdiv3_sample1_v1.xml").read_bytes(), "uscdi-v3"
    )
    assert errors(each for each in judgement.findings if each.layer is not Layer.TEMPLATE) == set()


def test_the_identity_of_onc_patients_is_read():
    [newman] = [path for path in DOCUMENTS if path.name.endswith("5c25897687_Newman_Alice_1_Ambulatory.xml")]
    [person] = judging.read(newman.read_bytes()).people
    assert (person.names[0].family, person.names[0].given[0], str(person.birth), person.sex) == (
        "Newman",
        "Alice",
        "1970-06-01",
        "female",
    )
