"""Facts out of a Schematron file, on files made up here."""

from __future__ import annotations

import json
import runpy
import sys

import pytest

from onc_conformance.ccda.derivation.constraints import UnknownFormError, condition
from onc_conformance.ccda.derivation.schematron import derive, names
from onc_conformance.ccda.derivation.selection import select
from onc_conformance.ccda.derivation.xpath import parse

HEAD = '<schema xmlns="http://purl.oclc.org/dsdl/schematron">'
NUMBERED = (
    HEAD
    + """
<phase id="errors"><active pattern="p-1.2-2015-08-01-errors"/><active pattern="p-1.3-errors"/></phase>
<phase id="warnings"><active pattern="p-1.2-2015-08-01-warnings"/></phase>
<pattern id="p-1.2-2015-08-01-errors">
  <rule id="r-1.2-2015-08-01-errors-abstract" abstract="true">
    <assert id="a-9-1" test="count(cda:title)=1">
      one title, as Some Section (V3) (identifier: urn:hl7ii:1.2:2015-08-01) has</assert>
    <assert id="a-9-2-c" test="not(tested)">left untested</assert>
    <assert id="a-9-3" test=".">always so</assert>
  </rule>
  <rule id="r" context="cda:section[cda:templateId[@root='1.2' and @extension='2015-08-01']]">
    <extends rule="r-1.2-2015-08-01-errors-abstract"/>
    <assert id="a-9-4" test="@code='x'">own</assert>
  </rule>
  <rule id="r2"
    context="cda:section[cda:templateId[@root='1.2' and @extension='2015-08-01']]/cda:entry[@typeCode='DRIV']">
    <assert id="a-9-5-branch-4" test="cda:act">act</assert>
  </rule>
</pattern>
<pattern id="p-1.2-2015-08-01-warnings">
  <rule context="cda:section[cda:templateId[@root='1.2' and @extension='2015-08-01']]">
    <assert id="a-9-6" test="cda:text">text</assert>
  </rule>
</pattern>
<pattern id="p-1.3-errors">
  <rule id="r3" abstract="true"><extends rule="r-1.2-2015-08-01-errors-abstract"/></rule>
  <rule context="cda:section[cda:templateId[@root='1.3']]"><extends rule="r3"/>
    <assert id="a-9-7" test="translate(@x, 'a', 'b')='b'">no word for this</assert></rule>
  <rule context="//cda:any"><assert id="a-9-8" test="cda:x">nowhere in particular</assert></rule>
</pattern>
</schema>"""
)
NAMED = (
    HEAD
    + """
<phase id="errors"><active pattern="GoalOfCareObservation-errors"/></phase><phase id="warnings"/>
<pattern id="GoalOfCareObservation-errors"><!--urn:hl7ii:1.2.4:2022-06-01-->
  <rule context="cda:observation[cda:templateId[@root='1.2.4' and @extension='2022-06-01']]">
    <assert test="count(cda:id)&gt;=1">ids</assert>
    <assert test="contains($Some, @code)">bound</assert>
    <assert test="cda:templateId[@root='1.2.9' and @extension='2024-05-01']">parent</assert>
    <assert test="count(cda:entryRelationship[cda:act[
      cda:templateId[@root='1.2.5' and @extension='2024-05-01']]])=1">younger</assert>
  </rule>
  <rule context="cda:observation[cda:templateId[@root='1.2.4' and @extension='2022-06-01']]/cda:code">
    <assert test="@code = 'a'">code</assert><assert test="@code = 'b'">code again</assert>
  </rule>
</pattern></schema>"""
)


@pytest.fixture
def numbered(tmp_path):
    path = tmp_path / "numbered.sch"
    path.write_text(NUMBERED, encoding="utf-8")
    return path


@pytest.fixture
def named(tmp_path):
    path = tmp_path / "named.sch"
    path.write_text(NAMED, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("test", "fact"),
    [
        ("count(cda:a)=1", {"path": ["a"], "min": 1, "max": 1}),
        ("count(cda:a) > 0", {"path": ["a"], "min": 1}),
        ("count(cda:a) < 2", {"path": ["a"], "min": 0, "max": 1}),
        ("count(cda:a) != 1", {"not": {"path": ["a"], "min": 1, "max": 1}}),
        ("count(@a)=1", {"attribute": "a"}),
        ("not(cda:a)", {"path": ["a"], "min": 0, "max": 0}),
        ("not(not(cda:a/cda:b))", {"path": ["a", "b"], "min": 1}),
        ("@a='x' or @a='y'", {"attribute": "a", "one_of": ["x", "y"]}),
        ("@a and @a='x'", {"attribute": "a", "one_of": ["x"]}),
        ("@a!='x'", {"attribute": "a", "none_of": ["x"]}),
        ("cda:a[@b='x']", {"path": [{"step": "a", "where": [{"attribute": "b", "one_of": ["x"]}]}], "min": 1}),
        ("cda:a/@b='x'", {"path": [{"step": "a", "where": [{"attribute": "b", "one_of": ["x"]}]}], "min": 1}),
        ("cda:a='x'", {"path": [{"step": "a", "where": [{"text": True, "one_of": ["x"]}]}], "min": 1}),
        (
            "not(cda:a) or cda:a[count(cda:b)=1]",
            {"path": ["a"], "has": [{"path": ["b"], "min": 1, "max": 1}], "optional": True},
        ),
        ("cda:templateId[@root='1' and @extension='2']", {"template": "1", "extension": "2"}),
        ("cda:templateId[@root='1'][not(@extension)]", {"template": "1", "extension": ""}),
        ("count(cda:a)=count(cda:b)", {"counts": [["a"], "=", ["b"]]}),
        ("count(cda:a | cda:b)=1", {"together": [["a"], ["b"]], "min": 1, "max": 1}),
        (
            "count(@a | @b)=1",
            {
                "all": [
                    {"any": [{"attribute": "a"}, {"attribute": "b"}]},
                    {"not": {"all": [{"attribute": "a"}, {"attribute": "b"}]}},
                ]
            },
        ),
        (
            "count(text()[normalize-space()] | @b)=1",
            {
                "all": [
                    {"any": [{"own_text": True}, {"attribute": "b"}]},
                    {"not": {"all": [{"own_text": True}, {"attribute": "b"}]}},
                ]
            },
        ),
        ("cda:a | cda:b", {"any": [{"path": ["a"], "min": 1}, {"path": ["b"], "min": 1}]}),
        (
            "(cda:a | cda:b)[@c]",
            {"any": [{"path": [{"step": n, "where": [{"attribute": "c"}]}], "min": 1} for n in "ab"]},
        ),
        ("string-length(@a)>=8", {"attribute": "a", "min_length": 8}),
        ("string-length(@a)<8", {"not": {"attribute": "a", "min_length": 8}}),
        ("string-length(normalize-space())=5", {"text": True, "min_length": 5, "max_length": 5}),
        ("starts-with(@a, '#')", {"attribute": "a", "starts_with": ["#"]}),
        ("contains(@a,'+')", {"attribute": "a", "contains": ["+"]}),
        ("contains('x y', @a)", {"attribute": "a", "one_of": ["x", "y"]}),
        (
            "not(@a) or @a[starts-with(., '#')]",
            {"any": [{"not": {"attribute": "a"}}, {"attribute": "a", "starts_with": ["#"]}]},
        ),
        ("not(text()[normalize-space()])", {"not": {"own_text": True}}),
        (
            "cda:value[xsi:type='CD']",
            {"path": [{"step": "value", "where": [{"attribute": "xsi:type", "one_of": ["CD"]}]}], "min": 1},
        ),
        (
            "@a=document('voc.xml')/voc:systems/voc:system[@valueSetOid='1.2']/voc:code/@value",
            {"attribute": "a", "value_set": "1.2"},
        ),
        ("../cda:a", {"path": ["..", "a"], "min": 1}),
        ("//cda:a", {"path": [{"step": "a", "from": "document"}], "min": 1}),
        (".//cda:a", {"path": [{"step": "a", "from": "descendants"}], "min": 1}),
        ("/cda:a", {"path": [{"step": "a", "from": "root"}], "min": 1}),
        ("cda:a[1]", {"path": [{"step": "a", "where": [{"position": 1}]}], "min": 1}),
        ("@a or .", {"all": []}),
    ],
)
def test_a_test_is_read_as_a_constraint(test, fact):
    assert condition(parse(test)) == fact


@pytest.mark.parametrize("test", ["cda:a[", "cda:a b", "'x", "count(cda:a", "(cda:a)/cda:b", "cda:a/", "('x')[1]", "#"])
def test_what_is_no_xpath_is_refused(test):
    with pytest.raises(ValueError, match=r"cannot read|predicates after"):
        parse(test)


@pytest.mark.parametrize(
    "test", ["translate(@a,'x','y')='y'", "count(cda:a)>count($b)", "@a[cda:b]", "sum(cda:a)", "$a", "'x'"]
)
def test_a_form_without_a_word_is_refused(test):
    with pytest.raises(UnknownFormError):
        condition(parse(test))


def test_a_numbered_file_becomes_a_table(numbered):
    derivation = derive(numbered, "Made up")
    assert derivation.untestable == ["9-2", "9-3"]
    assert [pattern for pattern, _ in derivation.unread] == ["p-1.3-errors", "p-1.3-errors"]
    section, heir = derivation.table["templates"]
    assert section == {
        "element": "section",
        "root": "1.2",
        "extension": "2015-08-01",
        "name": "Some Section (V3)",
        "blocks": [
            {
                "level": "SHALL",
                "rules": [{"rule": "9-1", "path": ["title"], "min": 1, "max": 1}],
                "own": [{"rule": "9-4", "attribute": "code", "one_of": ["x"]}],
            },
            {
                "level": "SHALL",
                "at": [{"step": "entry", "where": [{"attribute": "typeCode", "one_of": ["DRIV"]}]}],
                "own": [{"rule": "9-5", "path": ["act"], "min": 1}],
            },
            {"level": "SHOULD", "own": [{"rule": "9-6", "path": ["text"], "min": 1}]},
        ],
    }
    assert heir["inherits"] == ["1.2:2015-08-01"]


def test_a_file_without_numbers_gets_names_of_ours(named):
    derivation = derive(named, "Made up")
    (template,) = derivation.table["templates"]
    assert template["name"] == "Goal Of Care Observation"
    assert [fact["rule"] for block in template["blocks"] for fact in block["own"]] == [
        "GoalOfCareObservation.id",
        "GoalOfCareObservation.templateId",
        "GoalOfCareObservation.entryRelationship",
        "GoalOfCareObservation.code.@code",
        "GoalOfCareObservation.code.@code-2",
    ]
    assert derivation.bound == [""]


def test_what_is_selected_asks_for_no_younger_template(named):
    table = derive(named, "Made up").table
    kept = select(json.loads(json.dumps(table)), {("9.9", None)}, "2024-01-01")
    facts = kept["templates"][0]["blocks"][0]["own"]
    assert [fact["rule"] for fact in facts] == ["GoalOfCareObservation.id", "GoalOfCareObservation.entryRelationship"]
    assert facts[1]["path"][0]["where"][0]["path"][0]["where"] == [{"template": "1.2.5"}]
    assert select(json.loads(json.dumps(table)), {("1.2.4", "2022-06-01")})["templates"] == []
    assert select(json.loads(json.dumps(table)), (), "2020-01-01")["templates"] == []


def test_names_are_found_in_references_and_in_patterns(numbered, named):
    assert names(numbered)["1.2", "2015-08-01"] == "Some Section (V3)"
    assert names(named)["1.2.4", None] == "Goal Of Care Observation"


def test_the_command_writes_a_template_to_a_line(numbered, named, tmp_path, monkeypatch, capsys):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    for arguments in (
        [str(numbered), "--release", "Made up", "--to", str(first), "--names", str(named)],
        [str(named), "--release", "Made up", "--to", str(second), "--besides", str(first), "--before", "2024-01-01"],
    ):
        monkeypatch.setattr(sys, "argv", ["derivation", *arguments])
        runpy.run_module("onc_conformance.ccda.derivation", run_name="__main__")
    assert len(first.read_text(encoding="utf-8").splitlines()) == 2 + 2 + 1 + 3
    said = capsys.readouterr().err
    assert "2 templates, 4 rules" in said
    assert "1 bindings left to the vocabulary" in said
    assert [each["root"] for each in json.loads(second.read_bytes())["templates"]] == ["1.2.4"]
    assert "one title" not in first.read_text(encoding="utf-8")
