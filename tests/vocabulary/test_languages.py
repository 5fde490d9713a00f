"""Language tags by RFC 5646."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance.vocabulary import Answer, languages
from onc_conformance.vocabulary.tables import facts

two = st.sampled_from(sorted(language for language in facts("languages")["languages"] if len(language) == 2))
regions = st.sampled_from(sorted(facts("languages")["regions"]))


@given(two, regions, st.booleans())
def test_a_language_with_a_region_is_one_in_any_case(language, region, upper):
    tag = f"{language}-{region}"
    assert languages.language(tag.upper() if upper else tag.lower()) is Answer.IN


@given(st.text(max_size=30) | st.text("abcxi-0129", max_size=120))
def test_any_text_gets_an_answer(text):
    assert languages.language(text) in Answer


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2))
def test_two_letters_are_known_in_full(tag):
    assert (languages.language(tag) is Answer.IN) is (tag in facts("languages")["languages"])


@pytest.mark.parametrize(
    ("tag", "answer"),
    [("en", "in"), ("en-US", "in"), ("EN-us", "in"), ("zh-Hans-CN", "in"), ("es-419", "in"), ("sl-rozaj-biske", "in"),
     ("de-CH-1996", "in"), ("x-whatever", "in"), ("i-klingon", "in"), ("en-a-bbb-x-a-ccc", "in"), ("qaa", "in"),
     ("ace", "in"), ("eng", "unknown_here"), ("xx", "not_in"), ("en-XX", "not_in"), ("english", "unknown_here"),
     ("en_US", "not_in"), ("e", "not_in"), ("", "not_in"), ("en-", "not_in"), ("-en", "not_in"), ("en--US", "not_in"),
     ("de-1996-1996", "not_in"), ("en-a-bbb-a-ccc", "not_in"), ("en-US-x", "not_in"), ("a" * 200, "not_in"),
     ("ün", "not_in"), ("en\n", "not_in")],
)  # fmt: skip
def test_tags(tag, answer):
    assert languages.language(tag) == answer
