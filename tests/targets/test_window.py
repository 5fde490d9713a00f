from datetime import date

import pytest

from onc_conformance.moments import Days
from onc_conformance.targets.models import Dates
from onc_conformance.targets.window import CannotAsk, parameters

FIRST, LAST = date(2017, 5, 2), date(2018, 1, 31)


@pytest.mark.parametrize(
    ("dates", "window", "sent"),
    [
        ({}, None, []),
        ({}, Days(None, None), []),
        ({}, Days(FIRST, LAST), [("start", "2017-05-02"), ("end", "2018-01-31")]),
        ({}, Days(FIRST, None), [("start", "2017-05-02")]),
        ({}, Days(None, LAST), [("end", "2018-01-31")]),
        ({}, Days(FIRST, FIRST), [("start", "2017-05-02"), ("end", "2017-05-02")]),
        ({"format": "%m/%d/%Y", "start": "FromDate"}, Days(FIRST, None), [("FromDate", "05/02/2017")]),
        (
            {"style": "prefix_repeat", "start": "date", "end": "date"},
            Days(FIRST, LAST),
            [("date", "ge2017-05-02"), ("date", "le2018-01-31")],
        ),
        (
            {"style": "prefix_repeat", "start": "date", "end": "date", "single": "eq", "prefixes": ["gt", "lt"]},
            Days(FIRST, FIRST),
            [("date", "eq2017-05-02")],
        ),
        (
            {"style": "prefix_repeat", "start": "date", "end": "date", "prefixes": ["gt", "lt"]},
            Days(FIRST, LAST),
            [("date", "gt2017-05-01"), ("date", "lt2018-02-01")],
        ),
    ],
)
def test_a_window_becomes_the_vendors_parameters(dates, window, sent):
    assert parameters(Dates(**({"style": "pair"} | dates)), window) == sent


@pytest.mark.parametrize("window", [Days(FIRST, None), Days(None, LAST)])
def test_a_range_open_at_one_end_cannot_be_asked_of_an_api_that_takes_both_dates_or_none(window):
    with pytest.raises(CannotAsk, match="both dates or neither"):
        parameters(Dates(style="pair", bounds="both_or_none"), window)


def test_an_api_without_dates_cannot_be_asked_for_a_window():
    assert parameters(Dates(style="none"), None) == []
    with pytest.raises(CannotAsk, match="takes no dates"):
        parameters(Dates(style="none"), Days(FIRST, FIRST))
