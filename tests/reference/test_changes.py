"""Faults that are data: what is done to a chart, and to nothing else."""

import pytest

from onc_conformance import suite
from onc_conformance.reference import ccd, changes, charts
from onc_conformance.reference.changes import Change
from onc_conformance.reference.faults import CATALOGUE

DETAILS = suite.schemas() / "patients" / "details.toml"
SCOPES = {"document", "category", "document window", "category window", "narrative"}
OPERATIONS = {"set", "unset", "drop", "repeat", "shift", "add", "say"}


@pytest.fixture(scope="module")
def vera():
    return charts.load([DETAILS])[0]


@pytest.mark.parametrize("fault", [fault for fault in CATALOGUE if fault.change], ids=lambda fault: fault.id)
def test_a_fault_says_what_it_does_and_does_it(vera, fault):
    for each in fault.change:
        assert each["in"] in SCOPES
        assert OPERATIONS & set(each)
        assert set(each) <= OPERATIONS | {"in", "of", "at", "bound"}
    scopes = {each["in"] for each in fault.change}
    faulty = ccd.document(vera, document_id="1", faults={fault.id})
    assert (faulty != ccd.document(vera, document_id="1")) == bool(scopes & {"document", "narrative"})


def test_a_change_leaves_everything_else_alone(vera):
    change = Change("document", "medications", {"at": 1, "set": {"dose.value": 16}, "unset": ["route"]})
    first, second = change.apply(vera).of("medications")
    assert first == vera.of("medications")[0]
    assert second.values["dose"] == {"value": 16, "unit": "[iU]"}
    assert "route" not in second.values
    assert vera.of("medications")[1].values["dose"]["value"] == 8
    assert change.apply(vera).only(()) == vera.only(())


@pytest.mark.parametrize("path", ["nothing.there", "address.9.line", "address.9"])
def test_what_is_not_there_stays_away(vera, path):
    assert Change("document", "person", {"unset": [path]}).apply(vera) == vera


def test_facts_on_the_bounds_of_a_window_are_found(vera):
    day = charts.days_of("2016-10-03")[0]
    change = Change("document window", "procedures", {"bound": True, "at": 0, "drop": True})
    assert len(change.apply(vera, (day, None)).of("procedures")) == 1
    assert len(change.apply(vera, (None, None)).of("procedures")) == 2


def test_sayings_stand_in_place_of_rows(vera):
    assert changes.sayings({"narrative-denies-allergies"}) == {"medication_allergies": "No known allergies"}
    data = ccd.document(vera, document_id="1", faults={"narrative-denies-allergies"})
    assert b"<paragraph>No known allergies</paragraph>" in data
    assert b"penicillin G" in data
