"""The engine of rules: which rule a node belongs to, what it says of it, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from onc_conformance.ccda import contexts
from onc_conformance.ccda.engine import Assertion, BadRuleError, Pattern, Rule, RuleSet
from onc_conformance.findings import Severity

NAMESPACES = {"cda": "urn:hl7-org:v3", "xsi": "http://www.w3.org/2001/XMLSchema-instance", "f": "urn:functions"}


def asserting(name, test, **more):
    return Assertion(name, test, Severity.ERROR, f"{name} holds", **more)


def rule(context, *tests, variables=()):
    return Rule(context, tuple(asserting(f"{context}#{test}", test) for test in tests), variables)


def ruleset(*rules, functions=None, variables=None):
    """Each rule in a pattern of its own, unless a list of them is given."""
    patterns = [
        Pattern(f"p{number}", tuple(each if isinstance(each, list) else [each])) for number, each in enumerate(rules)
    ]
    return RuleSet(patterns, NAMESPACES, functions, variables)


def document(inner, attributes=""):
    return etree.fromstring(f'<ClinicalDocument xmlns="urn:hl7-org:v3" {attributes}>{inner}</ClinicalDocument>')


def failed(rules, root):
    return [(assertion.id, etree.QName(element).localname) for assertion, element in rules.judge(root)]


def test_a_rule_judges_only_what_bears_its_template():
    rules = ruleset(rule("cda:section[cda:templateId[@root='1.2' and @extension='2015']]", "cda:title"))
    root = document(
        "<section><templateId root='1.2' extension='2015'/></section>"
        "<section><templateId root='1.2'/></section><section><templateId root='1.3' extension='2015'/></section>"
    )
    assert [element for _, element in rules.judge(root)] == [root[0]]


@pytest.mark.parametrize(
    ("predicate", "judged"),
    [
        ("cda:templateId[@root='1.2']", [0, 1, 2]),
        ("cda:templateId/@root='1.2'", [0, 1, 2]),
        ("(cda:templateId[@root='1.2'])", [0, 1, 2]),
        ("cda:templateId[@root='1.2'][@extension='a']", [0]),
        ('cda:templateId[ @root = "1.2" and @extension = "a" ]', [0]),
        ("cda:templateId[@root='1.2' and not(@extension)]", [1]),
        ("cda:templateId[@root='1.2' and @extension='']", [2]),
        ("cda:templateId[@root='1.2' or @root='9']", [0, 1, 2, 3]),
        ("cda:templateId[@root='0' or @root='9']", [3]),
        ("cda:templateId[@root='0' and @extension='a'] or cda:templateId[@root='9']", [3]),
    ],
)
def test_a_template_is_known_however_it_is_asked_for(predicate, judged):
    root = document(
        "<act><templateId root='1.2' extension='a'/></act><act><templateId root='1.2'/></act>"
        "<act><templateId root='1.2' extension=''/></act><act><templateId root='9'/></act>"
    )
    rules = ruleset(rule(f"cda:act[{predicate}]", "false()"))
    assert [element for _, element in rules.judge(root)] == [root[number] for number in judged]


def test_an_element_that_bears_a_template_twice_is_judged_once():
    root = document("<act><templateId root='1.2'/><templateId root='1.2' extension='a'/><templateId root='1.2'/></act>")
    assert len(failed(ruleset(rule("cda:act[cda:templateId[@root='1.2']]", "cda:id")), root)) == 1


def test_a_rule_met_late_is_found_on_elements_whose_other_template_was_known():
    odd = "cda:act[cda:templateId[@root='1' and @displayable]][cda:templateId[@root='2']]"
    rules = ruleset(rule(odd, "false()"), rule("cda:act[cda:templateId[@root='2']]", "true()"))
    assert failed(rules, document("<act><templateId root='2'/></act>")) == []
    both = "<act><templateId root='1' displayable='true'/><templateId root='2'/></act>"
    assert [name for _, name in failed(rules, document(both))] == ["act"]


def test_within_a_pattern_the_first_rule_that_matches_takes_the_node():
    special = rule("cda:act[cda:code]", "cda:text")
    general = rule("cda:act", "cda:id")
    root = document("<act><code/></act><act/>")
    assert failed(ruleset([special, general]), root) == [
        ("cda:act[cda:code]#cda:text", "act"),
        ("cda:act#cda:id", "act"),
    ]
    assert failed(ruleset([general, special]), root) == [("cda:act#cda:id", "act")] * 2
    assert len(failed(ruleset(special, general), root)) == 3


def test_a_rule_that_takes_a_node_and_is_content_still_takes_it():
    root = document("<act><code/></act>")
    assert failed(ruleset([rule("cda:act[cda:code]", "true()"), rule("cda:*", "false()")]), root) == [
        ("cda:*#false()", "ClinicalDocument"),
        ("cda:*#false()", "code"),
    ]


def test_a_node_that_two_members_of_a_union_match_is_judged_once():
    root = document("<a><x/></a><b><x/></b>")
    assert (
        failed(ruleset(rule("cda:a/cda:x | cda:b/cda:x | cda:x", "false()")), root)
        == [("cda:a/cda:x | cda:b/cda:x | cda:x#false()", "x")] * 2
    )


def test_findings_come_in_the_order_of_the_document():
    root = document("<a><b/></a><a/><c/>")
    rules = ruleset(rule("cda:c", "false()"), rule("cda:b", "false()"), rule("cda:a", "false()", "cda:z"))
    assert [name for name, _ in failed(rules, root)] == [
        "cda:a#false()", "cda:a#cda:z", "cda:b#false()", "cda:a#false()", "cda:a#cda:z", "cda:c#false()",
    ]  # fmt: skip


def test_what_holds_is_told_by_the_truth_of_a_test_whatever_its_type():
    root = document("<a><b/><b/></a>")
    tests = {"cda:b": True, "cda:z": False, "count(cda:b)": True, "count(cda:z)": False, "'x'": True, "''": False}
    found = {name.split("#")[1] for name, _ in failed(ruleset(rule("cda:a", *tests)), root)}
    assert found == {test for test, holds in tests.items() if not holds}


@pytest.mark.parametrize(
    ("context", "judged"),
    [
        ("/", ["ClinicalDocument"]),
        ("/cda:ClinicalDocument", ["ClinicalDocument"]),
        ("/cda:a", []),
        ("//cda:b", ["b", "b", "b"]),
        ("cda:a/cda:b", ["b", "b"]),
        ("cda:a//cda:b", ["b", "b", "b"]),
        ("cda:a/cda:b[1]", ["b"]),
        ("cda:b[position() = last()]", ["b", "b"]),
        ("child::cda:b[not(@v)]", ["b"]),
        ("cda:b/@v", ["b", "b"]),
        ("cda:b/@v[. = '2']", ["b"]),
        ("@v", ["b", "b"]),
        ("cda:a//@v", ["b", "b"]),
        ("//@v", ["b", "b"]),
        ("cda:c/text()", ["c"]),
        ("cda:*[@v]", ["b", "b"]),
    ],
)
def test_contexts_are_patterns(context, judged):
    root = document("<a><b v='1'/><b v='2'/><c>text<b/></c></a>")
    assert [name for _, name in failed(ruleset(rule(context, "false()")), root)] == judged


def test_an_attribute_is_tested_as_itself():
    root = document("<b v='1'/><b v='2'/><b/>")
    rules = ruleset(rule("cda:b/@v", ". = '1'", "../self::cda:b", "current() = '2'"))
    assert [(name, element.get("v")) for (name, _), (_, element) in zip(
        failed(rules, root), rules.judge(root), strict=True
    )] == [("cda:b/@v#current() = '2'", "1"), ("cda:b/@v#. = '1'", "2")]  # fmt: skip


def test_first_match_holds_for_attributes_too():
    root = document("<b v='1'/><b v='2'/>")
    rules = ruleset([rule("cda:b/@v[. = '1']", "true()"), rule("cda:b/@v", "false()")])
    assert [element.get("v") for _, element in rules.judge(root)] == ["2"]


def test_variables_are_of_the_node_wherever_they_are_named():
    root = document("<a v='1'><b v='1'/></a><a v='1'><b v='2'/></a><a><b v='1'/></a>")
    path = rule("cda:a", "cda:b[@v = $own]", variables=(("own", "@v"),))
    assert [element for _, element in ruleset(path).judge(root)] == [root[1], root[2]]
    computed = rule("cda:a", "cda:b[@v = $sum]", variables=(("sum", "count(cda:b) + 0"),))
    assert [element for _, element in ruleset(computed).judge(root)] == [root[1]]


def test_strings_are_named_by_all_rules():
    root = document("<a v='x'/><a v='it&apos;s'/><a v='y'/>")
    rules = ruleset(rule("cda:a", "contains($known, @v)"), variables={"known": 'x it\'s "quoted"'})
    assert [element.get("v") for _, element in rules.judge(root)] == ["y"]


def test_current_is_the_node_of_the_rule():
    root = document("<a v='1'><b v='1'/></a><a v='2'><b v='1'/></a>")
    rules = ruleset(rule("cda:a", "cda:b[@v = current()/@v]"))
    assert [element.get("v") for _, element in rules.judge(root)] == ["2"]


def test_functions_of_ours_can_be_called():
    functions = {("urn:functions", "even"): lambda _, number: number % 2 == 0}
    root = document("<a><b/></a><a/>")
    assert [
        element for _, element in ruleset(rule("cda:a", "f:even(count(cda:b))"), functions=functions).judge(root)
    ] == [root[0]]


def test_what_cannot_be_judged_is_told_and_the_rest_is_judged():
    rules = ruleset(
        Rule("cda:a", (asserting("dead", "no-such()"), asserting("alive", "false()"), asserting("bad", "][")))
    )
    unjudged = []
    assert [assertion.id for assertion, _ in rules.judge(document("<a/><b/>"), unjudged)] == ["alive"]
    assert sorted(assertion.id for assertion, _ in unjudged) == ["bad", "dead"]
    assert all(assertion.unjudged for assertion, _ in unjudged)
    assert [each.partition(":")[0] for each in rules.problems()] == ["bad"]


@pytest.mark.parametrize("context", ["cda:a[@v]/@w/cda:b", "cda:a[f:none(.)]", "cda:a[f:none(.)]/cda:b"])
def test_a_context_that_leads_to_no_elements_is_told(context):
    unjudged = []
    assert list(ruleset(rule(context, "false()")).judge(document("<a v='1' w='2'><b/></a>"), unjudged)) == []
    assert all(assertion.unjudged for assertion, _ in unjudged)
    assert bool(unjudged) == ("f:none" in context)


def test_an_assertion_marked_unjudged_is_never_tried():
    rules = ruleset(Rule("cda:a/@v", (asserting("later", "][", unjudged="no codes"),)))
    unjudged = []
    assert list(rules.judge(document("<a v='1'/><a/>"), unjudged)) == []
    assert [(assertion.id, element.get("v")) for assertion, element in unjudged] == [("later", "1")]
    assert rules.problems() == []


@pytest.mark.parametrize("context", ["", "cda:a[", "cda:a[@b='x]", "cda:a]", "wrong:a", "cda:a[@b]x", "cda:a |"])
def test_a_context_that_is_no_pattern_is_named(context):
    with pytest.raises(BadRuleError, match="p0"):
        list(ruleset(rule(context, "true()")).judge(document("")))


def test_templates_invented_without_end_are_not_kept():
    rules = ruleset(rule("cda:act[cda:templateId[@root='1.2']]", "cda:id"))
    root = document("".join(f"<act><templateId root='1.2' extension='{n}'/></act>" for n in range(5000)))
    assert len(failed(rules, root)) == 5000
    assert len(rules._programs) <= 4096


def test_an_element_with_no_parent_above_its_template_is_passed_over():
    root = etree.fromstring('<templateId xmlns="urn:hl7-org:v3" root="1.2"/>')
    assert failed(ruleset(rule("cda:act[cda:templateId[@root='1.2']]", "false()")), root) == []


_NAMES = st.sampled_from(["a", "b", "c"])
_TREES = st.recursive(
    st.builds("<{0} v='{1}'/>".format, _NAMES, st.sampled_from("12")),
    lambda inner: st.builds(
        lambda name, template, children: f"<{name}>{template}{''.join(children)}</{name}>",
        _NAMES,
        st.sampled_from(
            ["", "<templateId root='1'/>", "<templateId root='1' extension='x'/>", "<templateId root='2'/>"]
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
_CONTEXTS = st.sampled_from(
    [
        "cda:a", "cda:b/cda:a", "cda:a//cda:b", "cda:*[@v]", "cda:a[cda:templateId[@root='1']]",
        "cda:a[cda:templateId[@root='1' and @extension='x']]/cda:b",
        "cda:b[cda:templateId[@root='1' and not(@extension)]]",
        "cda:a[cda:templateId[@root='1']] | cda:b[cda:templateId[@root='2']]/cda:a", "cda:c[2]", "//cda:b[@v='1']",
    ]
)  # fmt: skip
_XSLT = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:cda="urn:hl7-org:v3">
<xsl:template match="/"><out><xsl:apply-templates select="//*"/></out></xsl:template>
<xsl:template match="*" priority="0"/>{rules}</xsl:stylesheet>"""
_ONE = """<xsl:template match="{0}" priority="{1}"><hit rule="{1}"
><xsl:value-of select="count(preceding::*|ancestor::*)"/></hit></xsl:template>"""


@given(_TREES, st.lists(_CONTEXTS, min_size=1, max_size=4, unique=True))
def test_rules_take_the_nodes_that_an_xslt_processor_gives_them(tree, chosen):
    root = document(tree)
    rules = RuleSet([Pattern("p", tuple(rule(each, "false()") for each in chosen))], NAMESPACES)
    ours = sorted(
        (list(root.iter()).index(element), assertion.id.rpartition("#")[0]) for assertion, element in rules.judge(root)
    )
    written = "".join(_ONE.format(each, len(chosen) - number) for number, each in enumerate(chosen))
    result = etree.XSLT(etree.fromstring(_XSLT.format(rules=written)))(root.getroottree())
    theirs = sorted((int(hit.text), chosen[len(chosen) - int(hit.get("rule"))]) for hit in result.getroot())
    assert ours == theirs


@given(st.text(alphabet="cda:[]()'\"/@|*=1 ", max_size=30))
def test_any_text_is_a_pattern_or_is_refused_in_one_line(text):
    try:
        contexts.read(text, NAMESPACES)
    except contexts.BadPatternError as bad:
        assert "\n" not in str(bad)
