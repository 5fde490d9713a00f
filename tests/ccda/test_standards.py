"""Rule files of others: read, kept, chosen for a document, and judged by - and what is done about bad ones."""

import hashlib
import json
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onc_conformance.ccda import Document
from onc_conformance.ccda.engine import RuleSet
from onc_conformance.ccda.standards import canary, errata, lookups, official, schematron, store
from onc_conformance.findings import Severity, UsageError

HEADER = "2.16.840.1.113883.10.20.22.1.1"
PREFIXED = f"""<?xml version="1.0"?>
<!-- licence
Schematron generated from Our Tests on 1/2/2026 -->
<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" xmlns:voc="urn:voc">
  <sch:title>Rules of ours</sch:title>
  <sch:ns prefix="cda" uri="urn:hl7-org:v3"/><sch:ns prefix="voc" uri="urn:voc"/>
  <sch:let name="colours" value="'red green'"/>
  <sch:phase id="errors"><sch:active pattern="head-errors"/><sch:active pattern="act-errors"/></sch:phase>
  <sch:phase id="warnings"><sch:active pattern="act-warnings"/></sch:phase>
  <sch:pattern id="head-errors">
    <sch:rule id="head" context="cda:ClinicalDocument[cda:templateId[@root='{HEADER}' and @extension='2015-08-01']]">
      <sch:assert id="a-1-1" test="cda:id">A document has an id (CONF:1-1).</sch:assert>
      <sch:assert id="a-1098-28042" test="cda:never">Never so (CONF:1098-28042).</sch:assert>
    </sch:rule>
  </sch:pattern>
  <sch:pattern id="act-errors">
    <sch:rule id="abstract" abstract="true">
      <sch:assert id="a-1-2-c" test="cda:code">Codes (CONF:1-2).</sch:assert>
    </sch:rule>
    <sch:rule id="act" context="cda:act[cda:templateId[@root='1.2']]">
      <sch:let name="own" value="@moodCode"/>
      <sch:extends rule="abstract"/>
      <sch:assert test="../cda:act[@moodCode = $own and cda:text]"
        >Of mood <sch:value-of select="@moodCode"/> (CONF:1-3).</sch:assert>
      <sch:assert test="@moodCode=document('voc.xml')/voc:systems/voc:system[@valueSetOid='9.1']/voc:code/@value"
        id="a-1-4">A mood that is known (CONF:1-4).</sch:assert>
      <sch:report test="cda:old">Nothing old.</sch:report>
    </sch:rule>
  </sch:pattern>
  <sch:pattern id="act-warnings">
    <sch:rule id="act-w" context="cda:act[cda:templateId[@root='1.2']]">
      <sch:assert id="a-1-5" test="contains($colours, @colour)">A colour (CONF:1-5).</sch:assert>
      <sch:assert id="a-1-6" test="cda:z" role="error">Grave wherever it stands (CONF:1-6).</sch:assert>
      <sch:assert test="."></sch:assert>
    </sch:rule>
  </sch:pattern>
</sch:schema>"""
VOC = """<systems xmlns="urn:voc">
<system valueSetOid="9.1"><code value="EVN"/></system><system valueSetOid="9.2"/></systems>"""
SVS = """<r xmlns="urn:ihe:iti:svs:2008"><DescribedValueSet ID="9.1"><ConceptList><Concept code="EVN"/></ConceptList>
</DescribedValueSet></r>"""
_ACT = "cda:act[cda:templateId[@root='1.2']]"
_EXPANDING = '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


def plain(release, *assertions, rule="cda:ClinicalDocument", prefix=""):
    """A file without prefixes, for a release of the header."""
    context = f"{rule}[cda:templateId[@root='{HEADER}' and @extension='{release}']]"
    tests = "".join(f'<assert test="{test}">said</assert>' for test in assertions)
    return (
        f'{prefix}<schema xmlns="http://purl.oclc.org/dsdl/schematron"><ns prefix="cda" uri="urn:hl7-org:v3"/>'
        f'<pattern id="p"><rule id="r" context="{context}">{tests}</rule></pattern></schema>'
    )


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def written(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def imported(tmp_path, text=PREFIXED, name="ours.sch", voc=VOC):
    if voc:
        written(tmp_path, "voc.xml", voc)
    return store.add(written(tmp_path, name, text))


def document(inner="", release="2015-08-01"):
    header = f'<templateId root="{HEADER}" extension="{release}"/>' if release else ""
    return Document(f'<ClinicalDocument xmlns="urn:hl7-org:v3">{header}{inner}</ClinicalDocument>'.encode())


def act(inner="", attributes='moodCode="EVN" colour="red"'):
    return f'<act {attributes}><templateId root="1.2"/>{inner}</act>'


def said(findings, severity=Severity.ERROR):
    return [finding.rule for finding in findings if finding.severity is severity]


def test_a_file_is_kept_with_where_it_comes_from(tmp_path, data):
    standard = imported(tmp_path)
    assert standard.sha256 == hashlib.sha256(PREFIXED.encode()).hexdigest()
    assert (standard.name, standard.title) == ("ours", "Rules of ours")
    assert standard.said == "Schematron generated from Our Tests on 1/2/2026 -->".removesuffix(" -->")
    assert standard.source == str(tmp_path / "ours.sch")
    assert standard.releases == ("2015-08-01",)
    assert standard.not_run == ()
    assert store.standards() == [standard]
    assert sorted(each.name for each in data.rglob("*")) == ["ours", "rules.json", "standard.json", "standards"]


def test_every_part_of_a_schematron_is_run(tmp_path):
    imported(tmp_path)
    good = act("<code/><text/><z/>")
    assert said(official.check(document(f"<id/>{good}"))) == []
    assert said(official.check(document(act("<old/>", 'moodCode="INT" colour="blue"')))) == [
        "1-1", "1-2", "1-3", "1-4", "act-4", "1-6",
    ]  # fmt: skip
    assert said(official.check(document(act("<old/>", 'colour="blue"'))), Severity.WARNING) == ["1-5"]


def test_a_message_tells_the_values_it_names(tmp_path):
    imported(tmp_path)
    [finding] = [each for each in official.check(document(act("<code/><z/>"))) if each.rule == "1-3"]
    assert finding.message == "Of mood EVN (CONF:1-3)."
    assert finding.path == "/ClinicalDocument/act"
    assert finding.line == 1


def test_known_defects_are_set_aside_and_counted(tmp_path):
    imported(tmp_path)
    findings = official.check(document("<id/>"))
    assert said(findings) == []
    [told] = [each for each in findings if each.rule == errata.SUPPRESSED]
    assert "1098-28042" in told.message
    assert errata.suppressed(findings) == 1


def test_a_defect_of_one_release_is_none_of_another(tmp_path):
    imported(tmp_path, PREFIXED.replace("2015-08-01", "2031-01-01"))
    findings = official.check(document("<id/>", "2031-01-01"))
    assert said(findings) == ["1098-28042"]
    assert errata.suppressed(findings) == 0


def test_errata_say_where_they_come_from():
    found = errata.errata(["2015-08-01"])
    assert set(found) >= {"1098-28042", "1198-32934"}
    assert all(each.reason and each.source and each.since for each in found.values())
    assert errata.errata(["1999-01-01"]) == {}


@pytest.mark.parametrize(("codes", "name"), [(VOC, "other.xml"), (SVS, "svs.xml")])
def test_codes_come_from_the_file_that_is_named(tmp_path, codes, name):
    path = written(tmp_path, "ours.sch", PREFIXED)
    standard = store.add(path, written(tmp_path, name, codes))
    assert standard.looked_up == ("9.1",)
    assert "1-4" in said(official.check(document(act("", 'moodCode="INT"'))))
    assert "1-4" not in said(official.check(document(act("", 'moodCode="EVN"'))))


def test_a_look_up_without_codes_is_reported_as_not_judged(tmp_path):
    standard = imported(tmp_path, voc=None)
    assert (standard.looks_up, standard.looked_up) == (("9.1",), ())
    findings = official.check(document(f"<id/>{act('<code/><text/><z/>') * 2}"))
    assert said(findings) == []
    [told] = [each for each in findings if each.rule == official.NOT_JUDGED]
    assert (told.severity, told.found) == (Severity.INFO, "2")
    assert "1-4 is not judged" in told.message
    assert "9.1" in told.message


def test_codes_the_vocabulary_knows_are_used(tmp_path):
    gender = "2.16.840.1.113883.1.11.1"
    imported(tmp_path, PREFIXED.replace("9.1", gender), voc=None)
    assert "1-4" in said(official.check(document(act("", 'moodCode="EVN"'))))
    assert "1-4" not in said(official.check(document(act("", 'moodCode="F"'))))


def test_codes_that_cannot_be_read_refuse_the_import(tmp_path):
    with pytest.raises(UsageError, match=r"voc\.xml"):
        imported(tmp_path, voc="<systems><system")
    assert store.standards() == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not XML"),
        ("no XML at all", "is not XML"),
        ("<schema", "is not XML"),
        ('{"resourceType": "Bundle"}', "is not XML"),
        ("<ClinicalDocument xmlns='urn:hl7-org:v3'/>", "is no Schematron"),
        ("<schema/>", "is no Schematron"),
        ('<schema xmlns="http://purl.oclc.org/dsdl/schematron"/>', "holds no rule"),
        ('<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="python"/>', "written in 'python'"),
        ('<!DOCTYPE s [<!ENTITY a "b">]>' + plain("1", "cda:id"), "document type"),
        (
            '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + plain("1", "cda:id", rule="&b;"),
            "document type",
        ),
        ('<!DOCTYPE s SYSTEM "file:///etc/passwd">' + plain("1", "cda:id"), "document type"),
        ("<a>" * 60_000, "is not XML"),
    ],
)
def test_what_is_no_rule_file_is_refused_in_one_line(tmp_path, text, complaint):
    with pytest.raises(UsageError) as refused:
        imported(tmp_path, text)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(tmp_path / "ours.sch") in str(refused.value)
    assert store.standards() == []


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        store.add(tmp_path / "absent.sch")


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("][", "is no XPath 1.0"),
        ("matches(@a, 'b')", r"matches\(\), which XPath 1.0 does not have"),
        ("every $x in cda:a satisfies $x/@b", "variable"),
        ("strange:a", "the prefix strange"),
        ("$nowhere", "the variable nowhere"),
        ("@a = document('other.xml')//code", "in a way that is not known"),
        ("", "empty"),
    ],
)
def test_a_rule_that_cannot_be_run_is_named_and_told_wherever_it_counts(tmp_path, test, why):
    standard = imported(tmp_path, plain("2015-08-01", "cda:id", test))
    [(name, reason)] = standard.not_run
    assert name == "r-2"
    assert re.search(why, reason)
    findings = official.check(document())
    assert said(findings) == ["r-1"]
    [told] = [each for each in findings if each.rule == official.NOT_JUDGED]
    assert told.message.startswith("r-2 is not judged: ")


def test_a_context_that_cannot_be_read_takes_the_rest_of_its_pattern_with_it(tmp_path):
    text = plain("2015-08-01", "cda:id").replace('<rule id="r"', '<rule id="bad" context="cda:a["/><rule id="r"')
    both = text.replace("</schema>", f"{text[text.index('<pattern') : text.index('</schema>')]}</schema>")
    both = both.replace('<rule id="bad" context="cda:a["/>', "", 1)
    standard = imported(tmp_path, both)
    assert [name for name, _ in standard.not_run] == ["bad"]
    assert said(official.check(document())) == ["r-1"]


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ('<include href="more.sch"/>', "more.sch"),
        ('<pattern id="q" is-a="other"/>', "q"),
        ('<let name="n" value="count(//*)"/>', "let n"),
        ('<pattern id="q"><rule id="s" context="cda:a"><extends rule="none"/></rule></pattern>', "s"),
    ],
)
def test_what_is_not_supported_is_told(tmp_path, extra, name):
    text = plain("1", "cda:id").replace("<pattern", f"{extra}<pattern", 1)
    assert [each for each, _ in imported(tmp_path, text).not_run] == [name]


def test_rules_that_extend_in_a_circle_end(tmp_path):
    extends = '<extends rule="x"/>'
    circle = f'<rule abstract="true" id="x">{extends}<assert test="cda:b">said</assert></rule>'
    text = plain("1", "cda:id").replace('<rule id="r"', f'{circle}<rule id="r"').replace("<assert", f"{extends}<assert")
    assert imported(tmp_path, text).assertions >= 2


def test_a_later_import_of_the_name_replaces_the_earlier(tmp_path):
    imported(tmp_path, plain("2015-08-01", "cda:id"))
    imported(tmp_path, plain("2015-08-01", "cda:code"))
    assert len(store.standards()) == 1
    assert said(official.check(document("<code/>"))) == []


def test_a_document_is_judged_by_the_release_it_declares(tmp_path):
    for release in ("2015-08-01", "2024-05-01"):
        imported(tmp_path, plain(release, "false()").replace('id="r"', f'id="r{release[:4]}"'), f"{release}.sch")
    assert said(official.check(document(release="2015-08-01"))) == ["r2015-1"]
    assert said(official.check(document(release="2024-05-01"))) == ["r2024-1"]
    both = document(f'<templateId root="{HEADER}" extension="2024-05-01"/>')
    assert said(official.check(both)) == ["r2015-1", "r2024-1"]


def test_of_two_for_one_release_the_one_that_knows_more_is_taken(tmp_path):
    imported(tmp_path, plain("2024-05-01", "false()"), "small.sch")
    more = plain("2024-05-01", "cda:id").replace("pattern id", "pattern name").replace('id="r"', 'id="large"')
    more = more.replace(f"cda:ClinicalDocument[cda:templateId[@root='{HEADER}' and @extension='2024-05-01']]", _ACT)
    pattern = more[more.index("<pattern") : more.index("</schema>")]
    imported(tmp_path, plain("2024-05-01", "true()").replace("<pattern", f"{pattern}<pattern"), "large.sch")
    assert said(official.check(document(act(), release="2024-05-01"))) == ["large-1"]


def test_a_document_that_no_standard_is_meant_for_is_not_passed_in_silence(tmp_path):
    imported(tmp_path, plain("2015-08-01", "false()"))
    [finding] = official.check(document(release="1999-01-01"))
    assert (finding.rule, finding.severity) == (official.NONE_FITS, Severity.INFO)
    assert "1999-01-01" in finding.found


def test_without_any_import_the_complaint_says_where_to_get_one():
    with pytest.raises(UsageError) as refused:
        official.available()
    assert "github.com/HL7" in str(refused.value)
    assert "standards import" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("file", ["standard.json", "rules.json"])
@pytest.mark.parametrize("spoil", ["cut", "remove", "replace", "refuse"])
def test_a_damaged_store_is_named(tmp_path, file, spoil):
    path = imported(tmp_path).folder / file
    data = path.read_bytes()
    if spoil == "remove":
        path.unlink()
    elif spoil == "refuse":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(data[: len(data) // 2] if spoil == "cut" else json.dumps({"form": 99}).encode())
    os.utime(path.parent)
    with pytest.raises(UsageError) as refused:
        official.check(document())
    assert str(path) in str(refused.value)
    assert "import the standard again" in str(refused.value)


def test_rules_that_find_nothing_in_a_document_that_is_all_wrong_are_dead(tmp_path):
    assert canary.sings(store.ruleset(imported(tmp_path)))
    assert not canary.sings(store.ruleset(imported(tmp_path, plain("2015-08-01", "true()", "'x'"), "dead.sch")))


def test_a_file_in_another_encoding_is_read(tmp_path):
    text = PREFIXED.replace('version="1.0"', 'version="1.0" encoding="utf-16"')
    path = written(tmp_path, "ours.sch", text, "utf-16")
    assert store.add(path).title == "Rules of ours"


def test_more_bytes_than_any_standard_has_are_not_read():
    with pytest.raises(UsageError, match="at most"):
        schematron.load(b" " * (schematron.MAX_BYTES + 1), "huge.sch")


_BITS = st.sampled_from(
    [
        "", "<", "&", "\x00", "'", '"', "[", "]", "(", ")", "/", "//", "|", "@", "$own", "current()", "cda:", "sch:",
        "document('voc.xml')", "[1]", "and", "not(", ".", "*", "count(", "<sch:let name='x' value='y'/>", "1 div 0",
        "string(", " = ", "id(1)", "key('a', 'b')", "text()", "::", "ancestor::", "é", "(" * 300, "[." * 300,
    ]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(PREFIXED)), st.integers(0, 30), _BITS), min_size=1, max_size=4))
def test_a_spoilt_file_is_refused_or_runs(edits):
    text = PREFIXED
    for place, many, bit in edits:
        text = text[:place] + bit + text[place + many :]
    try:
        read = schematron.load(text.encode(), "spoilt.sch")
    except UsageError as refused:
        assert "\n" not in str(refused)
        return
    rules = RuleSet(
        read.patterns, {**read.namespaces, lookups.PREFIX: lookups.NAMESPACE}, lookups.functions({"9.1": []})
    )
    unjudged = []
    assert list(rules.judge(canary.document(rules), unjudged)) is not None
    assert all(assertion.unjudged for assertion, _ in unjudged)
    assert all("\n" not in each for each in rules.problems())
