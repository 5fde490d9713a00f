"""Tests that look for the same id anywhere in the document: found as if the whole document were searched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from onc_conformance.ccda.engine import Assertion, Pattern, Rule, RuleSet
from onc_conformance.findings import Severity

NAMESPACES = {"cda": "urn:hl7-org:v3"}
LIKE = (
    "id[self::node()/@root = current()/{0}/@root and (not(self::node()/@extension) and not(current()/{0}/@extension)) "
    "or self::node()/@extension = current()/{0}/@extension]"
)
WHOLE = "/cda:ClinicalDocument//cda:act[cda:" + LIKE.format("cda:id[1]") + " and cda:code]"
DEEPER = (
    "@nullFlavor or (/cda:ClinicalDocument//cda:act[cda:templateId[@root='1.2'] and cda:b/cda:"
    + LIKE.format("cda:b/cda:id[1]")
    + "])"
)
COUNTED = f"count({WHOLE}) = 1"
DIFFERENT = "/cda:ClinicalDocument//cda:act[cda:" + LIKE.format("cda:id") + " and @a = current()/@a]"
FOLLOWED = f"{WHOLE}/cda:code"


def ruleset(test):
    assertion = Assertion("x", test, Severity.ERROR, "there is one like it")
    return RuleSet([Pattern("p", (Rule("cda:act", (assertion,)),))], NAMESPACES)


def as_written(test, root):
    """The elements a test fails on, each searched for through the whole document."""
    asked = etree.XPath(f"boolean({test.replace('current()', '$current')})", namespaces=NAMESPACES)
    return [each for each in root.iter("{urn:hl7-org:v3}act") if not asked(each, current=[each])]


@pytest.mark.parametrize(("test", "calls"), [(WHOLE, 1), (DEEPER, 1), (COUNTED, 0), (DIFFERENT, 0), (FOLLOWED, 0)])
def test_only_what_is_a_join_and_no_more_is_put_aside(test, calls):
    rewritten = ruleset(test)._joins.rewritten(test)
    assert rewritten.count("onc-join:any(") == calls
    assert (rewritten == test) == (not calls)


_IDS = st.builds(
    "<id{}{}/>".format,
    st.sampled_from(["", " root='1'", " root='2'"]),
    st.sampled_from(["", " extension='a'", " extension='b'", " extension=''"]),
)
_PARTS = st.one_of(_IDS, st.just("<code/>"), st.just("<templateId root='1.2'/>"), st.builds("<b>{}</b>".format, _IDS))
_ACTS = st.recursive(
    st.builds(lambda parts: f"<act>{''.join(parts)}</act>", st.lists(_PARTS, max_size=4)),
    lambda inner: st.builds(
        lambda parts, acts: f"<act>{''.join((*parts, *acts))}</act>",
        st.lists(_PARTS, max_size=4),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)


@given(st.lists(_ACTS, max_size=4), st.sampled_from([WHOLE, DEEPER, DIFFERENT, COUNTED, FOLLOWED]), st.booleans())
def test_a_join_answers_as_the_search_would(acts, test, whole):
    kind = "ClinicalDocument" if whole else "component"
    root = etree.fromstring(f'<{kind} xmlns="urn:hl7-org:v3">{"".join(acts)}</{kind}>')
    rules = ruleset(test)
    for _ in range(2):
        assert [element for _, element in rules.judge(root)] == as_written(test, root)


def test_what_was_found_in_one_document_is_forgotten_in_the_next():
    rules = ruleset(WHOLE)
    act, like = "<act><id root='1'/></act>", "<act><id root='1'/><code/></act>"
    for inner, failing in ((act, 1), (act + like, 0), (act, 1)):
        root = etree.fromstring(f'<ClinicalDocument xmlns="urn:hl7-org:v3">{inner}</ClinicalDocument>')
        assert len(list(rules.judge(root))) == failing
