"""Facts paired one to one with what was seen of them."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from onc_conformance import moments
from onc_conformance.record import Code, Fact
from onc_conformance.record.comparing import likeness, pair, pair_other_days
from onc_conformance.record.seen import Likeness


def fact(code="1", **what):
    days = {key: moments.iso(what.pop(key)) for key in ("start", "end", "date") if key in what}
    text = what.pop("text", "")
    return Fact(id="x", kind="vital_signs", codes=(Code("loinc", code),), text=text, attributes=what, **days)


def seen(code="1", **what):
    days = {key: moments.iso(what.pop(key)) if key in what else None for key in ("start", "end", "date")}
    defaults = {"kind": "vital_signs", "codes": (Code("loinc", code),), "text": "", "value": None, "unit": None}
    stated = tuple(filter(None, (days["date"], days["start"], days["end"])))
    extra = {"udi": (), "member": None, "negated": False, "manners": {}, "detail": lambda _: ()}
    return SimpleNamespace(**{**defaults, **extra, "stated": stated, **days, **what})


@pytest.mark.parametrize(
    ("expected", "found", "like"),
    [
        (
            fact(date="2015-06-22", value=177.0, unit="cm"),
            seen(date="2015-06-22", value="177.0", unit="cm"),
            Likeness.SAME,
        ),
        (fact(date="2015-06-22", value=177.0, unit="cm"), seen(date="2015-06-22", value="178"), Likeness.OTHER_VALUE),
        (
            fact(date="2015-06-22", value=177.0, unit="cm"),
            seen(date="2015-06-22", value="70", unit="[in_i]"),
            Likeness.SAME_DAYS,
        ),
        (fact(date="2015-06-22", value="Clear"), seen(date="2015-06-22", value="CLEAR."), Likeness.SAME),
        (fact(date="2015-06-22", value="Clear"), seen(date="2015-06-22", value="1+"), Likeness.OTHER_VALUE),
        (fact(date="2015-06"), seen(date="2015-06-22"), Likeness.SAME_DAYS),
        (fact(date="2015-06-22"), seen(date="2015-06-23"), Likeness.OTHER_DAYS),
        (fact(date="2015-06-22"), seen(start="2015-06-01", end="2015-06-30"), Likeness.SAME_DAYS),
        (fact(date="2015-06-22"), seen(), Likeness.UNDATED),
        (fact(), seen(date="2015-06-22"), Likeness.SAME_DAYS),
        (fact(start="2011-10-05"), seen(start="2011-10-05", end="2012"), Likeness.SAME_DAYS),
        (fact(start="2011-10-05"), seen(start="2013-10-05"), Likeness.OTHER_DAYS),
        (fact(start="2011-10-05"), seen(end="2013-10-05"), Likeness.UNDATED),
        (fact(start="2011", end="2012"), seen(start="2011"), Likeness.NO_END),
        (fact(start="2011", end="2012"), seen(start="2011", end="2013"), Likeness.OTHER_DAYS),
        (fact(start="2015-06-22", end="2015-06-22"), seen(date="2015-06-22"), Likeness.SAME_DAYS),
        (fact(text="Walk daily"), seen(text="1. walk  DAILY!"), Likeness.SAME),
        (fact(text="Walk daily"), seen(text="Rest"), Likeness.OTHER_VALUE),
    ],
)
def test_likeness_is_of_days_first_and_then_of_values(expected, found, like):
    assert likeness(expected, found) is like


def test_one_of_two_equal_facts_missing_is_noticed():
    twice = [fact(date="2015-06-22", value=1.0), fact(date="2015-06-22", value=1.0)]
    assert len(pair(twice, [seen(date="2015-06-22", value="1")]).pairs) == 1


def test_repeats_of_a_code_find_their_own_days():
    facts = [fact(date=f"2015-06-{day}", value=float(day)) for day in (20, 21, 22)]
    found = [seen(date=f"2015-06-{day}", value=str(day)) for day in (22, 20, 21)]
    assert {number: position for number, (position, _) in pair(facts, found).pairs.items()} == {0: 1, 1: 2, 2: 0}


def test_a_vague_fact_leaves_the_exact_one_its_partner():
    facts = [fact(date="2015"), fact(date="2015-06-22", value=2.0)]
    found = [seen(date="2015-06-22", value="3"), seen(date="2015-03-01")]
    pairs = pair(facts, found).pairs
    assert pairs[0][0] == 1
    assert pairs[1] == (0, Likeness.OTHER_VALUE)


def test_facts_on_other_days_are_paired_only_when_asked():
    facts, found = [fact(date="2015-06-22")], [seen(date="2016-06-22")]
    assert pair(facts, found).pairs == {}
    assert pair_other_days(facts, found, [0], [0]) == {0: 0}
    assert pair_other_days(facts, [seen("2", date="2016-06-22")], [0], [0]) == {}


def test_a_further_code_may_stand_for_the_first():
    listed = Fact(id="x", kind="vital_signs", codes=(Code("loinc", "1"), Code("cpt", "9")))
    assert pair([listed], [SimpleNamespace(**{**vars(seen()), "codes": (Code("cpt", "9"),)})]).pairs
    assert not pair([fact()], [SimpleNamespace(**{**vars(seen()), "codes": (Code("cpt", "9"),)})]).pairs


def test_a_device_is_its_identifier_and_a_person_a_name():
    pump = Fact(id="x", kind="udi", codes=(Code("snomed", "1"),), attributes={"udi": "(01)1"})
    other = SimpleNamespace(**{**vars(seen()), "kind": "udi", "codes": (Code("snomed", "1"),), "udi": ("(01)2",)})
    assert not pair([pump], [other]).pairs
    assert pair([pump], [SimpleNamespace(**{**vars(other), "udi": ("(01) 1",)})]).pairs


def test_a_flowsheet_of_decades_is_paired_without_a_square():
    days = [
        f"{year}-{month:02}-{day:02}" for year in range(1980, 2020) for month in range(1, 13) for day in (1, 9, 17, 25)
    ]
    facts = [fact(date=day, value=float(number)) for number, day in enumerate(days)]
    found = [seen(date=day, value=str(number + 1)) for number, day in enumerate(days)]
    began = time.perf_counter()
    pairs = pair(facts, found).pairs
    assert len(pairs) == len(days)
    assert time.perf_counter() - began < 5
