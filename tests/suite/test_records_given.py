"""Records in all their forms, given to the commands that take them; and files that are none."""

from __future__ import annotations

import json

import pytest

from onc_conformance import cli, suite
from onc_conformance.reference import ccd, charts

ROOM = suite.schemas() / "patients"
TINY = charts.load([ROOM / "tiny.toml"])[0]


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    def command(*arguments):
        capfd.readouterr()
        code = cli.main(list(arguments))
        said = capfd.readouterr()
        return code, said.out, said.err

    monkeypatch.chdir(tmp_path)
    (tmp_path / "gold.xml").write_bytes(ccd.document(TINY, document_id="6f1d0c0e-26a1-4d3b-9a57-0c4b1d9c7a11"))
    return command


@pytest.mark.parametrize("patients", ["onc-uscdi-v3/alice-newman", "onc-uscdi-v3/rebecca-larson", "gold.xml"])
def test_the_reference_ehr_plays_them(typed, patients):
    code, out, err = typed("run", "--patients", patients, "--criterion", "g9", "--target", "reference:ehryourway")
    assert code == 0, out + err


def test_a_document_is_validated_against_a_gold_one(typed, tmp_path):
    code, out, _ = typed("validate", "gold.xml", "--expected", "gold.xml")
    assert code == 0, out
    changed = (tmp_path / "gold.xml").read_bytes().replace(b'value="128"', b'value="182"')
    (tmp_path / "changed.xml").write_bytes(changed)
    code, out, _ = typed("validate", "changed.xml", "--expected", "gold.xml")
    assert code == 1
    assert "the value of Systolic blood pressure" in out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.xml", "<ClinicalDocument xmlns='urn:hl7-org:v3'>\n<id></ClinicalDocument>", "bad.xml, line 2: no C-CDA"),
        ("html.xml", "<html>\n<body/></html>", "html.xml, line 1: no C-CDA"),
        (
            "bad.json",
            json.dumps({"resourceType": "Bundle", "entry": []}),
            "bad.json: Bundle: holds no Patient resource",
        ),
        ("key.toml", '[[patient]]\nid = "a"\ncolour = "red"\n', "key.toml, line 3: patient[0].colour: unknown key"),
    ],
)
@pytest.mark.parametrize("command", ["run", "validate", "check"])
def test_a_file_that_is_no_record_is_named(typed, tmp_path, name, content, said, command):
    typed_as = {
        "run": ("run", "--patients", name),
        "validate": ("validate", "gold.xml", "--expected", name),
        "check": ("targets", "check", "webchart", "--data", "--patients", name),
    }
    if name == "key.toml":
        whole = 'name = { family = "A", given = ["B"] }\nbirth_date = "1970"\nsex = "male"\n'
        content += whole
        if command == "run":
            said = "colour: no such key"  # the reference EHR reads it first, and in its own words
    (tmp_path / name).write_text(content, encoding="utf-8")
    code, out, err = typed(*typed_as[command])
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_folder_is_all_its_patients(typed, tmp_path):
    code, out, _ = typed("targets", "check", "webchart", "--data", "--patients", "onc-uscdi-v3")
    assert code == 0
    heads = [line.split(":")[0] for line in out.splitlines() if not line.startswith(" ")]
    assert heads == ["alice-newman", "jeremy-bates", "john-wright", "rebecca-larson"]
    (tmp_path / "empty").mkdir()
    code, _, err = typed("targets", "check", "webchart", "--data", "--patients", "empty")
    assert code == 2
    assert "onc-uscdi-v3/alice-newman" in err


def test_what_must_be_entered_is_told_with_everything_a_record_says(typed):
    _, out, _ = typed("targets", "check", "webchart", "--data", "--patients", "onc-uscdi-v3/alice-newman")
    for said in (
        "previous name: Alicia Newman",
        "dose: 1; route words: injectable; every: 12 h",
        "fill: status completed, repeat 2, quantity 6",
        "reaction: Wheal (finding) (snomed 247472004)",
        "range: 1.005 to 1.03",
        "related person: Rick Holler (may be absent)",
        "custodian: Neighborhood Physicians Practice (may be absent)",
        "to be read there, by eye: ",
        "(judged by eye)",
        "may lack lot, manufacturer",
        "pregnancy: Not pregnant (finding) (snomed 60001007) of 2015-06-22",
    ):
        assert said in out
