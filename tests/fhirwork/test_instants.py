"""FHIR's dates as spans, and the prefixes that compare them."""

import pytest

from onc_conformance.fhirwork.instants import compares, span, spans


@pytest.mark.parametrize(
    ("prefix", "found", "asked", "expected"),
    [
        ("eq", "2019-05-06", "2019", True),
        ("eq", "2019", "2019-05-06", False),
        ("gt", "2019-05-06", "2019-05-06", False),
        ("gt", "2019-05-07", "2019-05-06", True),
        ("ge", "2019-05-06", "2019-05-06", True),
        ("lt", "2019-05-05", "2019-05-06", True),
        ("lt", "2019-05-06", "2019-05-06", False),
        ("le", "2019-05-06", "2019-05-06", True),
        ("sa", "2019-05-06", "2019-05", False),
        ("sa", "2019-06-01", "2019-05", True),
        ("eb", "2019-04-30", "2019-05", True),
        ("ne", "2019-05-06", "2019-05-06", False),
        ("gt", "2019-05-06T23:30:00-05:00", "2019-05-06", None),
        ("gt", "2019-05-09T23:30:00Z", "2019-05-06", True),
        ("eq", "2019-12-31", "2019-12", True),
        ("gt", "2019-05-06", "2019-05-06T00:00:01Z", None),
        ("le", "2019-05-06", "2019-05-06T00:00:01Z", None),
        ("ge", "2019-05-06", "2019-05-08T00:00:01Z", False),
        ("lt", "2019-05-06", "2019-05-08T00:00:01Z", True),
        ("gt", "2019-05-06T10:00:00Z", "2019-05-06T10:00:00Z", False),
        ("ge", "2019-05-06T10:00:00Z", "2019-05-06T11:00:00+01:00", True),
    ],
)
def test_prefixes_compare_spans(prefix, found, asked, expected):
    assert compares(prefix, span(found), span(asked)) is expected


def test_a_period_is_open_where_it_has_no_end():
    (found,) = spans({"start": "2019-05-06"})
    assert compares("gt", found, span("2030-01-01")) is True
    assert compares("lt", found, span("2019-05-06")) is False


@pytest.mark.parametrize("text", ["2019-02-30", "not-a-date", "", None, 5, "2019-13"])
def test_what_is_no_date_has_no_span(text):
    assert span(text) is None
