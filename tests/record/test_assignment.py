"""The least cost of pairing, against all there is to try."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from onc_conformance.record import assignment
from onc_conformance.record.assignment import assign

COSTS = st.dictionaries(
    st.integers(0, 4), st.dictionaries(st.integers(0, 4), st.integers(0, 30), max_size=5), max_size=5
)


def price(costs, chosen):
    return sum(costs[row][column] for row, column in chosen.items())


def best(costs):
    """The most pairs, and their least price, by trying every order of the rows over the columns."""
    rows, columns = list(costs), list(range(5))
    found = [
        {row: column for row, column in zip(rows, order, strict=False) if column in costs[row]}
        for order in permutations(columns + [None] * len(rows), len(rows))
    ]
    most = max(len(chosen) for chosen in found)
    return most, min(price(costs, chosen) for chosen in found if len(chosen) == most)


@given(COSTS)
@settings(deadline=None)
def test_as_many_as_can_be_at_the_least_cost(costs):
    chosen = assign(costs)
    assert len(set(chosen.values())) == len(chosen)
    assert all(column in costs[row] for row, column in chosen.items())
    assert (len(chosen), price(costs, chosen)) == best(costs)


def test_a_row_gives_way_to_one_that_pays_less():
    assert assign({0: {0: 5}, 1: {0: 1}}) == {1: 0}
    assert assign({0: {0: 0, 1: 1}, 1: {0: 0}}) == {0: 1, 1: 0}
    assert assign({}) == {}
    assert assign({0: {}}) == {}


def test_a_crowd_takes_the_cheapest_first(monkeypatch):
    monkeypatch.setattr(assignment, "MANY", 1)
    assert assign({0: {0: 5, 1: 9}, 1: {0: 1, 1: 2}}) == {1: 0, 0: 1}
