"""Each kind of condition, as XPath and in words, on elements that meet it and elements that do not."""

from __future__ import annotations

import pytest
from lxml import etree

from onc_conformance.ccda import constraints, wording

NAMES = {("1.2", "2015-08-01"): "Some Entry"}
CODE = {"attribute": "code", "one_of": ["a"]}


def element(inside="", attributes=""):
    xml = (
        '<r xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<section {attributes}>{inside}</section></r>"
    )
    return etree.fromstring(xml)[0]


def holds(condition, node):
    return etree.XPath(f"boolean({constraints.test(condition)})", namespaces=constraints.NAMESPACES)(node)


@pytest.mark.parametrize(
    ("condition", "good", "bad", "words"),
    [
        ({"path": ["title"], "min": 1, "max": 1}, "<title/>", "", "exactly one title"),
        ({"path": ["title"], "min": 1, "max": 1}, "<title/>", "<title/><title/>", "exactly one title"),
        ({"path": ["entry"], "min": 1}, "<entry/><entry/>", "<text/>", "at least one entry"),
        ({"path": ["entry"], "min": 2}, "<entry/><entry/>", "<entry/>", "at least two entry"),
        ({"path": ["entry"], "min": 0, "max": 0}, "", "<entry/>", "no entry"),
        ({"path": ["entry"], "min": 0, "max": 1}, "", "<entry/><entry/>", "at most one entry"),
        ({"path": ["entry"], "min": 1, "max": 2}, "<entry/>", "<entry/><entry/><entry/>", "one to two entry"),
        ({"path": ["entry", "act"], "min": 1}, "<entry><act/></entry>", "<entry/><act/>", "at least one entry/act"),
        ({"path": ["sdtc:x"], "min": 1}, "<sdtc:x/>", "<x/>", "at least one sdtc:x"),
        (
            {"path": [{"step": "code", "where": [CODE]}], "min": 1},
            '<code code="a"/>',
            '<code code="b"/>',
            'code/@code "a"',
        ),
        (
            {"path": [{"step": "code", "where": [CODE]}], "min": 1, "max": 1},
            '<code code="a"/><code code="b"/>',
            '<code code="a"/><code code="a"/>',
            'exactly one code with @code "a"',
        ),
        (
            {"path": ["text"], "has": [{"path": ["reference"], "min": 1}], "optional": True},
            "",
            "<text/>",
            "in text, if present, at least one reference",
        ),
        (
            {"template": "1.2", "extension": "2015-08-01"},
            '<templateId root="1.2" extension="2015-08-01"/>',
            '<templateId root="1.2" extension="2014-06-09"/>',
            "the templateId of Some Entry (1.2:2015-08-01)",
        ),
        (
            {"template": "1.2"},
            '<templateId root="1.2" extension="x"/>',
            '<templateId root="1.3"/>',
            "the templateId of 1.2",
        ),
        (
            {"template": "1.2", "extension": ""},
            '<templateId root="1.2"/>',
            '<templateId root="1.2" extension="x"/>',
            "the templateId of 1.2",
        ),
        (
            {"any": [{"path": ["a"], "min": 1}, {"path": ["b"], "min": 1}]},
            "<b/>",
            "",
            "either at least one a, or at least one b",
        ),
        (
            {"all": [{"path": ["a"], "min": 1}, {"path": ["b"], "min": 1}]},
            "<a/><b/>",
            "<a/>",
            "at least one a and at least one b",
        ),
        ({"not": {"path": ["a"], "min": 1, "max": 1}}, "", "<a/>", "not exactly one a"),
        ({"counts": [["a"], "=", ["b"]]}, "<a/><b/>", "<a/>", "as many a as b"),
        ({"counts": [["a"], "<=", ["b"]]}, "<b/>", "<a/>", "no more a than b"),
        ({"together": [["a"], ["b"]], "min": 1, "max": 1}, "<b/>", "<a/><b/>", "exactly one of a or b"),
        ({"own_text": True}, "words", "<a>words</a>", "text of its own"),
        (
            {"path": [{"step": "country", "where": [{"text": True, "one_of": ["US"]}]}], "min": 1},
            "<country> US </country>",
            "<country>CA</country>",
            'at least one country with the text "US"',
        ),
        (
            {"path": [{"step": "act", "from": "descendants"}], "min": 1},
            "<entry><act/></entry>",
            "<entry/>",
            "at least one anywhere within act",
        ),
    ],
)
def test_a_condition_holds_where_it_should_and_says_what_it_wants(condition, good, bad, words):
    assert holds(condition, element(good))
    assert not holds(condition, element(bad))
    assert wording.clause(condition, NAMES) == words


@pytest.mark.parametrize(
    ("condition", "good", "bad", "words"),
    [
        ({"attribute": "nullFlavor"}, 'nullFlavor="NI"', "", "@nullFlavor"),
        ({"attribute": "xsi:type", "one_of": ["CD", "CE"]}, 'xsi:type="CE"', 'xsi:type="ST"', '@xsi:type "CD" or "CE"'),
        ({"attribute": "x", "none_of": ["a"]}, 'x="b"', 'x="a"', '@x other than "a"'),
        ({"attribute": "x", "contains": ["+", "-"]}, 'x="1-2"', 'x="12"', '@x containing "+" or "-"'),
        ({"attribute": "x", "starts_with": ["#"]}, 'x="#a"', 'x="a#"', '@x starting with "#"'),
        ({"attribute": "x", "min_length": 3}, 'x="abc"', 'x="ab"', "@x of at least 3 characters"),
        ({"attribute": "x", "max_length": 3}, 'x="abc"', 'x="abcd"', "@x of at most 3 characters"),
        (
            {"attribute": "x", "min_length": 2, "max_length": 2},
            'x="ab"',
            'x="a"',
            "@x of at least 2 characters of at most 2 characters",
        ),
        ({"not": {"attribute": "x"}}, "", 'x="a"', "no @x"),
        ({"not": {"all": [{"attribute": "x"}, {"attribute": "y"}]}}, 'x="a"', 'x="a" y="b"', "not at once @x and @y"),
        ({"attribute": "x", "one_of": ["it's"]}, 'x="it\'s"', 'x="its"', '@x "it\'s"'),
    ],
)
def test_an_attribute_is_tested(condition, good, bad, words):
    assert holds(condition, element(attributes=good))
    assert not holds(condition, element(attributes=bad))
    assert wording.clause(condition, NAMES) == words


def test_of_many_values_the_first_are_named():
    assert wording.clause({"attribute": "x", "one_of": list("abcdefgh")}, {}).endswith('"e" or "f" or …')


def test_a_place_among_siblings_counts_siblings():
    path = {"path": [{"step": "entry", "where": [{"position": 1}, {"path": ["act"], "min": 1}]}], "min": 1}
    assert holds(path, element("<entry><act/></entry><entry/>"))
    assert not holds(path, element("<entry/><entry><act/></entry>"))


def test_steps_start_where_they_say():
    node = element("<entry/>")
    for start, found in (("document", 1), ("descendants", 0), ("root", 0)):
        expression = constraints.path([{"step": "section", "from": start}])
        assert len(node.xpath(expression, namespaces=constraints.NAMESPACES)) == found


def test_what_is_no_condition_is_refused():
    with pytest.raises(ValueError, match="no such condition"):
        constraints.test({"colour": "red"})
    with pytest.raises(ValueError, match="no such condition"):
        wording.clause({"colour": "red"}, {})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"path": ["title"], "min": 1, "max": 1}, "exactly one"),
        ({"path": [{"step": "code", "where": [CODE]}], "min": 1}, '@code "a"'),
        (CODE, '@code "a"'),
        ({"path": ["text"], "has": [CODE], "optional": True}, None),
        ({"any": [CODE]}, None),
    ],
)
def test_what_is_expected_is_said_where_it_is_short(condition, expected):
    assert wording.expected(condition) == expected


def test_a_demand_reads_as_a_sentence():
    assert wording.demand({"path": ["title"], "min": 1, "max": 1}, "shall", {}) == "shall have exactly one title"
    assert wording.demand({"not": {"path": ["a"], "min": 1, "max": 1}}, "should", {}) == "should not have exactly one a"
    optional = {"path": ["text"], "has": [{"path": ["b"], "min": 1}], "optional": True}
    assert wording.demand(optional, "shall", {}) == "shall have, if there is text, in it at least one b"
