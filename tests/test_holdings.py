"""The command `standards`, and `validate --rules official`, as they are typed."""

import json

import pytest

from onc_conformance import cli

HEADER = "2.16.840.1.113883.10.20.22.1.1"
RULES = f"""<schema xmlns="http://purl.oclc.org/dsdl/schematron">
<title>Ours</title><ns prefix="cda" uri="urn:hl7-org:v3"/>
<phase id="errors"><active pattern="p"/></phase><pattern id="p">
<rule id="r" context="cda:ClinicalDocument[cda:templateId[@root='{HEADER}' and @extension='2015-08-01']]">
<assert id="a-1-1" test="cda:id">An id (CONF:1-1).</assert>
<assert id="a-1198-32934" test="cda:never">Never (CONF:1198-32934).</assert>
<assert id="a-1-2" test="@moodCode=document('voc.xml')/systems/system[@valueSetOid='9.1']/code/@value">A mood.</assert>
<assert id="a-1-3" test="ends-with(@a, 'b')">An end.</assert></rule></pattern></schema>"""
DOCUMENT = f"""<ClinicalDocument xmlns="urn:hl7-org:v3"><templateId root="{HEADER}" extension="2015-08-01"/>
</ClinicalDocument>"""


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ours.sch"
    path.write_text(RULES, encoding="utf-8")
    return path


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "document.xml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def typed(capsys, *arguments):
    code = cli.main([str(each) for each in arguments])
    return code, *capsys.readouterr()


def test_an_import_says_what_is_kept_and_what_is_not_run(capsys, file):
    code, out, err = typed(capsys, "standards", "import", file)
    assert (code, err) == (0, "")
    first, not_run, without_codes = out.splitlines()
    assert first.startswith("imported ours: 4 rules, sha256 ")
    assert not_run == "  not run: 1-3: uses ends-with(), which XPath 1.0 does not have"
    assert "9.1" in without_codes


def test_a_list_tells_our_tables_and_what_is_imported(capsys, file):
    typed(capsys, "standards", "import", file)
    code, out, _ = typed(capsys, "standards", "list")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert {row[0] for row in rows} == {"built-in", "imported"}
    assert all(len(row) == 5 and len(row[2]) == 64 for row in rows)
    assert rows[-1][1] == "ours"
    assert rows[-1][3] == "US Realm Header 2015-08-01"
    assert rows[-1][4].startswith("Ours; from ")


def test_a_check_is_green_where_all_is_whole(capsys, file):
    typed(capsys, "standards", "import", file)
    code, out, _ = typed(capsys, "standards", "check")
    assert {line.split()[0] for line in out.splitlines()} == {"ok"}
    assert code == 0


def test_a_check_tells_a_file_that_has_changed_since(capsys, file):
    typed(capsys, "standards", "import", file)
    file.write_text(RULES.replace("cda:id", "cda:code"), encoding="utf-8")
    code, out, _ = typed(capsys, "standards", "check")
    assert code == 1
    assert "no longer what was imported" in out


def test_a_check_tells_rules_that_were_tampered_with(capsys, file, data):
    typed(capsys, "standards", "import", file)
    path = data / "standards" / "ours" / "rules.json"
    path.write_text(path.read_text(encoding="utf-8").replace("cda:id", "cda:code"), encoding="utf-8")
    code, out, _ = typed(capsys, "standards", "check")
    assert code == 1
    assert "sha256 differs" in out


def test_a_check_tells_rules_that_find_nothing(capsys, file):
    file.write_text(RULES.replace("cda:id", "true()").replace("cda:never", "'x'"), encoding="utf-8")
    typed(capsys, "standards", "import", file)
    code, out, _ = typed(capsys, "standards", "check")
    assert code == 1
    assert "judge nothing" in out


def test_a_file_that_is_no_standard_is_a_wrong_usage(capsys, document):
    code, out, err = typed(capsys, "standards", "import", document)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "is no Schematron" in err


def test_a_document_is_judged_by_what_was_imported(capsys, file, document):
    typed(capsys, "standards", "import", file)
    code, out, _ = typed(capsys, "validate", "--rules", "official", "--format", "json", document)
    assert code == 1
    told = json.loads(out)
    by_template = [(each["severity"], each["rule"]) for each in told["findings"] if each["layer"] == "template"]
    assert by_template[:4] == [
        ("error", "1-1"), ("info", "RULE-ERRATUM"), ("info", "RULE-NOT-JUDGED"), ("info", "RULE-NOT-JUDGED"),
    ]  # fmt: skip
    assert told["seconds"]["templates"] is not None


def test_the_line_about_all_documents_counts_what_was_set_aside(capsys, file, document):
    typed(capsys, "standards", "import", file)
    _, out, _ = typed(capsys, "validate", "--rules", "official", document, document)
    assert "2 findings of rules known to be wrong set aside" in out.splitlines()[-1]


def test_without_an_import_official_rules_are_a_wrong_usage(capsys, document):
    code, out, err = typed(capsys, "validate", "--rules", "official", document)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "standards import" in err
    assert "github.com/HL7" in err


@pytest.mark.parametrize("name", ["standard.json", "rules.json"])
def test_a_damaged_store_is_a_wrong_usage(capsys, file, document, data, name):
    typed(capsys, "standards", "import", file)
    (data / "standards" / "ours" / name).write_text("{", encoding="utf-8")
    code, out, err = typed(capsys, "validate", "--rules", "official", document)
    assert (code, out) == (2, "")
    assert name in err
    assert err.count("\n") == 1
