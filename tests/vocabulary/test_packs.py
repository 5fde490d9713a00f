"""Packs of a user's own: what may be packed, what may not, and that they are used."""

import json
from datetime import date

import pytest

from onc_conformance import running, vocabulary
from onc_conformance.ccda import Document, coded
from onc_conformance.cli import main
from onc_conformance.findings import UsageError
from onc_conformance.vocabulary import Answer, packing, packs, reading

PROBLEM, SNOMED, GENDER = "2.16.840.1.113883.3.88.12.3221.7.4", "2.16.840.1.113883.6.96", "2.16.840.1.113883.1.11.1"
DAY = date(2026, 11, 23)
SVS = f"""<?xml version="1.0"?>
<ns0:RetrieveMultipleValueSetsResponse xmlns:ns0="urn:ihe:iti:svs:2008">
 <ns0:DescribedValueSet ID="{PROBLEM}" displayName="Problem" version="20260301">
  <ns0:ConceptList>
   <ns0:Concept code="38341003" codeSystem="{SNOMED}" codeSystemName="SNOMEDCT" displayName="Hypertensive disorder"/>
   <ns0:Concept code="38341003" codeSystem="{SNOMED}" codeSystemName="SNOMEDCT" displayName="again"/>
  </ns0:ConceptList>
 </ns0:DescribedValueSet>
</ns0:RetrieveMultipleValueSetsResponse>"""
EXPANSION = {
    "resourceType": "ValueSet",
    "url": f"http://cts.nlm.nih.gov/fhir/ValueSet/{PROBLEM}",
    "title": "Problem",
    "version": "20260301",
    "expansion": {
        "total": 1,
        "contains": [
            {
                "system": "http://snomed.info/sct",
                "abstract": True,
                "code": "404684003",
                "contains": [
                    {"system": "http://snomed.info/sct", "code": "38341003", "display": "Hypertensive disorder"}
                ],
            }
        ],
    },
}
COMPOSE = {
    "resourceType": "ValueSet",
    "url": "http://example.org/ValueSet/mine",
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{PROBLEM}"}],
    "name": "Mine",
    "compose": {
        "include": [
            {"system": "http://snomed.info/sct", "concept": [{"code": "38341003"}, {"code": "73211009"}]},
        ],
        "exclude": [{"system": "http://snomed.info/sct", "concept": [{"code": "73211009"}]}],
    },
}
CSV = f"Value Set OID,Value Set Name,Code,Code System,Descriptor\n{PROBLEM},Problem,38341003,SNOMED CT,Hypertension\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path / "home"))
    yield tmp_path / "home"
    packs.forget()


def packed(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return packing.pack([path], DAY)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", SVS),
        ("a.xml", SVS.replace("DescribedValueSet ID", "ValueSet id").replace("</ns0:Described", "</ns0:")),
        ("a.json", EXPANSION),
        ("a.json", COMPOSE),
        (
            "a.json",
            {"resourceType": "Bundle", "entry": [{"resource": EXPANSION}, {"resource": {"resourceType": "Other"}}]},
        ),
        ("a.csv", CSV),
        ("a.tsv", CSV.replace(",", "\t")),
        ("a.csv", "\ufeff" + CSV + "\n,,,,\n" + CSV.partition("\n")[2]),
    ],
)
def test_a_pack_is_used_from_then_on(tmp_path, name, content):
    assert vocabulary.contains(PROBLEM, "38341003", SNOMED) is Answer.UNKNOWN_HERE
    made = packed(tmp_path, name, content)
    assert (made.date, made.sources, [each["codes"] for each in made.sets]) == ("2026-11-23", (name,), [1])
    assert vocabulary.contains(PROBLEM, "38341003", SNOMED) is Answer.IN
    assert vocabulary.contains(PROBLEM, "73211009", SNOMED) is Answer.NOT_IN
    assert vocabulary.value_set(PROBLEM).pack == "a (2026-11-23)"
    assert packs.rules() == {"vocabulary pack a (2026-11-23)": made.sha256}
    assert len(made.sha256) == 64


def test_a_pack_that_does_not_say_all_refuses_nothing(tmp_path):
    part = {**EXPANSION, "expansion": {**EXPANSION["expansion"], "total": 122_753}}
    assert packed(tmp_path, "a.json", part).sets[0]["complete"] is False
    assert vocabulary.contains(PROBLEM, "38341003", SNOMED) is Answer.IN
    assert vocabulary.contains(PROBLEM, "73211009", SNOMED) is Answer.UNKNOWN_HERE
    whole = {"include": [*COMPOSE["compose"]["include"], {"system": "http://loinc.org", "filter": [{}]}]}
    assert packed(tmp_path, "b.json", {**COMPOSE, "compose": whole}).sets[0]["complete"] is False


def test_a_pack_wins_over_what_is_built_in_and_a_newer_over_an_older(tmp_path):
    own = CSV.replace(PROBLEM, GENDER).replace("38341003,SNOMED CT", "X,2.16.840.1.113883.5.1")
    packed(tmp_path, "a.csv", own)
    assert vocabulary.contains(GENDER, "X", None) is Answer.IN
    assert vocabulary.contains(GENDER, "M", None) is Answer.NOT_IN
    (tmp_path / "b.csv").write_text(own.replace(",X,", ",Y,"), encoding="utf-8")
    packing.pack([tmp_path / "b.csv"], date(2026, 11, 24))
    assert vocabulary.contains(GENDER, "X", None) is Answer.NOT_IN
    assert vocabulary.contains(GENDER, "Y", None) is Answer.IN


def test_packing_again_changes_nothing(tmp_path, home):
    first, again = packed(tmp_path, "a.csv", CSV), packed(tmp_path, "a.csv", CSV)
    assert first == again
    assert [each.name for each in (home / "packs").iterdir()] == [first.folder.name]


def test_a_folder_is_one_pack_and_parts_of_a_set_are_one_set(tmp_path):
    (tmp_path / "in" / "er").mkdir(parents=True)
    (tmp_path / "in" / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "in" / "er" / "b.csv").write_text(CSV.replace("38341003", "73211009"), encoding="utf-8")
    (tmp_path / "in" / "notes.md").write_text("no", encoding="utf-8")
    made = packing.pack([tmp_path / "in"], DAY)
    assert (made.sources, made.sets[0]["codes"]) == (("a.csv", "b.csv"), 2)


def test_several_sets_of_one_table_stay_apart(tmp_path):
    made = packed(tmp_path, "a.csv", CSV + CSV.partition("\n")[2].replace(PROBLEM, "1.2.3"))
    assert [each["oid"] for each in made.sets] == ["1.2.3", PROBLEM]


AROUND = "<RetrieveValueSetResponse>&b;</RetrieveValueSetResponse>"
BAD = {
    "empty.xml": ("", "empty"),
    "blank.csv": (" \n ", "empty"),
    "broken.xml": ("<<", "not well-formed"),
    "cut.xml": (SVS[:-40], "not well-formed"),
    "other.xml": ("<html/>", "no RetrieveValueSet"),
    "bare.xml": ("<RetrieveValueSetResponse/>", "no value set"),
    "hollow.xml": (SVS.replace("<ns0:Concept ", "<ns0:Else "), "lists no codes"),
    "nosystem.xml": (SVS.replace(f'codeSystem="{SNOMED}"', ""), "no codeSystem OID"),
    "nooid.xml": (SVS.replace(f'ID="{PROBLEM}"', 'ID="problem"'), "no OID"),
    "entity.xml": ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + AROUND, "document type"),
    "laughs.xml": ('<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + AROUND, "document type"),
    "broken.json": ("{", "not JSON"),
    "deep.json": ("[" * 100_000, "not JSON"),
    "deepset.json": ('{"resourceType":"ValueSet","identifier":[{"value":"1.2.3"}],"expansion":{"contains":'
                     + '[{"contains":' * 200 + "[]" + "}]" * 200 + "}}", "lists no codes"),
    "number.json": ("[1]", "expected a FHIR ValueSet"),
    "patient.json": ('{"resourceType":"Patient"}', "expected ValueSet"),
    "nocodes.json": ({**EXPANSION, "expansion": {}}, "lists no codes"),
    "nourl.json": ({"resourceType": "ValueSet", "compose": COMPOSE["compose"]}, "no OID is known"),
    "bundle.json": ({"resourceType": "Bundle", "entry": None}, "no value set"),
    "columns.csv": ("Code,System\n1,2\n", "no column value set oid"),
    "words.csv": (CSV.replace(PROBLEM, "problem"), "line 2: 'problem' is no OID"),
    "system.csv": (CSV.replace("SNOMED CT", "nonsense"), "line 2: expected a code and a code system"),
    "nocode.csv": (CSV.replace("38341003", ""), "line 2: expected a code"),
    "versions.csv": (f"oid,version,code,system\n{PROBLEM},1,38341003,SNOMED CT\n{PROBLEM},2,38341003,SNOMED CT\n",
                     "two versions"),
    "heads.csv": ("Value Set OID,Code,Code System\n", "no value set"),
    "long.csv": (CSV + PROBLEM + "," + "x" * 200_000, "no table"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_value_set_is_one_line_and_code_2(tmp_path, capsys, home, name):
    content, said = BAD[name]
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    assert main(["vocabulary", "pack", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1
    assert not list(home.glob("packs/*"))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x01" * 40)
    with pytest.raises(UsageError, match="neither XML, JSON nor a table"):
        reading.read(tmp_path / "a.csv")


def test_two_versions_of_a_set_in_two_files_are_refused(tmp_path):
    (tmp_path / "a.xml").write_text(SVS, encoding="utf-8")
    (tmp_path / "b.xml").write_text(SVS.replace("20260301", "20260901"), encoding="utf-8")
    with pytest.raises(UsageError, match="two versions, 20260301 and 20260901"):
        packing.pack([tmp_path / "a.xml", tmp_path / "b.xml"], DAY)


def test_what_is_too_large_is_refused_unread(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(reading.MAX_BYTES + 1)
    with pytest.raises(UsageError, match="larger than 200 MB"):
        reading.read(tmp_path / "a.csv")


@pytest.mark.parametrize("path", ["missing.xml", "."])
def test_nothing_to_pack_is_code_2(tmp_path, capsys, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    assert main(["vocabulary", "pack", path]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_pack_that_cannot_be_written_is_code_2(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path / "file"))
    assert main(["vocabulary", "pack", str(tmp_path / "a.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["", "{}", '{"name":1}', "["])
def test_a_damaged_pack_is_told_and_code_2(tmp_path, capsys, damage):
    made = packed(tmp_path, "a.csv", CSV)
    (made.folder / packs.HEAD).write_text(damage, encoding="utf-8")
    packs.forget()
    for command in (["vocabulary", "list"], ["validate", str(tmp_path)], ["run"]):
        assert main(command) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert "no readable vocabulary pack" in told.err
        assert told.err.count("\n") == 1


def test_the_list_names_sets_packs_and_bindings(tmp_path, capsys):
    packed(tmp_path, "a.csv", CSV)
    assert main(["vocabulary", "list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert f"{PROBLEM}\tProblem\t1 codes\ta (2026-11-23)" in told
    assert f"{GENDER}\tAdministrative Gender (HL7 V3)\t3 codes\tbuilt in" in told
    assert any(line.startswith("pack a (2026-11-23): 1 value sets from a.csv; sha256 ") for line in told)
    assert "bindings: " in told[-1]


def test_a_run_names_its_packs(tmp_path):
    made = packed(tmp_path, "a.csv", CSV)
    assert running.rules()["vocabulary pack a (2026-11-23)"] == made.sha256


def test_a_document_names_the_packs_it_was_judged_with(tmp_path):
    text = (
        '<section xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><entry><observation>'
        '<templateId root="2.16.840.1.113883.10.20.22.4.9" extension="2014-06-09"/>'
        '<value xsi:type="CD" code="73211009" codeSystem="2.16.840.1.113883.6.96"/></observation></entry></section>'
    )
    assert [each.rule for each in coded.check(Document(text.encode()))] == [coded.NOT_JUDGED]
    packed(tmp_path, "a.csv", CSV)
    refused, told = coded.check(Document(text.encode()))
    assert (refused.rule, refused.severity.value) == ("1098-7335", "error")
    assert (told.rule, told.message) == ("VOC-PACK", "judged with vocabulary packs: a (2026-11-23)")
