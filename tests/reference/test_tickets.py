"""Tickets: good for a while, and not remembered without end."""

import itertools

from onc_conformance.reference import tickets


def test_the_oldest_tickets_are_forgotten_first():
    numbers = itertools.count()
    issued = tickets.Tickets(60, lambda: str(next(numbers)))
    for holder in range(tickets.REMEMBERED + 3):
        issued.issue(holder)
    assert [issued.holder(str(number)) for number in range(4)] == [None, None, None, 3]
    assert issued.holder(str(tickets.REMEMBERED + 2)) == tickets.REMEMBERED + 2


def test_a_ticket_past_its_life_is_worth_nothing_unless_that_does_not_matter():
    issued = tickets.Tickets(60, lambda: "t")
    ticket = issued.expired("ada")
    assert issued.holder(ticket) is None
    assert issued.holder(ticket, late=True) == "ada"
    assert issued.redeem(ticket, late=True) == "ada"
    assert issued.redeem(ticket, late=True) is None
