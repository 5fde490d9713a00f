"""Primitives, narratives, codes, tables, and what a package is made into."""

import io
import json
import tarfile

import pytest

from onc_conformance import fhir, holdings
from onc_conformance.exits import Exit
from onc_conformance.fhir import imports, narrative, primitives, reading, tables
from onc_conformance.fhir.codes import Codes
from onc_conformance.fhir.derivation import codes as derived
from onc_conformance.fhir.invariants import GUIDE
from onc_conformance.findings import UsageError
from onc_conformance.vocabulary import Answer

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("date", ["2024", "2024-02", "2024-02-29"], ["24", "2024-13", "2023-02-29", "2024-1-1"]),
        ("dateTime", ["2024", "2024-01-01T10:00:00.1+02:00"], ["2024-01-01T10:00Z", "2024-01-01T10:00:00"]),
        ("instant", ["2024-01-01T10:00:00Z"], ["2024-01-01"]),
        ("time", ["10:00:00"], ["10:00", "24:00:00"]),
        ("id", ["a-1.B"], ["a b", "a" * 65, "a_b"]),
        ("code", ["a", "a b"], [" a", "a  b", ""]),
        ("uuid", ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"], ["c757873d-ec9a-4326-a141-556f43239520"]),
        ("oid", ["urn:oid:1.2.3"], ["1.2.3", "urn:oid:3.1"]),
        ("base64Binary", ["QUJD", "QUI="], ["QUJ", "Q.."]),
        ("boolean", [True, False], ["true", 1]),
        ("integer", [0, -1, 2**31 - 1], [2**31, 1.0, True, "1"]),
        ("positiveInt", [1], [0, -1]),
        ("unsignedInt", [0], [-1]),
        ("decimal", [1, 1.5], ["1", True]),
        ("string", ["x"], ["", " ", "\x00", 1]),
    ],
)  # fmt: skip
def test_a_primitive_has_its_form(kind, right, wrong):
    assert [each for each in right if primitives.objection(kind, each)] == []
    assert [each for each in wrong if not primitives.objection(kind, each)] == []


@pytest.mark.parametrize(
    ("div", "why"),
    [
        (f"<div {XHTML}>a&nbsp;<b>b</b><img src='x.png'/></div>", None),
        (f"<div {XHTML}><script>x</script></div>", "element script"),
        (f"<div {XHTML}><a href='javascript:x'>y</a></div>", "run a script"),
        (f"<div {XHTML} onclick='x'>y</div>", "attribute onclick"),
        ("<div>x</div>", "the root is"),
        (f"<div {XHTML}> </div>", "nothing is shown"),
        (f"<div {XHTML}>x", "not well-formed"),
        (f"<!DOCTYPE x><div {XHTML}>x</div>", "document type"),
    ],
)
def test_a_narrative_is_safe_or_says_why_not(div, why):
    told = narrative.objection(div)
    assert (told is None) if why is None else (why in told)


def test_a_code_is_in_a_set_is_not_or_is_unknown_here():
    known = Codes(fhir.load())
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert known.contains(gender, None, "female") is Answer.IN
    assert known.contains(gender, None, "f") is Answer.NOT_IN
    vsac = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113762.1.4.1010.4"
    assert known.contains(vsac, "http://www.nlm.nih.gov/research/umls/rxnorm", "1049221") is Answer.UNKNOWN_HERE
    assert known.exists("http://loinc.org", "85354-9") is Answer.UNKNOWN_HERE
    assert known.exists("http://loinc.org", "85354-8") is Answer.NOT_IN
    assert known.contains("http://hl7.org/fhir/ValueSet/mimetypes", None, "text/plain") is Answer.IN
    assert known.contains("http://hl7.org/fhir/ValueSet/mimetypes", None, "plain") is Answer.NOT_IN


def test_codes_below_a_code_are_listed_and_what_only_a_server_knows_is_not():
    system = {"url": "u", "content": "complete", "concept": [{"code": "a", "concept": [{"code": "b"}]}, {"code": "c"}]}
    chosen = [{"system": "u", "filter": [{"property": "concept", "op": "is-a", "value": "a"}]}]
    other = [{"system": "v", "filter": [{"property": "x", "op": "=", "value": "a"}]}, {"system": "u"}]
    sets = derived.value_sets(
        [{"url": "s", "compose": {"include": chosen}}, {"url": "t", "compose": {"include": other}}], {"u": system}
    )
    assert sets == {"s": {"in": [["u", ["a", "b"]]]}, "t": {"in": [["v", "?"], ["u", "*"]]}}


def test_the_tables_state_searches_bindings_and_must_support():
    guide = fhir.load("6.1.0")
    condition = guide.searches["Condition"]
    assert ["SHALL", ["category", "patient"]] in condition["combinations"]
    assert condition["revincludes"] == {"Provenance:target": "SHALL"}
    assert condition["parameters"]["onset-date"]["comparator"]["ge"] == "SHALL"
    elements = {each.id: each for each in guide.profile("us-core-patient").elements}
    assert elements["Patient.name"].must_support
    assert elements["Patient.name"].min == 1
    assert fhir.versions() == ["3.1.1", "6.1.0", "7.0.0", "8.0.0"]
    with pytest.raises(UsageError, match=r"expected one of 3\.1\.1"):
        fhir.load("5.0.0")


def test_every_rule_of_every_version_is_judged_or_known_to_be_dead():
    for version in fhir.versions():
        assert list(holdings._unjudged(version)) == []
    assert len(GUIDE) > 40


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path / "data"))
    element = {
        "id": "Basic", "path": "Basic", "min": 0, "max": "*",
        "constraint": [
            {"key": "own-1", "severity": "error", "expression": "subject.trace('x').exists()"},
            {"key": "own-2", "severity": "error", "expression": "subject.memberOf('x')"},
        ],
    }  # fmt: skip
    code = {
        "id": "Basic.code", "path": "Basic.code", "min": 1, "max": "1", "type": [{"code": "CodeableConcept"}],
        "patternCodeableConcept": {"coding": [{"code": "x"}]},
    }  # fmt: skip
    definition = {
        "resourceType": "StructureDefinition", "url": "http://x.y/own", "id": "own", "name": "Own", "type": "Basic",
        "kind": "resource", "derivation": "constraint", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Basic",
        "snapshot": {"element": [element, code]},
    }  # fmt: skip
    manifest = {"name": "hl7.fhir.us.core", "version": "9.9.9", "fhirVersions": ["4.0.1"]}
    path = tmp_path / "own.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, told in (("package.json", manifest), ("StructureDefinition-own.json", definition)):
            data = json.dumps(told).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_an_imported_package_is_listed_checked_and_judged_by_with_its_own_rules(package, capsys):
    out = io.StringIO()
    assert holdings.taken_in(package, None, out) is Exit.CONFORMS
    assert "imported hl7.fhir.us.core 9.9.9: 1 profiles" in out.getvalue()
    assert "cannot be run: memberOf( cannot be answered here" in out.getvalue()
    listed = io.StringIO()
    holdings.told(listed)
    assert "imported\thl7.fhir.us.core 9.9.9\t" in listed.getvalue()
    guide = fhir.load("9.9.9")
    resource = {"resourceType": "Basic", "code": {"coding": [{"code": "x"}]}}
    assert [each.rule for each in fhir.validate(resource, guide) if each.rule != "dom-6"] == ["own-1"]
    resource |= {"subject": {"reference": "Patient/1"}, "code": {"coding": [{"code": "y"}]}}
    assert [each.rule for each in fhir.validate(resource, guide, ["own"]) if each.rule != "dom-6"] == ["own#Basic.code"]
    assert "TRACE" not in capsys.readouterr().out
    tables.imported("hl7.fhir.us.core", "9.9.9").write_text("{}")
    checked = io.StringIO()
    assert holdings.checked(checked) is Exit.OBJECTIONS
    assert "it is not what was imported" in checked.getvalue()
    with pytest.raises(UsageError, match="import the package again"):
        fhir.load("9.9.9")


def test_what_is_no_package_cannot_be_imported(tmp_path):
    path = tmp_path / "x.tgz"
    path.write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(UsageError, match="no FHIR package"):
        imports.add(path)
    with tarfile.open(path, "w:gz"):
        pass
    with pytest.raises(UsageError, match="a name and a version"):
        imports.add(path)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"{", "JSON-SYNTAX"),
        (b'{"a": NaN}', "JSON-SYNTAX"),
        (b'{"a": "\xff"}', "JSON-ENCODING"),
        ('{"a": 1}'.encode("utf-16"), "JSON-ENCODING"),
        (b"[" * 10_000, "JSON-DEPTH"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(data, rule):
    read = reading.read(data)
    assert not read.readable
    assert [each.rule for each in read.findings] == [rule]


def test_a_key_there_twice_and_a_byte_order_mark_are_told_and_the_rest_is_judged():
    read = reading.read(b'\xef\xbb\xbf{\n"a": 1,\n"a": 2}')
    assert read.resource == {"a": 2}
    assert [(each.rule, each.line) for each in read.findings] == [("JSON-BOM", 1), ("JSON-DUPLICATE", 3)]
